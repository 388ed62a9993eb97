"""Any picture's colours as sRGB of eight bits, with the profile in the file honoured."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_MAX_PROFILE_BYTES = 8_000_000
_DIRECT = ("RGB", "CMYK", "L", "LAB")  # modes for which littlecms has a profile


def to_srgb(image: Image.Image) -> Image.Image:
    """The picture in mode RGB and in sRGB; what is transparent lies on white.

    A profile that cannot be used (damaged, of another colour space) is passed over: then the
    numbers are taken for sRGB, as browsers do.
    """
    profile = image.info.get("icc_profile")
    image = _eight_bits(image)
    alpha = _alpha(image)
    plain = image if image.mode in _DIRECT else image.convert("L" if image.mode == "LA" else "RGB")
    converted = None
    if isinstance(profile, bytes) and 128 <= len(profile) <= _MAX_PROFILE_BYTES:
        transform = _transform(profile, plain.mode)
        if transform is not None:
            converted = ImageCms.applyTransform(plain, transform)
    if converted is None:
        converted = plain.convert("RGB")
    converted.info = {}
    if alpha is None:
        return converted
    ground = Image.new("RGB", converted.size, "white")
    ground.paste(converted, mask=alpha)
    return ground


# ---------------------------------------------------------------- private


def _eight_bits(image: Image.Image) -> Image.Image:
    """Sixteen bits are scaled, where Pillow would cut them off; floats fill the whole range."""
    if image.mode.startswith("I;16"):
        values = np.asarray(image, dtype=np.uint16)
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        numbers = np.nan_to_num(np.asarray(image, dtype=np.float64))
        if image.mode == "I" and numbers.min() >= 0 and numbers.max() <= 65_535:
            low, high = 0.0, 65_535.0 if numbers.max() > 255 else 255.0
        else:
            low, high = float(numbers.min()), float(numbers.max())
        scaled = (numbers - low) * (255 / (high - low or 1))
        return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))
    return image


def _alpha(image: Image.Image) -> Image.Image | None:
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
        return None if alpha.getextrema() == (255, 255) else alpha
    return None


@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile to sRGB, made once for all pictures of one camera; None if it cannot be."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _is_srgb(source) and mode == "RGB":
            return None
        return ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )  # fmt: skip
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    try:
        return "srgb" in ImageCms.getProfileDescription(profile).lower()
    except ImageCms.PyCMSError:
        return False
