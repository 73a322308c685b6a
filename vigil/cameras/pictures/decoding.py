"""Pillow made strict: it opens what it is told to, and whatever goes wrong is a BadPicture."""

from __future__ import annotations

import functools
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageFile

from vigil.cameras.pictures.shape import BadPicture, Format

PILLOW = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "heif": "HEIF"}
"""Our name of a format → Pillow's."""

# Odd metadata is what cameras write; whoever reads it decides what it is worth.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # we refuse them


@functools.cache
def _know_heif() -> None:
    """Teach Pillow HEIF once one comes: the library takes four MB of every process."""
    import pillow_heif

    pillow_heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
    )


@contextmanager
def opened(data: bytes, format: Format) -> Iterator[ImageFile.ImageFile]:
    """A picture of this format, nothing decoded yet; raises BadPicture, also from the block.

    Pillow's own limit on pixels stays out of it: sizes are checked before, by ``shape``.
    """
    if format == "heif":
        _know_heif()
    try:
        with Image.open(io.BytesIO(data), formats=(PILLOW[format],)) as image:
            yield image
    except BadPicture:
        raise
    except (OSError, EOFError) as error:
        if "truncated" in str(error):
            raise BadPicture("truncated", "a picture that ends early") from error
        raise BadPicture("broken", "a picture that cannot be decoded") from error
    except (
        *(SyntaxError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
        *(RuntimeError, AssertionError, struct.error, zlib.error, MemoryError, Warning),
        Image.DecompressionBombError,
    ) as error:
        raise BadPicture("broken", "a picture that cannot be decoded") from error
