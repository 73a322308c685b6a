"""A game's site is asked with every key that there is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from vigil import log
from vigil.context import Context
from vigil.games.errors import AskingFailed, Unopened, WrongKey
from vigil.games.keys import store
from vigil.games.keys.model import Code, Key
from vigil.games.merging import merge
from vigil.games.model import Game, Snapshot, Story
from vigil.sealing import Sealer, Unopenable
from vigil.sources import neptunes_pride, np2stats


@dataclass(frozen=True)
class Answers:
    """What came of it."""

    seen: Snapshot | Story | None
    """All answers as one; ``None`` when no key is valid."""
    answered: Sequence[tuple[int, int | None]] = ()
    """Keys that brought an answer, and whose each is."""
    refused: Sequence[int] = ()
    """Keys that the site does not know any more."""
    error: WrongKey | None = None
    """What it said of these."""


def purpose(site: str, number: str) -> str:
    """What the fingerprint of a key of this game is made for."""
    return f"game:{site}:{number}"


async def ask(context: Context, game: Game) -> Answers:
    """Ask with every valid key; raises what went wrong when none brought an answer and some might
    still be valid."""
    codes = await _codes(context, game)
    results = await asyncio.gather(
        *(ask_with(context, game.site, game.number, code.text, code.player_uid) for code in codes),
        return_exceptions=True,
    )
    good, refused, failures = [], [], []
    for code, result in zip(codes, results, strict=True):
        if isinstance(result, WrongKey):
            refused.append(code.id)
        elif isinstance(result, BaseException):
            failures.append(result)
        else:
            good.append((code, result))
    errors = [one for one in results if isinstance(one, WrongKey)]
    if not good and failures:
        raise failures[0]
    for failure in failures:
        if not isinstance(failure, AskingFailed):
            raise failure
        log.warning(f"game {game.id}", f"one of its keys brought no answer: {failure}")
    seen = await _together(context, game, good) if good else None
    return Answers(
        seen=seen,
        answered=[
            (code.id, one.player_uid if isinstance(one, Snapshot) else code.player_uid)
            for code, one in good
        ],
        refused=refused,
        error=errors[0] if errors else None,
    )


async def ask_with(
    context: Context, site: str, number: str, text: str, player_uid: int | None
) -> Snapshot | Story:
    """Ask with one key; raises WrongKey and the other errors of games.errors."""
    if site == np2stats.SITE:
        return await np2stats.look(context, number, player_uid or 0, text)
    return await neptunes_pride.look(context, site, number, text)


async def _together(
    context: Context, game: Game, good: Sequence[tuple[Code, Snapshot | Story]]
) -> Snapshot | Story:
    """Several answers as one. Where the tick turned between them, those from before it are asked
    for once more."""
    stories = [one for _, one in good if isinstance(one, Story)]
    if stories:
        return max(stories, key=lambda one: (one.tick, len(one.stars)))
    seen = [(code, one) for code, one in good if isinstance(one, Snapshot)]
    latest = max(one.tick for _, one in seen)
    found = [one for _, one in seen if one.tick == latest]
    for code, one in seen:
        if one.tick < latest:
            try:
                found.append(await neptunes_pride.look(context, game.site, game.number, code.text))
            except AskingFailed as error:
                log.warning(f"game {game.id}", f"one of its keys brought no answer: {error}")
    return merge(found)


async def _codes(context: Context, game: Game) -> list[Code]:
    """The valid keys that can be opened; raises Unopened when there are some, and none can."""
    sealer = Sealer.of(context.settings)
    codes, lost = [], 0
    for key in await store.of_game(context.pool, game.id, "ok"):
        try:
            codes.append(Code(key.id, sealer.open(key.sealed), key.player_uid))
        except Unopenable:
            lost += 1
            continue
        await _refresh(context, sealer, game, key, codes[-1])
    if lost and not codes:
        raise Unopened(
            "its keys cannot be opened: they were sealed with another sealing key",
            hint="VIGIL_SEALING_KEY, or sealing.key in the data folder, is to be what it was; "
            "else register the game again",
        )
    if lost:
        log.warning(f"game {game.id}", f"{lost} of its keys cannot be opened")
    return codes


async def _refresh(context: Context, sealer: Sealer, game: Game, key: Key, code: Code) -> None:
    """Seal with the sealing key of now what was sealed with an older one."""
    if not sealer.is_current(key.sealed):
        mark = sealer.fingerprints(purpose(game.site, game.number), code.text)[0]
        await store.reseal(context.pool, key.id, sealer.seal(code.text), mark)
