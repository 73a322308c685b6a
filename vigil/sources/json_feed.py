"""Any JSON API that lists live streams, described by options instead of code.

Where the list stands, and where in an item each field does, are JMESPath expressions; how one page
leads to the next is one of ``paging.WAYS``. docs/sources.md has examples.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from vigil import log
from vigil.answers import Response
from vigil.context import Context
from vigil.errors import Invalid, SourceError
from vigil.sources import clean, coerce, criteria, headers, options, paging
from vigil.sources.expressions import Expression, Failed, Steps
from vigil.sources.items import refuse
from vigil.sources.model import DirectoryKind, Option, Page, Source
from vigil.streams.model import Player, SeenStream

MAX_BYTES = 16 * 1024 * 1024
"""Of one answer."""
BATCH = 1000
"""Items read before what they became is handed on."""
PLAYERS: tuple[Player, ...] = ("hls", "embed", "twitch")
_PARAMETER = re.compile(r"[A-Za-z0-9_.~\[\]-]{1,100}")
_LOGIN = re.compile(r"[A-Za-z0-9_]{1,100}")

PAGING = (
    Option(
        group="Pages",
        name="paging",
        label="Pages",
        choices=paging.WAYS,
        hint="How one answer leads to the next: a cursor in it, a page's number, an offset, "
        "a Link header, or the next address in it.",
    ),
    Option(
        group="Pages",
        name="parameter",
        label="Parameter of the page",
        hint="What the cursor, number or offset is called in the address; usually so when empty.",
        example="after",
    ),
    Option(
        group="Pages",
        name="cursor",
        label="Next cursor or address",
        hint="Where it stands in the answer.",
        example="pagination.cursor",
        expression=True,
    ),
    Option(group="Pages", name="first_page", label="Number of the first page", example="1"),
    Option(group="Pages", name="page_size", label="Items on a page", example="100"),
    Option(
        group="Pages",
        name="size_parameter",
        label="Parameter of the size",
        hint="What that number is called in the address; it is not sent when empty.",
        example="limit",
    ),
    Option(
        group="Pages",
        name="total",
        label="Total",
        hint="Where the answer says how many items there are, if it does.",
        example="total",
        expression=True,
    ),
    Option(
        group="Pages",
        name="most_pages",
        label="Pages at most",
        hint="In one pass; more is an error.",
    ),
    Option(
        group="Pages",
        name="most_items",
        label="Items at most",
        hint="In one pass; more is an error.",
    ),
)
FIELDS = tuple(
    Option(
        name=name,
        label=label,
        hint=hint,
        example=example,
        expression=True,
        group="What stands where",
    )
    for name, label, hint, example in (
        ("items", "List of items", "Where it stands; @ is the whole answer.", "data[?online]"),
        ("id", "Id", "What stays the same as long as the stream is live.", "id"),
        ("title", "Title", "", "title"),
        ("channel", "Channel's name", "", "user.name"),
        ("category", "Category", "", "game.name"),
        ("tags", "Tags", "A list, or a text with commas.", "tags"),
        ("language", "Language", "A code such as de, or its English name.", "language"),
        ("viewers", "Viewers", "Nobody when empty.", "viewers"),
        ("started_at", "Live since", "A time, or seconds since 1970.", "started_at"),
        ("thumbnail", "Thumbnail", "Its address.", "images.small"),
        ("page", "Page", "Its address; that of the player when empty.", "url"),
        ("player", "Kind of player", "hls, embed, twitch, or where it says one of these.", "hls"),
        ("player_url", "Player", "Address of the playlist or frame; login on Twitch.", "hls_url"),
        ("mature", "For adults", "Where it says so.", "nsfw"),
    )
)
HEADERS = Option(
    group="Headers",
    name="headers",
    label="Headers",
    hint="Sent with each request, one on a line. A key belongs below.",
    example="Accept-Language: en",
    lines=True,
)
FORM = (*FIELDS, *PAGING, *options.NAMED_CRITERIA, HEADERS)
DEFAULTS = {"items": "@", "id": "id", "title": "title", "player": "hls", "player_url": "url"}


class Feed:
    """A source's options, ready for use."""

    def __init__(self, source: Source) -> None:
        self.chosen = check_options(source.options)
        given = ((option.name, self.chosen[option.name]) for option in FIELDS)
        self._fields = {name: Expression(name, text) for name, text in given if text}
        self._player = None
        if self.chosen["player"] in PLAYERS:
            self._player = self.chosen["player"]

    def items(self, response: Response, steps: Steps) -> tuple[Any, list[Any]]:
        """An answer, and the list in it; raises SourceError when there is none."""
        body = response.json(Any)
        shown = log.redact_url(response.url)
        try:
            found = self._fields["items"].of(body, steps)
        except Failed as error:
            raise SourceError(f"{shown} sent JSON that is not what was expected: {error}") from None
        if not isinstance(found, list):
            raise SourceError(
                f"{shown} sent JSON that is not what was expected: items leads to no list",
                hint=f"items is {self.chosen['items']}",
            )
        return body, found

    def read(self, items: list[Any], base: str, now: datetime, steps: Steps) -> Page:
        """The streams among items, and why the others are not."""
        streams = []
        refused: Counter[str] = Counter()
        for item in items:
            try:
                stream = self.stream(item, base, now, steps)
                reason = criteria.refusal(stream, self.chosen)
            except Failed as error:
                reason = str(error)
            if reason is None:
                streams.append(stream)
            else:
                refuse(refused, reason)
        return Page(streams=streams, found=len(items), refused=refused)

    def ids(self, items: list[Any], steps: Steps) -> list[str]:
        """What items are known by; empty where that cannot be known."""
        return [self._id(item, steps) for item in items]

    def _id(self, item: Any, steps: Steps) -> str:
        try:
            return coerce.text(self._fields["id"].of(item, steps))
        except Failed:
            return ""

    def stream(self, item: Any, base: str, now: datetime, steps: Steps) -> SeenStream:
        """An item as every room sees a stream; raises Failed saying why it is none."""
        if not isinstance(item, dict | list):
            raise Failed("malformed: no object")
        found = {
            name: expression.of(item, steps)
            for name, expression in self._fields.items()
            if name != "items" and (name != "player" or self._player is None)
        }
        number = coerce.text(found["id"])
        if not number:
            raise Failed("no id")
        kind: Any = self._player or coerce.text(found.get("player")).lower()
        if kind not in PLAYERS:
            raise Failed("no known kind of player")
        player, page = _player(kind, found["player_url"], base), _absolute(base, found.get("page"))
        if player is None:
            raise Failed("no proper player")
        if page is None:
            page = f"https://www.twitch.tv/{player}" if kind == "twitch" else player
        channel, title = coerce.text(found.get("channel")), found.get("title")
        title = coerce.text(title, clean.TITLE_MOST) or channel or number
        return SeenStream(
            external_id=number,
            title=title,
            viewers=coerce.number(found.get("viewers")),
            page_url=page,
            player=kind,
            player_url=player,
            category=coerce.text(found.get("category")),
            tags=coerce.tags(found.get("tags")),
            language=coerce.language(found.get("language")),
            mature=coerce.truth(found.get("mature")),
            channel_name=channel or title[: clean.NAME_MOST],
            thumbnail_url=_absolute(base, found.get("thumbnail")),
            started_at=coerce.moment(found.get("started_at"), now),
        )


async def pages(context: Context, source: Source) -> AsyncIterator[Page]:
    """One pass, page by page."""
    feed = Feed(source)
    turning = paging.Paging(source.base_url or "", feed.chosen)
    asked: paging.Asked | None = turning.first()
    sent = headers.merged({"Accept": "application/json"}, feed.chosen["headers"], source.secrets)
    while asked is not None:
        response = await context.fetcher.get(
            asked.url,
            private=True,
            params=list(asked.params),
            headers=sent,
            max_bytes=MAX_BYTES,
        )
        remaining, limit = headers.budget(response.headers)
        steps = Steps()
        body, items = await asyncio.to_thread(feed.items, response, steps)
        turning.count(len(items))
        for start in range(0, max(len(items), 1), BATCH):
            page = await asyncio.to_thread(
                feed.read, items[start : start + BATCH], response.url, context.clock.now(), steps
            )
            yield Page(
                streams=page.streams,
                found=page.found,
                refused=page.refused,
                budget_remaining=remaining,
                budget_limit=limit,
                answers=0 if start else 1,
            )
        ids = await asyncio.to_thread(feed.ids, items, steps)
        asked = turning.next(
            paging.Answer(url=response.url, headers=response.headers, body=body, ids=ids), steps
        )


def _player(kind: str, value: Any, base: str) -> str | None:
    if kind == "twitch":
        login = coerce.text(value)
        return login if _LOGIN.fullmatch(login) else None
    return _absolute(base, value)


def _absolute(base: str, value: Any) -> str | None:
    """An address as it stands in an item: absolute, or relative to the answer's own."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        return clean.url(urljoin(base, text)) if text else None
    except ValueError:
        return None


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The description of the feed, its expressions parsed once to see that they can be."""
    options.only(given, [option.name for option in FORM])
    found: dict[str, Any] = {}
    for option in FORM:
        if option.expression:
            found[option.name] = _expression(given, option.name)
    way = given.get("paging") or "none"
    if way not in paging.WAYS:
        raise Invalid("option paging is unknown", hint=", ".join(paging.WAYS))
    if way in ("cursor", "next") and not found["cursor"]:
        raise Invalid(f"pages by {way} need the option cursor: where the answer says what is next")
    found |= {
        "paging": way,
        "parameter": _parameter(given, "parameter"),
        "size_parameter": _parameter(given, "size_parameter"),
        "first_page": _number(given, "first_page", 1, 0, 1_000_000),
        "page_size": options.count(given, "page_size", 1, 100_000),
        "most_pages": _number(given, "most_pages", 1000, 1, 100_000),
        "most_items": _number(given, "most_items", 200_000, 1, 500_000),
        "headers": headers.checked(given.get("headers") or {}),
    }
    return found | criteria.checked(given)


def _expression(given: Mapping[str, Any], name: str) -> str:
    text = given.get(name)
    if text is None or text == "":
        return DEFAULTS.get(name, "")
    if not isinstance(text, str):
        raise Invalid(f"option {name} is a JMESPath expression")
    text = re.sub(r"[\t\r\n]+", " ", text).strip()
    if not text.isprintable():  # the database takes neither NUL nor half a character
        raise Invalid(f"option {name} holds characters that cannot be seen")
    if name == "player" and text in PLAYERS:
        return text
    Expression(name, text)
    return text


def _parameter(given: Mapping[str, Any], name: str) -> str:
    text = given.get(name) or ""
    if text and not (isinstance(text, str) and _PARAMETER.fullmatch(text)):
        raise Invalid(f"option {name} is a parameter's name, such as page or after")
    return str(text)


def _number(given: Mapping[str, Any], name: str, usual: int, least: int, most: int) -> int:
    found = options.count(given, name, least, most)
    return usual if found is None else found


async def test(context: Context, source: Source) -> str:
    """Read the first page."""
    async for page in pages(context, source):
        return f"the feed answers; its first {page.found} items are {len(page.streams)} streams"
    raise AssertionError("there is at least one page")


KIND = DirectoryKind(
    name="json_feed",
    title="JSON feed",
    interval_s=120,
    ttl_s=900,
    pages=pages,
    check_options=check_options,
    setting=None,
    test=test,
    form=FORM,
    secrets=True,
)
