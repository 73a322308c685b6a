"""What an address asks for: its parameters as a Filter, alike for pages, programs and feeds.

The names, defaults and limits of ``include``, ``exclude``, ``search_operator``, ``max_viewers`` and
``min_age`` are nobody.live's (https://github.com/jkingsman/Nobody.live). Further: ``category``, and
``tags``, ``languages``, ``sources``, each a list with commas, one of which is enough.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from vigil.errors import Invalid, TooLarge
from vigil.streams.model import MOST_VIEWERS, Filter

LONGEST_FILTER = 64
"""Characters of ``include`` and ``exclude`` together."""
LONGEST_LIST = 200
"""Characters of ``category`` and of each list."""
LISTS = ("tags", "languages", "sources")
OLDEST_MINUTES = 10 * 365 * 24 * 60


def parameters(query: str) -> dict[str, str]:
    """The first value of each parameter, all values of a list; raises Invalid for what is no text.

    A list may be given as ``languages=en,de`` or, as forms do it, as ``languages=en&languages=de``.
    """
    try:
        given = {
            name: ",".join(values) if name in LISTS else values[0]
            for name, values in parse_qs(query, errors="strict").items()
        }
    except ValueError:
        raise Invalid("the address is not UTF-8") from None
    if any("\x00" in value for value in given.values()):
        raise Invalid("the address has a NUL in it")
    return given


def number(text: str | None, default: int, most: int) -> int:
    """A number from 0 to ``most``; the default where there is none (as the peer has it)."""
    try:
        return min(max(int(text or default), 0), most)
    except ValueError:
        return default


def a_filter(given: dict[str, str], max_viewers: int) -> Filter:
    """What the parameters ask for; raises TooLarge."""
    include, exclude = given.get("include", ""), given.get("exclude", "")
    if len(include) + len(exclude) > LONGEST_FILTER:
        raise TooLarge(
            "the filter is too long",
            hint=f"include and exclude: {LONGEST_FILTER} characters in all",
        )
    return Filter(
        include=words(include),
        any=given.get("search_operator") == "any",
        exclude=words(exclude),
        max_viewers=number(given.get("max_viewers"), max_viewers, MOST_VIEWERS),
        min_age_minutes=number(given.get("min_age"), 0, OLDEST_MINUTES),
        category=short(given, "category").strip().lower(),
        tags=listed(short(given, "tags").lower()),
        languages=listed(short(given, "languages").lower()),
        sources=listed(short(given, "sources")),
    )


def short(given: dict[str, str], name: str) -> str:
    """The value of a parameter, empty where there is none; raises TooLarge."""
    text = given.get(name, "")
    if len(text) > LONGEST_LIST:
        raise TooLarge(f"{name} is too long", hint=f"at most {LONGEST_LIST} characters")
    return text


def listed(text: str) -> tuple[str, ...]:
    """The different parts between commas; a part may hold spaces."""
    return tuple(dict.fromkeys(part for piece in text.split(",") if (part := piece.strip())))


def words(text: str) -> tuple[str, ...]:
    """The different words of a filter; a comma is as good as a space."""
    return tuple(dict.fromkeys(text.lower().replace(",", " ").split()))
