"""Alembic asks this file what the tables should be and which database to change."""

from __future__ import annotations

from alembic import context

from storage.database import open_engine
from storage.tables import Table

with open_engine(context.config.attributes["url"]).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=True,  # SQLite cannot ALTER most things in place
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
