"""Pictures open upright and in sRGB, large ones as views, hostile ones with a clear message."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.boxes import WHOLE, box_of_edges
from core.errors import MediaError
from core.media import pictures
from core.media.pictures import encode, look_at, make_thumbnail, read_picture, read_view
from core.media.tiles import cut_tiles, plan_levels
from tests.unit.media.drawn import file_of, four_corners, png_claiming

RED, LIME, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
CORNERS = [RED, LIME, BLUE, YELLOW]


def put(tmp_path, data, name="a"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def corners(image):
    """The colours of the four corners, each the nearest of the four that were drawn."""
    w, h = image.size
    found = []
    for x, y in ((2, 2), (w - 3, 2), (2, h - 3), (w - 3, h - 3)):
        pixel = image.getpixel((x, y))
        found.append(
            min(CORNERS, key=lambda c: sum(abs(a - b) for a, b in zip(c, pixel, strict=True)))
        )
    return found


# How a camera that was held so stores the upright picture.
STORED = {
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
}  # fmt: skip


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", STORED)
def test_a_picture_stands_upright_whichever_way_the_camera_was_held(tmp_path, form, orientation):
    upright = four_corners()
    turn = STORED[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(turn) if turn is not None else upright
    path = put(tmp_path, file_of(stored, form, exif=exif))

    facts = look_at(path)
    whole, part = read_picture(path), read_view(path, region=(0.5, 0, 0.5, 0.5))

    assert (facts.width, facts.height) == whole.size == (80, 60)
    assert corners(whole) == CORNERS
    assert corners(read_view(path, longest=40)) == CORNERS
    assert part.size == (40, 30)
    assert corners(part) == [LIME] * 4


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0rubbish", b"Exif\0\0MM\0*\0\0\0\x08\0\x01"]
)
def test_metadata_that_cannot_be_read_does_not_stop_a_picture(tmp_path, exif):
    path = put(tmp_path, file_of(four_corners(), "JPEG", exif=exif))

    assert look_at(path).orientation == 1
    assert corners(read_picture(path)) == CORNERS


def test_the_profile_in_a_file_is_honoured(tmp_path):
    profile = swapped_profile()
    path = put(
        tmp_path, file_of(Image.new("RGB", (8, 8), (250, 10, 10)), "PNG", icc_profile=profile)
    )

    red, green, _ = read_picture(path).getpixel((4, 4))

    assert green > 150 > 100 > red  # the profile says that its first channel is green


def swapped_profile() -> bytes:
    """sRGB with its red and green primaries exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for i in range(struct.unpack(">I", data[128:132])[0]):
        at = 132 + 12 * i
        tag = bytes(data[at : at + 4])
        if tag in (b"rXYZ", b"gXYZ"):
            data[at : at + 4] = b"gXYZ" if tag == b"rXYZ" else b"rXYZ"
        if tag == b"desc":  # told by its name, sRGB would be passed over
            begin, size = struct.unpack(">II", data[at + 4 : at + 12])
            data[begin : begin + size] = data[begin : begin + size].replace(
                b"s\0R\0G\0B", b"t\0u\0r\0n"
            )
    return bytes(data)


@pytest.mark.parametrize("profile", [b"rubbish" * 40, swapped_profile()[:200]])
def test_a_broken_profile_is_passed_over(tmp_path, profile):
    path = put(tmp_path, file_of(four_corners(), "PNG", icc_profile=profile))

    assert corners(read_picture(path)) == CORNERS


def test_what_is_clear_lies_on_white(tmp_path):
    clear = four_corners().convert("RGBA")
    clear.putalpha(0)
    palette = four_corners().quantize(4)

    assert read_picture(put(tmp_path, file_of(clear, "PNG"))).getpixel((5, 5)) == (255, 255, 255)
    seen = put(tmp_path, file_of(palette, "PNG", transparency=palette.getpixel((2, 2))), "b")
    for longest in (80, 40):
        view = read_view(seen, longest=longest)
        assert view.getpixel((3, 3)) == (255, 255, 255)
        assert corners(view)[1:] == CORNERS[1:]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "F", "CMYK", "LAB"])
def test_every_kind_of_pixel_becomes_rgb(tmp_path, mode):
    image = Image.fromarray(np.linspace(0, 65_535, 3_600).reshape(60, 60).astype(np.uint16))
    if mode != "I;16":
        image = Image.fromarray(np.linspace(0, 255, 3_600).reshape(60, 60).astype(np.uint8))
        image = (
            image.convert("RGB").convert(mode)
            if mode not in ("L", "F", "1")
            else image.convert(mode)
        )
    if mode == "LAB":
        profile = ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(image.convert("RGB") if image.mode != "RGB" else image,
                                          ImageCms.createProfile("sRGB"), profile, outputMode="LAB") if image.mode != "LAB" else image  # fmt: skip
    form = "TIFF" if mode in ("F", "CMYK", "LAB", "I;16") else "PNG"
    path = put(tmp_path, file_of(image, form))

    for longest in (60, 20):
        view = read_view(path, longest=longest)
        assert (view.mode, view.size) == ("RGB", (longest, longest))
        if mode not in ("LAB",):
            assert (
                view.getpixel((1, 1))[0] < 100 < 150 < view.getpixel((longest - 2, longest - 2))[0]
            )


def test_pages_of_a_tiff_frames_of_a_gif_and_pages_of_a_pdf_are_pictures(tmp_path):
    colours = [
        Image.new("RGB", (60 + 20 * i, 40), c) for i, c in enumerate(("red", "lime", "blue"))
    ]
    for form, sizes in (("TIFF", [60, 80, 100]), ("PDF", None), ("GIF", [60, 60, 60])):
        frames = colours if form != "GIF" else [c.resize((60, 40)) for c in colours]
        path = put(
            tmp_path, file_of(frames[0], form, save_all=True, append_images=frames[1:]), form
        )

        assert look_at(path).pages == 3
        for page, colour in enumerate((RED, LIME, BLUE)):
            view = read_picture(path, page=page)
            assert (
                max(abs(a - b) for a, b in zip(view.getpixel((20, 20)), colour, strict=True)) < 40
            )
            assert sizes is None or view.width == look_at(path, page=page).width == sizes[page]
        with pytest.raises(MediaError, match="no page 4: it has 3 pages"):
            read_picture(path, page=3)


def test_a_region_of_a_pdf_page_is_drawn_as_sharp_as_it_is_asked_for(tmp_path):
    path = put(tmp_path, file_of(four_corners(400, 300), "PDF", resolution=72))
    facts = look_at(path)

    whole, part = (
        read_view(path, longest=400),
        read_view(path, region=(0.5, 0.5, 0.5, 0.5), longest=400),
    )

    assert facts.width / facts.height == pytest.approx(4 / 3, abs=0.01)
    assert whole.size == (400, 300)
    assert abs(part.width - 400) <= 1
    assert abs(part.height - 300) <= 1
    assert corners(whole) == CORNERS
    assert corners(part) == [YELLOW] * 4


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_picture_of_100_megapixels_opens_as_a_view_of_what_is_asked_for(tmp_path, form):
    options = {"quality": 20} if form == "JPEG" else {"compress_level": 1}
    path = put(tmp_path, file_of(four_corners(10_000, 10_000), form, **options))

    view = read_view(path, longest=1_024)
    close = read_view(path, region=box_of_edges(4_900, 4_900, 5_100, 5_100, 10_000, 10_000))

    assert look_at(path).width == 10_000
    assert view.size == (1_024, 1_024)
    assert close.size == (200, 200)
    assert corners(view) == corners(close) == CORNERS
    assert len(encode(view)) < 100_000


def test_tiles_put_together_are_the_picture():
    image = four_corners(1_300, 700)
    levels = plan_levels(1_300, 700)
    tiles = list(cut_tiles(image))

    assert [(level.width, level.height) for level in levels] == [
        (325, 175),
        (650, 350),
        (1_300, 700),
    ]
    assert len(tiles) == sum(level.columns * level.rows for level in levels)
    for level in levels:
        whole = Image.new("RGB", (level.width, level.height))
        for tile in (t for t in tiles if t.level == level.number):
            whole.paste(Image.open(io.BytesIO(tile.data)), (tile.column * 512, tile.row * 512))
        assert corners(whole) == CORNERS


def test_a_thumbnail_is_small_and_carries_no_metadata(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(1)</script>"
    data = file_of(four_corners(2_000, 1_500), "JPEG", exif=exif, comment=b"<svg onload=alert(1)>")
    thumbnail = make_thumbnail(put(tmp_path, data))

    assert Image.open(io.BytesIO(thumbnail)).size == (320, 240)
    assert b"alert" not in thumbnail
    assert b"Exif" not in thumbnail


def test_a_view_is_never_larger_than_the_picture(tmp_path):
    path = put(tmp_path, file_of(four_corners(), "PNG"))

    assert read_view(path, longest=9_000).size == (80, 60)
    assert read_view(path, region=(0.999, 0.999, 0.001, 0.001)).size == (1, 1)
    assert read_view(path, region=WHOLE, longest=1).size == (1, 1)


def with_text_chunk(picture: bytes, packed: bytes) -> bytes:
    """A PNG with a compressed text chunk after its header."""
    data = b"Comment\0\0" + packed
    chunk = (
        struct.pack(">I", len(data))
        + b"zTXt"
        + data
        + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    )
    return picture[:33] + chunk + picture[33:]


def gif_claiming(side: int) -> bytes:
    """A GIF whose screen and only frame are of that size, with next to nothing behind it."""
    data = bytearray(file_of(Image.new("P", (16, 16)), "GIF"))
    size = struct.pack("<HH", side, side)
    data[6:10] = size
    frame = data.index(b",\0\0\0\0" + struct.pack("<HH", 16, 16))
    data[frame + 5 : frame + 9] = size
    return bytes(data)


HOSTILE = {
    "a bomb of 60,000 by 60,000": (png_claiming(60_000, 60_000), "more pixels than Argus decodes"),
    "a header that claims 4 billion across": (png_claiming(2**31 - 1, 2**31 - 1), "pixels"),
    "a header within the limit without its pixels": (png_claiming(12_000, 12_000), "cannot hold"),
    "a picture without pixels": (png_claiming(0, 10), "begins as a picture|× 10"),
    "a GIF that claims 65,535 by 65,535": (
        gif_claiming(65_535), "more pixels|more than Argus decodes"),
    "a JPEG cut off": (file_of(four_corners(800, 600), "JPEG")[:2_000], "damaged"),
    "a PNG cut off": (file_of(four_corners(800, 600), "PNG")[:-60], "damaged"),
    "a TIFF cut off": (file_of(four_corners(), "TIFF")[:300], "damaged|behind it"),
    "a WebP cut off": (file_of(four_corners(800, 600), "WEBP")[:100], "damaged|behind it"),
    "only the start of a JPEG": (b"\xff\xd8\xff\xe0" + bytes(30), "behind it|damaged"),
    "only the start of a PDF": (b"%PDF-1.7\n%\xe2\xe3", "damaged PDF"),
    "a text chunk that unpacks without end": (
        with_text_chunk(file_of(four_corners(), "PNG"), zlib.compress(bytes(9_000_000))), "damaged|behind it"),
    "a sound": (b"fLaC" + bytes(60), "not a picture"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_picture_is_refused_with_its_name_and_the_reason(tmp_path, what):
    data, reason = HOSTILE[what]
    path = put(tmp_path, data)

    with pytest.raises(MediaError, match=reason) as refused:
        read_picture(path, name="снимок 图.png")

    assert "снимок 图.png" in str(refused.value)


def test_a_page_of_a_tiff_that_claims_too_much_is_refused_when_it_is_turned_to(
    tmp_path, monkeypatch
):
    pages = [Image.new("RGB", (10, 10)), Image.new("RGB", (500, 500))]
    path = put(tmp_path, file_of(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    monkeypatch.setattr(pictures, "MAX_PIXELS", 10_000)

    assert look_at(path).pages == 2
    with pytest.raises(MediaError, match="500 × 500"):
        read_view(path, page=1)
