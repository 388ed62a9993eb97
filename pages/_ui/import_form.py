"""Bring samples in: choose a file, see what it holds, choose where it goes, import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

import pandas as pd
import streamlit as st

from core.formats.json_lines import LineProblem
from core.languages import MAIN, name_of
from core.workflow import ImportPreview
from pages._ui.catalogue import t, tn
from pages._ui.layout import error_boundary, escape
from pages._ui.session import person, services, set_collection
from pages._ui.words import NO_FIGURE
from train.media_import import import_bundle, preview_bundle
from train.media_uploads import drop_upload, keep_upload

_SPLITS = ("train", "dev", "test", "none")
_SHOWN = 200  # problems listed; the others are counted
_RESULT = "import_result"


def offer_import() -> None:
    """The whole way of a file into a collection."""
    turn = st.session_state.setdefault("import_turn", 0)
    file = st.file_uploader(t("import.file"), key=f"import_file_{turn}", help=t("import.help"))
    if file is None:
        return
    st.session_state.pop(_RESULT, None)
    target = _choose_target(file.name)
    if not target:
        st.info(t("import.name_first"))
        return
    language = _choose_language(file.name, turn)
    with error_boundary():
        with st.spinner(t("import.reading", file=escape(file.name)), show_time=True):
            path = keep_upload(services().home, file.file_id, file.name, file.getbuffer())
            preview = _preview(file.file_id, path, target, file.name, language)
        _show_preview(preview)
        extends = bool(preview.need_extension) and st.checkbox(
            tn("import.extend", preview.need_extension), key=f"import_extend_{turn}"
        )
        count = preview.addable - (0 if extends else preview.need_extension)
        if st.button(
            tn("import.do", count), type="primary", key="import_do", disabled=not count,
            help=None if count else t("import.nothing"),
        ):  # fmt: skip
            with st.spinner(tn("import.doing", count), show_time=True):
                result = import_bundle(
                    services(), path, collection=target, name=file.name, language=language,
                    extend_schema=extends, person=person(), look=False,
                )  # fmt: skip
            drop_upload(services().home, file.file_id)
            said = tn("import.done", result.added, collection=result.collection)
            if result.already:
                said += " " + tn("import.already", result.already)
            if result.media:
                said += " " + tn("import.media", result.media)
            st.session_state[_RESULT] = (
                said, list(result.problems), list(result.missing), list(result.refused)
            )  # fmt: skip
            st.session_state["import_turn"] = turn + 1
            set_collection(result.collection)
            st.query_params.pop("tab", None)
            st.rerun()


def _choose_target(file_name: str) -> str:
    """The collection that the file goes to: a new one by the file's name, or one that is there."""
    names = [c.name for c in services().store.collections.all()]
    stem = PurePath(file_name).stem
    left, right = st.columns(2)
    new = t("import.new")
    place = left.selectbox(
        t("import.into"), [new, *names], 1 + names.index(stem) if stem in names else 0,
        key=f"import_into_{file_name}",
    )  # fmt: skip
    if place != new:
        return str(place)
    name = right.text_input(t("import.name"), stem, key=f"import_name_{file_name}", max_chars=200)
    return (name or "").strip()


def _choose_language(file_name: str, turn: int) -> str:
    """The language of what says none: JSON lines always say theirs."""
    if file_name.lower().endswith(".jsonl"):
        return MAIN[0]
    return str(
        st.selectbox(
            t("import.language"),
            MAIN,
            format_func=name_of,
            key=f"import_language_{turn}",
            width=240,
        )
    )


def _preview(file_id: str, path: Path, target: str, name: str, language: str) -> ImportPreview:
    """The preview, read once a file and target: a rerun shows it again without reading."""
    kept = st.session_state.get("import_preview")
    if kept and kept[0] == (file_id, target, language):
        preview: ImportPreview = kept[1]
        return preview
    preview = preview_bundle(services(), path, collection=target, name=name, language=language)
    st.session_state["import_preview"] = ((file_id, target, language), preview)
    return preview


def _show_preview(preview: ImportPreview) -> None:
    """What the file holds: counts a language and split, new types and roles, lines left out."""
    total = preview.labelled + preview.unlabelled
    st.markdown(
        t(
            "import.found", samples=tn("count.sample", total), labelled=f"{preview.labelled:,}",
            unlabelled=f"{preview.unlabelled:,}", collection=escape(preview.collection),
            kind=t("import.is_new" if preview.is_new else "import.is_there"),
        )
    )  # fmt: skip
    if preview.already:
        st.markdown(tn("import.already", preview.already))
    left, right = st.columns([3, 2], gap="large")
    if preview.by_language:
        with left.container(key="figures_import"):
            st.table(_counts(preview), border="horizontal")
    with right:
        _show_new_types(preview)
    if preview.media:
        st.markdown(tn("import.media", preview.media))
    show_problems(preview.problems)
    _show_missing(preview.missing, preview.refused)


def _counts(preview: ImportPreview) -> pd.DataFrame:
    rows = {}
    for code, counts in preview.by_language.items():
        cells = [counts.get(split, 0) for split in _SPLITS]
        rows[name_of(code)] = [f"{n:,}" if n else NO_FIGURE for n in (*cells, sum(cells))]
    names = [*(t(f"split.{split}") for split in _SPLITS), t("import.total")]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def _show_new_types(preview: ImportPreview) -> None:
    if not preview.new_types:
        st.markdown(t("import.fits") if not preview.is_new else "")
        return
    key = "import.schema_new" if preview.is_new else "import.schema_more"
    st.markdown(tn(key, len(preview.new_types)))
    lines = [
        f"- **{escape(name)}**: {escape(', '.join(roles)) or t('import.no_roles')}"
        for name, roles in preview.new_types.items()
    ]
    with st.container(height=220 if len(lines) > 8 else "content", border=False):
        st.markdown("\n".join(lines))


def show_problems(problems: Sequence[LineProblem]) -> None:
    """The lines that are left out, each with its number and what is wrong with it."""
    if not problems:
        return
    st.warning(tn("import.problems", len(problems)))
    with st.container(height=260 if len(problems) > 5 else "content", border=True, key="problems"):
        for problem in problems[:_SHOWN]:
            st.markdown(t("import.problem", line=problem.line, message=escape(problem.message)))
        if len(problems) > _SHOWN:
            st.caption(t("import.problems.more", n=f"{len(problems) - _SHOWN:,}"))


def _show_missing(missing: Sequence[str], refused: Sequence[str]) -> None:
    """The media files that are not there, and what is wrong with others."""
    for key, lines in (("import.missing", missing), ("import.refused", refused)):
        if not lines:
            continue
        st.warning(tn(key, len(lines)))
        with st.container(height=200 if len(lines) > 6 else "content", border=True):
            st.markdown("\n".join(f"- {escape(line)}" for line in lines[:_SHOWN]))
            if len(lines) > _SHOWN:
                st.caption(t("import.problems.more", n=f"{len(lines) - _SHOWN:,}"))


def show_result() -> None:
    """What the last import did, until the next file is chosen."""
    said, problems, missing, refused = st.session_state.get(_RESULT, ("", [], [], []))
    if said:
        st.success(escape(said))
        st.page_link("pages/review.py", label=t("next.review.do"))
        show_problems(problems)
        _show_missing(missing, refused)
