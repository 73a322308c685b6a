"""Twitch, through Helix: https://dev.twitch.tv/docs/api/reference/#get-streams.

Streams come in descending order of viewers, a hundred at a time behind a cursor, so those that
nobody watches are at the very end. People come and go meanwhile: pages repeat and miss items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from vigil.clock import Clock
from vigil.context import Context
from vigil.errors import SourceError
from vigil.fetch import Response
from vigil.sources import clean, options
from vigil.sources.items import validate
from vigil.sources.model import DirectoryKind, Page, Source
from vigil.streams.model import SeenStream

PAGE = 100
MAX_PAGES = 3000
"""At 100 items a page three times what is ever live; more means that the cursor leads nowhere."""
MAX_EMPTY_PAGES = 5
MAX_WAITS = 5
"""Refusals in a row (429) before a pass is given up."""
WAIT_MOST_S = 65.0
"""The bucket is full again within a minute, whatever the other side's clock says."""


class Item(Struct):
    """One stream as Helix sends it."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    user_login: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,100}$")]
    viewer_count: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    title: str | None = None
    type: str | None = "live"
    user_id: str | None = None
    user_name: str | None = None
    game_id: str | None = None
    game_name: str | None = None
    language: str | None = None
    started_at: str | None = None
    thumbnail_url: str | None = None
    tags: list[str | None] | None = None
    is_mature: bool | None = False


class Pagination(Struct):
    """Where the next page is; no cursor at the end."""

    cursor: str | None = None


class Answer(Struct):
    """One page."""

    data: list[Raw]
    pagination: Pagination = msgspec.field(default_factory=Pagination)


class TokenAnswer(Struct):
    """What the token endpoint sends."""

    access_token: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,1000}$")]
    expires_in: float = 3600.0


_tokens: dict[tuple[str, str], tuple[str, datetime]] = {}  # (endpoint, client) → token, good until


class Helix:
    """Requests to Helix with a token, at the pace that its rate limit allows."""

    def __init__(self, context: Context, source: Source) -> None:
        settings = context.settings
        self._context = context
        self._url = f"{source.base_url or settings.twitch_api_url}/streams"
        self._auth_url = settings.twitch_auth_url
        if settings.twitch_client_id is None or settings.twitch_client_secret is None:
            raise SourceError(
                "Twitch needs a client id and secret",
                hint="set VIGIL_TWITCH_CLIENT_ID and VIGIL_TWITCH_CLIENT_SECRET; "
                "both are on dev.twitch.tv/console",
                permanent=True,
            )
        self._id, self._secret = settings.twitch_client_id, settings.twitch_client_secret
        self.remaining: int | None = None
        self.limit: int | None = None
        self._full_at: datetime | None = None

    async def streams(self, params: list[tuple[str, str]]) -> Answer:
        """One page; waits for the rate limit, renews the token once; raises SourceError."""
        renewed = False
        waits = 0
        while True:
            if self.remaining == 0:
                await self._wait(waits)
            response = await self._context.fetcher.get(
                self._url,
                private=True,
                params=params,
                headers={"Client-Id": self._id, "Authorization": f"Bearer {await self._token()}"},
                statuses_ok=(200, 401, 429),
                retries=4,
            )
            self._look_at_budget(response)
            if response.status == 200:
                return response.json(Answer)
            if response.status == 401:
                if renewed:
                    raise SourceError(
                        "Twitch refuses our token", hint="look at VIGIL_TWITCH_CLIENT_ID"
                    )
                renewed = True
                _tokens.pop((self._auth_url, self._id), None)
            else:
                waits += 1
                self.remaining = 0
                if waits > MAX_WAITS:
                    raise SourceError(
                        "Twitch's rate limit stays exhausted",
                        hint="does something else use the same client id?",
                        retry_after=60,
                    )

    async def _token(self) -> str:
        key = (self._auth_url, self._id)
        token, until = _tokens.get(key, ("", datetime.min.replace(tzinfo=UTC)))
        if self._context.clock.now() < until:
            return token
        response = await self._context.fetcher.post(
            self._auth_url,
            private=True,
            data={
                "client_id": self._id,
                "client_secret": self._secret,
                "grant_type": "client_credentials",
            },
            statuses_ok=(200, 400, 401, 403),
        )
        if response.status != 200:
            raise SourceError(
                f"Twitch refuses our client id or secret ({response.status})",
                hint="look at VIGIL_TWITCH_CLIENT_ID and VIGIL_TWITCH_CLIENT_SECRET",
            )
        answer = response.json(TokenAnswer)
        lasts = timedelta(seconds=min(max(answer.expires_in, 0.0), 1e8))
        _tokens[key] = (answer.access_token, self._context.clock.now() + lasts * 0.9)
        return answer.access_token

    def _look_at_budget(self, response: Response) -> None:
        self.remaining = _integer(response, "ratelimit-remaining")
        self.limit = _integer(response, "ratelimit-limit")
        reset = _integer(response, "ratelimit-reset")
        self._full_at = None if reset is None else datetime.fromtimestamp(min(reset, 2**33), UTC)

    async def _wait(self, refusals: int) -> None:
        """Sleep until the bucket is full, and longer each time that was not enough."""
        clock: Clock = self._context.clock
        seconds = 0.0 if self._full_at is None else (self._full_at - clock.now()).total_seconds()
        await clock.sleep(min(max(seconds, 2.0**refusals), WAIT_MOST_S))
        self.remaining = None


async def pages(context: Context, source: Source) -> AsyncIterator[Page]:
    """One pass from the most watched to those that nobody watches."""
    helix = Helix(context, source)
    chosen = check_options(source.options)
    query = [("first", str(PAGE)), ("type", "live")]
    query += [("language", code) for code in chosen["languages"]]
    query += [("game_id", number) for number in chosen["categories"]]
    seen: set[str] = set()
    cursor, empty = "", 0
    while len(seen) < MAX_PAGES:
        answer = await helix.streams([*query, ("after", cursor)] if cursor else query)
        yield read(answer.data, chosen["max_viewers"], context.clock.now(), helix)
        cursor = answer.pagination.cursor or ""
        if not cursor:
            return
        empty = 0 if answer.data else empty + 1
        if cursor in seen or empty > MAX_EMPTY_PAGES:
            raise SourceError("Twitch's pages lead in a circle", hint="this pass ends early")
        seen.add(cursor)
    raise SourceError(f"Twitch sent more than {MAX_PAGES} pages", hint="this pass ends early")


def read(items: list[Raw], max_viewers: int | None, now: datetime, helix: Helix) -> Page:
    """The streams of a page, and why the others are not among them."""
    streams = []
    refused: Counter[str] = Counter()
    for raw in items:
        item = validate(raw, Item, refused)
        if item is None:
            continue
        if item.type != "live":
            refused["not live"] += 1
        elif max_viewers is not None and item.viewer_count > max_viewers:
            refused[f"more than {max_viewers} viewers"] += 1
        else:
            streams.append(stream(item, now))
    return Page(
        streams=streams,
        found=len(items),
        refused=refused,
        budget_remaining=helix.remaining,
        budget_limit=helix.limit,
    )


def stream(item: Item, now: datetime) -> SeenStream:
    """A stream of Twitch as every room sees one."""
    return SeenStream(
        external_id=item.id,
        title=clean.text(item.title, clean.TITLE_MOST),
        viewers=item.viewer_count,
        page_url=f"https://www.twitch.tv/{item.user_login}",
        player="twitch",
        player_url=item.user_login,
        category_id=clean.text(item.game_id),
        category=clean.text(item.game_name),
        tags=clean.tags(item.tags),
        language=clean.language(item.language),
        mature=bool(item.is_mature),
        channel_id=clean.text(item.user_id),
        channel_login=item.user_login,
        channel_name=clean.text(item.user_name) or item.user_login,
        thumbnail_url=clean.url(item.thumbnail_url),
        started_at=clean.moment(item.started_at, now),
    )


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """languages, categories (ids) and max_viewers; each empty or null: everything."""
    options.only(given, ("languages", "categories", "max_viewers"))
    return {
        "languages": options.strings(given, "languages", r"[a-z]{2}(-[a-z]{2})?|asl|other", 100),
        "categories": options.strings(given, "categories", r"[0-9]{1,20}", 100),
        "max_viewers": options.count(given, "max_viewers"),
    }


async def test(context: Context, source: Source) -> str:
    """Ask for one stream."""
    helix = Helix(context, source)
    answer = await helix.streams([("first", "1")])
    read(answer.data, None, context.clock.now(), helix)
    left = f"; {helix.remaining} of {helix.limit} requests are left" if helix.limit else ""
    return f"Twitch answers{left}"


def _integer(response: Response, header: str) -> int | None:
    text = response.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


KIND = DirectoryKind(
    name="twitch",
    title="Twitch",
    interval_s=30,
    ttl_s=900,
    pages=pages,
    check_options=check_options,
    setting="twitch_api_url",
    test=test,
    criteria="languages=en,de max_viewers=10 categories=509658",
)
