"""What a person does with files: look at one, import it, export what is reviewed, score predictions.

Each verb gathers, decides on plain values, and applies in one transaction.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import FileError, InputError, LineError, SchemaError, shown
from core.formats.argus_jsonl import ReadFile, differing_parts, read_file, write_line
from core.formats.json_lines import LineProblem
from core.languages import in_order
from core.media_records import MediaFile
from core.metrics import score
from core.ports import SamplesPort, StorePort
from core.records import SampleFilter, SampleRecord
from core.samples import Sample
from core.schema import Schema, check_events, extend, missing_parts

CHUNK = 500  # samples read at a time, so that a large collection needs little memory
SHOWN = 5  # problems that a message about a whole file names


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What an import would find. `by_language` counts every readable sample by language and split.

    `new_types` are the types and roles that the collection's schema lacks ({type: [roles]}), and
    `need_extension` the samples that use them; a new collection takes its schema from the file.
    `addable` samples would be imported if the schema is extended.
    """

    collection: str
    is_new: bool
    by_language: Mapping[str, Mapping[str, int]]
    labelled: int
    unlabelled: int
    already: int
    new_types: Mapping[str, Sequence[str]]
    problems: Sequence[LineProblem]
    need_extension: int = 0
    addable: int = 0
    media: int = 0
    missing: Sequence[str] = ()
    refused: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did. `already`: samples (or repeated lines) that added nothing. `media` counts
    the files that came with them; those not there are `missing`, and `refused` says what is wrong
    with others. Samples come in without them."""

    collection: str
    added: int
    already: int
    problems: Sequence[LineProblem]
    new_types: Mapping[str, Sequence[str]]
    media: int = 0
    missing: Sequence[str] = ()
    refused: Sequence[str] = ()


@dataclass(slots=True)
class _Plan:
    """What to do with the samples of a file, in the file's order."""

    add: list[Sample] = field(default_factory=list)
    already: int = 0
    problems: list[LineProblem] = field(default_factory=list)
    new_types: dict[str, list[str]] = field(default_factory=dict)
    need_extension: int = 0


@dataclass(frozen=True, slots=True)
class _Target:
    """The collection that a file goes to, as it is now: `schema` is None before it exists.

    `hashes` are of its samples as they were imported; `current` has those that a file may clash
    with, as they are now.
    """

    name: str
    schema: Schema | None
    hashes: Mapping[str, str]
    current: Mapping[str, Sample]


def collection_name(name: str) -> str:
    """A collection's name as it is stored: without blanks around it, in NFC.

    Raises `InputError` where a database could not hold it.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if any("\ud800" <= char <= "\udfff" for char in name):
        raise InputError(
            f"the name {shown(name)} is not valid Unicode: give another with --collection"
        )
    return name


def preview_import(store: StorePort, data: bytes, *, collection: str, name: str) -> ImportPreview:
    """What importing the file `name` would find; changes nothing."""
    return preview_read(store, read_file(data, name=name), collection=collection)


def preview_read(store: StorePort, read: ReadFile, *, collection: str) -> ImportPreview:
    """What importing samples that were read would find; changes nothing."""
    target = _target(store, collection, read)
    plan = _plan(read, target, extend_schema=True)
    samples = [sample for _, sample in read.samples]
    counts: dict[str, dict[str, int]] = {
        code: {} for code in in_order({s.language for s in samples})
    }
    for sample in samples:
        splits = counts[sample.language]
        splits[sample.split or "none"] = splits.get(sample.split or "none", 0) + 1
    labelled = sum(s.events is not None for s in samples)
    return ImportPreview(
        collection=target.name,
        is_new=target.schema is None,
        by_language=counts,
        labelled=labelled,
        unlabelled=len(samples) - labelled,
        already=plan.already,
        new_types=plan.new_types,
        problems=plan.problems,
        need_extension=plan.need_extension,
        addable=len(plan.add),
    )


def import_file(
    store: StorePort,
    data: bytes,
    *,
    collection: str,
    name: str,
    extend_schema: bool = False,
    person: str | None = None,
) -> ImportResult:
    """Import the file `name`: its good lines, in its order, all in one transaction.

    A new collection takes its schema from the file. For an existing one, a type or role that its
    schema lacks is a problem of that line, unless `extend_schema` adds it. What is there already
    adds nothing; the same id with other content is a problem.
    """
    return import_read(
        store, read_file(data, name=name), collection=collection, name=name,
        extend_schema=extend_schema, person=person,
    )  # fmt: skip


def import_read(
    store: StorePort,
    read: ReadFile,
    *,
    collection: str,
    name: str,
    extend_schema: bool = False,
    person: str | None = None,
    files: Mapping[str, MediaFile] | None = None,
    problems: Mapping[str, str] | None = None,
) -> ImportResult:
    """Import samples that were read, as `import_file` does; `files` are their media by path, and
    `problems` say why a path has none."""
    target = _target(store, collection, read)
    plan = _plan(read, target, extend_schema=extend_schema)
    if plan.add:
        schema = extend(target.schema or Schema(), plan.new_types) if plan.new_types else None
        note = f"extended by {name}"
        store.imports.bring_in(
            target.name, plan.add, schema=schema, note=note, person=person, files=files,
            problems=problems,
        )  # fmt: skip
    return ImportResult(target.name, len(plan.add), plan.already, plan.problems, plan.new_types)


def export_lines(store: StorePort, *, collection: str) -> Iterator[str]:
    """Every reviewed sample as a line of Argus JSONL, its end included, in order of arrival."""
    found = store.collections.get(collection_name(collection))
    for record in iterate(store.samples, found.id, SampleFilter(states=["reviewed"])):
        yield write_line(record.sample) + "\n"


def iterate(
    samples: SamplesPort, collection_id: int, wanted: SampleFilter
) -> Iterator[SampleRecord]:
    """All matching samples, read in pieces so that a large collection needs little memory."""
    keys = samples.keys(wanted, collection_id=collection_id)
    for at in range(0, len(keys), CHUNK):
        yield from samples.list(SampleFilter(keys=keys[at : at + CHUNK]))


def score_files(gold: bytes, pred: bytes, *, gold_name: str, pred_name: str) -> dict[str, Any]:
    """The scores of one file of Argus JSONL against another; needs no store.

    A predicted line may leave out what gold says (text, language, …). Raises `FileError` naming the
    lines that cannot be read: a score of the others alone would mislead.
    """
    wanted = _read_whole(read_file(gold, name=gold_name, check_words=False), gold_name)
    if not pred.strip():
        return score(wanted, [])  # nothing predicted is a prediction too
    known = {sample.id: sample for sample in wanted}
    found = read_file(pred, name=pred_name, known=known, check_words=False)
    return score(wanted, _read_whole(found, pred_name))


# ---------------------------------------------------------------- private


def _target(store: StorePort, collection: str, read: ReadFile) -> _Target:
    """Gather what the decision needs to know of the collection."""
    name = collection_name(collection)
    record = store.collections.find(name)
    if record is None:
        return _Target(name, None, {}, {})
    hashes = store.samples.hashes(record.id)
    clashing = [s.id for _, s in read.samples if s.id in hashes and hashes[s.id] != s.content_hash]
    current: dict[str, Sample] = {}
    for at in range(0, len(clashing), CHUNK):
        wanted = SampleFilter(ids=clashing[at : at + CHUNK])
        found = store.samples.list(wanted, collection_id=record.id)
        current |= {r.sample.id: r.sample for r in found}
    return _Target(name, store.collections.schema(record.id), hashes, current)


def _plan(read: ReadFile, target: _Target, *, extend_schema: bool) -> _Plan:
    """Decide for each sample: add it, leave it since it is there, or say what is wrong with it."""
    plan = _Plan(already=read.repeated, problems=list(read.problems))
    schema = target.schema if target.schema is not None else Schema()
    may_grow = extend_schema or target.schema is None
    for line, sample in read.samples:
        try:
            if sample.id in target.hashes:
                _check_same(sample, target)
                plan.already += 1
                continue
            missing = missing_parts(schema, sample.events or ())
            _check_schema(schema, sample, may_grow=may_grow)
        except (LineError, SchemaError) as problem:
            plan.problems.append(LineProblem(line, str(problem)))
            continue
        plan.add.append(sample)
        plan.need_extension += bool(missing and target.schema is not None)
        for event_type, roles in missing.items():
            known = plan.new_types.setdefault(event_type, [])
            known += [role for role in roles if role not in known]
    plan.problems.sort(key=lambda p: p.line)
    return plan


def _check_same(sample: Sample, target: _Target) -> None:
    """Raise `LineError` unless the sample is what was imported, or what is stored now.

    A stored sample gets a split when it is reviewed, so a file that gives none does not differ.
    """
    stored = target.current.get(sample.id)
    if stored is None:
        return
    given = replace(sample, split=sample.split or stored.split)
    if given.content_hash != stored.content_hash:
        raise LineError(
            f"the id {shown(sample.id)} is in {shown(target.name)} already, with other content (differs "
            f"in: {', '.join(differing_parts(stored, given))}): give it another id, delete the "
            "stored sample first, or import into another collection"
        )


def _check_schema(schema: Schema, sample: Sample, *, may_grow: bool) -> None:
    """Raise `SchemaError` naming the first type or role that is retired, or that the schema lacks
    and may not get."""
    for violation in check_events(schema, sample.events or ()):
        if violation.kind.startswith("retired"):
            raise SchemaError(violation.message)
        if violation.is_fatal and not may_grow:
            raise SchemaError(
                f"{violation.message}: correct it, or let the import extend the schema "
                "(--extend-schema)"
            )


def _read_whole(read: ReadFile, name: str) -> list[Sample]:
    """The samples of a file; raises `FileError` if a line of it could not be read."""
    if read.problems:
        lines = [f"{name}, line {p.line}: {p.message}" for p in read.problems[:SHOWN]]
        more = len(read.problems) - SHOWN
        lines += [f"and {more} more"] if more > 0 else []
        raise FileError("\n".join(lines))
    return [sample for _, sample in read.samples]
