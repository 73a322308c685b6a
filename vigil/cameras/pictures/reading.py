"""What a picture is, whether it is whole, what it shows, and the smaller ones made of it.

A JPEG that is shown as it came is decoded once, as small as the thumbnails allow, in the colours
it is stored in (YCbCr): nothing is converted. One that is turned, cropped or of another format is
decoded whole, and a JPEG is made that carries nothing but pixels and the meaning of its colours.
Everything here takes a core for some 10 to 300 ms: call it through ``run``.
"""

from __future__ import annotations

import asyncio
import functools
import io
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from PIL import Image

from vigil.cameras import exif, jpeg
from vigil.cameras.pictures import containers, decoding, looks
from vigil.cameras.pictures.shape import BadPicture, Shape, check_bytes

P = ParamSpec("P")
T = TypeVar("T")

WIDTHS = (160, 320, 640)
"""Of the thumbnails, pixels. None is made larger than the picture, or higher than four times as
much."""
THUMBNAIL_QUALITY, PICTURE_QUALITY = 80, 92
MAX_PROFILE = 16_384
"""Bytes; a larger colour profile is no camera's and is left out."""

_KINDS = (  # what cameras and login pages send instead
    (rb"GIF8[79]a", "a GIF"),
    (rb"%PDF", "a PDF"),
    (rb"[\s\xef\xbb\xbf]*[{\[]", "JSON"),
    (rb"BM", "a BMP"),
    (rb"II\*\0|MM\0\*", "a TIFF or a raw picture"),
    (rb"PK\x03\x04", "a ZIP"),
)
_HTML = re.compile(rb"[\s\xef\xbb\xbf]*<(!doctype|html|head|body|\?xml|!--|[a-z]+[ >])", re.I)
_SVG = re.compile(rb"[\s\xef\xbb\xbf]*(<\?xml[^>]*>|<!--.*?-->|<!doctype svg[^>]*>|\s)*<svg", re.I)
_TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_CLOCKWISE = {90: 6, 180: 3, 270: 8}
_workers = ThreadPoolExecutor(os.cpu_count() or 1, "pictures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A picture that was decoded."""

    width: int
    height: int
    """Of what is shown: turned and cropped."""
    picture: bytes | None
    """The JPEG that is shown instead of the bytes that came; ``None``: they are fine."""
    thumbnails: tuple[bytes, ...]
    """JPEGs, as wide as ``WIDTHS`` says."""
    look: looks.Look
    doubtful: bool
    """Whether the picture may end early; only a strict decoder can tell."""


async def run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do this in a thread; no more than one for each core at a time, for the whole process."""
    call = functools.partial(work, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_workers, call)


def measure(data: bytes) -> Shape:
    """Format, size and extent by content, whatever it is called; raises BadPicture."""
    check_bytes(data)
    if data.startswith(b"\xff\xd8\xff"):
        return jpeg.measure(data)
    if data.startswith(containers.PNG):
        return containers.png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return containers.webp(data)
    if data[4:8] == b"ftyp":
        return containers.heif(data)
    raise _something_else(data)


def examine(
    data: bytes, shape: Shape, *, rotation: int = 0, crop: Sequence[float] | None = None
) -> Seen:
    """Decode a picture that was measured; raises BadPicture.

    Args:
        data: the picture alone.
        shape: what ``measure`` said of it.
        rotation: degrees clockwise by which it is turned, after what EXIF says.
        crop: left, top, right, bottom of what is shown, 0 to 1 of the turned picture.
    """
    turn = _orientation(data, shape)
    as_it_is = shape.format == "jpeg" and turn == 1 and not rotation and not crop
    image, profile = _decoded(data, shape, (WIDTHS[-1], 1) if as_it_is else None)
    doubtful = shape.doubtful or (shape.format == "jpeg" and _ends_in_nothing(image))
    if as_it_is:
        small, size, picture = image, (shape.width, shape.height), None
    else:
        shown = _cropped(_turned(_turned(image, turn), _CLOCKWISE.get(rotation, 1)), crop)
        small, size, picture = shown, shown.size, _encoded(shown, PICTURE_QUALITY, profile)
    steps = _cascade(small, size)
    return Seen(
        width=size[0],
        height=size[1],
        picture=picture,
        thumbnails=tuple(_encoded(step, THUMBNAIL_QUALITY, profile) for step in steps),
        look=looks.look(small if as_it_is else steps[-1], steps),
        doubtful=doubtful,
    )


def thumbnail(data: bytes, width: int) -> bytes:
    """One thumbnail of a JPEG that is shown as it is; raises BadPicture."""
    shape = jpeg.measure(data)
    image, profile = _decoded(data, shape, (width, 1))
    fitting = _fitting((shape.width, shape.height), width)
    return _encoded(_scaled(image, fitting), THUMBNAIL_QUALITY, profile)


def _orientation(data: bytes, shape: Shape) -> int:
    """How it is to be turned; HEIF is turned by its decoder, a WebP or PNG as its EXIF says."""
    if shape.format == "heif" or (shape.format == "jpeg" and b"Exif\0" not in data[:65_536]):
        return 1
    try:
        with decoding.opened(data, shape.format) as image:
            return exif.orientation(image)
    except BadPicture:
        return 1  # the picture itself may be fine


def _decoded(
    data: bytes, shape: Shape, least: tuple[int, int] | None
) -> tuple[Image.Image, bytes | None]:
    """Pixels in YCbCr or L, not smaller than ``least`` (``None``: all), and the colour profile."""
    if shape.format != "jpeg":
        with decoding.opened(data, shape.format) as image:
            if image.size != (shape.width, shape.height):
                raise BadPicture("broken", "a picture that is not as large as it says")
            image.load()
            doubt = shape.format == "png" and _may_lack_rows(image)
            if doubt and not containers.holds_every_row(data):
                raise BadPicture("truncated", "a PNG whose pixels end early")
            return _plain(image), _profile(image)
    clean = jpeg.without_metadata(data)
    try:
        return _drafted(clean, "YCbCr", least or (shape.width, shape.height))
    except BadPicture as error:
        if error.reason == "truncated":
            raise
        # stored as RGB, which libjpeg gives as nothing else
        stored, profile = _drafted(clean, "RGB", least or (shape.width, shape.height))
        return stored.convert("YCbCr"), profile


def _drafted(data: bytes, mode: str, least: tuple[int, int]) -> tuple[Image.Image, bytes | None]:
    with decoding.opened(data, "jpeg") as image:
        if image.mode not in ("L", "RGB"):
            raise BadPicture("unsupported", f"a JPEG in {image.mode}, which is for printing")
        image.draft(None if image.mode == "L" else mode, least)
        image.load()
        return image, _profile(image)


def _plain(image: Image.Image) -> Image.Image:
    """Any picture as YCbCr or L; what is transparent stands on black."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        covering, ground = image.convert("RGBA"), Image.new("RGB", image.size)
        ground.paste(covering, mask=covering.getchannel("A"))
        return ground.convert("YCbCr")
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image.convert("RGB").convert("YCbCr")


def _profile(image: Image.Image) -> bytes | None:
    """The colour profile when it says something that is not understood anyway."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > MAX_PROFILE or b"sRGB" in profile:
        return None
    return profile


def _ends_in_nothing(image: Image.Image) -> bool:
    """Where bits run out, libjpeg fills the rest with 128 and says nothing."""
    last = image.getpixel((image.width - 1, image.height - 1))
    return (last[0] if isinstance(last, tuple) else last) == 128


def _may_lack_rows(image: Image.Image) -> bool:
    """Whether the last pixel of a PNG is what Pillow leaves where rows are missing."""
    last = image.getpixel((image.width - 1, image.height - 1))
    return bool(image.info.get("interlace")) or not any(last if isinstance(last, tuple) else [last])


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    return image if orientation == 1 else image.transpose(_TRANSPOSED[orientation])


def _cropped(image: Image.Image, crop: Sequence[float] | None) -> Image.Image:
    if not crop:
        return image
    width, height = image.size
    left, top = min(width - 1, round(crop[0] * width)), min(height - 1, round(crop[1] * height))
    right, bottom = round(crop[2] * width), round(crop[3] * height)
    return image.crop((left, top, max(left + 1, right), max(top + 1, bottom)))


def _fitting(size: tuple[int, int], width: int) -> tuple[int, int]:
    scale = min(1.0, width / size[0], 4 * width / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    if image.size == (2 * size[0], 2 * size[1]):
        return image.reduce(2)
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)


def _cascade(image: Image.Image, size: tuple[int, int]) -> list[Image.Image]:
    """The thumbnails, the smallest first, each made of the next larger one."""
    steps: list[Image.Image] = []
    for width in reversed(WIDTHS):
        image = _scaled(image, _fitting(size, width))
        steps.insert(0, image)
    return steps


def _encoded(image: Image.Image, quality: int, profile: bytes | None) -> bytes:
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality, icc_profile=profile)
    return written.getvalue()


def _something_else(data: bytes) -> BadPicture:
    if _SVG.match(data[:2000]):
        return BadPicture("svg", "an SVG: a drawing with a program in it, no photograph")
    if _HTML.match(data[:200]):
        return BadPicture("html", "a web page instead of a picture")
    for magic in (b"\xff\xd8\xff", containers.PNG):
        if magic.startswith(data[: len(magic)]):
            return BadPicture("truncated", "a picture that ends early")
    for pattern, name in _KINDS:
        if re.match(pattern, data[:40], re.S):
            return BadPicture("not_a_picture", f"{name} instead of a picture")
    return BadPicture("not_a_picture", "something that is not a picture we can read")
