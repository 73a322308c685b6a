"""JSON from strangers: decoded against a shape, with broken Unicode mended instead of refused.

One lone surrogate in one title would otherwise cost a whole page of a directory.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_DECODERS: dict[Any, Any] = {}  # by shape; the shapes stand in the code, so they are few
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: a character
    rb"|\\u([dD][89a-fA-F])[0-9a-fA-F]{2}"  # half of one: group 1
    rb"|\\."
)


def decode(body: bytes, shape: type[T]) -> T:
    """``body`` as ``shape``; raises msgspec.ValidationError or msgspec.DecodeError.

    Broken UTF-8 and lone surrogates become U+FFFD; a byte order mark is skipped.
    """
    decoder: msgspec.json.Decoder[T] | None = _DECODERS.get(shape)
    if decoder is None:
        decoder = _DECODERS[shape] = msgspec.json.Decoder(shape)
    try:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeDecodeError):
            mended = body.decode("utf-8-sig", "replace").encode()
            return decoder.decode(_ESCAPE.sub(_mend, mended))
    except RecursionError:
        raise msgspec.DecodeError("it is nested too deeply") from None


def _mend(match: re.Match[bytes]) -> bytes:
    return match[0] if match[1] is None else rb"\ufffd"
