"""The structure rules that a linter cannot say."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import core.errors
from core.errors import ArgusError

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(p for p in (ROOT / "pages").glob("*.py") if p.name != "__init__.py")
SOURCES = [
    p
    for folder in ("core", "storage", "train", "pages")
    for p in (ROOT / folder).rglob("*.py")
    if "versions" not in p.parts
] + [ROOT / "app.py", ROOT / "cli.py"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_in_the_navigation(page):
    assert f"pages/{page.name}" in (ROOT / "app.py").read_text()


def test_the_app_process_loads_no_model_library():
    heavy = {"torch", "transformers", "peft", "bitsandbytes", "accelerate"}
    code = (
        "import sys, train.services, train.queue, train.registry, train.snapshot, core.workflow\n"
        f"sys.stdout.write(', '.join({heavy!r} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_kind_of_error_is_in_the_tree_at_the_top_of_its_file():
    kinds = [
        name for name, kind in vars(core.errors).items()
        if isinstance(kind, type) and issubclass(kind, ArgusError)
    ]  # fmt: skip

    assert all(name in (core.errors.__doc__ or "") for name in kinds)


def test_every_kind_of_error_is_raised_somewhere():
    source = "\n".join(path.read_text() for path in SOURCES)
    leaves = [
        name for name, kind in vars(core.errors).items()
        if isinstance(kind, type) and issubclass(kind, ArgusError) and not kind.__subclasses__()
    ]  # fmt: skip

    assert [name for name in leaves if f"{name}(" not in source] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_opens_with_what_it_is_for(path):
    text = path.read_text()
    if path.name == "__init__.py" and not text.strip():
        return

    opening = ast.get_docstring(ast.parse(text))

    assert opening
    assert opening.splitlines()[0].rstrip().endswith((".", ":", ",", ";")) or "\n" in opening
