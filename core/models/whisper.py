"""A Whisper model of transformers: what is said in a sound, and when each word is said.

The sound is read in pieces of half a minute, each from where the last whole segment ended, so that a
clip of hours takes no more memory than one of seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError, SetupError
from core.models.local import check_folder

RATE = 16_000  # samples a second, as every Whisper hears
SECONDS = 30
SHORTEST = 0.02  # seconds of a word: what a Whisper tells apart
Sound = NDArray[np.float32]
Word = tuple[str, float, float]  # its own blanks included; seconds
_WORD = re.compile(r"\s*\S+\s*$|\s*\S+(?=\s)")


Reader = Callable[[int], Sound]  # gives the next so many samples, fewer at the end of a sound


class Transcriber:
    """Writes down sounds with a loaded model."""

    def __init__(self, model: Any, processor: Any) -> None:
        self._model, self._processor = model, processor
        settings = model.generation_config
        self._languages = {
            token.strip("<|>") for token in (getattr(settings, "lang_to_id", None) or {})
        }
        self._has_words = bool(getattr(settings, "alignment_heads", None))

    def transcribe(self, read: Reader, language: str) -> Iterator[tuple[float, list[Word]]]:
        """Piece by piece: up to which second the sound is heard, and the words of the piece."""
        held, at, ended = np.zeros(0, dtype=np.float32), 0.0, False
        whole = RATE * SECONDS
        while True:
            if not ended and len(held) < whole:
                more = read(whole - len(held))
                ended = len(more) < whole - len(held)
                held = np.concatenate([held, more])
            if not len(held):
                return
            words, reach = self._hear(held, language)
            if ended:
                reach = len(held)
            yield at + reach / RATE, [(w, at + start, at + end) for w, start, end in words]
            at, held = at + reach / RATE, held[reach:]

    def _hear(self, sound: Sound, language: str) -> tuple[list[Word], int]:
        """The words of a piece, and up to which sample they reach: to the end of its last segment but
        one where the last may be cut."""
        import torch

        features = self._processor(
            sound, sampling_rate=RATE, return_tensors="pt", return_attention_mask=True
        )
        options: dict[str, Any] = {"return_token_timestamps": True} if self._has_words else {}
        if self._languages:
            options |= {"task": "transcribe"}
            options |= {"language": language} if language in self._languages else {}
        with torch.inference_mode():
            said = self._model.generate(
                features["input_features"].to(self._model.device, self._model.dtype),
                attention_mask=features["attention_mask"].to(self._model.device),
                return_timestamps=True, return_segments=True, **options,
            )  # fmt: skip
        length = len(sound) / RATE
        segments = [s for s in said["segments"][0] if float(s["start"]) < length]
        whole = len(sound) >= RATE * SECONDS and len(segments) > 1
        kept = segments[:-1] if whole else segments
        words = [word for segment in kept for word in self._words(segment, length)]
        reach = min(length, float(kept[-1]["end"])) if whole else length
        return words, max(RATE, round(reach * RATE))

    def _words(self, segment: Any, length: float) -> list[Word]:
        """The words of a segment with their times: those of their tokens, else shares of its own."""
        tokenizer = self._processor.tokenizer
        start = min(length, float(segment["start"]))
        end = max(start, min(length, float(segment["end"])))
        tokens = [int(token) for token in segment["tokens"]]
        times = segment.get("token_timestamps")
        text = tokenizer.decode(tokens, skip_special_tokens=True)
        cut = [found.group() for found in _WORD.finditer(text)] or ([text] if text.strip() else [])
        if times is None or len(times) != len(tokens):
            return _shared(cut, start, end)
        sizes = [  # of the text before each token
            len(tokenizer.decode(tokens[:number], skip_special_tokens=True))
            for number in range(len(tokens) + 1)
        ]
        begins = [float(moment) for moment in times]
        words, reached, since = [], 0, start
        for word in cut:
            first, reached = reached, reached + len(word)
            since = next(
                (b for b, size in zip(begins, sizes[1:], strict=True) if size > first), since
            )
            until = next(
                (b for b, size in zip(begins, sizes, strict=False) if size >= reached), end
            )
            since = min(max(since, start), end)
            words.append((word, since, min(end, max(until, since + SHORTEST))))
        return words


def load_whisper(location: str) -> Transcriber:
    """A Whisper from a folder or a hub's id."""
    try:
        import torch
        from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor
        from transformers.utils import logging as quiet

        quiet.disable_progress_bar()  # type: ignore[no-untyped-call]
    except ImportError as problem:
        raise SetupError(
            f"a package for models is missing ({problem}): run `make setup`"
        ) from problem
    if Path(location).is_absolute() and check_folder(Path(location)) != "speech":
        raise ModelError(f"{location} is no Whisper: register one that writes down speech")
    known: Any = AutoProcessor
    try:
        processor = known.from_pretrained(location)
        model = AutoModelForSpeechSeq2Seq.from_pretrained(
            location, dtype=torch.float32, use_safetensors=True
        )
    except (OSError, ValueError, RuntimeError, ImportError) as problem:
        raise ModelError(f"the model {location} could not be loaded: {problem}") from problem
    model.train(False)
    return Transcriber(model, processor)


def _shared(words: list[str], start: float, end: float) -> list[Word]:
    """Words with shares of a time by their length."""
    total, at, found = sum(map(len, words)) or 1, 0, []
    for word in words:
        first, at = at, at + len(word)
        found.append(
            (word, start + (end - start) * first / total, start + (end - start) * at / total)
        )
    return found
