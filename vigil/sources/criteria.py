"""What an operator wants of a source that cannot be asked for it, held against its streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vigil.sources import options
from vigil.streams.model import SeenStream

_LANGUAGE = r"[a-z]{2,3}([-_][a-z0-9]{1,8})*|other"


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """languages, categories (names), max_viewers in canonical form; empty or null: everything."""
    return {
        "languages": options.strings(
            given, "languages", r"[a-z]{2,3}([-_][a-z0-9]{1,8})*|other", 100
        ),
        "categories": options.names(given, "categories"),
        "max_viewers": options.count(given, "max_viewers"),
    }


def refusal(stream: SeenStream, chosen: Mapping[str, Any]) -> str | None:
    """Why a stream is not kept; ``None``: it meets the criteria."""
    most = chosen["max_viewers"]
    if most is not None and stream.viewers > most:
        return f"more than {most} viewers"
    if chosen["languages"]:
        code = stream.language.replace("_", "-")
        if not {code, code.partition("-")[0]} & set(chosen["languages"]):
            return "another language"
    if chosen["categories"] and stream.category.lower() not in chosen["categories"]:
        return "another category"
    return None
