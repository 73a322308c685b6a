"""A game that a person brings: asked for once, at once, so that what is wrong is said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import db_utils
from vigil.context import Context
from vigil.errors import Invalid
from vigil.games import recording, store
from vigil.games.asking import ask_with, purpose
from vigil.games.errors import AskingFailed, GameOver, NoSuchGame
from vigil.games.keys import store as keys
from vigil.games.model import SITES, Game, Snapshot, Story
from vigil.games.writing import store as writing
from vigil.notifications import store as notifications
from vigil.sealing import Sealer
from vigil.sources import np2stats
from vigil.sources.neptunes_pride import MOST_UID, base

MOST_KEYS = 64
PLAYED = ("np", "np4")
"""Sites that are tried, one after the other, where none is named."""


@dataclass(frozen=True)
class Registered:
    """What came of it."""

    game: Game
    fresh: bool
    """Whether it was not known before."""
    new_key: bool
    """Whether the key was not known before."""
    reopened: bool = False
    """Whether it was known, and not recorded any more: closed, gone, or without a valid key."""


async def register(
    context: Context, number: str, code: str, site: str | None = None, player: int | None = None
) -> Registered:
    """Record a game from now on, with a player's key; or, where it is known, with this key, too.

    Args:
        context: database, clock and the way out.
        number: the game's number, or its address (``https://np.ironhelmet.com/game/123``).
        code: a player's key. It takes the place of an earlier one of the same player.
        site: ``np``, ``np4`` or ``np2stats``; where none is named, np and np4 are tried.
        player: whose key it is; np2stats needs it, others say it themselves.

    Raises Invalid for what cannot be a number, key, site or player, GameOver for a finished game,
    and of games.errors WrongKey, NoSuchGame, UnsupportedVersion, Silent and BadAnswer.
    """
    site, number = _place(context, site, number)
    code = code.strip()
    if not re.fullmatch(r"[!-~]{1,200}", code):
        raise Invalid("this cannot be a key", hint="it stands in the game's options, as API key")
    if site == np2stats.SITE and player is None:
        raise Invalid("the player's number is missing", hint="np2stats wants it with the key")
    if player is not None and not 0 <= player <= MOST_UID:
        raise Invalid(f"there is no player {player}", hint="players are numbered from 0")
    for one in PLAYED if site is None else (site,):
        known = await store.by_number(context.pool, one, number)
        if known is not None and known.game_over:
            raise GameOver(f"{known.name} is finished, and was recorded", hint="look at its page")
    asked_at = context.clock.now()
    site, seen = await _ask(context, site, number, code, player)
    over = isinstance(seen, Snapshot) and seen.game_over  # a story is told to the end
    if over and await store.by_number(context.pool, site, number) is None:
        raise GameOver(
            f"{seen.name or 'the game'} is finished: there is nothing left to record",
            hint="a game is recorded while it is played",
        )
    sealer, now = Sealer.of(context.settings), context.clock.now()
    async with db_utils.transaction(context.pool) as connection:
        version = seen.version if isinstance(seen, Snapshot) else 2
        before = await store.by_number(connection, site, number)
        game = await writing.create(
            connection, site, number, name=seen.name or number, version=version, now=now
        )
        whose = seen.player_uid if isinstance(seen, Snapshot) else player
        if len(await keys.of_game(connection, game.id)) >= MOST_KEYS:
            raise Invalid(f"the game has {MOST_KEYS} keys already")
        new_key = await keys.put(
            connection,
            game.id,
            sealed=sealer.seal(code),
            fingerprints=sealer.fingerprints(purpose(site, number), code),
            player_uid=whose,
            now=now,
        )
        await writing.reopen(connection, game.id, now)
        reopened = before is not None and before.state != "running"
        if reopened:
            await _tell(connection, game)
        if isinstance(seen, Snapshot):
            await recording.record(connection, game.id, seen, now, asked_at=asked_at)
        else:
            await recording.record_story(connection, game.id, seen, now, asked_at=asked_at)
        after = await store.get(connection, game.id)
    assert after is not None  # noqa: S101 - its row is locked
    return Registered(after, before is None, new_key, reopened)


async def _ask(
    context: Context, site: str | None, number: str, code: str, player: int | None
) -> tuple[str, Snapshot | Story]:
    """Ask the site, or each where none is named; raises what says most when none knows it."""
    if site is not None:
        return site, await ask_with(context, site, number, code, player)
    failures: list[AskingFailed] = []
    for one in PLAYED:
        try:
            return one, await ask_with(context, one, number, code, player)
        except AskingFailed as error:
            failures.append(error)
    if all(isinstance(error, NoSuchGame) for error in failures):
        names = " nor ".join(SITES[one] for one in PLAYED)
        raise NoSuchGame(f"neither {names} knows a game {number}", hint=failures[0].hint)
    raise next(error for error in failures if not isinstance(error, NoSuchGame))


def _place(context: Context, site: str | None, number: str) -> tuple[str | None, str]:
    """The site, where it is known, and the number, of either of which an address may tell."""
    number = number.strip()
    if site is not None and site not in SITES:
        raise Invalid(f"there is no site {site}", hint=f"one of {', '.join(SITES)}")
    if "/" in number:
        host, path = _parts(number)
        for one in SITES:
            if host and host == _parts(base(context.settings, one))[0]:
                site = site or one
        found = re.search(r"/game/([^/]+)", path)
        number = found[1] if found else ""
    if not re.fullmatch(r"[0-9A-Za-z_-]{1,40}", number):
        raise Invalid(
            "this cannot be a game's number",
            hint="it stands in the address of the game, behind /game/",
        )
    return site, number


def _parts(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        return parts.netloc.rpartition("@")[2].lower(), parts.path
    except ValueError:
        return "", ""


async def _tell(connection: db_utils.Connection, game: Game) -> None:
    if game.state != "needs_key":
        return
    await notifications.add(
        connection,
        "game.needs_key.over",
        f"game:{game.id}",
        f"The game {game.name} has a valid key again.",
        {"game": game.id, "name": game.name},
    )
