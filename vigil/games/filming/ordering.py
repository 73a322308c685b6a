"""From a wish to a film: the same wish gives the same film."""

from __future__ import annotations

from datetime import timedelta

import db_utils
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound
from vigil.films import store as films
from vigil.films.model import Film, NewFilm
from vigil.games import store
from vigil.games.drawing.colours import MOST_PLAYERS
from vigil.games.drawing.view import in_sight
from vigil.games.filming import options, scenery
from vigil.games.filming.kind import NAME
from vigil.games.filming.options import MARGIN, Chosen, Wishes
from vigil.games.filming.scenery import Scenery
from vigil.games.writing import store as writing

GROWING_SEGMENT_S, FINISHED_SEGMENT_S = 1.0, 5.0
"""Seconds of film in a segment: short where somebody waits for the next one."""
SOME_RATE_S = 3600
"""Seconds a tick where that is unknown."""
MOST_PICTURES = 2_000_000
OVER = ("cancelled", "failed", "deleting")
"""States of a film that is not given again."""


async def order(context: Context, game_id: int, wishes: Wishes) -> int:
    """The film that somebody wishes of a game: one that there is, or a new one; its number.

    Raises NotFound, Conflict (nothing is recorded yet) or Invalid.
    """
    scene = await scenery.load(context.pool, game_id)
    if scene is None:
        if await store.get(context.pool, game_id) is None:
            raise NotFound(f"there is no game {game_id}")
        raise Conflict("nothing is recorded of this game yet", hint="try again after its next tick")
    new = complete(scene, wishes)
    async with db_utils.transaction(context.pool) as connection:
        await writing.lock(connection, game_id)  # one after the other
        for film in await films_of(connection, game_id):
            if film.state not in OVER and _same(film, new):
                if film.state == "done" and new.to_at is None:  # the game goes on again
                    await films.replan(connection, film.id)
                return film.id
        return await films.add(connection, new)


async def films_of(db: db_utils.Database, game_id: int) -> list[Film]:
    """The films of a game, the newest first."""
    return await films.with_options(db, NAME, {"game": game_id})


def complete(scene: Scenery, wishes: Wishes) -> NewFilm:
    """The film that is made; raises Invalid."""
    galaxy, game = scene.galaxy, scene.game
    if len(galaxy.players) > MOST_PLAYERS:
        raise Invalid(f"a film shows at most {MOST_PLAYERS} players")
    first = max(wishes.from_tick or 0, scene.first_tick)
    ended = scene.over or (wishes.to_tick is not None and wishes.to_tick <= scene.last_tick)
    last = scene.last_tick if wishes.to_tick is None else min(wishes.to_tick, scene.last_tick)
    if ended and first > last:
        raise Invalid(
            "nothing was recorded of these ticks",
            hint=f"there are ticks {scene.first_tick} to {scene.last_tick}",
        )
    if (max(last, wishes.to_tick or 0) - first + 1) * wishes.frames_per_tick > MOST_PICTURES:
        raise Invalid("this film would be too long", hint="give fewer pictures a tick")
    margin = 0.0 if wishes.size == "native" else MARGIN
    view = in_sight(galaxy, max(first, last), margin)
    width, height = options.size(wishes, view, len(galaxy.players))
    rate_s = game.tick_rate_s or SOME_RATE_S
    window = max(1, round(GROWING_SEGMENT_S * wishes.fps / wishes.frames_per_tick))
    if ended:
        window = _even(last + 1, FINISHED_SEGMENT_S * wishes.fps / wishes.frames_per_tick)
    from_at = scene.at(first)
    chosen = Chosen(game=game.id, from_tick=first, view=view, wishes=wishes)
    return NewFilm(
        title=" ".join(wishes.title.split()) or default_title(scene, wishes, first),
        kind=NAME,
        from_at=from_at,
        to_at=from_at + timedelta(seconds=(last - first + 1) * rate_s) if ended else None,
        speed=rate_s * wishes.fps / wishes.frames_per_tick,
        fps=round(wishes.fps, 3),
        width=width,
        height=height,
        window_s=float(window * rate_s),
        options=options.written(chosen),
    )


def _even(ticks: int, about: float) -> int:
    """Ticks of a segment when these are one, or all equally long and of an even number: where two
    are rendered at a time neither waits for the other in the end."""
    segments = 1 if ticks <= about else 2 * max(1, round(ticks / about / 2))
    return -(-ticks // segments)


def default_title(scene: Scenery, wishes: Wishes, first: int) -> str:
    """A title for who gave none; the same for the same wish."""
    if wishes.to_tick is not None:
        return f"{scene.game.name}, ticks {first} to {wishes.to_tick}"
    return scene.game.name if wishes.from_tick is None else f"{scene.game.name}, from tick {first}"


def _same(film: Film, new: NewFilm) -> bool:
    """Whether a film is what would be made; what was in sight when it was ordered is its own."""
    there, wanted = ({**options, "view": None} for options in (film.options, new.options))
    return (film.title, there) == (new.title, wanted)
