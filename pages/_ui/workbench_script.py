"""The workbench's code for the browser: script, words and style as one file, served once by a route.

What is inside a Streamlit component travels again with each answer; this file is fetched once, since
its address has its hash.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pages._ui.catalogue_beside import BENCH_BESIDE
from pages._ui.catalogue_clips import BENCH_CLIPS
from pages._ui.catalogue_media import BENCH_MEDIA
from pages._ui.catalogue_problems import BENCH_PROBLEMS
from pages._ui.catalogue_review import BENCH

PREFIX = "/workbench/"
# One module in the browser: each file may use what stands in those before it.
_PARTS = (
    "text", "document", "opinion", "sync", "evidence", "cards", "checks", "windows", "keys", "help", "bench",
    "edits", "moves", "notes", "examples", "history", "compare", "outline", "stage", "boxes", "tiles",
    "reading", "pointing", "picture", "frames",
    "timeline", "track", "transcript", "spoken", "player", "marking", "film", "frame",
)  # fmt: skip
_STYLES = ("workbench.css", "media.css", "player.css")
_WORDS = {**BENCH, **BENCH_BESIDE, **BENCH_MEDIA, **BENCH_CLIPS, **BENCH_PROBLEMS}
_FOLDER = Path(__file__).parent
_GUARDS = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
# Runs in the component: fetches the file, then hands it every call; calls before that wait.
_LOADER = """
const ready = import(new URL("ADDRESS", document.baseURI).href);
let show = null;
export default function (call) {
  if (show) return show(call);
  let stop = null, isGone = false;
  ready.then((code) => { show = code.default; if (!isGone) stop = show(call); }, () => {
    call.parentElement.querySelector(".argus-wb").textContent = call.data.unloaded;
  });
  return () => { isGone = true; stop?.(); };
}
"""


def read_script() -> str:
    """The workbench's JavaScript without its comments and indents."""
    lines = [
        line.strip()
        for part in _PARTS
        for line in (_FOLDER / "workbench_js" / f"{part}.js").read_text("utf-8").splitlines()
    ]
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*", "*")))


@lru_cache(maxsize=1)
def read_bundle() -> bytes:
    """Script, words and style as one module."""
    style = "\n".join((_FOLDER / name).read_text("utf-8") for name in _STYLES)
    given = {"WORDS": _WORDS, "STYLE": style}
    head = "\n".join(f"const {k} = {json.dumps(v, ensure_ascii=False)};" for k, v in given.items())
    return f"{head}\n{read_script()}\nwearStyle(STYLE);\n".encode()


def bundle_address() -> str:
    """Where the module is, at this state of it."""
    return f"{PREFIX}{hashlib.sha256(read_bundle()).hexdigest()[:20]}.js"


def read_loader() -> str:
    """What the component itself has of script."""
    return _LOADER.replace("ADDRESS", bundle_address().removeprefix("/"))


def workbench_route() -> Route:
    """The route of the module: code that everybody may read, and nothing of any collection."""

    def serve(request: Request) -> Response:
        if request.url.path != bundle_address():
            return PlainTextResponse("this is not the workbench of now: reload the page", 404)
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(read_bundle(), media_type="text/javascript", headers=_GUARDS | kept)

    return Route(PREFIX + "{name}", serve, methods=["GET", "HEAD"])
