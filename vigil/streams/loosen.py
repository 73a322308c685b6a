"""What to loosen when nothing matches, and how many streams each loosening finds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import db_utils
from vigil.errors import Unavailable
from vigil.streams.asked import a_filter, words
from vigil.streams.draws import in_time
from vigil.streams.model import MOST_VIEWERS
from vigil.streams.visits import store

COUNTED = 1000
"""Beyond that it is "more than"."""
PATIENCE_S = 1.0
AT_ONCE = 3
MOST_WORDS = 4

WITHOUT = {
    "include": "without words to look for",
    "exclude": "with the words that must not occur",
    "category": "in any category",
    "tags": "with any tags",
    "languages": "in any language",
    "sources": "from any source",
    "max_viewers": "however many are watching",
    "min_age": "however long on air",
}

ALONE = {
    "include": "only any of the words",
    "category": "only the category",
    "tags": "only the tags",
    "languages": "only the language",
    "sources": "only the source",
    "max_viewers": "only as few viewers",
    "min_age": "only as long on air",
}


@dataclass(frozen=True)
class Looser:
    """A filter with one condition less."""

    text: str
    href: str
    count: int

    @property
    def found(self) -> str:
        """How many streams it finds, in words."""
        if self.count >= COUNTED:
            return f"{COUNTED:,} and more"
        return f"{self.count:,} stream{'' if self.count == 1 else 's'}"


def variants(chosen: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """What could be loosened: words for it, and the parameters that are left."""
    wanted = words(chosen.get("include", ""))
    if len(wanted) > 1 and chosen.get("search_operator") != "any":
        yield "with any of the words instead of all", {**chosen, "search_operator": "any"}
        for word in wanted[:MOST_WORDS]:
            others = " ".join(other for other in wanted if other != word)
            yield f"without “{word}”", {**chosen, "include": others}
    for name, text in WITHOUT.items():
        if name in chosen and len(chosen.keys() - {"search_operator"}) > 1:
            gone = {name, "search_operator"} if name == "include" else {name}
            yield text, {key: value for key, value in chosen.items() if key not in gone}


def alone(chosen: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each condition by itself, for when no single loosening is enough."""
    for name, text in ALONE.items():
        if name in chosen and len(chosen.keys() - {"search_operator"}) > 2:
            given = {name: chosen[name]}
            if name == "include" and len(words(chosen[name])) > 1:
                given["search_operator"] = "any"
            yield text, given


async def loosened(db: db_utils.Database, chosen: dict[str, str], now: datetime) -> list[Looser]:
    """The loosenings that find something, the most helpful first; slow ones are left out."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def look(text: str, given: dict[str, str]) -> Looser:
        wanted = a_filter(given, max_viewers=MOST_VIEWERS)
        found = 0
        try:
            async with turn, asyncio.timeout(PATIENCE_S):
                with in_time():
                    found = await store.count(db, wanted, COUNTED, now)
        except (TimeoutError, Unavailable):
            pass  # a hint that is slow to come is no hint
        return Looser(text, "/?" + urlencode(given), found)

    for way in (variants, alone):
        looked = await asyncio.gather(*(look(text, given) for text, given in way(chosen)))
        if helpful := [one for one in looked if one.count]:
            return sorted(helpful, key=lambda one: -one.count)
    return []
