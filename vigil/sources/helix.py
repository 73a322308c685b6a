"""Requests to Twitch's Helix: the token, and the pace that the rate limit allows.

See https://dev.twitch.tv/docs/api/guide/#twitch-rate-limits.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated
from weakref import WeakKeyDictionary

import msgspec
from msgspec import Meta, Raw, Struct

from vigil.context import Context
from vigil.errors import SourceError
from vigil.fetch import Fetcher, FetchError, Response
from vigil.sources.bucket import Bucket, Told
from vigil.sources.model import Source

MAX_WAITS = 8
"""Rounds of refusals in a row (429) before a pass is given up: about two minutes."""
TIMEOUT_S = 15.0
"""For an answer; once more the same after that."""
AT_ONCE = 64
"""Requests that may be under way."""


class Pagination(Struct):
    """Where the next page is; no cursor at the end."""

    cursor: Annotated[str, Meta(max_length=4000)] | None = None


class Answer(Struct):
    """One page."""

    data: list[Raw]
    pagination: Pagination = msgspec.field(default_factory=Pagination)


class TokenAnswer(Struct):
    """What the token endpoint sends."""

    access_token: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,1000}$")]
    expires_in: float = 3600.0


@dataclass
class _Client:
    """A client id as one process uses it, pass after pass, for any number of sources."""

    bucket: Bucket
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: str = ""
    until: datetime = datetime.min.replace(tzinfo=UTC)


_clients: WeakKeyDictionary[Fetcher, dict[tuple[str, str], _Client]] = WeakKeyDictionary()
"""By the process's way out, token endpoint and client id."""


class Helix:
    """What one pass asks; any number of requests at once, all drawing on one bucket."""

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
        clients, key = _clients.setdefault(context.fetcher, {}), (self._auth_url, self._id)
        if key not in clients:
            clients[key] = _Client(Bucket(context.clock))
        self._client = clients[key]

    @property
    def bucket(self) -> Bucket:
        """The rate limit, as far as it is known."""
        return self._client.bucket

    async def streams(self, params: list[tuple[str, str]], urgency: float = 0.0) -> Answer:
        """One page; waits for the rate limit, renews the token once; raises SourceError.

        Of those that wait for the rate limit, the most urgent goes first.
        """
        renewed = silent = False
        while True:
            token = await self._token()
            await self.bucket.take(urgency)
            try:
                response = await self._ask(params, token)
            except FetchError as error:
                if silent or error.again or error.http_status is not None:
                    raise
                silent = True  # of a thousand requests one may get no answer
                continue
            if response.status == 429:
                self.bucket.refused(_told(response))
                if self.bucket.refusals > MAX_WAITS:
                    raise SourceError(
                        "Twitch's rate limit stays exhausted",
                        hint="does something else use the same client id?",
                        retry_after=60,
                    )
                continue
            self.bucket.told(_told(response))
            if response.status == 200:
                return response.json(Answer)
            if renewed:
                raise SourceError("Twitch refuses our token", hint="look at VIGIL_TWITCH_CLIENT_ID")
            renewed = True
            if self._client.token == token:
                self._client.token = ""

    async def _ask(self, params: list[tuple[str, str]], token: str) -> Response:
        try:
            return await self._context.fetcher.get(
                self._url,
                private=True,
                params=params,
                headers={"Client-Id": self._id, "Authorization": f"Bearer {token}"},
                statuses_ok=(200, 401, 429),
                retries=4,
                timeout_s=TIMEOUT_S,
                at_once=AT_ONCE,
            )
        except BaseException:
            self.bucket.lost()
            raise

    async def _token(self) -> str:
        client = self._client
        async with client.renewing:
            if client.token and self._context.clock.now() < client.until:
                return client.token
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
            client.token = answer.access_token
            client.until = self._context.clock.now() + lasts * 0.9
            return client.token


def _told(response: Response) -> Told:
    """The headers of the rate limit; only the other side's own clock says when now is."""
    reset = _integer(response, "ratelimit-reset")
    full_in_s = None
    if reset is not None:
        try:
            now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
        except (ValueError, TypeError, OverflowError):
            pass
        else:
            full_in_s = reset - now
    return Told(
        limit=_integer(response, "ratelimit-limit"),
        remaining=_integer(response, "ratelimit-remaining"),
        full_in_s=full_in_s,
    )


def _integer(response: Response, header: str) -> int | None:
    text = response.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
