"""The demo collections, made for Argus: parallel stories in four languages, and pictures and clips."""

from __future__ import annotations

from importlib.resources import as_file, files

from core.schema import schema_from_json
from core.workflow import ImportResult, import_file
from train.media_import import import_bundle
from train.services import Services

NAME = "demo"
MEDIA_NAME = "Demo: pictures and clips"


def load_demo(services: Services) -> ImportResult:
    """Load the demo collection; what is there already stays as it is."""
    folder = files("storage.demo")
    if services.store.collections.find(NAME) is None:
        schema = schema_from_json(folder.joinpath("schema.json").read_bytes())
        services.store.collections.create(NAME, schema)
    data = folder.joinpath("samples.jsonl").read_bytes()
    return import_file(services.store, data, collection=NAME, name="samples.jsonl")


def load_media_demo(services: Services) -> ImportResult | None:
    """Load the pictures, clips and sounds of the demo, for the worker to make ready; None where they
    are not installed."""
    with as_file(files("storage.demo")) as folder:
        path = folder / "media.jsonl"
        if not path.exists():
            return None
        return import_bundle(services, path, collection=MEDIA_NAME, look=False)
