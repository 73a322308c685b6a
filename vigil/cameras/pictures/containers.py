"""PNG, WebP and HEIF: size and extent, read from their boxes without decoding anything.

Each of them says how long its parts are, so a file that ends early is known at once, and what
hangs behind the last part (a script, a ZIP) is cut off. Animations are refused: a camera that
sends one is no camera.
"""

from __future__ import annotations

import zlib

from vigil.cameras.pictures import decoding
from vigil.cameras.pictures.shape import BadPicture, Shape, check_size

PNG = b"\x89PNG\r\n\x1a\n"
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"}
_SEQUENCES = {b"hevc", b"hevx", b"msf1", b"avis"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = (  # first column and row, steps between columns and rows
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
_BOXES = {
    *(b"ftyp", b"meta", b"mdat", b"free", b"skip", b"wide", b"uuid", b"moov", b"idat", b"pdin"),
    *(b"styp", b"sidx", b"mini", b"etyp"),
}


def png(data: bytes) -> Shape:
    """Shape of a PNG (W3C, third edition); the checksum of every chunk is looked at."""
    size: tuple[int, int] | None = None
    pixels = False
    position = len(PNG)
    while True:
        if position + 12 > len(data):
            raise _ended("PNG")
        length = int.from_bytes(data[position : position + 4], "big")
        name = data[position + 4 : position + 8]
        end = position + 12 + length
        if not name.isalpha():
            raise BadPicture("broken", "a PNG whose parts are out of order")
        if end > len(data):
            raise _ended("PNG")
        body = memoryview(data)[position + 4 : end - 4]
        if zlib.crc32(body) != int.from_bytes(data[end - 4 : end], "big"):
            raise BadPicture("broken", "a PNG with a wrong checksum")
        if name == b"IHDR":
            if size is not None or length != 13:
                raise BadPicture("broken", "a PNG whose parts are out of order")
            size = int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big")
            check_size(*size)
        elif size is None:
            raise BadPicture("broken", "a PNG without a header")
        elif name == b"acTL":
            raise _animated("PNG")
        elif name == b"IDAT":
            pixels = True
        elif name == b"IEND":
            if not pixels:
                raise BadPicture("broken", "a PNG without a picture in it")
            return Shape(*size, end, "png")
        position = end


def holds_every_row(data: bytes) -> bool:
    """Whether the pixels of a PNG that was measured unpack to as many rows as it says.

    Pillow leaves black what is missing. Unpacks a megabyte at a time, and no more than is needed.
    """
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    bits = data[24] * _CHANNELS.get(data[25], 4)
    wanted = sum(
        (1 + (across * bits + 7) // 8) * down
        for across, down in _passes(width, height, bool(data[28]))
        if across
    )
    unpacking = zlib.decompressobj()
    position = len(PNG)
    try:
        while wanted > 0 and position < len(data):
            length = int.from_bytes(data[position : position + 4], "big")
            if data[position + 4 : position + 8] == b"IDAT":
                packed = data[position + 8 : position + 8 + length]
                while packed and wanted > 0:
                    wanted -= len(unpacking.decompress(packed, min(wanted, 1_000_000)))
                    packed = unpacking.unconsumed_tail
            position += 12 + length
    except zlib.error:
        return False
    return wanted <= 0


def _passes(width: int, height: int, interlaced: bool) -> list[tuple[int, int]]:
    """Columns and rows of each pass (Adam7)."""
    if not interlaced:
        return [(width, height)]
    return [
        (max(0, -(-(width - x) // across)), max(0, -(-(height - y) // down)))
        for x, y, across, down in _ADAM7
    ]


def webp(data: bytes) -> Shape:
    """Shape of a WebP (RFC 9649)."""
    end = 8 + int.from_bytes(data[4:8], "little")
    end += end % 2
    if end > len(data):
        raise _ended("WebP")
    size: tuple[int, int] | None = None
    pixels = False
    position = 12
    while position + 8 <= end:
        name = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        body = data[position + 8 : position + 18]
        position += 8 + length + length % 2
        if position > end:
            raise BadPicture("broken", "a WebP whose parts are out of order")
        if name in (b"ANIM", b"ANMF") or (name == b"VP8X" and body[:1] and body[0] & 2):
            raise _animated("WebP")
        found = _webp_size(name, body)
        if found:
            check_size(*found)
            size = size or found
            pixels |= name != b"VP8X"
    if size is None or not pixels:
        raise BadPicture("broken", "a WebP without a picture in it")
    return Shape(*size, end, "webp")


def heif(data: bytes) -> Shape:
    """Shape of a HEIF with HEVC inside (ISO/IEC 23008-12), as phones write it."""
    brands = {data[at : at + 4] for at in range(8, min(_length(data, 0), 256), 4) if at != 12}
    if brands & _SEQUENCES:
        raise _animated("HEIF")
    if b"avif" in brands or not brands & _HEIF:
        raise BadPicture("unsupported", "a video, or a picture in a format that is not read here")
    position, names = 0, set()
    while position + 8 <= len(data) and data[position + 4 : position + 8] in _BOXES:
        length = _length(data, position)
        names.add(data[position + 4 : position + 8])
        if length < 8:
            raise BadPicture("broken", "a HEIF whose parts are out of order")
        position += length
        if position > len(data):
            raise _ended("HEIF")
    if b"moov" in names:
        raise _animated("HEIF")
    if not {b"meta", b"mdat"} <= names:
        raise BadPicture("broken", "a HEIF without a picture in it")
    with decoding.opened(data[:position], "heif") as image:
        check_size(*image.size)
        return Shape(*image.size, position, "heif")


def _webp_size(name: bytes, body: bytes) -> tuple[int, int] | None:
    if len(body) < 10 and not (name == b"VP8L" and len(body) >= 5):
        return None
    if name == b"VP8X":
        canvas = int.from_bytes(body[4:7], "little"), int.from_bytes(body[7:10], "little")
        return canvas[0] + 1, canvas[1] + 1
    if name == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        sides = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
        return sides[0] & 0x3FFF, sides[1] & 0x3FFF
    if name == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _length(data: bytes, position: int) -> int:
    """Of a box; one that reaches to the end of the file says 0."""
    length = int.from_bytes(data[position : position + 4], "big")
    if length == 1:
        length = int.from_bytes(data[position + 8 : position + 16], "big")
        return length if length >= 16 else -1
    return len(data) - position if length == 0 else length


def _ended(name: str) -> BadPicture:
    return BadPicture("truncated", f"a {name} that ends early")


def _animated(name: str) -> BadPicture:
    return BadPicture("animated", f"an animated {name}: only single pictures are kept")
