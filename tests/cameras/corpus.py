"""What cameras, login pages and people of ill will send: pictures and what only looks like one."""

from __future__ import annotations

import functools
import io
import struct
import zlib

import pillow_heif
from PIL import Image

from tests.servers.pictures import bomb, jpeg, other

pillow_heif.register_heif_opener()

WHOLE = jpeg(1)
PROGRESSIVE = jpeg(1, progressive=True)
KINDS = ("JPEG", "PNG", "WEBP", "HEIF")
GPS = b"Exif\0\0MM\0*\0\0\0\x08\0\0" + b"somewhere 51.4769N 0.0005W"


@functools.cache
def drawn(kind: str, size: tuple[int, int] = (320, 240), **options: object) -> bytes:
    """A picture with structure in any format."""
    with Image.open(io.BytesIO(jpeg(1, size))) as image:
        return saved(image, kind, **options)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of an image."""
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, rows: int, *, before: bytes = b"") -> bytes:
    """A grey PNG that says how large it is and holds this many rows."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + b"\x40" * width) * rows, 9))
    return b"\x89PNG\r\n\x1a\n" + header + before + pixels + chunk(b"IEND", b"")


def turned(orientation: int, kind: str = "JPEG", **tags: object) -> bytes:
    """A picture with an orientation and more EXIF, by number."""
    written = Image.Exif()
    written[0x0112] = orientation
    for number, value in tags.items():
        written[int(number.removeprefix("t"), 16)] = value
    return drawn(kind, exif=written.tobytes())


def resized(data: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header says another size."""
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def frames(kind: str) -> bytes:
    """An animation of three."""
    pictures = [Image.new("RGB", (64, 64), (n * 80, 10, 10)) for n in range(3)]
    return saved(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=100)


_HALF = WHOLE[: len(WHOLE) // 2].rstrip(b"\xff")

BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "half a picture": (WHOLE[: len(WHOLE) // 2], "truncated"),
    "all but the last byte": (WHOLE[:-1], "truncated"),
    "half a picture with an end put behind": (_HALF + b"\xff\xd9", "truncated"),
    "a hole in the middle": (WHOLE[:3000] + WHOLE[4500:], "truncated"),
    "a progressive picture whose last scan is cut": (
        PROGRESSIVE[: len(PROGRESSIVE) * 9 // 10].rstrip(b"\xff") + b"\xff\xd9",
        "truncated",
    ),
    "half a PNG": (drawn("PNG")[:5000], "truncated"),
    "a PNG whose pixels end early": (png(64, 64, 20), "truncated"),
    "a PNG with a wrong checksum": (
        drawn("PNG")[:2000] + b"\x55\xaa" + drawn("PNG")[2002:],
        "broken",
    ),
    "half a WebP": (drawn("WEBP")[:1000], "truncated"),
    "half a HEIF": (drawn("HEIF")[:2500], "truncated"),
    "a login page": (b"<!DOCTYPE html><html><title>Log in</title>", "html"),
    "a login page of a careless camera": (b"\r\n\r\n<HTML><BODY>401", "html"),
    "an XML error": (b'<?xml version="1.0"?><error>busy</error>', "html"),
    "a page with a picture behind it": (b"<html><!-- " + WHOLE, "html"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "svg"),
    "an SVG with a prologue": (
        b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg width="9"/>',
        "svg",
    ),
    "JSON": (b'{"error": "busy"}', "not_a_picture"),
    "a GIF": (other("GIF"), "not_a_picture"),
    "a BMP": (other("BMP"), "not_a_picture"),
    "a TIFF": (other("TIFF"), "not_a_picture"),
    "a GIF that is a JPEG, too": (b"GIF89a\x2f\x2a" + WHOLE, "not_a_picture"),
    "a PDF that is a JPEG, too": (b"%PDF-1.4\n" + WHOLE, "not_a_picture"),
    "a ZIP": (b"PK\x03\x04" + b"\0" * 100, "not_a_picture"),
    "an AVIF": (saved(Image.new("RGB", (64, 64)), "AVIF"), "unsupported"),
    "an MP4": (b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"\0" * 99, "unsupported"),
    "an animated PNG": (frames("PNG"), "animated"),
    "an animated WebP": (frames("WEBP"), "animated"),
    "forty megapixels": (bomb(), "too_many_pixels"),
    "forty megapixels of PNG": (png(8000, 5000, 5000), "too_many_pixels"),
    "four thousand megapixels of PNG": (png(65_000, 65_000, 1), "too_many_pixels"),
    "a strip": (png(40_000, 2, 2), "too_many_pixels"),
    "a JPEG that says it is huge": (resized(WHOLE, 65_500, 65_500), "too_many_pixels"),
    "a JPEG that says it is larger": (resized(WHOLE, 3200, 2400), "truncated"),
    "a WebP that says it is huge": (
        drawn("WEBP")[:26] + b"\xff\x3f\xff\x3f" + drawn("WEBP")[30:],
        "too_many_pixels",
    ),
    "21 megabytes": (WHOLE[:-2] + b"\0" * 21_000_000, "too_large"),
    "a text that would unpack to 200 MB": (
        png(64, 64, 20, before=chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 200_000_000, 9))),
        "broken",
    ),
    "headers alone": (WHOLE[: WHOLE.index(b"\xff\xda")] + b"\xff\xd9", "broken"),
    "a PNG without pixels": (
        png(9, 9, 9)[:33] + chunk(b"IEND", b""),
        "broken",
    ),
    "noise": (bytes(range(256)) * 100, "not_a_picture"),
    "zeros": (b"\0" * 5000, "not_a_picture"),
    "noise that begins like a picture": (b"\xff\xd8\xff\xe0" + b"\x5a" * 30_000, "broken"),
    "noise that begins like a PNG": (b"\x89PNG\r\n\x1a\n" + b"\x5a" * 30_000, "truncated"),
    "noise that begins like a WebP": (
        b"RIFF\x00\x10\x00\x00WEBP" + b"\x5a" * 30_000,
        "broken",
    ),
    "noise that begins like a HEIF": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\x5a" * 999,
        "broken",
    ),
    "for printing": (jpeg(1, mode="CMYK"), "unsupported"),
}
"""Never a frame: the bytes, and the word that the refusal is counted by."""

ODD: dict[str, bytes] = {
    "baseline": jpeg(2, (1280, 720)),
    "progressive": jpeg(2, progressive=True),
    "grey": jpeg(2, mode="L"),
    "one pixel": jpeg(2, (1, 1)),
    "12 megapixels": jpeg(2, (4096, 3072), quality=40),
    "tall": jpeg(2, (20, 3000)),
    "wide": jpeg(2, (3000, 20)),
    "GPS that is none": jpeg(4, exif=GPS),
    "EXIF that is cut": jpeg(4, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x99" + b"\x01\x12"),
    "EXIF that points into itself": jpeg(4, exif=b"Exif\0\0II*\0\x08\0\0\0" + b"\x01\0" * 40),
    "EXIF of 60 kB": jpeg(4, exif=b"Exif\0\0MM\0*" + b"\0" * 60_000),
    "a palette": saved(Image.new("P", (64, 48), 3), "PNG"),
    "one bit a pixel": saved(Image.new("1", (64, 48), 1), "PNG"),
    "16 bits a pixel": saved(Image.new("I;16", (64, 48), 40_000), "PNG"),
    "transparent": saved(Image.new("RGBA", (64, 48), (250, 0, 0, 128)), "PNG"),
    "a transparent colour": saved(
        Image.new("RGB", (64, 48), (1, 2, 3)), "PNG", transparency=(1, 2, 3)
    ),
    "grey and transparent": saved(Image.new("LA", (64, 48), (200, 100)), "PNG"),
    "lossless RGB": drawn("PNG"),
    "pixels that unpack to 200 MB": png(64, 64, 3_000_000),
    "black": saved(Image.new("RGB", (640, 480)), "PNG"),
    "lossy": drawn("WEBP"),
    "lossless": drawn("WEBP", lossless=True),
    "WebP with a covering": saved(Image.new("RGBA", (64, 48), (0, 250, 0, 9)), "WEBP"),
    "a phone's": drawn("HEIF"),
    "a phone's, covered": saved(Image.new("RGBA", (64, 48), (0, 0, 250, 99)), "HEIF"),
    "a grey phone's": saved(Image.new("L", (64, 64), 77), "HEIF"),
}
"""Pictures all the same."""
