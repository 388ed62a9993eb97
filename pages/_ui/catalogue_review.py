"""The texts of the Review page."""

from __future__ import annotations

REVIEW: dict[str, str] = {}
