"""Options of a source: read from what a person or a program gave, in canonical form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from vigil.errors import Invalid


def parse(words: Iterable[str]) -> dict[str, str]:
    """Options as somebody writes them, ``languages=en,de``; raises Invalid for any other word."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Invalid(f"{word[:100]!r} is not NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def written(options: Mapping[str, Any]) -> str:
    """The opposite of ``parse``; what is empty is left out."""
    words = []
    for name, value in options.items():
        if value not in (None, [], ""):
            shown = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            words.append(f"{name}={shown}")
    return " ".join(words)


def only(given: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise Invalid for an option that the kind does not have."""
    for name in given:
        if name not in known:
            hint = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise Invalid(f"this kind of source has no option {name!r}", hint=hint)


def strings(given: Mapping[str, Any], name: str, pattern: str, most: int) -> list[str]:
    """A list of strings (or one, comma-separated), sorted and each once; empty when not given."""
    value = given.get(name)
    if value is None:
        return []
    if isinstance(value, str):
        value = [part for part in re.split(r"[,\s]+", value) if part]
    if not isinstance(value, list | tuple):
        raise Invalid(f"option {name} must be a list")
    found = set()
    for one in value:
        one = str(one).lower() if isinstance(one, str | int) else ""
        if not re.fullmatch(pattern, one):
            raise Invalid(f"option {name}: {one!r} is not possible")
        found.add(one)
    if len(found) > most:
        raise Invalid(f"option {name} has more than {most} values")
    return sorted(found)


def count(given: Mapping[str, Any], name: str) -> int | None:
    """A number from 0 on; ``None`` when not given or empty."""
    value = given.get(name)
    if value is None or value == "":
        return None
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", text):
        raise Invalid(f"option {name} must be a number from 0 on")
    return int(text)
