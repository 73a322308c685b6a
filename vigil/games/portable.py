"""A recorded game as one JSON file: written whole, and read as strictly as a stranger's answer.

Keys are not in it. What is written and read again is the same to the last tick, so a game can be
moved from one Vigil to another, kept, or looked at with other programs. Rows are lists, so that
the file stays small: docs/games.md names their places.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

import db_utils
from vigil import jsontext
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound, TooLarge
from vigil.games import recording, store
from vigil.games.model import REASONS, SITES, Game
from vigil.games.writing.portable import store as rows
from vigil.sources import clean
from vigil.sources.neptunes_pride import FARTHEST, MOST_PLAYERS, MOST_STARS, MOST_TICK, MOST_UID

FORMAT = "vigil-game"
VERSION = 1
MOST_BYTES = 128 * 1024 * 1024
MOST_ROWS = 5_000_000

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Tick = Annotated[int, Meta(ge=0, le=MOST_TICK)]
Uid = Annotated[int, Meta(ge=0, le=MOST_UID)]
Owner = Annotated[int, Meta(ge=-1, le=MOST_UID)]
Place = Annotated[float, Meta(gt=-FARTHEST, lt=FARTHEST)]
Text = Annotated[str, Meta(max_length=100)]
Word = Annotated[str, Meta(max_length=32)]


class About(Struct):
    """The game itself; names as in the table games."""

    site: str
    number: Annotated[str, Meta(pattern="^[0-9A-Za-z_-]{1,40}$")]
    name: Text
    version: Literal[2, 4]
    tick: Tick | None
    tick_rate_s: Count
    production_rate: Count
    started: bool
    paused: bool
    game_over: bool
    turn_based: bool
    start_at: datetime | None
    total_stars: Count
    stars_for_victory: Count
    state: Literal["running", "needs_key", "finished", "gone"]
    closed_at: datetime | None
    seen_at: datetime | None
    created_at: datetime


class Recorded(Struct, kw_only=True):
    """A whole file."""

    format: Literal["vigil-game"] = "vigil-game"
    version: Literal[1] = 1
    game: About
    players: list[tuple[Uid, Text, Word | None, Word | None]]
    """uid, alias, colour, shape"""
    stars: list[tuple[Count, Text, Place, Place, Tick]]
    """id, name, x, y, first tick"""
    owners: list[tuple[Tick, Count, Owner]]
    """tick, star, player"""
    totals: list[tuple[Tick, Uid, Count, Count, Count, Count, Count]]
    """tick, player, stars, ships, economy, industry, science"""
    spans: list[tuple[Tick, Tick, datetime, datetime]]
    """from tick, to tick, when each was recorded"""
    gaps: list[tuple[Tick, Tick, str]]
    """from tick, to tick, reason"""
    fleets: list[
        tuple[
            Tick, list[tuple[Count, Owner, Place, Place, Annotated[int, Meta(ge=-1, le=2**31 - 1)]]]
        ]
    ] = []
    """tick, and at it: id, player, x, y, ships"""


async def export(db: db_utils.Database, game_id: int) -> bytes:
    """A game as a file; raises NotFound."""
    found = await rows.read(db, game_id)
    if found is None:
        raise NotFound(f"there is no game {game_id}")
    lists = ("players", "stars", "owners", "totals", "spans", "gaps", "fleets")
    return msgspec.json.encode(
        Recorded(
            game=About(**{name: found[name] for name in About.__struct_fields__}),
            **{name: found[name] for name in lists},
        )
    )


async def bring(context: Context, data: bytes) -> Game:
    """Make a game of a file.

    One that was being recorded needs a key before it goes on. Raises TooLarge, Invalid for a file
    that is none or contradicts itself, and Conflict where the game is here already.
    """
    recorded = await asyncio.to_thread(read, data)  # others are served meanwhile
    about, now = recorded.game, context.clock.now()
    ended = about.state in ("finished", "gone")
    async with db_utils.transaction(context.pool) as connection:
        made = await rows.create(
            connection,
            {name: getattr(about, name) for name in About.__struct_fields__}
            | {
                "state": about.state if ended else "needs_key",
                "closed_at": (about.closed_at or now) if ended else None,
                "error": None if ended else "it was brought as a file, without a key",
                "hint": None if ended else "register the game again, with a key that is valid now",
                "trouble": None if ended else "key",
            },
            now,
        )
        if made is None:
            raise Conflict(
                f"game {about.number} of {SITES[about.site]} is here already",
                hint="a file is not mixed with what was recorded here",
            )
        await rows.write(connection, made, msgspec.structs.asdict(recorded))
        await recording.tell(connection, made)
        game = await store.get(connection, made)
    assert game is not None  # noqa: S101 - made in this transaction
    return game


def read(data: bytes) -> Recorded:
    """A file, held against its shape and against itself; raises TooLarge or Invalid."""
    if len(data) > MOST_BYTES:
        raise TooLarge(f"the file is larger than {MOST_BYTES // 2**20} MB")
    try:
        found = jsontext.decode(data, Recorded)
        _check(found)
    except (msgspec.DecodeError, ValueError) as error:
        raise Invalid(
            f"this is no recorded game: {error}", hint="bring a file that Vigil exported"
        ) from None
    return found


def _check(found: Recorded) -> None:
    """Raise ValueError where a file contradicts itself."""
    about = found.game
    rows = len(found.owners) + len(found.totals) + len(found.spans) + len(found.gaps)
    rows += sum(1 + len(fleet) for _, fleet in found.fleets)
    _true(rows <= MOST_ROWS, "more rows than a game can have")
    _true(about.site in SITES, "a site that is none")
    _true(len(found.stars) <= MOST_STARS, f"more than {MOST_STARS} stars")
    _true(len(found.players) <= MOST_PLAYERS, f"more than {MOST_PLAYERS} players")
    for text in (about.name, *(one[1] for one in found.stars), *(one[1] for one in found.players)):
        _true(text == clean.text(text, 100), "a name that is no plain text")
    for word in (word for one in found.players for word in one[2:] if word is not None):
        _true(word == clean.text(word, 32), "a colour or shape that is no plain text")
    for moment in (about.start_at, about.closed_at, about.seen_at, about.created_at):
        _true(moment is None or moment.tzinfo is not None, "a time without its zone")
    _true(all(math.isfinite(x + y) for _, _, x, y, _ in found.stars), "a star that is nowhere")
    _ascending([one[0] for one in found.players], "players")
    _ascending([one[0] for one in found.stars], "stars")
    _ascending([one[:2] for one in found.owners], "changes of owners")
    _ascending([one[:2] for one in found.totals], "totals")
    _ascending([one[0] for one in found.fleets], "fleets")
    who = {-1, *(one[0] for one in found.players)}
    there = {one[0]: one[4] for one in found.stars}
    last: dict[int, int] = {}
    end = -1 if about.tick is None else about.tick
    for tick, star_id, owner in found.owners:
        _true(star_id in there and owner in who, "a star or an owner that is not there")
        _true(there[star_id] <= tick <= end, "a change of what was not seen")
        _true(last.get(star_id) != owner, "a change that is none")
        last[star_id] = owner
    _true(all(one[0] <= end and one[1] in who for one in found.totals), "totals of nobody")
    _true(all(tick <= end for tick in there.values()), "a star that was first seen in the future")
    for tick, fleet in found.fleets:
        _true(tick <= end and all(one[1] in who for one in fleet), "a fleet of nobody")
        _ascending([one[0] for one in fleet], "fleets of a tick")
    _check_cover(found, end)


def _check_cover(found: Recorded, end: int) -> None:
    """Spans and gaps lie one behind the other, gaps between spans only, up to the last tick."""
    for first, last, from_at, to_at in found.spans:
        _true(first <= last and from_at.tzinfo is not None is not to_at.tzinfo, "a span")
        _true(from_at <= to_at, "a span that ends before it begins")
    for first, last, reason in found.gaps:
        _true(first <= last and reason in REASONS, "a gap for no known reason")
    parts = sorted(
        [(one[0], one[1], True) for one in found.spans]
        + [(one[0], one[1], False) for one in found.gaps]
    )
    _true(bool(parts) == (end >= 0), "a last tick that was not recorded")
    if parts:
        _true(parts[0][2] and parts[-1][2] and parts[-1][1] == end, "a gap at an end")
    for (_, before, span), (first, _, next_span) in itertools.pairwise(parts):
        _true(first == before + 1 and not (span and next_span), "ticks neither recorded nor missed")
        _true(span or next_span, "two gaps in a row")


def _true(fact: bool, otherwise: str) -> None:
    if not fact:
        raise ValueError(f"it has {otherwise}")


def _ascending(keys: Sequence[object] | Iterable[object], what: str) -> None:
    pairs = itertools.pairwise(keys)
    _true(all(a < b for a, b in pairs), f"{what} twice or out of order")  # type: ignore[operator]
