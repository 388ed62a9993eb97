"""The one place that starts ffmpeg and ffprobe: guarded arguments, limits, readable errors.

A clip is a stranger's file. It is opened by a `file:` path with the demuxers of its own kind only,
no protocol but `file` and `pipe`, a limit of time and of memory, and nothing goes through a shell.
"""

from __future__ import annotations

import os
import resource
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import ffmpeg

from core.errors import MediaError, SetupError
from core.media.containers import demuxers_of
from core.media_facts import ClipFacts

PROTOCOLS = "file,pipe"
MEMORY = 2 * 2**30  # bytes of address space; one process holds far less
MOST_OUTPUT = 64 * 2**20
THREADS = min(4, os.cpu_count() or 1)


def opened(path: Path, **options: Any) -> Any:
    """The clip as an input of ffmpeg-python; `options` are ffmpeg's of an input, without the dash."""
    return ffmpeg.input(_address(path), **guards_of(path), **options)


def guards_of(path: Path) -> dict[str, str]:
    """The options with which a file may be opened; raises `MediaError` for one that may not."""
    return {"protocol_whitelist": PROTOCOLS, "format_whitelist": demuxers_of(path)}


@contextmanager
def running(output: Any, *, of: Path, seconds: float) -> Iterator[IO[bytes]]:
    """Run ffmpeg for an output of ffmpeg-python, and give what it writes to its pipe as it comes.

    Leaving the block waits for the end; leaving it by an exception ends ffmpeg. Raises `MediaError`
    where ffmpeg failed, took longer than `seconds` or wanted too much memory.
    """
    line = output.global_args("-nostdin", "-hide_banner", "-v", "error").compile(
        overwrite_output=True
    )
    with _started(line, of=of, seconds=seconds) as stdout:
        yield stdout


@contextmanager
def probing(
    path: Path, options: Mapping[str, str], *, seconds: float, show: str
) -> Iterator[IO[bytes]]:
    """Run ffprobe on a clip, and give what it says as it comes; `show` is its `-show_entries`."""
    line = ["ffprobe", "-v", "error", "-hide_banner"]
    for key, value in {**guards_of(path), **options}.items():
        line += [f"-{key}", value]
    with _started(
        [*line, "-show_entries", show, "-i", _address(path)], of=path, seconds=seconds
    ) as stdout:
        yield stdout


def read_all(stdout: IO[bytes], *, of: Path, most: int = MOST_OUTPUT) -> bytes:
    """All that comes, up to `most` bytes; more is an error, so that no file fills the memory."""
    data = stdout.read(most + 1)
    if len(data) > most:
        raise MediaError(
            f"{of.name} says more than {most:,} bytes about itself: it is damaged, or made to do "
            "harm. Save it anew with a video program"
        )
    return data


def time_for(facts: ClipFacts) -> float:
    """How many seconds decoding or coding the whole clip may take before it is given up."""
    return 600 + 6 * facts.duration


# ---------------------------------------------------------------- private


def _address(path: Path) -> str:
    return f"file:{path.absolute()}"


@contextmanager
def _started(line: list[str], *, of: Path, seconds: float) -> Iterator[IO[bytes]]:
    try:
        process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
        )
    except FileNotFoundError as problem:
        raise SetupError(
            f"{line[0]} is not on this machine: install ffmpeg (Debian: apt-get install ffmpeg)"
        ) from problem
    assert process.stdout
    assert process.stderr
    _limit(process.pid, seconds)
    said = _Tail(process.stderr)
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield process.stdout
        process.stdout.close()
        process.wait()
    finally:
        timer.cancel()
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
        said.join()
        process.stderr.close()
    if late.is_set():
        raise MediaError(
            f"{of.name} took longer than {seconds:.0f} s to read and was given up: "
            "save it anew with a video program, or cut it into shorter clips"
        )
    if process.returncode:
        raise MediaError(_reason(said.text, process.returncode, of))


def _environment() -> dict[str, str]:
    # FFREPORT would write files; each arena of the allocator reserves 64 MiB of address space
    kept = {key: value for key, value in os.environ.items() if key != "FFREPORT"}
    return kept | {"MALLOC_ARENA_MAX": "2", "AV_LOG_FORCE_NOCOLOR": "1"}


def _limit(pid: int, seconds: float) -> None:
    """Set the limits from outside: code between fork and exec is unsafe where threads run."""
    if not hasattr(resource, "prlimit"):  # macOS
        return
    try:
        resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
        # the clock ends it; this one holds where this process itself was killed
        busy = int(seconds * THREADS) + 60
        resource.prlimit(pid, resource.RLIMIT_CPU, (busy, busy))
    except ProcessLookupError:
        return  # it ended already


class _Tail:
    """The end of what a process writes, read by a thread so that the process never waits for it."""

    def __init__(self, pipe: IO[bytes], *, most: int = 4000) -> None:
        self._kept, self._most = b"", most
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: IO[bytes]) -> None:
        while chunk := os.read(pipe.fileno(), 65536):
            self._kept = (self._kept + chunk)[-self._most :]

    def join(self) -> None:
        self._thread.join()

    @property
    def text(self) -> str:
        return self._kept.decode("utf-8", "replace")


_REASONS = (
    ("moov atom not found", "it is cut off, the index of its frames is missing: copy it again"),
    ("annot allocate memory", "it needs more than {memory} MiB of memory: make it smaller"),
    ("not on whitelist", "it is not the kind of file that it begins as: save it as MP4"),
    ("No space left", "the disk is full: free some space"),
    ("Unknown decoder", "ffmpeg has no decoder for it: save it as MP4"),
    ("Decoder (codec", "ffmpeg has no decoder for it: save it as MP4"),
    ("does not contain any stream", "it holds neither pictures nor sound"),
    ("Invalid data found", "it is damaged or not the file it says it is: copy it again"),
    ("Invalid argument", "it is damaged or not the file it begins as: copy it again"),
    ("End of file", "it ends too early: copy it again"),
)


def _reason(said: str, code: int, path: Path) -> str:
    for sign, reason in _REASONS:
        if sign in said:
            return f"{path.name} cannot be read: {reason.format(memory=MEMORY >> 20)}"
    lines = [line for line in said.replace(_address(path), path.name).splitlines() if line.strip()]
    last = lines[-1].strip()[:200] if lines else f"it ended with code {code}"
    return f"{path.name} cannot be read. ffmpeg says: {last}. Save it anew with a video program"
