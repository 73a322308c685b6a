"""Films of recorded games: real rows, real jobs, the real ffmpeg."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.films.making import decode, get, render
from tests.games import galaxies
from tests.games.slow_map import Star
from tests.games.test_drawing import every
from tests.jobs.test_cli import vigil
from vigil import ffmpeg
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound
from vigil.films import kinds, work
from vigil.films import store as films
from vigil.films.check import check
from vigil.films.model import Film, NewFilm, segment_blob
from vigil.films.segments import store as segments
from vigil.games import filming
from vigil.games.drawing.digest import digest
from vigil.games.drawing.pictures import pictures
from vigil.games.filming import encode, options, scenery
from vigil.games.filming.options import Wishes
from vigil.games.filming.ordering import _even

AT = datetime(2026, 5, 1, tzinfo=UTC)
LAST = 59
RATE_S = 3600
SMALL = Wishes(size="320x240", names=True)
FLEETS = Wishes(size="320x240", fleets=True)
Sky = Sequence[Star]


def sky(seed: int = 4) -> list[Star]:
    """Stars whose owners change for sixty ticks; some are seen only later, outside of what was
    in sight."""
    found = []
    for number, star in enumerate(galaxies.stars(seed, 30)):
        owners = {tick * 7: who for tick, who in star.owners.items()}
        found.append(replace(star, first_tick=star.first_tick * 7, owners=owners))
        if number % 10 == 9:
            found[-1] = replace(found[-1], x=star.x + 5, first_tick=40, owners={40: 1, 50: 0})
    return found


@pytest.fixture
def context(context: Context) -> Context:
    kinds.know(filming.KIND)
    return replace(context, clock=FakeClock(AT + timedelta(days=9)))


async def record(context: Context, stars: Sky, tick: int, *, over: bool = False) -> int:
    """A game as it stands at a tick."""
    game_id: int = await context.pool.fetchval(
        """
        INSERT INTO games (site, number, name, version, state, tick_rate_s, created_at, changed_at)
        VALUES ('np', '1', 'A game', 2, 'running', $1, $2, $2) RETURNING id
        """,
        RATE_S,
        AT,
    )
    await context.pool.executemany(
        "INSERT INTO game_players VALUES ($1, $2, $3)",
        [
            (game_id, uid, name)
            for uid, name in ((0, "Ann"), (1, "Bo"), (7, "Cy"), (9, "Zoë"), (63, ""))
        ],
    )
    await context.pool.execute(
        "INSERT INTO game_spans VALUES ($1, 0, 0, $2, $2)", game_id, AT + timedelta(minutes=5)
    )
    await go_on(context, game_id, stars, -1, tick)
    if over:
        await end(context, game_id)
    return game_id


async def go_on(context: Context, game_id: int, stars: Sky, after: int, tick: int) -> None:
    """The ticks after one, up to another."""
    await context.pool.executemany(
        "INSERT INTO game_stars VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (game_id, star.id, star.name, star.x, star.y, star.first_tick)
            for star in stars
            if after < star.first_tick <= tick
        ],
    )
    await context.pool.executemany(
        "INSERT INTO game_owners VALUES ($1, $2, $3, $4)",
        [
            (game_id, star.id, since, who)
            for star in stars
            for since, who in star.owners.items()
            if after < since <= tick
        ],
    )
    await context.pool.execute(
        "INSERT INTO game_totals VALUES ($1, $2, 0, $3, 0, 0, 0, 0)", game_id, tick, tick
    )
    to_at = AT + timedelta(minutes=7, hours=tick)
    await context.pool.execute(
        "UPDATE game_spans SET to_tick = $2, to_at = $3 WHERE game_id = $1", game_id, tick, to_at
    )
    await context.pool.execute("UPDATE games SET tick = $2 WHERE id = $1", game_id, tick)


async def end(context: Context, game_id: int) -> None:
    await context.pool.execute(
        "UPDATE games SET state = 'finished', closed_at = now() WHERE id = $1", game_id
    )


@pytest.mark.parametrize(("ticks", "wanted"), [(60, 1), (120, 1), (121, 2), (359, 2), (500, 4)])
def test_segments_of_a_game_that_is_over_are_alike_and_two_encoders_end_together(
    ticks: int, wanted: int
) -> None:
    window = _even(ticks, 120.0)
    assert -(-ticks // window) == wanted
    assert window * wanted - ticks < wanted


class Counter:
    """Counts the segments and pictures that are really encoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.segments = self.pictures = 0
        original = encode.segment

        async def counted(film: Film, shown: Iterable[bytes | memoryview]) -> bytes:
            self.segments += 1

            def flowing() -> Iterator[bytes | memoryview]:
                for picture in shown:
                    self.pictures += 1
                    yield picture

            return await original(film, flowing())

        monkeypatch.setattr(encode, "segment", counted)

    def take(self) -> tuple[int, int]:
        found = self.segments, self.pictures
        self.segments = self.pictures = 0
        return found


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch)


async def names(context: Context, film_id: int) -> list[str | None]:
    return [one.hash for one in await segments.listed(context.pool, film_id)]


async def look(context: Context, film_id: int) -> None:
    """What the renderer's chore and its workers do when the film is due."""
    film = await get(context, film_id)
    assert film.next_at is not None
    later = replace(context, clock=FakeClock(film.next_at + timedelta(seconds=1)))
    await work.look(later)
    await render(later, film_id)


async def drawn(context: Context, film: Film, first: int, last: int) -> list[bytes]:
    scene = await scenery.load(context.pool, options.chosen(film).game, legend=True, fleets=True)
    assert scene is not None
    how = options.look(options.chosen(film), film.width, film.height, len(scene.galaxy.players))
    return every(scene.galaxy, how, first, last)


async def test_a_film_shows_every_tick_as_it_was(context: Context, tmp_path: Path) -> None:
    game_id = await record(context, sky(), LAST, over=True)
    wishes = replace_wishes(SMALL, frames_per_tick=2, from_tick=3)
    film_id = await filming.order(context, game_id, wishes)
    await render(context, film_id)
    film = await get(context, film_id)
    assert (film.state, film.title) == ("done", "A game, from tick 3")
    assert await check(context, mend=False) == []
    assert film.file_blob is not None
    path = tmp_path / "film.mp4"
    path.write_bytes(await context.storage.get(film.file_blob))
    seen = await decode(path)
    wanted = await drawn(context, film, 3, LAST)
    assert len(seen.pts) == 2 * len(wanted) == 114
    assert seen.pts == pytest.approx([number / 24 for number in range(114)], abs=1e-4)
    assert "yuv420p(tv, smpte170m/bt709/bt709" in seen.stream
    assert "320x240" in seen.stream
    raw = await ffmpeg.read(["-i", str(path), "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"])
    size = 320 * 240 * 3 // 2
    for number in range(0, 114, 7):
        decoded = np.frombuffer(raw[number * size : (number + 1) * size], np.uint8)
        exact = np.frombuffer(wanted[number // 2], np.uint8)
        difference = np.abs(decoded.astype(int) - exact.astype(int))
        assert difference.mean() < 3
        others = [np.frombuffer(one, np.uint8).astype(int) for one in wanted]
        nearest = min(float(np.abs(decoded.astype(int) - one).mean()) for one in others)
        assert difference.mean() == nearest


async def test_a_running_games_film_grows_by_its_new_ticks_only(
    context: Context, encoded: Counter
) -> None:
    stars = sky()
    game_id = await record(context, stars, 29)
    film_id = await filming.order(context, game_id, SMALL)
    await render(context, film_id)
    film = await get(context, film_id)
    assert (film.state, film.to_at) == ("growing", None)
    assert encoded.take() == (2, 30)  # a whole second of film, and six ticks of the next
    first = await names(context, film_id)
    listed = await segments.listed(context.pool, film_id)
    assert [(one.start, one.pictures, one.closed) for one in listed] == [
        (0, 24, True),
        (24, 6, False),
    ]
    await look(context, film_id)
    assert (await get(context, film_id)).state == "growing"
    assert encoded.take() == (0, 0)

    await go_on(context, game_id, stars, 29, 50)  # with stars that were not in sight before
    await look(context, film_id)
    assert encoded.take() == (2, 24 + 3)
    second = await names(context, film_id)
    assert second[0] == first[0]
    assert second[1] != first[1]

    await go_on(context, game_id, stars, 50, LAST)
    await end(context, game_id)
    await look(context, film_id)
    assert encoded.take() == (1, 12)
    film = await get(context, film_id)
    assert film.state == "done"
    assert film.file_blob is not None
    third = await names(context, film_id)
    assert third[:2] == second[:2]

    # the same from scratch, of the whole game at once
    data = {name: await context.storage.get(blob(name)) for name in third}
    await films.mark_deleting(context.pool, film_id)
    await context.pool.execute("DELETE FROM film_segments")
    await context.pool.execute("DELETE FROM segments")
    anew = await films.add(context.pool, new_like(film))
    await render(context, anew)
    assert await names(context, anew) == third
    assert encoded.take() == (3, 60)
    assert {name: await context.storage.get(blob(name)) for name in third} == data


def blob(name: str | None) -> str:
    assert name is not None
    return segment_blob(name)


def new_like(film: Film) -> Any:
    fields = ("title", "kind", "from_at", "to_at", "speed", "fps", "width", "height", "window_s")
    return NewFilm(**{name: getattr(film, name) for name in fields}, options=film.options)


def replace_wishes(wishes: Wishes, **other: Any) -> Wishes:
    return msgspec.structs.replace(wishes, **other)


async def test_the_same_wish_is_the_same_film_at_once(context: Context, encoded: Counter) -> None:
    stars = sky()
    game_id = await record(context, stars, 30)
    film_id = await filming.order(context, game_id, SMALL)
    await render(context, film_id)
    encoded.take()
    assert await filming.order(
        context, game_id, filming.parse({"size": "320x240", "names": 1})
    ) == (film_id)
    other = await filming.order(context, game_id, replace_wishes(SMALL, title="Mine"))
    assert other != film_id
    await render(context, other)  # another film of the same segments
    assert encoded.take() == (0, 0)
    assert await names(context, other) == await names(context, film_id)
    # later, with stars seen outside of what was in sight
    await go_on(context, game_id, stars, 30, 50)
    assert await filming.order(context, game_id, SMALL) == film_id
    white = await filming.order(context, game_id, replace_wishes(SMALL, borders="white"))
    assert len({film_id, other, white}) == 3
    mine = [film.id for film in await filming.films_of(context.pool, game_id)]
    assert mine == [white, other, film_id]
    await films.cancel(context.pool, film_id)
    assert await filming.order(context, game_id, SMALL) not in (film_id, other, white)


async def test_a_film_goes_on_when_its_game_does(context: Context, encoded: Counter) -> None:
    stars = sky()
    game_id = await record(context, stars, 30, over=True)
    film_id = await filming.order(context, game_id, SMALL)
    await render(context, film_id)
    assert (await get(context, film_id)).state == "done"
    await context.pool.execute("UPDATE games SET state = 'running', closed_at = NULL")
    await go_on(context, game_id, stars, 30, 40)
    assert await filming.order(context, game_id, SMALL) == film_id
    await render(context, film_id)
    film = await get(context, film_id)
    assert film.state == "growing"
    assert sum(one.pictures for one in await segments.listed(context.pool, film_id)) == 41


async def test_what_changed_since_it_was_planned_is_planned_again(context: Context) -> None:
    game_id = await record(context, sky(), LAST, over=True)
    film_id = await filming.order(context, game_id, SMALL)
    film = await get(context, film_id)
    plan = await filming.KIND.plan(context, film, context.clock.now())
    await context.pool.execute("UPDATE game_stars SET x = x + 0.01 WHERE game_id = $1", game_id)
    with pytest.raises(kinds.Outdated):
        await filming.KIND.render(context, film, plan.segments[0])
    again = await filming.KIND.plan(context, film, context.clock.now())
    assert {one.hash for one in again.segments}.isdisjoint({one.hash for one in plan.segments})
    first = await filming.KIND.render(context, film, again.segments[0])
    assert first.data == (await filming.KIND.render(context, film, again.segments[0])).data
    await context.pool.execute("DELETE FROM games")
    with pytest.raises(kinds.Outdated):
        await filming.KIND.render(context, film, again.segments[0])
    gone = await filming.KIND.plan(context, film, context.clock.now())
    assert (list(gone.segments), gone.next_at) == ([], None)
    assert gone.since is not None
    assert await filming.KIND.has_news(context, film)


async def test_what_is_planned_stays_though_names_change(
    context: Context, encoded: Counter
) -> None:
    stars = sky()
    game_id = await record(context, stars, 30)
    film_id = await filming.order(context, game_id, SMALL)
    await render(context, film_id)
    first = await names(context, film_id)
    encoded.take()
    await context.pool.execute("UPDATE game_players SET alias = 'Anna' WHERE uid = 0")
    await go_on(context, game_id, stars, 30, 40)
    await look(context, film_id)
    assert encoded.take() == (1, 17)
    assert (await names(context, film_id))[:1] == first[:1]
    await end(context, game_id)
    await look(context, film_id)
    await films.resume(context.pool, film_id)  # a person asks for all of it again
    await render(context, film_id)
    assert encoded.take() == (1, 24)


async def test_fleets_and_totals_of_before_hold_in_a_segment(context: Context) -> None:
    game_id = await record(context, sky(), LAST, over=True)
    await context.pool.execute(
        "INSERT INTO game_fleets VALUES ($1, 5, '{7}', '{9}', '{0.5}', '{0.25}', '{30}')", game_id
    )
    await context.pool.execute(
        "INSERT INTO game_totals VALUES ($1, 6, 9, 500, 0, 0, 0, 0)", game_id
    )
    whole = await scenery.load(context.pool, game_id, legend=True, fleets=True)
    part = await scenery.load(context.pool, game_id, legend=True, fleets=True, since=20)
    assert whole is not None
    assert part is not None
    how = options.look(
        options.Chosen(game=game_id, from_tick=0, view=(-9, -9, 9, 9), wishes=FLEETS), 320, 240, 5
    )
    assert every(part.galaxy, how, 20, 30) == every(whole.galaxy, how, 20, 30)
    without = replace(how, fleets=False)
    assert next(pictures(part.galaxy, without, 20, 20)) != next(pictures(part.galaxy, how, 20, 20))
    assert digest(part.galaxy, how, 20, 30) == digest(whole.galaxy, how, 20, 30)


async def test_a_film_that_begins_later_waits(context: Context, encoded: Counter) -> None:
    stars = sky()
    game_id = await record(context, stars, 20)
    wishes = replace_wishes(SMALL, from_tick=30, to_tick=45)
    film_id = await filming.order(context, game_id, wishes)
    await render(context, film_id)
    assert (await get(context, film_id)).state == "growing"
    assert encoded.take() == (0, 0)
    await go_on(context, game_id, stars, 20, LAST)
    await look(context, film_id)
    assert (await get(context, film_id)).state == "done"
    assert encoded.take() == (1, 16)
    at = filming.KIND.at(await get(context, film_id), 31)
    assert at == (await get(context, film_id)).from_at + timedelta(hours=1)


async def test_dates_stay_while_a_span_of_ticks_grows(context: Context) -> None:
    stars = sky()
    game_id = await record(context, stars, 20)
    before = await scenery.load(context.pool, game_id)
    await go_on(context, game_id, stars, 20, 40)
    after = await scenery.load(context.pool, game_id)
    assert before is not None
    assert after is not None
    assert before.at(7) == after.at(7) == AT + timedelta(minutes=5, hours=7)
    assert (before.last_tick, after.last_tick) == (20, 40)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"smoothness": 9}, "<= 6"),
        ({"borders": "red"}, "borders"),
        ({"colours": {"1": "red"}}, "colours"),
        ({"colours": {"x": "#ff0000"}}, "number of a player"),
        ({"colour-1": "#ff00"}, "colours"),
        ({"from_tick": 5, "to_tick": 4}, "ends before"),
        ({"from_tick": -1}, ">= 0"),
        ({"fps": 0}, ">= 1"),
        ({"speed": 3}, "speed"),
        ([], "object"),
    ],
)
def test_wishes_that_cannot_be_say_why(body: Any, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        filming.parse(body)


async def test_orders_that_cannot_be_say_why(context: Context) -> None:
    with pytest.raises(NotFound):
        await filming.order(context, 99, SMALL)
    game_id = await record(context, sky(), LAST, over=True)
    for wishes, message in (
        ({"from_tick": 60}, "nothing was recorded"),
        ({"size": "huge"}, "is no size"),
        ({"size": "9000x100"}, "too small or too large"),
    ):
        with pytest.raises(Invalid, match=message):
            await filming.order(context, game_id, filming.parse(wishes))
    await context.pool.execute("DELETE FROM game_spans")
    with pytest.raises(Conflict, match="nothing is recorded"):
        await filming.order(context, game_id, SMALL)


def test_a_form_is_understood() -> None:
    form = {
        "size": "4k",
        "smoothness": "3",
        "names": "on",
        "legend": "off",
        "title": "",
        "colour-3": "#ff8000",
        "to_tick": "12",
    }
    assert filming.parse(form) == Wishes(
        size="4k", smoothness=3, names=True, legend=False, colours={"3": "#ff8000"}, to_tick=12
    )


@pytest.mark.parametrize("smoothness", range(1, 7))
def test_smoothness_is_nptimelapses_at_its_size(smoothness: int) -> None:
    wishes = Wishes(size="native", smoothness=smoothness, caption="none", legend=False)
    chosen = options.Chosen(game=1, from_tick=0, view=(-7, -7, 7, 7), wishes=wishes)
    width, height = options.size(wishes, chosen.view, 8)
    assert (width, height) == (840, 840)
    assert options.look(chosen, width, height, 8).block == 7 - smoothness
    with_text = replace_wishes(wishes, caption="date", legend=True)
    assert options.size(with_text, chosen.view, 8) > (839, 840)


async def test_every_named_size_can_be_made(context: Context) -> None:
    game_id = await record(context, sky(), 2, over=True)
    for size in (*options.SIZES, "native"):
        film_id = await filming.order(context, game_id, Wishes(size=size, names=True))
        film = await get(context, film_id)
        planned = (await filming.KIND.plan(context, film, context.clock.now())).segments
        rendered = await filming.KIND.render(context, film, planned[0])
        assert rendered.hash == planned[0].hash


async def test_films_of_games_from_the_command_line(context: Context) -> None:
    game_id = await record(context, sky(), 30, over=True)
    status, out, errors = await vigil(context, "game", "film", str(game_id), "size=320x240", "x=1")
    assert (status, out) == (1, "")
    assert "x" in errors
    again = ("game", "film", str(game_id), "size=320x240", "names=on", "colour-1=#ff8000")
    status, out, errors = await vigil(context, *again)
    assert (status, out) == (0, "film 1: http://localhost:8000/films/1\n"), errors
    assert (await vigil(context, *again))[1] == out
    status, out, errors = await vigil(context, "film", "list", "--json")
    assert status == 0, errors
    assert [film["title"] for film in json.loads(out)] == ["A game"]


async def test_purging_removes_what_is_over_and_only_that(context: Context) -> None:
    stars = sky()
    game_id = await record(context, stars, 30)
    done = await filming.order(context, game_id, replace_wishes(SMALL, to_tick=20))
    growing = await filming.order(context, game_id, SMALL)
    for film_id in (done, growing):
        await render(context, film_id)
    blob_of_file = (await get(context, done)).file_blob
    assert blob_of_file is not None
    kept = {blob(name) for name in await names(context, growing)}
    only = {blob(name) for name in await names(context, done)} - kept
    assert only

    async def purge(*more: str) -> str:
        status, out, errors = await vigil(context, "film", "purge", *more)
        assert status == 0, errors
        return out

    assert await purge("--older", "7d") == "0 films and 0 segments are removed\n"
    assert await purge("--kind", "scene") == "0 films and 0 segments are removed\n"
    assert await purge("--dry-run") == f"1 films and {len(only)} segments would be removed\n"
    assert await context.storage.head(blob_of_file) is not None
    assert await purge() == f"1 films and {len(only)} segments are removed\n"
    assert await films.get(context.pool, done) is None
    for key in (blob_of_file, *only):
        assert await context.storage.head(key) is None
    for key in kept:
        assert await context.storage.head(key) is not None
    assert await filming.order(context, game_id, SMALL) == growing
    anew = await filming.order(context, game_id, replace_wishes(SMALL, to_tick=20))
    assert anew not in (done, growing)
