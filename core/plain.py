"""Results as plain text, for people at a terminal; pure, one string out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import shown
from core.formats.json_lines import LineProblem
from core.languages import name_of
from core.metrics import mean_of_languages
from core.samples import SPLITS
from core.workflow import ImportPreview, ImportResult

SHOWN = 50  # problems named one by one


def import_text(result: ImportResult) -> str:
    """What an import did, in a line; the problems are told apart from it."""
    samples = "1 sample" if result.added == 1 else f"{result.added:,} samples"
    text = f"imported {samples} into {shown(result.collection)}"
    if result.already:
        text += f"; {result.already:,} were there already"
    if result.media:
        text += f"; {_files(result.media)} came with them"
    if result.missing:
        text += f"; {_files(len(result.missing))} missing"
    if result.problems:
        text += f"; {_lines(len(result.problems))} not imported"
    return text


def preview_text(preview: ImportPreview, name: str) -> str:
    """What a file holds: counts per language and split, what is new in it, what would happen."""
    to = "a new collection" if preview.is_new else "the collection"
    columns = [*SPLITS, "none"]
    rows = [
        [name_of(code), *(f"{splits.get(c, 0):,}" for c in columns)]
        for code, splits in preview.by_language.items()
    ]
    parts = [
        f"{name} → {to} {shown(preview.collection)}",
        table([["language", "train", "dev", "test", "no split"], *rows]),
        f"{preview.labelled:,} labelled, {preview.unlabelled:,} not labelled, "
        f"{preview.already:,} there already",
    ]
    if preview.new_types:
        types = "; ".join(f"{t} ({', '.join(r)})" if r else t for t, r in preview.new_types.items())
        what = "types and roles of the file" if preview.is_new else "new types and roles"
        parts.append(f"{what}: {types}")
    if preview.need_extension:
        use = (
            "1 sample uses"
            if preview.need_extension == 1
            else f"{preview.need_extension:,} samples use"
        )
        parts.append(f"{use} them: import with --extend-schema, or those lines are left out")
    if preview.media or preview.missing:
        parts.append(f"{_files(preview.media)} beside it, {len(preview.missing):,} missing")
    if preview.problems:
        parts.append(f"{_lines(len(preview.problems))} cannot be imported")
    return "\n".join(parts)


def problems_text(problems: Sequence[LineProblem], name: str) -> str:
    """Each problem with its line; very many are cut short."""
    lines = [f"{name}, line {p.line}: {p.message}" for p in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"… and {len(problems) - SHOWN:,} more (all of them with --json)")
    return "\n".join(lines)


def media_text(missing: Sequence[str], refused: Sequence[str]) -> str:
    """The media files that are not there, and what is wrong with others; very many are cut short."""
    lines = [f"missing: {path}" for path in missing[:SHOWN]]
    if len(missing) > SHOWN:
        lines.append(f"… and {len(missing) - SHOWN:,} more are missing (all of them with --json)")
    lines += list(refused[:SHOWN])
    if len(refused) > SHOWN:
        lines.append(f"… and {len(refused) - SHOWN:,} more cannot be used (all with --json)")
    return "\n".join(lines)


def scores_text(scores: Mapping[str, Any], title: str) -> str:
    """Scores overall and by language, percentages with one decimal, the gold counts beside them."""
    head = ["", "Tr acc.", "Arg acc.", "Tri-C F1", "Arg-C F1", "triggers", "arguments"]
    rows = [["overall", *_row(scores["overall"])]]
    means = mean_of_languages(scores)
    rows.append(["mean of languages", *map(_figure, means.values()), "", ""])
    rows += [[name_of(code), *_row(s)] for code, s in scores["by_language"].items()]
    return f"{title}\n{table([head, *rows])}"


def models_text(models: Sequence[Mapping[str, Any]]) -> str:
    """A line a model, * beside one that a collection uses, with its newest figures."""
    lines = []
    for model in models:
        known = "no scores yet"
        if model["scores"]:
            figures = zip(
                ("Tr", "Arg", "Tri-C F1", "Arg-C F1"),
                _row(model["scores"]["overall"]),
                strict=False,
            )
            known = f"{model['split']}: " + ", ".join(f"{name} {value}" for name, value in figures)
        sign = "*" if model["in_use"] else " "
        lines.append(f"{sign} {model['model']}  {model['state']}  {known}")
    return "\n".join(lines) or "there is no model yet: `argus doctor` says what is missing"


def comparison_text(ways: Sequence[Mapping[str, Any]], title: str) -> str:
    """A line a way of asking: accuracies and F1 overall, accuracies by language, * where it is the best
    of those that may be used."""
    codes = list(dict.fromkeys(c for way in ways for c in way["scores"]["by_language"]))
    head = ["prompt", "examples", "how", "Tr/Arg acc.", "Tri-C/Arg-C F1", *map(name_of, codes)]
    rows = [[*head, "problems", "s/sample"]]
    for way in ways:
        asked, scores = way["strategy"], way["scores"]
        how = "free" if asked["is_free"] else "in steps" if asked["in_steps"] else ""
        figures = _row(scores["overall"])
        cells = []
        for code in codes:
            part = scores["by_language"].get(code)
            said = "/".join(_row(part)[:2]) if part else "–"
            cells.append(said + ("*" if code in way["best_in"] else ""))
        rows.append(
            [asked["version"], str(asked["examples"]), how, "/".join(figures[:2]),
             "/".join(figures[2:4]), *cells, f"{sum(way['problems'].values()):,}",
             f"{way['seconds']:.1f}"]
        )  # fmt: skip
    told = [
        f"{way['strategy']['version']} {way['strategy']['examples']}: "
        + ", ".join(f"{code} {n:,}" for code, n in way["problems"].items())
        for way in ways
        if way["problems"]
    ]
    return "\n".join([title, table(rows), *(["problems:", *told] if told else [])])


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _row(scores: Mapping[str, Any]) -> list[str]:
    figures = [scores["tr_accuracy"], scores["arg_accuracy"]]
    figures += [scores["tri_c"]["f1"], scores["arg_c"]["f1"]]
    return [*map(_figure, figures), f"{scores['tr_gold']:,}", f"{scores['arg_gold']:,}"]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _files(count: int) -> str:
    return "1 media file" if count == 1 else f"{count:,} media files"


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"
