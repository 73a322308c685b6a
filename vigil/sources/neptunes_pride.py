"""Neptune's Pride: the API that its site has for players, versions 2 and 4 of the game.

``POST /api`` with ``game_number``, ``code`` (the player's key) and ``api_version`` answers
``{"scanning_data": …}`` or ``{"error": …}``. Version 2 names things like_this and sends coordinates
as text, version 4 namesThem and sends numbers; which one it is, is seen from the answer.

An answer is taken whole or not at all: one number that cannot be, one owner that nobody is, and
nothing of it is believed.
"""

from __future__ import annotations

import errno
import math
import re
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import msgspec
from msgspec import Meta, Struct

from vigil.answers import FetchError
from vigil.context import Context
from vigil.games.errors import (
    BadAnswer,
    NoSuchGame,
    OurNetwork,
    Silent,
    UnsupportedVersion,
    WrongKey,
)
from vigil.games.model import NOBODY, SITES, Player, SeenFleet, SeenStar, Snapshot, Totals
from vigil.settings import Settings
from vigil.sources import clean

API_VERSION = "0.1"
MOST_BYTES = 8_000_000
"""A game of 64 players with 1,536 stars and twice as many fleets sends about 1.5 MB."""
MOST_TICK = 1_000_000
MOST_STARS, MOST_PLAYERS, MOST_FLEETS = 10_000, 1000, 50_000
MOST_UID = 32_767
FARTHEST = 100_000.0
"""A coordinate is smaller; those of real games stay below 100."""

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Flag = bool | int


class _Star(Struct):
    x: float | int | str | None = None
    y: float | int | str | None = None
    n: str | None = None
    puid: int | None = None
    v: str | int | None = None
    uid: int | None = None


class _Player(Struct):
    alias: str | None = None
    uid: int | None = None
    color: str | int | None = None
    shape: str | int | None = None
    total_stars: Count | None = None
    total_strength: Count = 0
    total_economy: Count = 0
    total_industry: Count = 0
    total_science: Count = 0


class _Fleet(Struct):
    x: float | int | str | None = None
    y: float | int | str | None = None
    puid: int = NOBODY
    st: Annotated[int, Meta(ge=-1, le=2**31 - 1)] | None = None
    uid: int | None = None


class _Scanning(Struct):
    tick: Annotated[int, Meta(ge=0, le=MOST_TICK)]
    players: dict[str, _Player]
    stars: dict[str, _Star]
    fleets: dict[str, _Fleet] = {}
    name: str | None = None
    tick_rate: Annotated[float, Meta(ge=0, le=100_000)] = 0
    tick_fragment: float = 0
    production_rate: Count = 0
    started: Flag = True
    paused: Flag = False
    game_over: Flag = False
    turn_based: Flag = False
    start_time: float | None = None
    total_stars: Count = 0
    stars_for_victory: Count = 0
    player_uid: int | None = None


def base(settings: Settings, site: str) -> str:
    """Where a site is; ``site`` is one of ``games.model.SITES``."""
    return {
        "np": settings.neptunes_pride_url,
        "np4": settings.neptunes_pride4_url,
        "np2stats": settings.np2stats_url,
    }[site]


async def look(context: Context, site: str, number: str, code: str) -> Snapshot:
    """Ask for the state of a game with a player's key.

    Raises WrongKey, NoSuchGame, UnsupportedVersion, Silent or BadAnswer.
    """
    form = {"game_number": number, "code": code, "api_version": API_VERSION}
    try:
        response = await context.fetcher.post(
            f"{base(context.settings, site)}/api", data=form, private=True, max_bytes=MOST_BYTES
        )
        answer = response.json(dict[str, Any])
    except FetchError as error:
        raise_for(error, site)
    if "error" in answer:
        _refused(site, number, answer["error"])
    return read(site, answer.get("scanning_data"))


def read(site: str, data: object) -> Snapshot:
    """An answer's ``scanning_data`` as a snapshot; raises BadAnswer."""
    try:
        return _snapshot(data)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadAnswer(
            f"{SITES[site]} sent something that is no state of the game: {error}",
            hint="nothing of it was recorded; it is asked again",
        ) from None


def raise_for(error: FetchError, site: str) -> NoReturn:
    """Raise what went wrong on the way as Silent or, where something came, BadAnswer."""
    name = SITES[site]
    if error.http_status is None and error.__cause__ is None:  # it came, and is no JSON of ours
        raise BadAnswer(
            f"{name} sent something that is no state of the game: {error.message}", hint=error.hint
        ) from error
    if _is_our_network(error):
        raise OurNetwork(
            f"{name} cannot be reached from here: {error.message}", hint=error.hint
        ) from error
    raise Silent(
        f"{name} does not answer: {error.message}",
        hint="the site may be down; try again later",
        retry_after=error.retry_after,
    ) from error


def _refused(site: str, number: str, said: object) -> NoReturn:
    """Raise what the site said against it."""
    words = clean.text(said, 200) if isinstance(said, str) else ""
    lower = words.lower()
    if "code not found" in lower:
        raise WrongKey(
            f"{SITES[site]} does not know this key for game {number}",
            hint="the player makes a new one in the game's options, under API key",
        )
    if "game not found" in lower:
        raise NoSuchGame(
            f"{SITES[site]} knows no game {number}",
            hint="the number stands in the address of the game, behind /game/",
        )
    if "api_version" in lower:
        raise UnsupportedVersion(
            f"{SITES[site]} no longer answers version {API_VERSION} of its API",
            hint="this Vigil is too old for it",
        )
    raise Silent(f"{SITES[site]} does not answer: it says “{words}”", hint="try again later")


_OUR_WAY = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}


def _is_our_network(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        if isinstance(error, OSError) and error.errno in _OUR_WAY:
            return True
        error = error.__cause__
    return False


def _snapshot(data: object) -> Snapshot:
    if not isinstance(data, Mapping):
        raise ValueError("there is no scanning_data")
    version = 4 if "tickRate" in data else 2
    if version == 4:
        data = _snake(data)
        if isinstance(data.get("players"), Mapping):
            data["players"] = {key: _snake(one) for key, one in data["players"].items()}
    seen = msgspec.convert(data, _Scanning)
    for what, many, most in (
        ("stars", seen.stars, MOST_STARS),
        ("players", seen.players, MOST_PLAYERS),
        ("fleets", seen.fleets, MOST_FLEETS),
    ):
        if len(many) > most:
            raise ValueError(f"more than {most} {what}")
    players = {number(key, one.uid): one for key, one in seen.players.items()}
    if max(players, default=0) > MOST_UID:
        raise ValueError("a player's number is too large")
    owners = {NOBODY, *players}
    if seen.player_uid is not None and seen.player_uid not in players:
        raise ValueError("the player who asked is nobody")
    return Snapshot(
        version=version,
        name=clean.text(seen.name, 100),
        tick=seen.tick,
        fragment=min(max(seen.tick_fragment, 0.0), 1.0),
        tick_rate_s=round(seen.tick_rate * 60),
        production_rate=seen.production_rate,
        started=bool(seen.started),
        paused=bool(seen.paused),
        game_over=bool(seen.game_over),
        turn_based=bool(seen.turn_based),
        start_at=_moment(seen.start_time),
        total_stars=seen.total_stars,
        stars_for_victory=seen.stars_for_victory,
        player_uid=seen.player_uid,
        players=tuple(
            Player(uid, clean.text(one.alias, 100), _word(one.color), _word(one.shape))
            for uid, one in sorted(players.items())
        ),
        totals=tuple(
            Totals(
                seen.tick,
                uid,
                one.total_stars,
                one.total_strength,
                one.total_economy,
                one.total_industry,
                one.total_science,
            )
            for uid, one in sorted(players.items())
            if one.total_stars is not None
        ),
        stars=tuple(_stars(seen.stars, owners)),
        fleets=tuple(_fleets(seen.fleets, owners)),
    )


def _stars(stars: Mapping[str, _Star], owners: set[int]) -> Iterable[SeenStar]:
    for star_id, one in sorted((number(key, one.uid), one) for key, one in stars.items()):
        if one.puid is not None and one.puid not in owners:
            raise ValueError(f"star {star_id} belongs to player {one.puid}, who is nobody")
        if one.x is None or one.y is None:
            continue  # known by name only
        yield SeenStar(
            star_id,
            clean.text(one.n, 100),
            coordinate(one.x),
            coordinate(one.y),
            one.puid,
            one.v not in ("0", 0),
        )


def _fleets(fleets: Mapping[str, _Fleet], owners: set[int]) -> Iterable[SeenFleet]:
    for fleet_id, one in sorted((number(key, one.uid), one) for key, one in fleets.items()):
        if one.puid not in owners:
            raise ValueError(f"fleet {fleet_id} belongs to player {one.puid}, who is nobody")
        if one.x is None or one.y is None:
            continue
        ships = -1 if one.st is None else one.st
        yield SeenFleet(fleet_id, one.puid, coordinate(one.x), coordinate(one.y), ships)


def number(key: str, said: int | None = None) -> int:
    """A number that is the name of a field; ``said`` is what stands inside as the same.

    Raises ValueError where they differ, and for a second spelling of a number (``01``), by which
    the same thing could come twice.
    """
    if not re.fullmatch(r"0|[1-9][0-9]{0,8}", key):
        raise ValueError(f"“{clean.text(key, 20)}” is no number of anything")
    if said is not None and said != int(key):
        raise ValueError(f"number {key} calls itself {said}")
    return int(key)


def coordinate(value: float | str) -> float:
    """A coordinate, sent as a number or as text; raises ValueError."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{0,30})?", value.strip()):
        raise ValueError(f"“{clean.text(value, 20)}” is no coordinate")
    found = float(value)
    if not math.isfinite(found) or abs(found) >= FARTHEST:
        raise ValueError("a coordinate is too large")
    return found


def _snake(data: Mapping[str, Any]) -> dict[str, Any]:
    """With names like_this instead of likeThis."""
    if not isinstance(data, Mapping):
        raise ValueError("a player is no object")
    return {re.sub(r"(?<=[a-z])[A-Z]", lambda m: f"_{m[0].lower()}", k): v for k, v in data.items()}


def _word(value: str | int | None) -> str | None:
    return None if value is None else clean.text(str(value), 32) or None


def _moment(value: float | None) -> datetime | None:
    """A time in milliseconds since 1970."""
    if value is None or not 0 < value < 32_503_680_000_000:  # the year 3000
        return None
    return datetime.fromtimestamp(value / 1000, UTC)
