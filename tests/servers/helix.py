"""A peer that speaks Twitch's Helix API: tokens, cursor paging, the rate limit, and faults.

See https://dev.twitch.tv/docs/api/reference/#get-streams and …/docs/api/guide/#rate-limits.
"""

from __future__ import annotations

import base64
import bisect
import json
import math
import random
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal

from aiohttp import web
from multidict import MultiMapping

from tests.servers.faults import HttpFaults, error
from tests.servers.loopback import Loopback
from vigil.clock import Clock, SystemClock

WORDS = (
    "chill", "cozy", "late", "night", "first", "time", "learning", "speedrun", "ranked", "music",
    "coding", "art", "talk", "drawing", "garden", "retro", "horror", "challenge", "friends",
    "viewers", "welcome", "english", "deutsch", "chess", "puzzle", "farm", "build",
)  # fmt: skip
LANGUAGES = ("en", "en", "en", "es", "de", "fr", "pt", "ru", "ja", "ko", "other")
Key = tuple[tuple[str, tuple[str, ...]], ...]
Cursors = Literal["offset", "score", "bound"]
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Channel:
    """One live channel, as Helix shows it."""

    id: str
    user_id: str
    user_login: str
    user_name: str
    game_id: str
    game_name: str
    title: str
    viewer_count: int
    started_at: str
    language: str
    thumbnail_url: str
    tags: tuple[str, ...] | None
    is_mature: bool
    type: str = "live"
    tag_ids: tuple[str, ...] = ()


@dataclass
class Faults(HttpFaults):
    """What goes wrong. A number is how many of the next requests suffer it; -1: all of them."""

    too_many: int = 0
    """429, the bucket empty until Ratelimit-Reset."""
    unauthorized: int = 0
    """401, and every token that was given out is void."""
    token_error: int = 0
    """The token endpoint answers 500."""
    null_tags: bool = False
    repeat_cursor: bool = False
    """Every page gives the same cursor."""
    circle: bool = False
    """The last page's cursor leads back to the first page, as Twitch's did at times."""
    empty_pages: bool = False
    """Pages without items whose cursor goes on for ever."""
    repeats: int = 0
    """Each page begins with so many items of the page before, as when people leave meanwhile."""
    hidden: frozenset[str] = frozenset()
    """Channels that the pages miss, as when people come and go; by name they are found."""
    epoch: int = 0
    """Cursors that were given at another epoch are not taken: 400."""
    broken_by_name: bool = False
    """Asked for channels by name, it answers 400."""
    broken_language: str = ""
    """Asked for this language alone, it answers 500."""
    too_many_items: bool = False
    """A page with 10,000 items."""
    churn: int = 0
    """After each page so many channels change their viewers, so the order shifts."""


BAD_ITEMS: tuple[object, ...] = (
    {"id": "bad1", "user_login": "x"},
    "not an object",
    None,
    {"id": "bad2", "user_login": "../evil", "user_id": "1", "title": "t", "viewer_count": 1},
    {"id": "bad3", "user_login": "x", "user_id": "1", "title": "t", "viewer_count": "many"},
    {"id": "bad4", "user_login": "x", "user_id": "1", "title": "t", "viewer_count": -1},
    {"id": None, "user_login": "x", "user_id": "1", "title": "t", "viewer_count": 1},
    {"id": "bad5", "user_login": "x", "user_id": "1", "title": "t", "viewer_count": 2**40},
    {"id": "bad6", "user_login": "x", "user_id": "1", "title": ["t"], "viewer_count": 1},
)


def channel(
    number: int,
    viewers: int,
    generator: random.Random | None = None,
    languages: Sequence[str] = LANGUAGES,
) -> Channel:
    """A channel made up from its number; the more often a language is listed, the likelier."""
    generator = generator or random.Random(number)
    game = generator.randrange(40)
    login = f"channel_{number}"
    return Channel(
        id=str(40_000_000_000 + number),
        user_id=str(100_000 + number),
        user_login=login,
        user_name=login.title(),
        game_id=str(500_000 + game),
        game_name=f"Game {WORDS[game % len(WORDS)].title()} {game}",
        title=" ".join(generator.choices(WORDS, k=6)),
        viewer_count=viewers,
        started_at=(STARTED + timedelta(seconds=number % 86_400)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        language=generator.choice(languages),
        thumbnail_url="https://static-cdn.jtvnw.net/previews-ttv/"
        f"live_user_{login}-{{width}}x{{height}}.jpg",
        tags=tuple(generator.choices(WORDS, k=3)),
        is_mature=generator.random() < 0.05,
    )


def channels(count: int, seed: int = 0, languages: Sequence[str] = LANGUAGES) -> list[Channel]:
    """Channels with viewers as they are on Twitch: a few with many, most with next to none."""
    generator = random.Random(seed)
    return [
        channel(number, int(min(generator.paretovariate(0.7), 300_000)) - 1, generator, languages)
        for number in range(count)
    ]


class Helix(Loopback):
    """``async with Helix(20_000) as server``: then ``server.api_url``, ``server.auth_url``.

    Args:
        live: how many channels are live, or which.
        points: size of the rate limit's bucket; one request costs one.
        window_s: in so many seconds an empty bucket fills.
        clock: fills the bucket.
        at_once: whether the bucket is filled whole each ``window_s``, not drop by drop.
        languages: of the channels that are made up.
        cursors: what a cursor says: "score": after whom it goes on, as Twitch's do (they name a
            score), so it leads to the same place in another query; "offset": after how many;
            "bound": after how many, and another query does not take it.
    """

    client_id = "vigil-test"
    client_secret = "s3cret-of-the-test"

    def __init__(
        self,
        live: int | Iterable[Channel] = 1000,
        *,
        points: int = 800,
        window_s: float = 60.0,
        clock: Clock | None = None,
        at_once: bool = False,
        seed: int = 0,
        languages: Sequence[str] = LANGUAGES,
        cursors: Cursors = "offset",
    ) -> None:
        super().__init__()
        self.faults = Faults()
        self.points, self.window_s = points, window_s
        self.tokens: set[str] = set()
        self.tokens_given = 0
        self.pages = 0
        self.refused = 0
        """Requests answered 429 because the bucket was empty."""
        self._clock = clock or SystemClock()
        self._bucket, self._filled_at = float(points), self._clock.monotonic()
        self._at_once = at_once
        self._generator = random.Random(seed)
        self._encoded: dict[str, tuple[bytes, bytes]] = {}
        self._filtered: dict[Key, list[Channel]] = {}
        self._among: dict[tuple[str, str], list[list[Channel]]] = {}
        """Language and category → the lists that such a channel is in."""
        self._languages, self._cursors = languages, cursors
        made = channels(live, seed, languages) if isinstance(live, int) else list(live)
        self._live = sorted(made, key=_order)
        self._by_user = {one.user_id: one for one in self._live}
        self._made = 10_000_000

    @property
    def api_url(self) -> str:
        """For VIGIL_TWITCH_API_URL."""
        return f"{self.url}/helix"

    @property
    def auth_url(self) -> str:
        """For VIGIL_TWITCH_AUTH_URL."""
        return f"{self.url}/oauth2/token"

    @property
    def live(self) -> tuple[Channel, ...]:
        """Who is live now, most viewers first."""
        return tuple(self._live)

    @property
    def points_left(self) -> float:
        """In the bucket now."""
        gone = self._clock.monotonic() - self._filled_at
        return min(self.points, self._bucket + gone * self.points / self.window_s)

    def churn(self, ended: int, begun: int, changed: int) -> None:
        """So many channels end, begin (with nobody watching), and change their viewers."""
        for _ in range(ended):
            self._remove(self._live[self._generator.randrange(len(self._live))])
        for _ in range(begun):
            self._made += 1
            self.start(channel(self._made, 0, self._generator, self._languages))
        for _ in range(changed):
            self._change_one()

    def start(self, *new: Channel) -> None:
        """Channels go live."""
        for one in new:
            self._by_user[one.user_id] = one
            for matching in self._lists(one):
                bisect.insort(matching, one, key=_order)

    def stop(self, *ids: str) -> None:
        """Channels end."""
        gone = set(ids)
        for name in gone:
            self._encoded.pop(name, None)  # it may come back as another
        self._by_user = {user: one for user, one in self._by_user.items() if one.id not in gone}
        for matching in (self._live, *self._filtered.values()):
            matching[:] = [one for one in matching if one.id not in gone]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path == "/oauth2/token" and request.method == "POST":
            return await self._token(request)
        if request.path != "/helix/streams" or request.method != "GET":
            return error(404, "not found")
        if self.faults.take("unauthorized"):
            self.tokens.clear()
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.headers.get("client-id") != self.client_id or given not in self.tokens:
            return error(401, "Invalid OAuth token")
        headers = self._spend()
        if headers["Ratelimit-Remaining"] == "-1":
            self.refused += 1
            headers["Ratelimit-Remaining"] = "0"
            return error(429, "Too Many Requests", headers)
        broken = await self.faults.answer(request)
        if self.faults.broken_language in request.query.getall("language", [])[:1]:
            return error(500, "Internal Server Error", headers)
        return broken if broken is not None else self._streams(request.query, headers)

    async def _token(self, request: web.BaseRequest) -> web.Response:
        if self.faults.take("token_error"):
            return error(500, "oh")
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return error(400, "missing grant type")
        if form.get("client_id") != self.client_id:
            return error(400, "invalid client")
        if form.get("client_secret") != self.client_secret:
            return error(403, "invalid client secret")
        token = secrets.token_hex(15)
        self.tokens.add(token)
        self.tokens_given += 1
        return web.json_response(
            {"access_token": token, "expires_in": 5_011_271, "token_type": "bearer"}
        )

    def _spend(self) -> dict[str, str]:
        """One point out of the bucket; Ratelimit-Remaining is -1 when there was none."""
        now = self._clock.monotonic()
        rate = self.points / self.window_s
        if not self._at_once:
            self._bucket = min(self.points, self._bucket + (now - self._filled_at) * rate)
            self._filled_at = now
        elif now - self._filled_at >= self.window_s:
            self._bucket, self._filled_at = float(self.points), now
        if self.faults.take("too_many"):
            self._bucket = 0.0
        enough = self._bucket >= 1
        if enough:
            self._bucket -= 1
        full_in = timedelta(seconds=(self.points - self._bucket) / rate)
        if self._at_once:
            full_in = timedelta(seconds=self._filled_at + self.window_s - now)
        return {
            "Ratelimit-Limit": str(self.points),
            "Ratelimit-Remaining": str(int(self._bucket)) if enough else "-1",
            "Date": format_datetime(self._clock.now(), usegmt=True),
            "Ratelimit-Reset": str(math.ceil((self._clock.now() + full_in).timestamp())),
        }

    def _streams(self, query: MultiMapping[str], headers: dict[str, str]) -> web.Response:
        key, matching = self._matching(query)
        try:
            first = int(query.get("first", "20"))
            offset = self._offset(query.get("after", ""), key, matching)
        except (ValueError, KeyError):
            return error(400, "The parameter is invalid", headers)
        if not 1 <= first <= 100:
            return error(400, 'The parameter "first" was malformed', headers)
        start = max(0, offset - self.faults.repeats) if offset else 0
        page = [] if self.faults.empty_pages else matching[start : offset + first]
        last = page[-1] if page else None
        if query.get("user_id"):
            if self.faults.broken_by_name:
                return error(400, "Bad Request", headers)
        elif self.faults.hidden:
            page = [one for one in page if one.id not in self.faults.hidden]
        items = [json.dumps(bad).encode() for bad in BAD_ITEMS[: self.faults.bad_items]]
        items += [self._encode(one) for one in page]
        cursor = ""
        if self.faults.repeat_cursor:
            cursor = self._cursor(first, last, key)
        elif offset + first < len(matching) or self.faults.empty_pages:
            cursor = self._cursor(offset + first, last, key)
        elif self.faults.circle:
            cursor = self._cursor(0, None, key)
        if self.faults.too_many_items:
            items *= 100
        self.pages += 1
        for _ in range(self.faults.churn):
            self._change_one()
        body = b'{"data":[%b],"pagination":{%b}}' % (
            b",".join(items),
            b'"cursor":"%b"' % cursor.encode() if cursor else b"",
        )
        return web.Response(body=body, headers=headers, content_type="application/json")

    def _matching(self, query: MultiMapping[str]) -> tuple[Key, list[Channel]]:
        wanted = {
            "language": query.getall("language", []),
            "game_id": query.getall("game_id", []),
            "user_id": query.getall("user_id", []),
        }
        key = tuple((name, tuple(values)) for name, values in wanted.items() if values)
        if not key:
            return key, self._live
        if wanted["user_id"]:
            found = (self._by_user.get(user) for user in wanted["user_id"])
            return key, sorted((one for one in found if one is not None), key=_order)
        if key not in self._filtered:
            speak = frozenset(
                wanted["language"]
            )  # quickly: a process has its first answers to give
            some = [one for one in self._live if not speak or one.language in speak]
            self._filtered[key] = [one for one in some if _matches(one, key)]
            self._among.clear()
        return key, self._filtered[key]

    def _cursor(self, offset: int, last: Channel | None, key: Key) -> str:
        says: list[object] = [offset]
        if self._cursors == "score" and last is not None:
            says = [*_order(last)]
        elif self._cursors == "bound":
            says = [offset, json.loads(json.dumps(key))]
        told = {"b": None, "a": {"Says": says, "Epoch": self.faults.epoch}}
        return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()

    def _offset(self, cursor: str, key: Key, matching: list[Channel]) -> int:
        if not cursor:
            return 0
        after = json.loads(base64.urlsafe_b64decode(cursor))["a"]
        if after["Epoch"] != self.faults.epoch:
            raise ValueError("an old cursor")
        match after["Says"]:
            case [int(viewers), str(name)]:
                return bisect.bisect_right(matching, (viewers, name), key=_order)
            case [int(offset), list(query)]:
                if query != json.loads(json.dumps(key)):
                    raise ValueError("another query's cursor")
                return offset
            case [offset]:
                return int(offset)
        raise ValueError("not a cursor")

    def _encode(self, one: Channel) -> bytes:
        encoded = self._encoded.get(one.id)
        if encoded is None:
            item = asdict(
                replace(one, viewer_count=0, tags=None if self.faults.null_tags else one.tags)
            )
            before, after = json.dumps(item).encode().split(b'"viewer_count": 0')
            encoded = before + b'"viewer_count": ', after
            if not self.faults.null_tags:
                self._encoded[one.id] = encoded
        return b"%b%d%b" % (encoded[0], one.viewer_count, encoded[1])

    def _lists(self, one: Channel) -> list[list[Channel]]:
        kind = one.language, one.game_id
        if kind not in self._among:
            matching = [found for key, found in self._filtered.items() if _matches(one, key)]
            self._among[kind] = [self._live, *matching]
        return self._among[kind]

    def _remove(self, one: Channel) -> None:
        del self._by_user[one.user_id]
        for matching in self._lists(one):
            del matching[bisect.bisect_left(matching, _order(one), key=_order)]

    def _change_one(self) -> None:
        one = self._live[self._generator.randrange(len(self._live))]
        self._remove(one)
        self.start(
            replace(one, viewer_count=max(0, one.viewer_count + self._generator.choice((-1, 1))))
        )


def _matches(one: Channel, key: Key) -> bool:
    return all(getattr(one, name) in values for name, values in key)


def _order(one: Channel) -> tuple[int, str]:
    return -one.viewer_count, one.id
