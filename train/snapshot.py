"""Snapshots: the newest reviews, frozen, split and hashed; and what a run would do with them."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from core.errors import StorageError, TrainingError
from core.formats.argus_sample import sample_from_dict
from core.languages import in_order, name_of
from core.records import SampleFilter
from core.samples import Sample, sample_to_dict
from core.workflow import iterate
from train.balance import balance_samples
from train.leakage import Leak, leak_to_dict
from train.order import total_steps as total_steps
from train.reading import as_text
from train.recipes import Recipe
from train.services import Services

TEST_PER_LANGUAGE = 80  # test samples of a language that models are judged on, as in the paper
FEW = 20  # a language with fewer training samples than this is named as a weak spot


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. `test_split_is` says which split the model will be judged on, `repeated`
    how many repetitions of rare samples an epoch has besides the `samples`."""

    samples: int
    by_language: dict[str, int]
    dev: int
    test: int
    test_split_is: Literal["test", "dev", "none"]
    steps: int
    warnings: list[str] = field(default_factory=list)
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Frozen training reviews; `hash` is over them, in order. `train` has the repetitions that the
    recipe's balance asks for, `by_language` counts the different ones. `leaks` were left out.
    """

    train: tuple[Sample, ...]
    hash: str
    by_language: dict[str, int]
    leaks: tuple[Leak, ...] = ()


def reviewed(services: Services, collection_id: int, split: str) -> list[Sample]:
    """The reviewed text samples of a split, in order of arrival."""
    wanted = SampleFilter(states=["reviewed"], splits=[split])
    found = (r.sample for r in iterate(services.store.samples, collection_id, wanted))
    return [s for s in found if s.text]


def judged_split(services: Services, collection_id: int) -> Literal["test", "dev", "none"]:
    """The split that models of a collection are judged on: test, dev where there is no test."""
    counts = services.store.reads.splits(collection_id)
    if len(counts) and counts["test"].sum():
        return "test"
    return "dev" if len(counts) and counts["dev"].sum() else "none"


def limit_per_language(samples: Sequence[Sample], limit: int | None, *, seed: int) -> list[Sample]:
    """At most `limit` samples a language, drawn at random by `seed`, in their old order."""
    if limit is None:
        return list(samples)
    groups: dict[str, list[int]] = defaultdict(list)
    for i, sample in enumerate(samples):
        groups[sample.language].append(i)
    kept: set[int] = set()
    for language in sorted(groups):
        draw = random.Random(f"{seed}:{language}")
        kept.update(draw.sample(groups[language], min(limit, len(groups[language]))))
    return [s for i, s in enumerate(samples) if i in kept]


def balance_test(samples: Sequence[Sample]) -> list[Sample]:
    """At most `TEST_PER_LANGUAGE` samples a language, by the hash of their ids: which of two goes first
    never changes. In their old order."""
    groups: dict[str, list[str]] = defaultdict(list)
    for sample in samples:
        groups[sample.language].append(sample.id)
    kept = {
        (language, ident)
        for language, idents in groups.items()
        for ident in sorted(idents, key=_place)[:TEST_PER_LANGUAGE]
    }
    return [s for s in samples if (s.language, s.id) in kept]


def take_snapshot(
    services: Services, collection_id: int, recipe: Recipe, *, leaks: Sequence[Leak] = ()
) -> Snapshot:
    """Freeze the training samples of a run, those that leak left out and rare ones repeated as the
    recipe asks; raises `TrainingError` where there are none."""
    found = reviewed(services, collection_id, "train")
    left_out = {leak.sample for leak in leaks}
    kept = limit_per_language(
        [s for s in found if s.id not in left_out], recipe.per_language, seed=recipe.seed
    )
    if not kept:
        raise TrainingError(
            "there is nothing to train on: no reviewed sample is in the train split"
            + (f" but {len(left_out)} that repeat a dev or test sample" if left_out else "")
            + ". Review some samples, or import labelled ones"
        )
    kept = as_text(services, collection_id, kept)
    samples = balance_samples(kept, recipe.balance, seed=recipe.seed)
    lines = [json.dumps(sample_to_dict(s), ensure_ascii=False, sort_keys=True) for s in samples]
    digest = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
    dropped = tuple(leak for leak in leaks if leak.sample in {s.id for s in found})
    return Snapshot(tuple(samples), digest, _counts(kept), dropped)


def write_snapshot(snapshot: Snapshot, folder: Path, *, facts: dict[str, Any]) -> None:
    """Write the samples and, last, the manifest: without it the folder counts as unfinished."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "train.jsonl").open("w", encoding="utf-8") as out:
            for sample in snapshot.train:
                out.write(json.dumps(sample_to_dict(sample), ensure_ascii=False) + "\n")
        manifest = {
            "hash": snapshot.hash, "by_language": snapshot.by_language,
            "leaks": [leak_to_dict(leak) for leak in snapshot.leaks], **facts,
        }  # fmt: skip
        unfinished = folder / ".snapshot.json"
        unfinished.write_text(
            json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        unfinished.replace(folder / "snapshot.json")
    except OSError as problem:
        raise StorageError(
            f"the snapshot could not be written to {folder} ({problem}): free some space and start again"
        ) from problem


def read_samples(path: Path) -> list[Sample]:
    """The samples of a JSONL file of a snapshot, in order."""
    with path.open(encoding="utf-8") as lines:
        return [sample_from_dict(json.loads(line), check_words=False) for line in lines]


def plan_run(
    services: Services,
    collection_id: int,
    recipe: Recipe,
    *,
    samples: Sequence[Sample] | None = None,
) -> Plan:
    """What a run with this recipe would do, in figures, with what speaks against it in words.
    `samples`: the reviewed training samples, where they have been read already."""
    recipe.check()
    found = reviewed(services, collection_id, "train") if samples is None else samples
    samples = limit_per_language(found, recipe.per_language, seed=recipe.seed)
    counts = services.store.reads.splits(collection_id)
    dev = int(counts["dev"].sum()) if len(counts) else 0
    test = int(counts["test"].clip(upper=TEST_PER_LANGUAGE).sum()) if len(counts) else 0
    judged = judged_split(services, collection_id)
    by_language = _counts(samples)
    warnings = []
    if not samples:
        warnings.append(
            "No reviewed sample is in the train split yet: review some, or import them."
        )
    few = [f"{name_of(code)} ({n})" for code, n in by_language.items() if n < FEW]
    if few:
        warnings.append(f"Few samples in {', '.join(few)}: expect little there.")
    if judged == "dev":
        warnings.append(
            "There is no test split: models are judged on dev, and every figure says so."
        )
    if judged == "none":
        warnings.append("There is neither a test nor a dev split: the model cannot be judged.")
    shown = balance_samples(samples, recipe.balance, seed=recipe.seed)
    steps = total_steps(len(shown), recipe)
    repeated = len(shown) - len(samples)
    return Plan(len(samples), by_language, dev, test, judged, steps, warnings, repeated)


def _counts(samples: Sequence[Sample]) -> dict[str, int]:
    counts = Counter(s.language for s in samples)
    return {code: counts[code] for code in in_order(counts)}


def _place(ident: str) -> bytes:
    return hashlib.sha256(ident.encode("utf-8", "surrogatepass")).digest()
