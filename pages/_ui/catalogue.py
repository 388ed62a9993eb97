"""All text of the interface: `t("key", **values)`; another language is one more dictionary here."""

from __future__ import annotations

from pages._ui.catalogue_artefacts import ARTEFACTS
from pages._ui.catalogue_beside import BESIDE
from pages._ui.catalogue_calibration import CALIBRATION
from pages._ui.catalogue_collection import COLLECTION
from pages._ui.catalogue_evolve import EVOLVE
from pages._ui.catalogue_media import MEDIA
from pages._ui.catalogue_model import MODEL
from pages._ui.catalogue_problems import PROBLEMS
from pages._ui.catalogue_promotion import PROMOTION
from pages._ui.catalogue_prompts import PROMPTS
from pages._ui.catalogue_queues import QUEUES
from pages._ui.catalogue_review import REVIEW
from pages._ui.catalogue_runs import RUNS
from pages._ui.catalogue_shell import SHELL
from pages._ui.catalogue_sweeps import SWEEPS
from pages._ui.catalogue_training import TRAINING

LANGUAGE = "en"
TEXTS: dict[str, dict[str, str]] = {
    "en": {
        **SHELL,
        **ARTEFACTS,
        **COLLECTION,
        **CALIBRATION,
        **MEDIA,
        **MODEL,
        **REVIEW,
        **BESIDE,
        **EVOLVE,
        **QUEUES,
        **PROBLEMS,
        **PROMOTION,
        **PROMPTS,
        **RUNS,
        **SWEEPS,
        **TRAINING,
    }
}


def t(key: str, **values: object) -> str:
    """The text of `key` in the interface's language (English where it has none), values filled in."""
    text = TEXTS[LANGUAGE].get(key) or TEXTS["en"][key]
    return text.format(**values) if values else text


def tn(key: str, n: int, **values: object) -> str:
    """The text of `key` for a number: `key.one` or `key.other`, with `{n}` filled in.

    >>> tn("count.sample", 1), tn("count.sample", 1200)
    ('1 sample', '1,200 samples')
    """
    return t(f"{key}.{'one' if n == 1 else 'other'}", n=f"{n:,}", **values)
