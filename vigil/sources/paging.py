"""From one answer of a JSON API to the next: by cursor, number, offset, Link header or address.

A directory ends where it says so (no further cursor or address, the total reached) or, counted by
pages or offsets, with a page that has no items: a short one alone proves nothing. What never ends
is stopped with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from vigil import addresses
from vigil.errors import Invalid, SourceError
from vigil.sources import clean, coerce
from vigil.sources.expressions import Expression, Failed, Steps

WAYS = ("none", "cursor", "page", "offset", "link", "next")
PARAMETERS = {"cursor": "cursor", "page": "page", "offset": "offset"}
"""What the parameter is called unless somebody says otherwise."""
MOST_EMPTY = 5
"""Pages without items in a row."""
ENOUGH = 0.9
"""Share of the promised total that counts as all: many only estimate it."""
ENDS_EARLY = "this pass ends early: what it showed stays, nothing is removed"

_LINK = re.compile(r"<([^<>]*)>((?:\s*;[^,;<>]*)*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(\"([^\"]*\s)?next(\s[^\"]*)?\"|next\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """One request."""

    url: str
    params: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a request brought, as far as the next one depends on it."""

    url: str
    headers: Mapping[str, str]
    body: Any
    ids: Sequence[str]
    """Of its items, as they came."""


class Paging:
    """The pages of one pass.

    Args:
        address: of the first one.
        chosen: the source's options in canonical form.
    """

    def __init__(self, address: str, chosen: Mapping[str, Any]) -> None:
        self._address = address
        self._chosen = chosen
        self._way: str = chosen["paging"]
        self._cursor = self._expression("cursor") if self._way in ("cursor", "next") else None
        self._total = self._expression("total")
        self._number: int = chosen["first_page"] if self._way == "page" else 0
        self._pages = self._items = self._empty = 0
        self._remembered: object = None

    def first(self) -> Asked:
        """The first request."""
        if self._way in ("page", "offset"):
            return self._asked(str(self._number))
        return self._asked(None)

    def count(self, items: int) -> None:
        """Count a page and its items; raises SourceError when these are more than may be."""
        self._pages += 1
        self._items += items
        self._empty = 0 if items else self._empty + 1
        if self._items > self._chosen["most_items"]:
            raise SourceError(
                f"it sent more than {self._chosen['most_items']:,} items in one pass",
                hint="raise most_items if there can be so many",
            )

    def next(self, answer: Answer, steps: Steps) -> Asked | None:
        """The request after an answer that was counted; ``None`` at the end.

        Raises SourceError where pages lead nowhere, or are more than there may be.
        """
        asked, mark = self._turn(answer, len(answer.ids), steps)
        if asked is None:
            return None
        if self._pages >= self._chosen["most_pages"]:
            raise SourceError(
                f"it has more than {self._chosen['most_pages']:,} pages",
                hint="raise most_pages if there can be so many",
            )
        if self._empty > MOST_EMPTY:
            raise SourceError(f"{self._empty} pages in a row were empty", hint=ENDS_EARLY)
        # One mark is remembered, at every power of two (Brent, 1980): that finds every circle.
        if mark == self._remembered:
            raise SourceError("the pages lead in a circle", hint=ENDS_EARLY)
        if self._pages & (self._pages - 1) == 0:
            self._remembered = mark
        return asked

    def _turn(self, answer: Answer, count: int, steps: Steps) -> tuple[Asked | None, object]:
        """The next request, and what would be the same if this was a circle."""
        if self._way == "none":
            return None, None
        if self._way in ("page", "offset"):
            if not self._goes_on(answer, count, steps):
                return None, None
            self._number += 1 if self._way == "page" else count
            return self._asked(str(self._number)), tuple(answer.ids)
        if self._way == "link":
            following = _linked(answer.headers)
        else:
            following = self._found(self._cursor, answer, steps)
        if not following:
            return None, None
        if self._way == "cursor":
            return self._asked(following), following
        return Asked(self._same_place(answer.url, following)), following

    def _goes_on(self, answer: Answer, count: int, steps: Steps) -> bool:
        """Whether there is a page after this one, where they are only counted."""
        told = self._found(self._total, answer, steps)
        if not told.isdigit() or len(told) > 12:
            return count > 0
        if count == 0 and self._items < int(told) * ENOUGH:
            raise SourceError(f"it promised {int(told)} items and showed {self._items}")
        return count > 0 and self._items < int(told)

    def _asked(self, position: str | None) -> Asked:
        chosen = self._chosen
        params = []
        if chosen["page_size"] and chosen["size_parameter"]:
            params.append((chosen["size_parameter"], str(chosen["page_size"])))
        if position is not None:
            params.append((chosen["parameter"] or PARAMETERS[self._way], position))
        return Asked(self._address, params)

    def _found(self, expression: Expression | None, answer: Answer, steps: Steps) -> str:
        if expression is None:
            return ""
        try:
            return coerce.text(expression.of(answer.body, steps), clean.URL_MOST)
        except Failed as error:
            raise SourceError(f"the next page cannot be found: {error}") from None

    def _same_place(self, base: str, address: str) -> str:
        """The next address; raises SourceError when it leads to another server."""
        try:
            url = addresses.parse(urljoin(base, address))
            same = url.origin() == addresses.parse(self._address).origin()
        except (Invalid, ValueError):
            raise SourceError("the address of its next page is none") from None
        if not same:
            raise SourceError(f"its next page is on another server, {url.host}", hint=ENDS_EARLY)
        return str(url)

    def _expression(self, name: str) -> Expression | None:
        text = self._chosen[name]
        return Expression(name, text) if text else None


def _linked(headers: Mapping[str, str]) -> str:
    """The address that a Link header calls next (RFC 8288); empty when there is none."""
    getall = getattr(headers, "getall", None)
    lines = getall("link", []) if getall else [headers.get("link", "")]
    for address, parameters in _LINK.findall(", ".join(lines)[:20_000]):
        if _NEXT.search(parameters):
            return str(address).strip()
    return ""
