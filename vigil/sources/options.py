"""Options of a source: read from what a person or a program gave, in canonical form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from vigil.errors import Invalid
from vigil.sources.model import Option

LANGUAGES = Option(
    name="languages", label="Languages", hint="Codes with commas between.", example="en,de"
)
MAX_VIEWERS = Option(
    name="max_viewers", label="Viewers at most", hint="Any number when empty.", example="10"
)
CRITERIA = (
    LANGUAGES,
    Option(
        name="categories",
        label="Categories",
        hint="Their numbers at the source, with commas between.",
        example="509658",
    ),
    MAX_VIEWERS,
)
"""Where the source itself counts its categories."""
NAMED_CRITERIA = (
    LANGUAGES,
    Option(
        name="categories",
        label="Categories",
        hint="Their names with commas between; capitals do not matter.",
        example="jazz,late talk",
    ),
    MAX_VIEWERS,
)


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
    shown = {name: spelled(value) for name, value in options.items()}
    return " ".join(f"{name}={value}" for name, value in shown.items() if value)


def spelled(value: Any) -> str:
    """One option's value as somebody would write it."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {one}" for name, one in value.items())
    return "" if value is None else str(value)


def names(given: Mapping[str, Any], name: str, most: int = 100) -> list[str]:
    """A list of names (or one text with commas between), lower case, sorted and each once."""
    value = given.get(name)
    if value is None:
        return []
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple):
        raise Invalid(f"option {name} must be a list")
    found = set()
    for one in value:
        if not isinstance(one, str) or len(one) > 200 or not one.isprintable():
            raise Invalid(f"option {name}: {str(one)[:70]!r} is not possible")
        found.add(" ".join(one.lower().split()))
    found.discard("")
    if len(found) > most:
        raise Invalid(f"option {name} has more than {most} values")
    return sorted(found)


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


def count(
    given: Mapping[str, Any], name: str, least: int = 0, most: int = 999_999_999
) -> int | None:
    """A whole number; ``None`` when not given or empty."""
    value = given.get(name)
    if value is None or value == "":
        return None
    text = str(value)
    possible = not isinstance(value, bool) and re.fullmatch(r"[0-9]{1,9}", text)
    if not possible or not least <= int(text) <= most:
        upto = f" to {most}" if most < 999_999_999 else " on"
        raise Invalid(f"option {name} must be a number from {least}{upto}")
    return int(text)
