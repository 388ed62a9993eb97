"""The demo's speech, made once by espeak-ng piece by piece, so that every piece has its exact time."""

from __future__ import annotations

import subprocess
import tempfile
import wave
from pathlib import Path

VOICES = {"en": "en-us", "zh": "cmn-latn-pinyin", "es": "es", "ru": "ru"}
RATE, PAUSE, EDGE = 22_050, 0.35, 0.25  # samples a second; seconds between pieces and at both ends


def speak(language: str, pieces: list[str], path: Path) -> list[tuple[float, float]]:
    """Write the speech and return start and end of each piece in seconds."""
    sound = bytes(2 * round(EDGE * RATE))
    places = []
    for number, piece in enumerate(pieces):
        if number:
            sound += bytes(2 * round(PAUSE * RATE))
        said = _said(piece, VOICES[language])
        start = len(sound) // 2
        sound += said
        places.append((round(start / RATE, 3), round(len(sound) // 2 / RATE, 3)))
    sound += bytes(2 * round(EDGE * RATE))
    coder = {
        ".ogg": ["-c:a", "libopus", "-b:a", "24k", "-application", "voip"],
        ".m4a": ["-c:a", "aac", "-b:a", "32k", "-movflags", "+faststart"],
        ".flac": ["-c:a", "flac", "-ar", "16000", "-compression_level", "12"],
    }[path.suffix]
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0",
         *coder, "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", str(path)],
        input=sound, check=True,
    )  # fmt: skip
    return places


def _said(piece: str, voice: str) -> bytes:
    """The samples of a piece, without the silence around it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(["espeak-ng", "-v", voice, "-s", "145", "-w", str(path), piece], check=True)
        with wave.open(str(path)) as said:
            if said.getframerate() != RATE:
                raise ValueError(
                    f"espeak-ng speaks at {said.getframerate()} samples a second, not {RATE}"
                )
            samples = said.readframes(said.getnframes())
    loud = [
        i
        for i in range(0, len(samples) - 1, 2)
        if abs(int.from_bytes(samples[i : i + 2], "little", signed=True)) > 180
    ]
    return samples[loud[0] : loud[-1] + 2]
