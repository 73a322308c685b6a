"""A film that is asked for: what is known, the plan of it, its length, its pictures."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from tests.films import making
from tests.films.making import START
from vigil.cameras.looking import store as looking
from vigil.cameras.scenes import store as scenes
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Invalid, NotFound
from vigil.films import order
from vigil.films.asking import pictures, planning
from vigil.films.asking import store as asking
from vigil.films.asking.planning import Planning
from vigil.films.asking.shown import plan_json
from vigil.films.asking.words import Wrong
from vigil.films.model import moment_of
from vigil.films.options import convert

DAY = timedelta(days=1)


def at(context: Context, **later: float) -> Context:
    """The same at another time."""
    return replace(context, clock=FakeClock(START + timedelta(**later)))


async def planned(context: Context, **body: Any) -> tuple[Planning, order.Ready]:
    """The plan of an order; ``strip`` and ``strip_at`` are not of the order."""
    strip, strip_at = body.pop("strip", 0), body.pop("strip_at", 0)
    now = context.clock.now()
    ready = await order.prepare(context.pool, order.parse({"camera": "garden"} | body), now)
    film = planning.imagined(ready.new, ready.places, now)
    found = await planning.planning(
        context.pool, film, now, have=ready.material, strip=strip, strip_at=strip_at
    )
    return found, ready


async def days(context: Context, count: int, each_s: int = 1800) -> int:
    """A camera with a frame each half hour of some days, from START on."""
    camera = await making.camera(context, interval_s=each_s)
    await making.add_frames(context, camera, range(0, count * 86_400, each_s))
    return camera


async def test_every_frame_is_planned_as_it_is_made(context: Context) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(50))
    there = at(context, hours=1)
    found, ready = await planned(there, **{"from": "2h", "to": "now"})
    assert (found.frames, found.shown, found.pictures) == (50, 50, 50)
    assert (ready.new.fps, found.seconds) == (10, 5)
    assert found.there == 0
    assert found.bytes is None
    assert found.render_s is None
    film_id, _ = await order.make(
        there, order.parse({"camera": "garden", "from": "2h", "to": "now"})
    )
    await making.render(there, film_id)
    listed = await context.pool.fetch(
        "SELECT wanted, pictures FROM film_segments WHERE film_id = $1", film_id
    )
    assert sum(row["pictures"] for row in listed) == 50
    again, _ = await planned(there, **{"from": "2h", "to": "now"})
    assert (again.segments, again.there, again.there_pictures) == (len(listed), len(listed), 50)
    assert again.bytes is not None
    assert again.bytes > 500
    assert again.render_s == 0


async def test_a_length_is_met_although_half_the_frames_are_dark(context: Context) -> None:
    await days(context, 10)
    there = at(context, days=10)
    found, ready = await planned(there, last="10d", length="8s")
    assert found.seconds == pytest.approx(8, rel=0.05)
    found, ready = await planned(
        there, last="10d", length="8s", choice={"hours": [["06:00", "18:00"]]}
    )
    assert found.seconds == pytest.approx(8, rel=0.05)
    assert found.shown <= 241
    found, ready = await planned(
        there, last="10d", length="8s", look={"card": {"text": "Ten days", "seconds": 3}}
    )
    assert found.seconds == pytest.approx(8, rel=0.05)
    found, ready = await planned(there, last="1h", length="60s")
    assert found.shown == 2
    assert "there are no more frames" in ready.notes[-1]


async def test_a_frame_of_just_now_is_shown_whatever_the_length(context: Context) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, [40])
    found, ready = await planned(at(context, seconds=41), last="24h", length="60s")
    assert (found.pictures, ready.new.fps) == (1, 1)
    assert convert(ready.new.options).choice.every


async def test_one_frame_a_day(context: Context) -> None:
    await days(context, 10)
    there = at(context, days=10)
    found, ready = await planned(there, last="10d", per_day=1, length="5s")
    assert (found.shown, ready.new.fps) == (11, 2.2)  # the last day ends at its noon
    assert [one.at.hour for one in found.looks] == [12, 12, 11]
    assert found.gap_count == 0


async def test_a_few_frames_are_not_over_in_no_time(context: Context) -> None:
    await days(context, 12)
    there = at(context, days=12)
    found, ready = await planned(there, last="12d", per_day=1)
    assert ready.new.fps == 8
    assert found.seconds > 1
    _, ready = await planned(there, last="12d", per_day=1, fps=25)
    assert ready.new.fps == 25, "who says how many pictures a second has them"


async def test_frames_that_blend_go_at_the_speed_that_was_asked_for(context: Context) -> None:
    await days(context, 20)
    there, blends = at(context, days=20), {"fade": {"between": "frames"}}
    found, ready = await planned(there, last="20d", speed=20_000, look=blends)
    assert found.seconds == pytest.approx(20 * 86_400 / 20_000, rel=0.03)
    assert plan_json(found, ready.new, ["garden"], ())["speed"] == 20_000
    assert found.segments >= found.seconds / 3, "segments are as short as without blends"
    for pace in ({}, {"per_day": 4}, {"per_day": 1}):
        body = {"camera": "garden", "from": "now", "to": "+20d", "length": "60s", "look": blends}
        wish = order.parse(body | pace)
        ahead, _ = await order.complete_in(context.pool, wish, there.clock.now())
        slots = 20 * 86_400 / (ahead.speed / ahead.fps)
        assert slots * 11 / ahead.fps == pytest.approx(60, rel=0.03), pace


async def test_what_is_held_is_one_frame(context: Context) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, [*range(50), *range(600, 650)])
    there = at(context, hours=1)
    found, _ = await planned(there, **{"from": START.isoformat(), "to": "now"},
                             speed=10, look={"gaps": "hold"}, strip=200)  # fmt: skip
    assert found.pictures > found.shown
    assert found.shown <= found.frames == 100
    moments = [one.moment for one in found.strip]
    assert found.strip_of == len(found.strip) == len({one.frame for one in found.strip})
    assert moments == sorted(set(moments))


async def test_gaps_are_told_with_what_fills_them(context: Context) -> None:
    camera = await making.camera(context, interval_s=10)
    await making.add_frames(context, camera, [*range(0, 600, 10), *range(4200, 4800, 10)])
    there = at(context, seconds=4800)
    found, ready = await planned(there, **{"from": START.isoformat(), "to": "now"})
    assert [(gap.from_at, gap.to_at) for gap in found.gaps] == [
        (START + timedelta(seconds=590), START + timedelta(seconds=4200))
    ]
    assert (found.gap_count, found.gap_s) == (1, 3610)
    cut = found.pictures
    shown = plan_json(found, ready.new, ["garden"], ready.notes)
    assert shown["gaps"]["fill"] == "cut"
    found, _ = await planned(
        there, **{"from": START.isoformat(), "to": "now"}, look={"gaps": "mark"}
    )
    assert found.pictures > cut
    assert found.shown == 120
    found, _ = await planned(there, last="3h")
    assert found.gap_count == 2  # and before the first frame


async def test_a_film_that_goes_on_says_what_a_day_adds(context: Context) -> None:
    camera = await making.camera(context, interval_s=10)
    await making.add_frames(context, camera, range(0, 3600, 10))
    there = at(context, seconds=3600)
    found, ready = await planned(there)
    assert (found.pictures, found.looks, found.a_day) == (0, [], 8640)
    assert ready.new.speed == 250
    found, _ = await planned(there, rolling="30m", length="9s")
    assert found.pictures == pytest.approx(180, abs=8)
    assert found.a_day == pytest.approx(8640, rel=0.1)
    found, _ = await planned(there, per_day=1)
    assert found.a_day == 1


async def test_the_strip_shows_frames_that_can_be_left_out(context: Context) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(30))
    there = at(context, seconds=60)
    found, _ = await planned(there, last="5m", strip=10, strip_at=5)
    assert [one.moment - moment_of(START) for one in found.strip] == [
        second * 1_000_000 for second in range(5, 15)
    ]
    assert {one.camera for one in found.strip} == {"garden"}
    out = found.strip[2].moment
    fewer, _ = await planned(
        there, last="5m", strip=10, strip_at=5, choice={"exclude": [[out, out + 1]]}
    )
    assert fewer.shown == 29
    assert out not in [one.moment for one in fewer.strip]
    beyond, _ = await planned(there, last="5m", strip=10, strip_at=500)
    assert beyond.strip_at == 29
    assert len(beyond.strip) == 1


async def test_pictures_look_as_in_the_film(context: Context) -> None:
    camera = await making.camera(context)
    await making.add_frames(context, camera, range(30), size=(320, 180))
    there = at(context, seconds=60)
    look = {"crop": [0, 0, 0.5, 1], "rotate": 90}
    found, ready = await planned(there, last="5m", size="180x160", look=look)
    assert len(found.looks) == 3
    for one in found.looks:
        data = await pictures.picture(there, pictures.pack(ready.new, one.moment), one.moment)
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.size) == ("JPEG", (180, 160))
        second = (one.moment - moment_of(START)) // 1_000_000
        shade = image.convert("L").getpixel((90, 80))
        assert shade == pytest.approx(40 + second * 10 * 7 % 180, abs=12)
    large, more = await planned(there, last="5m", size="1280x720", look={"stabilise": True})
    moment = large.looks[0].moment
    data = await pictures.picture(there, pictures.pack(more.new, moment), moment)
    assert Image.open(io.BytesIO(data)).size == (640, 360)


@pytest.mark.parametrize("packed", ["", "x", "eNoDAAAAAAE", "A" * 7000, "%%%"])
async def test_addresses_of_others_are_no_pictures(context: Context, packed: str) -> None:
    with pytest.raises(Invalid):
        await pictures.picture(context, packed, 0)


async def test_a_picture_of_frames_that_are_gone(context: Context) -> None:
    await days(context, 1)
    _, ready = await planned(at(context, days=1), last="1d")
    packed = pictures.pack(ready.new, 5)
    with pytest.raises(NotFound):
        await pictures.picture(context, packed, 5)
    with pytest.raises(Invalid):
        await pictures.picture(context, packed, -(1 << 62))


async def test_where_there_are_no_frames(context: Context) -> None:
    await making.camera(context)
    there = at(context, days=10)
    with pytest.raises(Wrong) as caught:
        await planned(there, last="1d")
    assert "has no frames yet" in caught.value.message
    with pytest.raises(Wrong) as caught:
        await planned(there, **{"from": "first", "to": "now"})
    assert caught.value.field == "from"
    camera = await making.camera(context, "street")
    await making.add_frames(context, camera, range(5))
    with pytest.raises(Wrong) as caught:
        await planned(there, camera="street", last="1d")
    assert "from 2026-03-01 12:00 to 2026-03-01 12:00" in (caught.value.hint or "")
    with pytest.raises(Wrong) as caught:
        await planned(there, camera="street", last="30d", choice={"hours": [["01:00", "02:00"]]})
    assert "none that goes in" in caught.value.message
    with pytest.raises(Wrong) as caught:
        await planned(there, camera=[])
    assert caught.value.hint == "there are: garden, street"
    with pytest.raises(NotFound) as missing:
        await planned(there, camera="gardn", last="1d")
    assert missing.value.hint == "there are: garden, street"
    with pytest.raises(NotFound):
        await planned(there, scene="no\0where", last="1d")


async def test_a_new_film_may_wait_for_its_first_frame(context: Context) -> None:
    await making.camera(context)
    film_id, _ = await order.make(context, order.parse({"camera": "garden"}))
    assert (await making.get(context, film_id)).to_at is None
    with pytest.raises(Wrong) as caught:
        await order.make(context, order.parse({"camera": "garden", "look": {"colours": True}}))
    assert caught.value.field == "stabilise"
    new, _ = await order.complete_in(
        context.pool, order.parse({"camera": "garden", "last": "1d", "length": "60s"}),
        context.clock.now(),
    )  # fmt: skip
    assert new.speed == 1440


async def test_the_reference_is_the_noon_of_the_first_day_or_the_middle(context: Context) -> None:
    camera = await making.camera(context, interval_s=3600)
    await making.add_frames(context, camera, range(0, 4 * 86_400, 3600))
    await context.pool.execute("UPDATE scenes SET time_zone = 'Asia/Tokyo'")  # noon is at 3 UTC
    there = at(context, days=4)
    since: dict[str, Any] = {"from": (START + timedelta(hours=4)).isoformat(), "to": "now"}
    for look, wanted in (
        ({"stabilise": True}, START + timedelta(hours=15)),
        ({"colours": True}, START + timedelta(hours=15)),
        ({"stabilise": True, "reference": 5}, None),
        ({}, None),
    ):
        _, ready = await planned(there, **since, look=look)
        reference = convert(ready.new.options).look.reference
        assert reference == (moment_of(wanted) if wanted else look.get("reference"))
    short: dict[str, Any] = {
        "from": START.isoformat(),
        "to": (START + timedelta(hours=4)).isoformat(),
    }
    _, ready = await planned(there, **short, look={"stabilise": True})
    reference = convert(ready.new.options).look.reference
    assert reference == moment_of(START + timedelta(hours=2))


async def test_tags_and_other_scenes(context: Context) -> None:
    camera = await days(context, 2)
    there = at(context, days=2)
    scene = await scenes.of_camera(context.pool, camera, START)
    await looking.add_tag(
        context.pool, scene.id, name="snow", from_at=START, to_at=START + DAY, most=10
    )
    found, _ = await planned(there, last="2d", choice={"tags": ["snow"]})
    assert found.shown == 48
    with pytest.raises(Wrong) as caught:
        await planned(there, last="2d", choice={"tags": ["rain"]})
    assert caught.value.hint == "there are: snow"
    other = await making.camera(context, "street", interval_s=1800)
    await making.add_frames(context, other, range(0, 86_400, 1800))
    found, ready = await planned(there, camera="garden, street", last="2d")
    assert len(ready.new.scenes) == 2
    assert found.frames == 96 + 48
    yard = await scenes.add(
        context.pool, name="yard", title="", notes="", latitude=None, longitude=None,
        time_zone="UTC",
    )  # fmt: skip
    await scenes.move(context.pool, camera, yard.id, START + DAY, most=1000)
    found, ready = await planned(there, last="2d")
    assert ready.new.scenes == (yard.id,)
    assert "garden showed garden until" in ready.notes[0]
    found, _ = await planned(there, camera=[], scene="garden", last="2d")
    assert found.frames == 48


async def test_how_far_apart_frames_are(context: Context) -> None:
    camera = await making.camera(context, interval_s=10)
    await making.add_frames(context, camera, [*range(0, 600, 60), *range(601, 610)])
    scene = await scenes.of_camera(context.pool, camera, START)
    end = START + timedelta(hours=1)
    seen = await asking.seen(context.pool, [scene.id], START, end)
    assert seen.frames == 19
    assert seen.interval_s == 60  # most are: nine at 60 s, one at 61 and eight at 1 s
    assert (await asking.seen(context.pool, [scene.id], end, end)).interval_s is None
