"""Telling JPEGs of different make apart, and black ones that go with them."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass

_SUBSAMPLING = {(0x11,): -1, (0x11, 0x11, 0x11): 0, (0x21, 0x11, 0x11): 1, (0x22, 0x11, 0x11): 2}
"""Sampling factors of the components (T.81, B.2.2) → Pillow's word; -1: grey."""
_NO_BODY = {0x01, *range(0xD0, 0xD9)}
_FRAMES = {0xC0, 0xC1, 0xC2}
_ADOBE = 0xEE


class Mixed(Exception):
    """Pictures of different make follow each other: ffmpeg cannot take them as they are."""


@dataclass(frozen=True, slots=True)
class Make:
    """What must not change from picture to picture of a track."""

    width: int
    height: int
    sampling: tuple[int, ...]
    """Horizontal and vertical factor of each component, four bits each."""

    @property
    def is_usual(self) -> bool:
        """Whether it is grey or YCbCr as ffmpeg and Pillow both know it."""
        return self.sampling in _SUBSAMPLING


def make_of(data: bytes) -> Make:
    """What a JPEG is, by its header; raises Mixed when it is none of grey or YCbCr."""
    at = 2
    while data[at : at + 1] == b"\xff":
        marker = data[at + 1] if at + 1 < len(data) else 0
        if marker == 0xFF or marker in _NO_BODY:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : end]
        if marker == _ADOBE and body.startswith(b"Adobe") and body[11:12] == b"\0":
            break
        if marker in _FRAMES and len(body) >= 6:
            components = body[6 : 6 + 3 * body[5]]
            if len(components) not in (3, 9) or components[::3] == b"RGB":
                break
            size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
            return Make(*size, tuple(components[1::3]))
        at = end
    raise Mixed("not a JPEG in grey or YCbCr")


@functools.lru_cache(maxsize=16)
def black(make: Make) -> bytes:
    """A black JPEG of the same make; raises Mixed for an unusual one."""
    if not make.is_usual:
        raise Mixed("an unusual JPEG")
    from PIL import Image  # where nothing is shown, which is seldom, Pillow is worth its memory

    subsampling = _SUBSAMPLING[make.sampling]
    out = io.BytesIO()
    image = Image.new("L" if subsampling < 0 else "RGB", (make.width, make.height))
    image.save(out, "JPEG", quality=90, subsampling=max(subsampling, 0))
    return out.getvalue()


SMALL = Make(16, 16, (0x22, 0x11, 0x11))
"""What stands for a scene that shows nothing at all."""
