"""How much memory the worker takes for a clip of two hours (`ARGUS_BENCH_SECONDS` for a shorter one)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = int(os.environ.get("ARGUS_BENCH_SECONDS", "7200"))
PREPARE = """
import json, resource, sys
from pathlib import Path
from core.media_records import MediaFile
from storage.media_files import open_files
from train.media import look, make_parts
files = open_files(Path(sys.argv[2]))
def peak():  # not ru_maxrss, which a process has from the one that started it
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
before = peak()
kept = files.put_path(Path(sys.argv[1]))
file = look(files, MediaFile(kept.sha256, kept.bytes, name="long.mp4"))
file = make_parts(files, file, languages=())
print(json.dumps({"more": peak() - before, "ffmpeg": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
                  "state": file.state, "duration": file.duration}))
"""


@pytest.mark.bench
def test_preparing_a_clip_of_two_hours(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "long.mp4"
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
         f"testsrc=size=640x360:rate=10:duration={SECONDS}", "-f", "lavfi", "-i", f"sine=d={SECONDS}",
         "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac",
         clip], check=True,
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, clip, tmp_path / "store"], cwd=ROOT, check=True,
        capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    told = json.loads(done.stdout)
    with capfd.disabled():
        sys.stdout.write(
            f"\na clip of {told['duration']:,.0f} s made ready: {told['more']:.0f} MiB more in the worker, "
            f"{told['ffmpeg']:.0f} MiB in its ffmpeg\n"
        )
    assert told["state"] == "ready"
    assert told["more"] < 500
