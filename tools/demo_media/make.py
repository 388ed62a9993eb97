"""Makes the media of the demo collection and `media.jsonl` with their gold events.

Run as: python -m tools.demo_media.make. Needs ffmpeg, espeak-ng, and the fonts Liberation Sans and Noto
Sans CJK (Debian: ffmpeg espeak-ng fonts-liberation fonts-noto-cjk); none of them ships with Argus.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from core.events import Argument, Event, Mention, span
from core.formats.argus_jsonl import write_line
from core.samples import Media, MediaKind, Modality, Sample, Source, Split
from tools.demo_media import words
from tools.demo_media.clips import SECONDS, draw_liftoff, draw_robot, write_clip
from tools.demo_media.pictures import DRAWN
from tools.demo_media.sheet import Sheet
from tools.demo_media.sounds import speak
from tools.demo_media.words import LANGUAGES

DEMO = Path(__file__).resolve().parents[2] / "storage" / "demo"
LIMIT = 1_800_000  # bytes of all media together
SPLITS: dict[str, Split] = {
    "product": "test",
    "outage": "test",
    "robot": "test",
    "investment": "dev",
}
PICTURE_SUFFIX = {"acquisition": ".pdf", "test": ".webp", "construction": ".jpg", "product": ".tif"}


def make(folder: Path) -> list[Sample]:
    """Draw, render and speak everything into `folder`/media, and write `folder`/media.jsonl."""
    media = folder / "media"
    media.mkdir(exist_ok=True)
    for old in media.iterdir():
        old.unlink()
    samples = []
    for language in LANGUAGES:
        samples += [_picture(story, language, media) for story in DRAWN]
        samples += [_liftoff(language, media), _robot(language, media), _spoken(language, media)]
    total = sum(p.stat().st_size for p in media.iterdir())
    if total > LIMIT:
        raise ValueError(
            f"the media have {total:,} bytes together, over {LIMIT:,}: make them smaller"
        )
    lines = [write_line(s) + "\n" for s in sorted(samples, key=lambda s: s.id)]
    (folder / "media.jsonl").write_text("".join(lines), encoding="utf-8")
    return samples


# ---------------------------------------------------------------- pictures


def _picture(story: str, language: str, folder: Path) -> Sample:
    tables = {
        "product": words.PRODUCT, "investment": words.INVESTMENT, "acquisition": words.ACQUISITION,
        "test": words.TEST, "construction": words.CONSTRUCTION, "outage": words.OUTAGE, "launch": words.LAUNCH,
    }  # fmt: skip
    said = tables[story][language]
    sheet = DRAWN[story](language, said)
    suffix = PICTURE_SUFFIX.get(story, ".png")
    path = folder / f"{story}-{language}{suffix}"
    path.write_bytes(_file(sheet.finished(), suffix))
    text = said.get("text")
    page = 0 if suffix in (".pdf", ".tif") else None

    def box(name: str) -> Mention:
        return Mention(sheet.words.get(name), media="m1", page=page, box=sheet.boxes[name])

    def words_of(name: str) -> Mention:
        return _span(text, said[name])

    event = _event(story, words_of, box, sheet)
    kind: MediaKind = "document" if suffix == ".pdf" else "image"
    return _sample(story, language, path, kind, text, event)


def _event(story: str, words_of: Any, box: Any, sheet: Sheet) -> Event:
    if story == "product":
        roles = [("agent", words_of("agent")), ("product", box("name")), ("product", box("drawing")),
                 ("place", box("place")), ("time", words_of("time"))]  # fmt: skip
        return _of("product_launch", words_of("trigger"), roles)
    if story == "investment":
        investors = [("investor", box(f"investor{i}")) for i in range(2)]
        roles = [
            ("recipient", box("recipient")),
            ("amount", box("amount")),
            *investors,
            ("time", box("time")),
        ]
        return _of("investment", box("trigger"), roles)
    if story == "acquisition":
        roles = [(r, box(r)) for r in ("acquirer", "target", "price")]
        return _of("acquisition", words_of("trigger"), [*roles, ("time", words_of("time"))])
    if story == "test":
        roles = [(r, words_of(r)) for r in ("agent", "object", "place", "time")]
        return _of("test", words_of("trigger"), [*roles, ("result", box("result"))])
    if story == "construction":
        roles = [(r, box(r)) for r in ("builder", "facility", "place", "cost", "time")]
        return _of("construction", box("trigger"), roles)
    if story == "outage":
        roles = [("system", words_of("system")), ("cause", box("cause")), ("place", box("district")),
                 ("time", words_of("time"))]  # fmt: skip
        return _of("outage", words_of("trigger"), roles)
    roles = [("operator", words_of("operator")), ("payload", words_of("payload")), ("payload", box("payload")),
             ("vehicle", box("rocket")), ("site", box("site")), ("time", words_of("time"))]  # fmt: skip
    return _of("space_launch", words_of("trigger"), roles)


def _file(image: Image.Image, suffix: str) -> bytes:
    out = io.BytesIO()
    if suffix == ".png":
        image.quantize(96, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    elif suffix == ".webp":
        image.quantize(96, dither=Image.Dither.NONE).convert("RGB").save(
            out, "WEBP", lossless=True, method=6
        )
    elif suffix == ".tif":  # the sheet and its reverse, as a scanner gives them
        back = Image.new("P", (image.width, image.height), 0)
        back.putpalette([251, 251, 248] + [0] * 765)
        front = image.quantize(64, dither=Image.Dither.NONE)
        front.save(
            out, "TIFF", compression="tiff_adobe_deflate", save_all=True, append_images=[back]
        )
    elif suffix == ".jpg":  # as a phone held upright stores it: lying on its side
        exif = Image.Exif()
        exif[0x0112] = 6
        lying = image.transpose(Image.Transpose.ROTATE_90)
        lying.save(out, "JPEG", quality=72, exif=exif, optimize=True)
    else:
        image.save(out, "PDF", resolution=96, quality=70, creationDate="", modDate="")
    return out.getvalue()


# ---------------------------------------------------------------- clips and sounds


def _liftoff(language: str, folder: Path) -> Sample:
    said = words.LIFTOFF[language]
    number = LANGUAGES.index(language)
    clip = draw_liftoff(language, said, start=1.25 + 0.25 * number, x=190 + 40 * number)
    path = folder / f"liftoff-{language}.mp4"
    write_clip(clip, path)
    text, time = said["text"], _rounded(clip.ranges["liftoff"])
    frames = clip.tracks["rocket"]
    vehicle = Mention(media="m1", range=(frames[0][0], frames[-1][0]), keyframes=frames)
    roles = [("operator", _span(text, said["operator"])), ("payload", _span(text, said["payload"])),
             ("vehicle", vehicle), ("site", _span(text, said["site"]))]  # fmt: skip
    event = _of("space_launch", Mention(media="m1", range=time), roles)
    return _sample("liftoff", language, path, "video", text, event)


def _robot(language: str, folder: Path) -> Sample:
    said = words.ROBOT[language]
    number = LANGUAGES.index(language)
    clip = draw_robot(language, said, speed=62 + 6 * number, stop=226 + 14 * number)
    path = folder / f"robot-{language}{'.webm' if language in ('es', 'ru') else '.mp4'}"
    write_clip(clip, path)
    text, frames = said["text"], clip.tracks["robot"]
    robot = Mention(media="m1", range=(0, float(SECONDS)), keyframes=frames)
    roles = [("agent", _span(text, said["agent"])), ("object", robot), ("place", _span(text, said["place"])),
             ("result", Mention(media="m1", range=_rounded(clip.ranges["stands"])))]  # fmt: skip
    event = _of("test", _span(text, said["trigger"]), roles)
    return _sample("robot", language, path, "video", text, event)


def _spoken(language: str, folder: Path) -> Sample:
    said = words.SPOKEN[language]
    suffix = {"en": ".flac", "zh": ".ogg", "es": ".m4a", "ru": ".ogg"}[language]
    path = folder / f"break-in-{language}{suffix}"
    places = speak(language, said.get("read", said["pieces"]), path)
    text = ("" if language == "zh" else " ").join(said["pieces"])

    def heard(number: int) -> Mention:
        return Mention(said["pieces"][number], media="m1", range=places[number])

    roles = [("attacker", _span(text, said["attacker"])), ("victim", _span(text, said["victim"])),
             ("method", _span(text, said["method"])), ("impact", heard(4)), ("time", heard(2))]  # fmt: skip
    event = _of("cyberattack", _span(text, said["trigger"]), roles)
    return _sample("break-in", language, path, "audio", text, event)


# ---------------------------------------------------------------- private


def _sample(
    story: str, language: str, path: Path, kind: MediaKind, text: str | None, event: Event
) -> Sample:
    modality: Modality = "mixed" if text is not None else "image"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Sample(
        id=f"media-{story}-{language}",
        language=language,
        modality=modality,
        text=text,
        media=(Media("m1", kind, f"media/{path.name}", digest),),
        source=Source(name="Argus demo", licence="Apache-2.0", published="2026-11-02"),
        parallel_group=f"media-{story}",
        split=SPLITS.get(story, "train"),
        meta={"topic": "media"},
        events=(event,),
    )


def _of(event_type: str, trigger: Mention, roles: list[tuple[str, Mention]]) -> Event:
    return Event(event_type, trigger, tuple(Argument(role, mention) for role, mention in roles))


def _span(text: str, part: str) -> Mention:
    if text.count(part) != 1:
        raise ValueError(f"{part!r} must stand once in {text!r}")
    at = text.index(part)
    return replace(span(text, at, at + len(part)))


def _rounded(pair: tuple[float, float]) -> tuple[float, float]:
    return round(pair[0], 6), round(pair[1], 6)


if __name__ == "__main__":
    make(DEMO)
