"""The one folder that everything Argus writes lies in: `$ARGUS_HOME`, or `var/` of the checkout."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Home:
    """Paths under the one folder, and the database's URL (`ARGUS_DATABASE_URL` overrides)."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """`$ARGUS_HOME`, else the checkout's `var/`."""
        return cls(Path(os.environ.get("ARGUS_HOME") or CHECKOUT / "var").expanduser().resolve())

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of the database."""
        return os.environ.get("ARGUS_DATABASE_URL") or f"sqlite:///{self.root / 'argus.db'}"

    @property
    def queue(self) -> Path:
        """The job queue's file."""
        return self.root / "queue.db"

    @property
    def models(self) -> Path:
        """The folder of base models."""
        return self.root / "models"

    @property
    def runs(self) -> Path:
        """The folder of training runs, one folder a run."""
        return self.root / "runs"

    @property
    def exports(self) -> Path:
        """The folder of exported models, one folder a model and form."""
        return self.root / "exports"

    @property
    def media(self) -> Path:
        """The folder of pictures, clips and sounds, unless `media_url` names another store."""
        return self.root / "media"

    @property
    def media_url(self) -> str | None:
        """The store of pictures, clips and sounds that `ARGUS_MEDIA_URL` names, if it does."""
        return os.environ.get("ARGUS_MEDIA_URL") or None

    @property
    def secret(self) -> Path:
        """The file with the secret that links to media are signed with."""
        return self.root / "link.secret"

    @property
    def logs(self) -> Path:
        """The folder of log files."""
        return self.root / "logs"


def folder_bytes(folder: Path) -> int:
    """How much room a folder takes on the disk, in bytes; 0 where there is none."""
    if not folder.exists():
        return 0
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
