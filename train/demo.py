"""The demo collection: parallel stories in four languages, made for Argus."""

from __future__ import annotations

from importlib.resources import files

from core.schema import schema_from_json
from core.workflow import ImportResult, import_file
from train.services import Services

NAME = "demo"


def load_demo(services: Services) -> ImportResult:
    """Load the demo collection; what is there already stays as it is."""
    folder = files("storage.demo")
    if services.store.collections.find(NAME) is None:
        schema = schema_from_json(folder.joinpath("schema.json").read_bytes())
        services.store.collections.create(NAME, schema)
    data = folder.joinpath("samples.jsonl").read_bytes()
    return import_file(services.store, data, collection=NAME, name="samples.jsonl")
