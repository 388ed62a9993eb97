"""Silences what libraries of models say and nobody could do anything about."""

from __future__ import annotations

import logging
import warnings


def silence_adapters() -> None:
    """bitsandbytes looks for a kernel on a hub and falls back, peft asks transformers by an old name."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
