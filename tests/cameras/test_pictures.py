"""pictures: every format, turned and cropped, seen in numbers, and made small."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image, ImageFilter

from tests.cameras.corpus import (
    BAD,
    GPS,
    KINDS,
    ODD,
    PROGRESSIVE,
    WHOLE,
    chunk,
    drawn,
    saved,
    turned,
)
from tests.servers.pictures import jpeg
from vigil.cameras.pictures.containers import holds_every_row
from vigil.cameras.pictures.reading import WIDTHS, Seen, examine, measure, thumbnail
from vigil.cameras.pictures.shape import BadPicture

DOUBTFUL = (
    "half a picture with an end put behind",
    "a hole in the middle",
    "a progressive picture whose last scan is cut",
    "a JPEG that says it is larger",
)
CUT = ("truncated", "broken", "not_a_picture", "unsupported")
FORMATS = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp", "HEIF": "heif"}


def see(data: bytes, **wishes: object) -> Seen:
    shape = measure(data)
    return examine(data[: shape.end], shape, **wishes)  # type: ignore[arg-type]  # rotation, crop


def reason(data: bytes) -> str:
    with pytest.raises(BadPicture) as caught:
        see(data)
    return caught.value.reason


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("JPEG",))
    image.load()
    return image


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(320, 240), (1280, 720), (17, 9)])
def test_every_format_is_known_by_its_content(kind: str, size: tuple[int, int]) -> None:
    data = drawn(kind, size)
    shape = measure(data)
    assert (shape.format, shape.width, shape.height, shape.end) == (FORMATS[kind], *size, len(data))
    seen = see(data)
    assert (seen.width, seen.height) == size
    assert seen.look.luma == pytest.approx(see(jpeg(1, size)).look.luma, abs=3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tail", [b"\r\n", b"PK\x03\x04zip", b"<script>", b"\0" * 99, WHOLE])
def test_what_hangs_behind_is_cut(kind: str, tail: bytes) -> None:
    data = drawn(kind)
    assert measure(data + tail).end == len(data)


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_of_cutting_is_noticed(kind: str) -> None:
    data = drawn(kind)
    for length in [*range(1, 64), *range(64, len(data), 97), len(data) - 2, len(data) - 1]:
        assert reason(data[:length]) in CUT, length


@pytest.mark.parametrize("name", BAD)
def test_what_is_bad_is_refused_or_left_to_a_strict_decoder(name: str) -> None:
    data, expected = BAD[name]
    if name in DOUBTFUL:
        assert see(data).doubtful
    else:
        assert reason(data) == expected


def test_the_message_names_what_came_instead() -> None:
    with pytest.raises(BadPicture, match="a GIF instead of a picture"):
        measure(BAD["a GIF"][0])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_orientation(orientation: int, kind: str) -> None:
    """Red is top left of what was photographed, however the camera was held."""
    upright = Image.new("RGB", (96, 64), (0, 0, 200))
    upright.paste((220, 0, 0), (0, 0, 48, 32))
    held = {
        **{1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180},
        **{4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE},
        **{6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE},
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(
        upright.transpose(held) if held is not None else upright, kind, exif=exif.tobytes()
    )
    seen = see(data)
    assert (seen.width, seen.height) == (96, 64)
    assert (seen.picture is None) == (kind == "JPEG" and orientation == 1)
    for picture in (seen.picture or data, *seen.thumbnails):
        shown = opened(picture).convert("RGB").resize((96, 64))
        red, _, blue = shown.getpixel((10, 10))  # type: ignore[misc]  # three bands
        assert red > 180 > blue
        red, _, blue = shown.getpixel((85, 55))  # type: ignore[misc]  # three bands
        assert blue > 150 > red


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_is_clockwise_and_after_exif(rotation: int) -> None:
    corners = Image.new("RGB", (80, 60))
    corners.paste((200, 0, 0), (0, 0, 40, 30))
    seen = see(saved(corners, "JPEG", quality=95), rotation=rotation)
    expected = corners.rotate(-rotation, expand=True)
    assert (seen.width, seen.height) == expected.size
    shown = opened(seen.picture) if seen.picture else opened(saved(corners, "JPEG"))
    for x, y in ((5, 5), (seen.width - 5, 5), (5, seen.height - 5)):
        here = shown.convert("L").getpixel((x, y))
        assert here == pytest.approx(expected.convert("L").getpixel((x, y)), abs=8)
    both = see(turned(6), rotation=rotation)
    assert (both.width, both.height) == ((320, 240) if rotation in (90, 270) else (240, 320))


@pytest.mark.parametrize(
    ("crop", "size"),
    [
        ((0.25, 0, 1, 1), (240, 240)),
        ((0, 0.5, 1, 1), (320, 120)),
        ((0.5, 0.5, 0.5, 0.5), (1, 1)),
        ((1, 1, 1, 1), (1, 1)),
        ((0, 0, 0.0001, 1), (1, 240)),
    ],
)
def test_crop(crop: tuple[float, ...], size: tuple[int, int]) -> None:
    seen = see(WHOLE, crop=crop)
    assert (seen.width, seen.height) == size
    assert seen.picture is not None
    assert opened(seen.picture).size == size


@pytest.mark.parametrize("name", ODD)
def test_thumbnails(name: str) -> None:
    seen = see(ODD[name])
    assert len(seen.thumbnails) == 3
    for data, width in zip(seen.thumbnails, WIDTHS, strict=True):
        small = opened(data)
        assert small.width <= min(width, seen.width)
        assert small.height <= 4 * width
        if seen.height <= 4 * seen.width:
            assert small.width == min(width, seen.width)
            assert small.height == pytest.approx(seen.height * small.width / seen.width, abs=1)
        assert small.getexif() == {}


def test_thumbnails_look_like_the_picture() -> None:
    data = jpeg(7, (1920, 1080))
    whole = opened(data).convert("L")
    for small in see(data).thumbnails:
        image = opened(small)
        wanted = whole.resize(image.size, Image.Resampling.LANCZOS).tobytes()
        got = image.convert("L").tobytes()
        assert sum(abs(a - b) for a, b in zip(wanted, got, strict=True)) / len(got) < 4


@pytest.mark.parametrize("width", WIDTHS)
def test_a_thumbnail_alone(width: int) -> None:
    """For frames of old, which have none: as those that are made on arrival."""
    data = jpeg(7, (1920, 1080))
    assert opened(thumbnail(data, width)).size == (width, width * 9 // 16)
    with pytest.raises(BadPicture):
        thumbnail(data[:5000], width)


def test_what_is_transparent_stands_on_black() -> None:
    seen = see(saved(Image.new("RGBA", (64, 48), (255, 255, 255, 51)), "PNG"))
    assert seen.look.luma == pytest.approx(51, abs=1)


def test_sixteen_bits() -> None:
    assert see(ODD["16 bits a pixel"]).look.luma == pytest.approx(40_000 / 256, abs=1)


def test_colour_profiles_stay_where_they_mean_something() -> None:
    odd, usual = b"x" * 500, b"sRGB" + b"x" * 500
    for profile, kept in ((odd, True), (usual, False), (b"x" * 20_000, False)):
        seen = see(drawn("PNG", icc_profile=profile))
        assert seen.picture is not None
        for data in (seen.picture, *seen.thumbnails):
            assert (opened(data).info.get("icc_profile") == profile) == kept


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_public_says_where_and_by_whom(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker of cameras"
    exif.get_ifd(0x8825)[2] = (51.0, 28.0, 38.0)
    exif.get_ifd(0x8769)[0xA431] = "SERIAL-123"
    exif[0x0112] = 3
    data = drawn(kind, exif=exif.tobytes())
    assert b"SERIAL-123" in data
    seen = see(data)
    for public in (*([seen.picture] if seen.picture else []), *seen.thumbnails):
        for secret in (b"SERIAL", b"Maker", b"Exif"):
            assert secret not in public
    assert see(jpeg(4, exif=GPS)).picture is None  # served without its metadata as it is


def test_night_and_day() -> None:
    night = see(saved(Image.new("RGB", (640, 480), (3, 3, 3)), "JPEG")).look
    assert (night.dark, night.bright, night.contrast, night.sharpness) == (1, 0, 0, 0)
    assert night.luma == pytest.approx(3, abs=1)
    glare = see(saved(Image.new("RGB", (640, 480), (250, 250, 250)), "JPEG")).look
    assert (glare.dark, glare.bright) == (0, 1)
    half = Image.new("L", (640, 480), 0)
    half.paste(255, (320, 0, 640, 480))
    look = see(saved(half, "JPEG")).look
    assert look.luma == pytest.approx(127.5, abs=1)
    assert look.contrast == pytest.approx(127.5, abs=1)
    assert look.dark == pytest.approx(0.5, abs=0.01)
    assert look.bright == pytest.approx(0.5, abs=0.01)


def test_what_is_blurred_is_less_sharp() -> None:
    with Image.open(io.BytesIO(jpeg(5, (1280, 960)))) as image:
        sharpness = [
            see(saved(image.filter(ImageFilter.GaussianBlur(radius)), "JPEG")).look.sharpness
            for radius in (0, 2, 5, 12)
        ]
    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[0] > 5 * sharpness[2]


def distance(one: Seen, other: Seen) -> int:
    difference = (one.look.perceptual_hash ^ other.look.perceptual_hash) & (1 << 64) - 1
    return difference.bit_count()


def test_pictures_that_look_alike_have_hashes_alike() -> None:
    with Image.open(io.BytesIO(jpeg(5, (1280, 960)))) as image:
        one = see(saved(image, "JPEG", quality=90))
        again = see(saved(image.resize((640, 480)), "WEBP", quality=50))
        darker = see(saved(image.point(lambda value: value * 0.8), "JPEG"))
    assert distance(one, again) <= 4
    assert distance(one, darker) <= 6
    assert distance(one, see(jpeg(6, (1280, 960)))) > 10
    assert -(1 << 63) <= one.look.perceptual_hash < 1 << 63


def interlaced(rows: int = 99) -> bytes:
    """A grey PNG of 9×7, interlaced, with at most this many of its rows."""
    passes = ((2, 1), (1, 1), (3, 1), (2, 2), (5, 2), (4, 4), (9, 3))  # columns, rows
    lines = [b"\0" + b"\x70" * across for across, down in passes for _ in range(down)]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 7, 8, 0, 0, 0, 1))
    pixels = chunk(b"IDAT", zlib.compress(b"".join(lines[:rows])))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


def test_an_interlaced_picture() -> None:
    assert see(interlaced()).look.luma == 0x70
    for rows in range(1, 14):
        assert not holds_every_row(interlaced(rows)), rows
    assert holds_every_row(interlaced(14))
    assert reason(interlaced(13)) == "truncated"


FUZZED = {
    **{kind: drawn(kind, (64, 48)) for kind in KINDS},
    "progressive": PROGRESSIVE,
    "turned": turned(6),
}


@pytest.mark.parametrize("name", FUZZED)
def test_damage_never_does_anything_but_refuse_or_show(name: str) -> None:
    """Whatever becomes of a picture on its way, it is refused, or it can be shown as it is."""
    chance = random.Random(f"vigil {name}")
    refused = 0
    for turn in range(400):
        data = bytearray(FUZZED[name])
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(min(len(data), 300) if turn % 2 else len(data))
            match chance.randrange(4):
                case 0:
                    data[at] ^= 1 << chance.randrange(8)
                case 1:
                    data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
                case 2:
                    del data[at : at + chance.randrange(1, 40)]
                case _:
                    data[at:at] = chance.randbytes(chance.randrange(1, 9))
        try:
            seen = see(bytes(data))
        except BadPicture:
            refused += 1
            continue
        assert 0 <= seen.look.luma <= 255
        assert 0 < seen.width * seen.height <= 32_000_000
        for small in seen.thumbnails:
            assert opened(small).width <= 640
        if seen.picture is not None:
            assert opened(seen.picture).size == (seen.width, seen.height)
    assert refused > 50
