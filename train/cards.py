"""Cards in Markdown: what a snapshot holds, and what a model is, was trained on and scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from core.languages import name_of
from core.metrics import read_figure
from core.records import EvaluationRecord, ModelRecord
from core.samples import Sample
from train.balance import count_labels
from train.snapshot import Snapshot

_SCORES = (
    ("tr_accuracy", "Tr accuracy"), ("arg_accuracy", "Arg accuracy"),
    ("tri_c", "Tri-C F1"), ("arg_c", "Arg-C F1"),
)  # fmt: skip


def data_card(
    snapshot: Snapshot,
    *,
    collection: str,
    recipe: Mapping[str, Any],
    held_out: Mapping[str, int],
    leaks_kept: int = 0,
) -> str:
    """The card of a snapshot. `held_out`: reviewed samples of the dev and test splits; `leaks_kept`:
    training samples that nearly repeat one of them, too many to leave out."""
    different = list({s.id: s for s in snapshot.train}.values())
    repeated = len(snapshot.train) - len(different)
    lines = [
        f"# Data: {_line(collection)}",
        "",
        f"{len(different):,} reviewed samples of the train split, SHA-256 `{snapshot.hash}`.",
        f"Held out: {', '.join(f'{n:,} {name}' for name, n in held_out.items()) or 'nothing'}.",
    ]
    if repeated:
        lines.append(
            f"Rare samples are repeated by {recipe.get('balance')}: {repeated:,} repetitions, so "
            f"{len(snapshot.train):,} are shown in an epoch."
        )
    if snapshot.leaks:
        lines.append(
            f"Left out, since they nearly repeat a held-out sample: {len(snapshot.leaks):,}."
        )
    if leaks_kept:
        lines.append(
            f"Kept, though they nearly repeat a held-out sample: {leaks_kept:,}, too many to leave "
            "out. The scores flatter."
        )
    for by, title in (("language", "Language"), ("modality", "Medium"), ("type", "Event type")):
        before, shown = count_labels(different, by), count_labels(snapshot.train, by)
        names = {k: name_of(k) if by == "language" else k for k in before}
        rows = [(_cell(names[k]), f"{n:,}", f"{shown[k]:,}") for k, n in before.items()]
        lines += ["", *_table((title, "Samples", "Shown in an epoch"), rows)]
    lines += ["", "## Sources", "", *_sources(different)]
    if snapshot.leaks:
        rows = [(_cell(k.sample), _cell(k.held_out), f"{k.score:.2f}") for k in snapshot.leaks]
        lines += ["", "## Left out", "", *_table(("Sample", "Held-out sample", "Likeness"), rows)]
    return "\n".join(lines) + "\n"


def model_card(
    model: ModelRecord, base: ModelRecord, evaluations: Sequence[EvaluationRecord]
) -> str:
    """The card of a model from its manifest and its scores, each beside the base's on the same
    samples where that has some."""
    manifest = model.manifest
    lines = [
        f"# {_line(model.title)}",
        "",
        f"Extracts events from text. `{model.id}`, made {model.created:%Y-%m-%d}.",
    ]
    is_merged = manifest.get("form") == "merged"
    if model.base_id is not None or is_merged:
        what = (
            f"The QLoRA adapter {_line(str(manifest.get('model')))} merged into its base, "
            f"{_line(str(manifest.get('base')))}"
            if is_merged
            else f"A QLoRA adapter on {_line(base.title)} (`{base.id}`)"
        )
        if manifest.get("mean_of"):
            what += f", the mean of {_line(', '.join(manifest['mean_of']))}"
        lines += [
            "",
            f"{what}. Base checksum: `{manifest.get('base_sha256') or 'unknown'}`.",
            f"Trained on the snapshot `{manifest.get('snapshot', 'unknown')}`, "
            f"{manifest.get('steps', '?')} steps. Prompt `{manifest.get('prompt_version', '?')}`.",
        ]
    lines += ["", "## Scores", ""]
    lines += _scores(model, base, evaluations) or ["Not scored yet."]
    if manifest.get("recipe"):
        rows = [(_cell(k), _cell(_shown(v))) for k, v in manifest["recipe"].items()]
        lines += ["", "## Recipe", "", *_table(("Setting", "Value"), rows)]
    if manifest.get("versions"):
        rows = [(k, str(v)) for k, v in manifest["versions"].items()]
        lines += ["", "## Made with", "", *_table(("Library", "Version"), rows)]
    lines += [
        "", "## Limits", "",
        "Accuracies are recalls: what is said too much costs only F1. Scores hold for texts like "
        "those of the split; another language, source or schema needs a test of its own. Every "
        "suggestion is meant to be looked at by a person.",
    ]  # fmt: skip
    if model.terms:
        lines += ["", "## Terms", "", _line(model.terms)]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- private


def _scores(
    model: ModelRecord, base: ModelRecord, evaluations: Sequence[EvaluationRecord]
) -> list[str]:
    lines: list[str] = []
    seen: set[str] = set()
    for found in evaluations:
        if found.model_id != model.id or found.split in seen:
            continue
        seen.add(found.split)
        before = next(
            (
                e for e in evaluations
                if e.model_id == base.id != model.id and e.test_hash == found.test_hash
                and e.split == found.split
            ),
            None,
        )  # fmt: skip
        rows = []
        for code in (None, *found.scores["by_language"]):
            cells = [_pair(before, found, name, code) for name, _ in _SCORES]
            rows.append(("all" if code is None else name_of(code), *cells))
        note = ", base → this" if before else ""
        lines += [
            f"{found.split.capitalize()} split, {found.samples:,} samples, per cent{note}:", "",
            *_table(("Language", *(title for _, title in _SCORES)), rows), "",
        ]  # fmt: skip
    return lines[:-1]


def _pair(
    before: EvaluationRecord | None, after: EvaluationRecord, name: str, code: str | None
) -> str:
    values = []
    for side in (before, after):
        if side is None:
            continue
        value = read_figure(side.scores, name, code)
        values.append("–" if value is None else f"{value:.1f}")
    return " → ".join(values)


def _sources(samples: Sequence[Sample]) -> list[str]:
    counts = Counter((s.source.name or "unnamed", s.source.licence or "not said") for s in samples)
    rows = [(_cell(who), _cell(how), f"{n:,}") for (who, how), n in counts.most_common(50)]
    days = sorted(s.source.published for s in samples if s.source.published)
    lines = _table(("Source", "Licence", "Samples"), rows)
    if days:
        lines += ["", f"Published from {_line(days[0][:10])} to {_line(days[-1][:10])}."]
    return lines


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    bar = " | ".join("---" for _ in names)
    return [
        f"| {' | '.join(names)} |", f"| {bar} |", *(f"| {' | '.join(row)} |" for row in rows),
    ]  # fmt: skip


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _cell(text: str) -> str:
    """Text of samples is data: it must not end a cell or begin markup."""
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    clean = " ".join(text.split())
    for mark in "\\`*_[]<>#":
        clean = clean.replace(mark, "\\" + mark)
    return clean
