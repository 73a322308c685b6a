from __future__ import annotations

import random
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from tests.games.galaxies import TICKS, fleets, galaxy, stars
from tests.games.slow_map import SlowMap, Star, line, yuv
from vigil.games.drawing import colours, words
from vigil.games.drawing.digest import digest
from vigil.games.drawing.legend import caption, standings
from vigil.games.drawing.model import Bytes, Galaxy, Look, Palette, Totals
from vigil.games.drawing.pictures import Painter, pictures
from vigil.games.drawing.planes import Planes
from vigil.games.drawing.territory import Territory
from vigil.games.drawing.view import Grid, Layout, Rect, cells, in_sight, native_size

SEEDS = range(20)
NATIVE = Look(width=840, height=840, block=6, star_blocks=1)


def any_look(seed: int) -> Look:
    """A style, another one for every seed, and an awkward size."""
    rng = random.Random(seed)
    return Look(
        width=rng.choice((64, 90, 118)),
        height=rng.choice((64, 70, 98)),
        block=(1, 2, 3, 6, 5)[seed % 5],
        stars=("own", "white", "black", "contrast")[seed % 4],
        star_blocks=rng.choice((0, 1, 3)),
        borders=("black", "none", "white")[seed % 3],
        border_blocks=rng.choice((0, 1, 2, 3)),
        palette=rng.choice(("bright", "safe")),
        colours=((7, "#8040C0"),) if seed % 2 else (),
        names=seed % 3 == 1,
        fleets=seed % 4 >= 2,
        margin=rng.choice((0.0, 0.5)),
        view=(-2, -1, 2, 1) if seed % 5 == 0 else None,
    )


def picture(galaxy: Galaxy, look: Look, tick: int) -> bytes:
    return bytes(next(pictures(galaxy, look, tick, tick)))


def every(galaxy: Galaxy, look: Look, first: int, last: int) -> list[bytes]:
    """The pictures of ticks, to keep."""
    return [bytes(one) for one in pictures(galaxy, look, first, last)]


def luma(data: bytes, look: Look) -> Bytes:
    size = look.width * look.height
    return np.frombuffer(data[:size], np.uint8).reshape(look.height, look.width)


def colour_planes(data: bytes, look: Look) -> Bytes:
    rest = np.frombuffer(data[look.width * look.height :], np.uint8)
    return rest.reshape(2, look.height // 2, look.width // 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_pixel_is_as_the_slow_map_has_it(seed: int) -> None:
    look, sky, moving = any_look(seed), stars(seed), fleets(seed)
    drawn = every(galaxy(sky, moving), look, 0, TICKS)
    for tick in (0, 2, 5, TICKS):
        expected = SlowMap(sky, look, tick, moving).picture()
        assert len(drawn[tick]) == look.width * look.height * 3 // 2
        different = luma(drawn[tick], look) != luma(expected, look)
        assert not different.any(), f"tick {tick}: {np.argwhere(different)[:5]}"
        assert drawn[tick] == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_a_picture_depends_on_its_tick_alone(seed: int) -> None:
    """The same from scratch, in order, backwards, and of as little as a segment is given."""
    look = replace(any_look(seed), caption="date", legend=seed % 2 == 0)
    game = galaxy(stars(seed, 40), fleets(seed))
    in_order = every(game, look, 0, TICKS)
    back = Painter(game, look)
    for tick in reversed(range(TICKS + 1)):
        assert back.picture(tick) == in_order[tick]
        assert picture(game, look, tick) == in_order[tick]
    part = game.span(3, 6)
    assert every(part, look, 3, 6) == in_order[3:7]


def test_what_did_not_change_is_not_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    painter = Painter(galaxy(stars(2)), NATIVE)
    before = bytes(painter.picture(TICKS))

    def paint(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Planes, "paint", paint)
    assert painter.picture(TICKS + 1) == before


def test_parts_of_a_film_share_the_index_until_one_sees_another_star() -> None:
    sky = stars(3)
    grid = Grid.of(120, 120, 1, (0, 0, 2, 2))
    x, y = np.array([one.x for one in sky]), np.array([one.y for one in sky])
    one, other = Territory(grid, x, y), Territory(grid, x.copy(), y.copy())
    assert one.star is other.star
    before, bounds = one.star.copy(), len(one.bounds)
    other.add(0.6, 0.6)
    assert np.array_equal(one.star, before)
    assert len(one.bounds) == bounds
    assert np.array_equal(other.star, Territory(grid, np.append(x, 0.6), np.append(y, 0.6)).star)
    assert Territory(grid, x, y).star is one.star
    assert Territory(grid, y, x).star is not one.star


def test_a_star_seen_later_takes_only_what_is_nearer_to_it() -> None:
    """The index is the same whether a star was there from the start or came last."""
    sky = stars(3, 60)
    x, y = (np.array(part) for part in zip(*((star.x, star.y) for star in sky), strict=True))
    grid = Grid.of(300, 200, 1, cells(x, y))
    whole = Territory(grid, x, y)
    for begin in (0, 1, 40, 59):
        grown = Territory(grid, x[:begin], y[:begin])
        for number in range(begin, len(sky)):
            before = grown.star.copy()
            changed = grown.add(x[number], y[number])
            before[changed.at] = grown.star[changed.at]
            assert (before == grown.star).all()
        assert (grown.star == whole.star).all()
        for number, bounds in enumerate(grown.bounds):
            outside = grown.star == number
            outside[bounds.at] = False
            assert not outside.any()


def test_the_first_of_two_equally_near_stars_has_the_land() -> None:
    game = Galaxy.of(
        {9: (0.3, 0.3, 0, "a"), 3: (0.3, 0.3, 1, "b"), 2: (0.3, 0.3, 0, "c")},
        [(0, 9, 1), (0, 3, 2), (0, 2, 3)],
        {},
    )
    assert game.names == ("c", "a", "b")
    look = Look(width=64, height=64)
    of_three = colours.yuv(colours.rgb(look, [1, 2, 3]))[colours.FIRST_PLAYER + 2][0]
    assert luma(picture(game, look, 0), look)[10, 10] == of_three
    assert luma(picture(game, look, 1), look)[10, 10] == of_three


def test_the_view_widens_when_a_star_is_seen_outside_and_not_before() -> None:
    sky = {1: (0.1, 0.1, 0, "a"), 2: (5.0, 0.1, 4, "b")}
    game = Galaxy.of(sky, [(0, 1, 0), (4, 2, 1)], {})
    assert in_sight(game, 3) == (0, 0, 1, 1)
    assert in_sight(game, 4) == (0, 0, 9, 1)
    look = Look(width=180, height=60)
    before = picture(Galaxy.of({1: sky[1]}, [(0, 1, 0)], {1: ""}), look, 3)
    drawn = every(game, look, 0, 4)
    assert drawn[3] == before
    assert drawn[4] != before
    wide = replace(look, view=in_sight(game, 4))
    assert picture(game, wide, 4) == drawn[4]
    assert picture(game, wide, 3) != drawn[3]


def test_the_native_size_is_sixty_pixels_a_cell() -> None:
    assert native_size((-9, -2, 2, 5)) == (660, 420)


def test_a_map_of_nothing_is_black() -> None:
    look = Look(width=64, height=48, names=True, borders="black", legend=True, caption="tick")
    drawn = picture(Galaxy.of({}, [], {}), look, 7)
    area = Layout.of(look, 0).map
    assert (luma(drawn, look)[area.at] == 16).all()
    assert (colour_planes(drawn, look) == 128).all()


@pytest.mark.parametrize("palette", ["bright", "safe"])
def test_sixty_four_players_have_colours_of_their_own(palette: Palette) -> None:
    found = {colours.player_colour(palette, number) for number in range(64)}
    assert len(found) == 64
    assert found.isdisjoint({(0, 0, 0), (64, 64, 64)})
    assert colours.player_colour(palette, 64) == colours.player_colour(palette, 0)


def test_the_safe_palette_differs_without_red_or_green() -> None:
    """Its eight hues as somebody without red or green cones sees them (Viénot, Brettel, Mollon,
    1999) stay apart, and from black and grey; of the bright one some become the same."""

    def least(palette: Palette) -> float:
        distances = []
        for kind in (PROTAN, DEUTAN):
            hues = [np.array(colours.player_colour(palette, number)) for number in range(8)]
            hues += [np.array((0, 0, 0)), np.array((64, 64, 64))]
            seen = [(kind @ (hue / 255.0) ** 2.2).clip(0, 1) ** (1 / 2.2) for hue in hues]
            distances += [float(np.abs(a - b).max()) for i, a in enumerate(seen) for b in seen[:i]]
        return min(distances)

    assert least("safe") > 0.1 > least("bright")


PROTAN = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])
DEUTAN = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (255, 0, 0), (12, 200, 99)])
def test_colours_are_those_of_the_recommendation(colour: tuple[int, int, int]) -> None:
    assert tuple(colours.yuv(np.array([colour], np.uint8))[0]) == yuv(colour)


def test_what_is_no_colour_is_refused() -> None:
    with pytest.raises(ValueError, match="#ff8000"):
        colours.rgb(replace(NATIVE, colours=((1, "red"),)), [1])
    with pytest.raises(ValueError, match="252 players"):
        colours.rgb(NATIVE, list(range(253)))


def test_the_legend_ranks_players_and_says_who_they_are() -> None:
    players = [(3, "Ann"), (5, ""), (9, "Zoë")]
    assert standings(players, [2, 7, 2], {}) == [(1, "Player 5", 7), (0, "Ann", 2), (2, "Zoë", 2)]
    assert standings(players, [2, 7, 2], {9: 30})[0] == (2, "Zoë", 30)


def text_of(look: Look) -> Rect:
    area = Layout.of(look, 2).text
    assert area is not None
    return area


def test_the_legend_follows_the_owners() -> None:
    look = Look(width=640, height=360, legend=True, caption="tick", palette="safe")
    sky = {number: (number * 0.5, 0.0, 0, "") for number in range(5)}
    rows = [(0, star, 0) for star in sky] + [(2, star, 1) for star in (0, 1, 2)]
    game = Galaxy.of(sky, rows, {0: "Ann", 1: "Bob"})
    drawn = every(game, look, 0, 3)
    area, height = text_of(look), line(look)
    table = colours.yuv(colours.rgb(look, [0, 1]))[colours.FIRST_PLAYER :]

    def first_swatch(data: bytes) -> tuple[int, ...]:
        """Colours of the picture in the first row below the caption."""
        y, x = height * 2 + height // 4 + height // 2, area.left + height // 2
        planes = colour_planes(data, look)
        return (int(luma(data, look)[y, x]), *(int(plane[y // 2, x // 2]) for plane in planes))

    assert first_swatch(drawn[1]) == tuple(table[0])
    assert first_swatch(drawn[2]) == tuple(table[1])
    totals = Totals(np.array([1]), np.array([1]), np.array([99]))
    told = every(replace(game, totals=totals), look, 0, 3)
    assert told[0] == drawn[0]
    assert first_swatch(told[1]) == tuple(table[1])


def test_text_that_stays_is_not_rendered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    render = words.mask

    def mask(text: str, *more: int) -> Bytes:
        asked.append(text)
        return render(text, *more)

    look = Look(width=640, height=360, legend=True, caption="tick", palette="safe")
    sky = {number: (number * 0.5, 0.0, 0, "") for number in range(5)}
    rows = [(0, star, 0) for star in sky] + [(2, 0, 1)]
    painter = Painter(Galaxy.of(sky, rows, {0: "Ann", 1: "Bob"}), look)
    monkeypatch.setattr(words, "mask", mask)
    painter.picture(0)
    assert {"Tick 0", "Ann", "5 ★", "Bob", "0 ★"} <= set(asked)
    asked.clear()
    painter.picture(1)
    assert asked == ["Tick 1"]
    painter.picture(2)
    assert {"4 ★", "1 ★"} <= set(asked)


def test_the_date_is_between_those_that_are_known() -> None:
    game = replace(
        galaxy(stars(1)), clock_tick=np.array([0, 10]), clock_s=np.array([1.6e9, 1.6e9 + 36000])
    )
    look = replace(NATIVE, caption="date")
    assert caption(game, look, 5) == ["Tick 5", "2020-09-13 17:26 UTC"]
    assert caption(galaxy(stars(1)), look, 5) == ["Tick 5"]
    assert caption(game, replace(NATIVE, caption="tick"), 5) == ["Tick 5"]
    assert caption(game, NATIVE, 5) == []
    gap = replace(game, missed=((3, 5), (9, 9)))
    assert caption(gap, look, 5)[0] == caption(gap.span(4, 6), look, 5)[0] == "Tick 5, not recorded"
    assert caption(gap, look, 6)[0] == caption(gap.span(4, 6), look, 6)[0] == "Tick 6"


def test_long_and_strange_names_are_cut_to_what_fits() -> None:
    assert words.clean(" a\n\x00b\u202e c ") == "a b c"
    whole = words.mask("Alderamin", 20, 1000)
    cut = words.mask("Alderamin" * 20, 20, 100)
    assert cut.shape[0] == whole.shape[0]
    assert whole.shape[1] // 2 < cut.shape[1] <= 100
    assert words.mask("Alderamin", 20, 3).shape[1] <= 3


def test_letters_that_players_use_are_in_the_font() -> None:
    missing = words.mask("\uffff", 20, 100)
    for letter in "éüßłőčñøжя αβ★…—":
        assert letter == " " or not np.array_equal(words.mask(letter, 20, 100), missing)


def test_memory_does_not_grow_with_ticks() -> None:
    look = Look(width=480, height=270, borders="black", stars="contrast", names=True)
    sky = stars(4, 200, wide=8, high=5)
    game = galaxy(sky)

    def peak(ticks: int) -> int:
        tracemalloc.start()
        for _ in pictures(game, look, 0, ticks):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)  # fonts and masks are remembered
    few, many = peak(20), peak(2000)
    assert many < few * 1.1 + 100_000


WORDY = Look(
    width=320, height=240, names=True, legend=True, caption="date", fleets=True, borders="black"
)


def test_the_name_of_pictures_says_all_that_is_in_them_and_nothing_else() -> None:
    rich = replace(
        galaxy(stars(6), fleets(6)),
        totals=Totals(np.array([1, 3, 6]), np.array([0, 1, 0]), np.array([5, 6, 7])),
        clock_tick=np.array([0, 8]),
        clock_s=np.array([1.6e9, 1.6e9 + 8 * 3600]),
        missed=((4, 4),),
    )
    name = digest(rich, WORDY, 2, 5)
    assert name == digest(rich.span(2, 5), WORDY, 2, 5) == digest(rich.span(0, 7), WORDY, 2, 5)
    # what comes later
    later = Galaxy.of(
        {star.id: (star.x, star.y, star.first_tick, star.name) for star in stars(6)}
        | {5000: (1.0, 1.0, 6, "later")},
        [(tick, star.id, player) for star in stars(6) for tick, player in star.owners.items()]
        + [(6, 5000, 1)],
        dict(rich.players),
    )
    longer = replace(
        later,
        fleets=rich.fleets,
        totals=replace(rich.totals, stars=np.array([5, 6, 8])),
        clock_tick=np.array([0, 8, 9]),
        clock_s=np.array([1.6e9, 1.6e9 + 8 * 3600, 1.7e9]),
        missed=((4, 4), (7, 8)),
    )
    assert digest(longer, WORDY, 2, 5) == name
    assert digest(longer, WORDY, 2, 6) != digest(rich, WORDY, 2, 6)
    # what is in them
    others = [
        replace(rich, names=tuple("x" for _ in rich.names)),
        replace(rich, players=((0, "Anna"), *rich.players[1:])),
        replace(rich, totals=Totals()),
        replace(rich, clock_s=rich.clock_s + 60),
        replace(rich, missed=()),
        replace(rich, fleets=type(rich.fleets)()),
        replace(rich, x=rich.x + 0.001),
        replace(rich, owner=np.where(rich.owner == 9, 7, rich.owner)),
    ]
    names = {digest(other, WORDY, 2, 5) for other in others}
    assert len(names | {name}) == len(others) + 1
    bare = Look(width=320, height=240)
    assert len({digest(other, bare, 2, 5) for other in (rich, *others[:6])}) == 1
    assert digest(rich, replace(bare, palette="safe"), 2, 5) != digest(rich, bare, 2, 5)
    assert digest(rich, bare, 2, 6) != digest(rich, bare, 2, 5)


def test_strange_galaxies_are_drawn_as_well() -> None:
    """Stars a million units apart, many in one place, one alone, on the edge of a cell."""
    look = Look(width=64, height=64, borders="black", stars="white", names=True, margin=0.5)
    for places in (
        [(-9.9e5, 0.0), (9.9e5, 3.0), (0.1, 9e5)],
        [(0.6, 0.6)] * 50 + [(0.6, 1.2)],
        [(-0.0, 0.6)],
        [(number * 1e-9, 0.0) for number in range(20)],
    ):
        sky = [Star(n, x, y, 0, "a", {0: n % 3}) for n, (x, y) in enumerate(places)]
        assert picture(galaxy(sky), look, 0) == SlowMap(sky, look, 0).picture()
