"""That pictures look as they were asked to look."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from tests.films import looking
from tests.films.looking import (
    HEIGHT,
    MINUTE,
    QUARTERS,
    START,
    WIDTH,
    Album,
    colour,
    film,
    jpeg,
    luma,
    near,
    plain,
    quarters,
    texture,
)
from vigil.films.looks import measures, pixels, texts, timeline
from vigil.films.looks.cells import cells
from vigil.films.model import Recipe, Shot, moment_of

TEXT = (640, 360)
STILL = {"start": (0, 0, 1, 1), "end": (0, 0, 1, 1)}
"""A pan that goes nowhere: pixels are made by us."""


def corners(pixels: looking.Pixels) -> list[tuple[int, int, int]]:
    return [colour(pixels, x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]


async def test_a_shot_may_stay() -> None:
    album = Album()
    shots = album.shots(plain(shade) for shade in (50, 100, 150))
    seen = await album.see(
        film(), [replace(s, pictures=n) for s, n in zip(shots, (1, 60, 3), strict=True)]
    )
    assert luma(seen) == pytest.approx([50] + [100] * 60 + [150] * 3, abs=3)


async def test_a_blend_is_even_and_begins_from_the_segment_before() -> None:
    album = Album()
    before, *shots = album.shots(plain(shade) for shade in (40, 200, 80))
    shots = [replace(shot, pictures=6, fade=3) for shot in shots]
    look = film(fade={"pictures": 3, "hold": 3})
    seen = luma(await album.see(look, shots, before=before))
    wanted = [80, 120, 160, 200, 200, 200, 170, 140, 110, 80, 80, 80]
    assert seen == pytest.approx(wanted, abs=3)
    first = luma(await album.see(look, shots))  # a film's first shot has nothing to come from
    assert first == pytest.approx([200] * 6 + wanted[6:], abs=3)


async def test_a_shot_may_be_all_blend() -> None:
    album = Album()
    shots = [replace(s, pictures=3, fade=3) for s in album.shots(map(plain, (0, 200)))]
    seen = luma(await album.see(film(), shots))
    assert seen == pytest.approx([0, 0, 0, 50, 100, 150], abs=3)


async def test_a_cut_between_blends_stays_one() -> None:
    album = Album()
    shots = album.shots(map(plain, (40, 200, 120, 60)))
    shots = (shots[0], shots[1], replace(shots[2], pictures=4, fade=3), shots[3])
    seen = luma(await album.see(film(), shots))
    assert seen == pytest.approx([40, 200, 180, 160, 140, 120, 60], abs=3)


@pytest.mark.parametrize("corner", ["top-left", "top-right", "bottom-left", "bottom-right"])
@pytest.mark.parametrize("shade", [0, 128, 255])
async def test_a_stamp_is_legible_in_its_corner(corner: str, shade: int) -> None:
    album = Album()
    look = film(stamp={"corner": corner, "size": 0.08}, width=TEXT[0], height=TEXT[1], quality=4)
    (seen,) = await album.see(look, album.shots([plain(shade, TEXT)]))
    grey = seen.mean(axis=2)
    changed = np.abs(grey - grey[TEXT[1] // 2, TEXT[0] // 2]) > 40
    rows, columns = np.nonzero(changed)
    top, left = corner.startswith("top"), corner.endswith("left")
    assert (rows < TEXT[1] * 0.2).all() if top else (rows > TEXT[1] * 0.8).all()
    assert (columns < TEXT[0] * 0.6).all() if left else (columns > TEXT[0] * 0.4).all()
    height = rows.max() - rows.min()
    assert 0.05 * TEXT[1] < height < 0.12 * TEXT[1]
    inside = grey[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert inside.max() > 200  # white letters
    assert inside.min() < 60  # with a black edge


async def test_a_stamp_says_the_time_of_its_shot() -> None:
    """As often as it changes, and as the zone says; the first and the last picture, too."""
    album = Album()
    look: dict[str, Any] = {"width": TEXT[0], "height": TEXT[1]}
    grey = plain(90, TEXT)
    shots = [replace(s, pictures=2) for s in album.shots([grey] * 3)]
    seen = await album.see(film(stamp={"format": "%H:%M"}, **look), shots)
    alike = [[bool(np.abs(a.astype(int) - b).max() < 60) for b in seen] for a in seen]
    assert alike == [[a // 2 == b // 2 for b in range(6)] for a in range(6)]
    recipe = Recipe(film=film(stamp={"zone": "Asia/Tokyo"}), shots=tuple(shots))
    assert texts.stamps(recipe.film, recipe.shots)[:2] == ["2026-03-01 21:00", "2026-03-01 21:01"]
    local = film(stamp={}, time_zone="Europe/Berlin")
    assert texts.stamps(local, shots)[0] == "2026-03-01 13:00"


async def test_fonts_and_sizes_differ() -> None:
    album = Album()
    seen = [
        await album.see(
            film(stamp={"font": font, "size": size}, width=TEXT[0], height=TEXT[1]),
            album.shots([plain(0, TEXT)]),
        )
        for font, size in (("sans", 0.06), ("mono", 0.06), ("serif", 0.06), ("sans", 0.12))
    ]
    amounts = [int((picture > 128).sum()) for picture in seen]
    assert len(set(amounts)) == 4
    assert amounts[3] > 2.5 * amounts[0]


async def test_a_card_says_its_words_and_nothing_else() -> None:
    album = Album()

    async def card(text: str) -> looking.Pixels:
        look = film(card={"text": text, "seconds": 1.5}, width=TEXT[0], height=TEXT[1])
        return await album.see(look, ())

    seen = await card("My garden")
    assert len(seen) == 15
    assert (seen.astype(int).max(axis=(1, 2, 3)) > 200).all()
    rows, columns = np.nonzero(seen[0].mean(axis=2) > 128)
    assert abs(rows.mean() / TEXT[1] - 0.5) < 0.08
    assert abs(columns.mean() / TEXT[0] - 0.5) < 0.08

    async def width(text: str) -> float:
        return float(np.ptp(np.nonzero((await card(text))[0].mean(axis=2) > 128)[1]))

    assert await width(r"a{\fs1}b") > 3 * await width("ab")  # shown, not obeyed
    assert await width(r"a\Nb") > 1.5 * await width("ab")
    lines = np.nonzero((await card("one\ntwo"))[0].mean(axis=2) > 128)[0]
    assert np.ptp(lines) > 1.5 * np.ptp(rows)


async def test_a_long_card_stays_within_the_picture() -> None:
    album = Album()
    look = film(card={"text": "a word " * 28}, width=TEXT[0], height=TEXT[1])
    seen = (await album.see(look, ()))[0].mean(axis=2)
    assert (seen[:, :8] < 40).all()
    assert (seen[:, -8:] < 40).all()
    assert (seen > 128).any(axis=1).sum() > 60  # several lines


async def test_a_mark_stands_over_its_shot_only() -> None:
    album = Album()
    shots = album.shots([plain(60, TEXT)] * 3)
    shots = (shots[0], replace(shots[1], mark="3 days without pictures", pictures=4), shots[2])
    seen = await album.see(film(width=TEXT[0], height=TEXT[1]), shots)
    assert [bool(picture.max() > 200) for picture in seen] == [False, *[True] * 4, False]


@pytest.mark.parametrize("pan", [None, STILL])
async def test_gains_even_out_the_brightness(pan: dict[str, Any] | None) -> None:
    """Whoever applies them: ffmpeg, or we, where pixels are needed anyway."""
    album = Album()
    values = [(90, 1.1), (110, 0.9), (100, 1.0), (60, 1.5), (200, 1.4)]
    shots = [
        replace(shot, gains=(gain,))
        for shot, (_, gain) in zip(
            album.shots(plain(value) for value, _ in values), values, strict=True
        )
    ]
    seen = luma(await album.see(film(deflicker=5, pan=pan), shots))
    assert seen == pytest.approx([99, 99, 100, 90, 255], abs=4)
    tinted = [replace(album.shots([plain((120, 60, 30))])[0], gains=(1.5,))]
    (picture,) = await album.see(film(deflicker=5, pan=pan), tinted)
    assert near(colour(picture, 0.5, 0.5), (180, 90, 45), 6)


async def test_gains_in_a_blend_are_those_of_each_shot() -> None:
    album = Album()
    shots = album.shots(map(plain, (100, 200)))
    shots = (replace(shots[0], gains=(0.5,)), replace(shots[1], gains=(1.0,), fade=1, pictures=3))
    seen = luma(await album.see(film(deflicker=5), shots))
    assert seen == pytest.approx([50, 125, 200, 200], abs=3)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    ("turn", "order"),
    [(0, (0, 1, 2, 3)), (90, (2, 0, 3, 1)), (180, (3, 2, 1, 0)), (270, (1, 3, 0, 2))],
)
async def test_turning(turn: int, order: tuple[int, ...], raw: bool) -> None:
    album = Album()
    shots = album.shots([quarters((160, 160))])
    pan = STILL if raw else None
    (seen,) = await album.see(film(rotate=turn, width=90, height=90, pan=pan), shots)
    for found, wanted in zip(corners(seen), order, strict=True):
        assert near(found, QUARTERS[wanted], 14)


@pytest.mark.parametrize("raw", [False, True])
async def test_a_cut_is_of_the_turned_picture(raw: bool) -> None:
    """The lower left quarter, after a turn by 90 degrees, is the lower right one of the frame."""
    album = Album()
    pan = STILL if raw else None
    for turn, wanted in ((0, 2), (90, 3), (180, 1), (270, 0)):
        look = film(rotate=turn, crop=(0, 0.5, 0.5, 1), pan=pan)
        (seen,) = await album.see(look, album.shots([quarters()]))
        assert near(colour(seen, 0.5, 0.5), QUARTERS[wanted], 14), turn
        middle = seen[HEIGHT // 2].mean(axis=1)
        bars = int((middle < 20).sum())
        assert bars < 8 if turn in (0, 180) else 90 < bars < 130, turn


async def test_frames_look_the_same_whoever_makes_their_pixels() -> None:
    album = Album()
    shots = album.shots([texture((480, 270))])
    for look in ({}, {"rotate": 90}, {"crop": (0.1, 0.2, 0.8, 0.9)}, {"rotate": 270}):
        by_ffmpeg = await album.see(film(**look), shots)
        by_us = await album.see(film(**look, pan=STILL), shots)
        if "crop" in look:
            continue  # a pan fills the picture
        assert np.abs(by_ffmpeg.astype(int) - by_us).mean() < 7, look


@pytest.mark.parametrize("level", [1, 2, 3])
async def test_less_noise_and_the_edges_stay(level: int) -> None:
    album = Album()
    random = np.random.default_rng(5)
    clean = np.zeros((180, 320, 3)) + 60
    clean[:, 160:] = 190
    noisy = np.clip(clean + random.normal(0, 8, clean.shape), 0, 255).astype(np.uint8)
    shots = album.shots([Image.fromarray(noisy)] * 2)
    size: dict[str, Any] = {"width": 320, "height": 180}
    before = await album.see(film(denoise=level - 1, quality=4, **size), shots)
    after = await album.see(film(denoise=level, quality=4, **size), shots)
    for picture in (0, 1):
        less = after[picture, :, 20:140].std() / before[picture, :, 20:140].std()
        assert less < 0.95
        edge = after[picture, :, 168].mean() - after[picture, :, 152].mean()
        assert edge > 110


async def test_panning_goes_by_real_time() -> None:
    """From all of it to the lower right quarter; half way it is in between."""
    album = Album()
    pan = {"start": (0, 0, 1, 1), "end": (0.5, 0.5, 1, 1)}
    look = film(pan=pan, to_at=START + timedelta(minutes=4))
    shots = album.shots([quarters((320, 180))] * 5)
    seen = await album.see(look, shots)
    whole = zip(corners(seen[0]), QUARTERS, strict=True)
    assert all(near(one, wanted, 14) for one, wanted in whole)
    assert all(near(found, QUARTERS[3], 14) for found in corners(seen[4]))
    for number in range(5):  # where the cross of the four stands, in shares of the picture
        row = seen[number, 4 * HEIGHT // 5].astype(int)
        blue = np.nonzero(row[:, 2] > 140)[0]
        middle = (0.5 - number / 8) / (1 - number / 8)
        found = (blue.max() + 1) / WIDTH if blue.size else 0.0
        assert found == pytest.approx(middle, abs=0.02), number


async def test_a_pan_without_an_end_stays_where_it_begins() -> None:
    album = Album()
    pan = {"start": (0.5, 0, 1, 0.5), "end": (0, 0, 1, 1)}
    seen = await album.see(film(pan=pan, to_at=None), album.shots([quarters()] * 2))
    assert all(near(found, QUARTERS[1], 14) for found in corners(seen[1]))


def test_a_box_grows_until_it_fills_the_picture() -> None:
    view = pixels.View(box=(0.0, 0.4, 0.2, 0.6), bounds=(0.0, 0.0, 1.0, 1.0))
    assert pixels._box(view, 2.0) == pytest.approx((0.0, 0.4, 0.4, 0.6))
    assert pixels._box(view, 0.5) == pytest.approx((0.0, 0.3, 0.2, 0.7))
    tight = replace(view, bounds=(0.0, 0.35, 0.3, 0.65))
    assert pixels._box(tight, 2.0) == pytest.approx((0.0, 0.4, 0.3, 0.6))


def shifted(image: Image.Image, x: int, y: int, size: tuple[int, int]) -> Image.Image:
    """What a camera sees that was moved: the view goes right and down by so many pixels."""
    left, top = (image.width - size[0]) // 2 - x, (image.height - size[1]) // 2 - y
    return image.crop((left, top, left + size[0], top + size[1]))


def darker(image: Image.Image, factor: float) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(factor)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (12, 0), (0, -9), (-23, 14), (3, 2)])
@pytest.mark.parametrize("light", [1.0, 0.5])
def test_how_far_a_view_moved_is_found(x: int, y: int, light: float) -> None:
    size, world = (640, 360), texture((800, 500), seed=3)
    reference = measures.Reference(shifted(world, 0, 0, size))
    noise = np.random.default_rng(2).normal(0, 6, (360, 640, 3))
    moved = np.asarray(darker(shifted(world, x, y, size), light)) + noise
    across, down = reference.shift(Image.fromarray(np.clip(moved, 0, 255).astype(np.uint8)))
    assert across * size[0] == pytest.approx(x, abs=0.7)
    assert down * size[1] == pytest.approx(y, abs=0.7)


def test_another_view_is_not_shifted() -> None:
    reference = measures.Reference(texture(seed=1))
    assert reference.shift(texture(seed=2)) == (0, 0)
    assert reference.shift(plain(30, (480, 270))) == (0, 0)


async def test_a_shaking_camera_is_steadied() -> None:
    album = Album()
    size, world = (320, 180), texture((480, 300), seed=3)
    moves = [(0, 0), (6, -4), (-9, 5), (3, 7), (-5, -6)]
    shots = album.shots(shifted(world, x, y, size) for x, y in moves)
    reference = shots[0].frames[0]
    values: dict[str, Any] = {"width": 320, "height": 180, "quality": 4}
    shaky = await album.see(film(**values), shots)
    steady = await album.see(film(stabilise=True, **values), shots, references=(reference,))

    def unrest(seen: looking.Pixels) -> float:
        inner = seen[:, 20:-20, 20:-20].astype(int)
        return float(np.abs(inner[1:] - inner[0]).mean())

    assert unrest(steady) < unrest(shaky) / 3


async def test_without_a_reference_nothing_is_steadied() -> None:
    album = Album()
    shots = album.shots([texture(seed=1), texture(seed=2)])
    look = film(stabilise=True, colours=True)
    assert await album.render(look, shots) == await album.render(film(), shots)


async def test_the_colours_of_a_day_are_those_of_the_reference() -> None:
    album = Album()
    view = texture((320, 180))
    red, green, blue = view.split()
    evening = Image.merge(
        "RGB", [red.point(lambda v: min(255, v * 1.2)), green, blue.point(lambda v: v * 0.6)]
    )
    reference, days = album.add(jpeg(view)), album.add(jpeg(evening))
    both = album.shots([evening, darker(evening, 0.9)])
    shots = [replace(shot, days=(days,)) for shot in both]
    wanted = (await album.see(film(), album.shots([view])))[0]
    seen = await album.see(film(colours=True), shots, references=(reference,))
    plainly = await album.see(film(), shots)
    off = np.abs(seen[0].mean(axis=(0, 1)) - wanted.mean(axis=(0, 1))).max()
    assert off < 6
    assert np.abs(plainly[0].mean(axis=(0, 1)) - wanted.mean(axis=(0, 1))).max() > 25
    assert seen[1].mean() < seen[0].mean() - 5  # what is darker that day stays darker


@pytest.mark.parametrize("raw", [False, True])
async def test_scenes_share_the_picture(raw: bool) -> None:
    album = Album()
    frames = [album.add(jpeg(plain(colour, (320, 180)))) for colour in QUARTERS]
    pan = STILL if raw else None

    async def see(layout: str, number: int, **size: Any) -> Any:
        shot = Shot(frames=tuple(frames[:number]), moment=moment_of(START))
        look = film(layout=layout, scenes=tuple(range(number)), pan=pan, **size)
        (seen,) = await album.see(look, [shot])
        return seen

    side = await see("side", 2, width=320, height=90)
    assert near(colour(side, 0.25, 0.5), QUARTERS[0], 8)
    assert near(colour(side, 0.75, 0.5), QUARTERS[1], 8)
    stack = await see("stack", 2, width=160, height=180)
    assert near(colour(stack, 0.5, 0.25), QUARTERS[0], 8)
    assert near(colour(stack, 0.5, 0.75), QUARTERS[1], 8)
    grid = await see("grid", 3)
    assert all(near(a, b, 8) for a, b in zip(corners(grid)[:3], QUARTERS, strict=False))
    assert near(corners(grid)[3], (0, 0, 0), 8)
    single = await see("single", 2)
    assert all(near(found, QUARTERS[0], 8) for found in corners(single))


@pytest.mark.parametrize("raw", [False, True])
async def test_a_scene_that_shows_nothing_is_black(raw: bool) -> None:
    """At first, in between, at last, and all the time; blends go to and from black."""
    album = Album()
    pan = STILL if raw else None
    white, grey = (album.add(jpeg(plain(value, (320, 180)))) for value in (200, 100))
    there = [(None, white, None), (grey, None, None), (grey, white, None)]
    shots = [
        Shot(
            frames=frames, moment=moment_of(START) + n * MINUTE, fade=1 if n == 2 else 0, pictures=2
        )
        for n, frames in enumerate(there)
    ]
    look = film(layout="side", scenes=(1, 2, 3), width=480, height=90, pan=pan)
    seen = await album.see(look, shots)
    columns = [
        [round(float(p[:, n * 160 + 40 : n * 160 + 120].mean())) for n in range(3)] for p in seen
    ]
    wanted = [[0, 200, 0]] * 2 + [[100, 0, 0]] * 2 + [[100, 100, 0], [100, 200, 0]]
    assert np.abs(np.array(columns) - wanted).max() < 5, columns


@given(
    st.sampled_from(["single", "side", "stack", "grid"]),
    st.integers(1, 9),
    st.integers(40, 1000).map(lambda n: n * 2),
    st.integers(40, 1000).map(lambda n: n * 2),
)
def test_cells_fill_the_picture_and_do_not_overlap(
    layout: Any, scenes: int, width: int, height: int
) -> None:
    found = cells(layout, scenes, width, height)
    assert len(found) == (1 if layout == "single" else scenes)
    for cell in found:
        assert not any(number % 2 for number in (cell.left, cell.top, cell.width, cell.height))
        assert cell.width > 0
        assert cell.height > 0
    assert max(cell.left + cell.width for cell in found) == width
    assert max(cell.top + cell.height for cell in found) == height
    area = np.zeros((height // 2, width // 2), int)
    for cell in found:
        area[
            cell.top // 2 : (cell.top + cell.height) // 2,
            cell.left // 2 : (cell.left + cell.width) // 2,
        ] += 1
    assert area.max() == 1
    if layout != "grid":
        assert area.min() == 1


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=8))
def test_every_picture_has_its_turn(spans: list[tuple[int, int]]) -> None:
    shots = tuple(
        Shot(frames=(None,), moment=n, pictures=pictures, fade=min(fade, pictures))
        for n, (pictures, fade) in enumerate(spans)
    )
    recipe = Recipe(film=film(pan=STILL), shots=shots, before=shots[0])
    turns = list(timeline.turns(recipe))
    pictures = [picture for turn in turns for part in turn.parts for picture in part]
    assert pictures == list(range(recipe.pictures))
    assert all(len(part) <= timeline.LONGEST for turn in turns for part in turn.parts)
    for turn in turns:
        seen = [turn.seen(picture) for part in turn.parts for picture in part]
        assert all(0 < share < 1 for share in seen[: turn.shot.fade])
        assert set(seen[turn.shot.fade :]) <= {0.0}
        assert seen == sorted(seen, reverse=True)


async def test_what_is_held_is_read_once() -> None:
    """However many shots it is; the stamp goes on."""
    album = Album()
    look = film(stamp={"format": "%M"}, width=TEXT[0], height=TEXT[1], gaps="hold")
    shots = album.shots([plain(90, TEXT)] * 60)
    seen = await album.see(look, shots)
    assert album.reads <= 2
    assert len(seen) == 60
    moved = np.abs(seen[1:].astype(int) - seen[:-1]).max(axis=(1, 2, 3))
    assert (moved > 60).all()


async def test_a_segment_alone_is_what_it_is_inside_the_whole() -> None:
    """With everything on: each picture of two halves against the same one of the whole."""
    album = Album()
    world = texture((480, 300), seed=3)
    moves = [(0, 0), (4, -3), (-5, 2), (2, 5), (-3, -4), (1, 1)]
    shots = album.shots(shifted(world, x, y, (320, 180)) for x, y in moves)
    reference = shots[0].frames[0]
    shots = tuple(
        replace(shot, gains=(1 + n / 50,), fade=2, pictures=4, days=(shots[n // 3].frames[0],))
        for n, shot in enumerate(shots)
    )
    pan = {"start": (0, 0, 1, 1), "end": (0.2, 0.2, 0.8, 0.8)}
    every: dict[str, Any] = {
        **{"stamp": {}, "deflicker": 3, "stabilise": True, "colours": True, "denoise": 2},
        **{"fade": {}, "crop": (0.05, 0.05, 1, 1), "pan": pan, "quality": 4},
    }
    look = film(**every)
    values = {"references": (reference,)}
    whole = await album.see(look, shots, **values)
    halves = [
        await album.see(look, shots[:3], **values),
        await album.see(look, shots[3:], before=shots[2], **values),
    ]
    joined = np.concatenate(halves)
    assert whole.shape == joined.shape
    differences = np.abs(whole.astype(int) - joined).mean(axis=(1, 2, 3))
    assert differences.max() < 3  # the encoder's own noise


def test_fonts_are_what_their_package_ships() -> None:
    listed = {}
    for line in (texts.FONTS / "CHECKSUMS").read_text().splitlines():
        digest, name = line.split("  ")
        listed[name] = digest
    present = {p.name for p in texts.FONTS.iterdir() if p.name not in ("CHECKSUMS", "README.md")}
    assert set(listed) == present
    told = (texts.FONTS / "README.md").read_text()
    for name, digest in listed.items():
        assert hashlib.sha256((texts.FONTS / name).read_bytes()).hexdigest() == digest, name
        assert name in told


@pytest.mark.parametrize(
    ("text", "other"), [("2026 März – Ёлка … 5 °C → €", False), ("庭", True), ("حديقة", True)]
)
def test_only_letters_that_our_fonts_lack_are_looked_for_elsewhere(text: str, other: bool) -> None:
    assert texts.needs_other_fonts(text) is other


async def test_nothing_of_a_text_is_obeyed_by_the_shell_or_the_graph() -> None:
    album = Album()
    words = "'; [out] drawtext=:text=\\x, %{pts} $(id) \"\x07"
    shot = replace(album.shots([plain(60, TEXT)])[0], mark=words)
    stamp = {"format": "%d ':;[x]{\\b1}"}
    data = await album.render(film(stamp=stamp, width=TEXT[0], height=TEXT[1]), [shot])
    (seen,) = await looking.seen(data, film(width=TEXT[0], height=TEXT[1]))
    assert seen.max() > 200
