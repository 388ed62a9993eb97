"""The texts of Training, Models and Overview."""

from __future__ import annotations

MODEL: dict[str, str] = {}
