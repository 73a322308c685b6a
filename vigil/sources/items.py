"""One item of a remote list, held against its shape: a bad one is counted, not an error."""

from __future__ import annotations

import re
from collections import Counter
from typing import TypeVar

import msgspec
from msgspec import Raw

from vigil import jsontext

T = TypeVar("T")

REASONS_MOST = 30
"""Different reasons that are told apart; what strangers send decides how many there could be."""


def validate(raw: Raw, shape: type[T], refused: Counter[str]) -> T | None:
    """The item as ``shape``; ``None``, counted under its reason, when it does not fit."""
    try:
        return jsontext.decode(bytes(raw), shape)
    except msgspec.ValidationError as error:
        refuse(refused, f"malformed: {_without_values(str(error))}")
    except msgspec.DecodeError:
        refuse(refused, "malformed: not JSON")
    return None


def refuse(refused: Counter[str], reason: str) -> None:
    """Count one item that is not kept."""
    refused[reason if reason in refused or len(refused) < REASONS_MOST else "other reasons"] += 1


def _without_values(message: str) -> str:
    """msgspec's message without positions in lists, so that equal faults count together."""
    return re.sub(r"\[\d+\]", "[]", message)[:200]
