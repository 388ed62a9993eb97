"""The store: everything that is kept, one transaction a method, no table class leaves it."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from storage.bulk import Bulk
from storage.calibrations import Calibrations
from storage.collections import Collections
from storage.database import migrate, open_engine
from storage.examples import Examples
from storage.home import Home
from storage.imports import Imports
from storage.media import MediaRoom
from storage.media_files import MediaFiles, open_files
from storage.notes import Notes
from storage.queues import Queues
from storage.radar import Radar
from storage.reads import Reads
from storage.samples import Samples
from storage.schema_changes import SchemaChanges
from storage.schema_drafts import SchemaDrafts
from storage.settings import Settings
from storage.suggestions import Suggestions
from storage.vectors import Vectors
from storage.work import Jobs, Models, Runs


class Store:
    """The rooms of the database under one roof."""

    def __init__(self, engine: Engine, files: MediaFiles | None = None) -> None:
        self.engine = engine
        if files is None:
            home = Home.from_environment()
            files = open_files(home.media, home.media_url)
        self.media = MediaRoom(engine, files)
        self.collections = Collections(engine, on_deleted=self.media.sweep)
        self.samples = Samples(engine, on_deleted=self.media.sweep)
        self.imports = Imports(engine, files)
        self.suggestions = Suggestions(engine)
        self.jobs = Jobs(engine)
        self.models = Models(engine)
        self.calibrations = Calibrations(engine)
        self.runs = Runs(engine)
        self.reads = Reads(engine)
        self.schema_changes = SchemaChanges(engine)
        self.schema_drafts = SchemaDrafts(engine)
        self.settings = Settings(engine)
        self.vectors = Vectors(engine)
        self.examples = Examples(engine)
        self.radar = Radar(engine)
        self.queues = Queues(engine)
        self.notes = Notes(engine)
        self.bulk = Bulk(engine)


def open_store(home: Home | None = None, *, create: bool = True) -> Store:
    """The store of `home`; the database is brought to this version first, unless `create` is off."""
    home = home or Home.from_environment()
    if create:
        migrate(home.database_url)
    files = open_files(home.media, home.media_url)
    return Store(open_engine(home.database_url), files)
