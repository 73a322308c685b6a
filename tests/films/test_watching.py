"""What players and sliders ask of a film, on the real site."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Site
from tests.films import making
from tests.films.test_views import FILMS, get, post
from vigil import reserve
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.films import beside, check, stills, store, work
from vigil.films.model import moment_of
from vigil.films.segments import store as segments
from vigil.reserve import Space

SECONDS = [s for s in range(200) if not 60 <= s < 100 and s % 17]
"""When frames were taken: a long gap, and single ones missing."""


def later(context: Context, **span: float) -> Context:
    return replace(context, clock=FakeClock(making.START + timedelta(**span)))


async def done(site: Site, **other: Any) -> int:
    camera = await making.camera(site.context)
    await making.add_frames(site.context, camera, SECONDS)
    film_id = await making.film(site.context, camera, until=200, **other)
    await making.render(later(site.context, days=1), film_id)
    return film_id


def at(second: float) -> datetime:
    return making.START + timedelta(seconds=second)


async def text_of(site: Site, path: str) -> str:
    async with site.client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def test_film_time_and_real_time_of_each_picture(site: Site) -> None:
    film_id = await done(site)
    for index, second_ in enumerate(SECONDS):
        if index % 9:
            continue
        found = await get(site, f"{FILMS}/{film_id}/moments?at_s={index / 10 + 0.03}")
        assert datetime.fromisoformat(found["at"]) == at(second_)
        assert found["moments"][0] <= found["moment"] == moment_of(at(second_))
        back = await get(site, f"{FILMS}/{film_id}/moments?at={found['moment']}")
        assert back["at_s"] == pytest.approx(index / 10)
        shown = (back["at_s"] - back["start_s"]) / back["picture_s"]
        assert back["moments"][round(shown)] == found["moment"]
    # A time that is not shown: the closest picture.
    for wanted, shown_ in ((61, 59), (98, 100), (-500, 1), (5000, 199), (16.9, 16)):
        when = at(wanted).isoformat().replace("+", "%2B")
        found = await get(site, f"{FILMS}/{film_id}/moments?at={when}")
        assert datetime.fromisoformat(found["at"]) == at(shown_), wanted
    for query in ("", "at=soon", "at_s=x", "at_s=-1", "at_s=nan", "at=2026-03-01", "at=1&at_s=1"):
        await get(site, f"{FILMS}/{film_id}/moments?{query}", status=400)


async def test_the_timeline(site: Site) -> None:
    film_id = await done(site)
    line = await get(site, f"{FILMS}/{film_id}/timeline")
    assert line["unit"] == "microseconds"
    assert line["duration_s"] == pytest.approx(len(SECONDS) / 10)
    assert line["picture_s"] == 0.1
    assert [day["day"] for day in line["days"]] == ["2026-03-01"]
    (gap,) = line["gaps"]
    assert (gap["since"], gap["until"]) == (moment_of(at(59)), moment_of(at(100)))
    assert gap["at_s"] == SECONDS.index(100) / 10
    spans = line["spans"]
    listed = (await get(site, f"{FILMS}/{film_id}/segments"))["items"]
    assert spans["at_s"] == [one["start_s"] for one in listed]
    assert [moment_of(datetime.fromisoformat(one["first_at"])) for one in listed] == spans["first"]
    async with site.client.get(f"{FILMS}/{film_id}/timeline") as answer:
        tag = {"if-none-match": answer.headers["etag"]}
    async with site.client.get(f"{FILMS}/{film_id}/timeline", headers=tag) as answer:
        assert answer.status == 304


async def test_segments_come_in_pages(site: Site) -> None:
    film_id = await done(site)
    whole = (await get(site, f"{FILMS}/{film_id}/segments"))["items"]
    assert len(whole) == 8
    query, found = "limit=3", []
    while query:
        page = await get(site, f"{FILMS}/{film_id}/segments?{query}")
        assert len(page["items"]) <= 3
        found += page["items"]
        query = page["next"] and f"limit=3&cursor={page['next']}"
    assert found == whole
    playlist = await text_of(site, f"{FILMS}/{film_id}/playlist.m3u8")
    names = [line for line in playlist.splitlines() if line.endswith(".m4s")]
    assert names == [one["url"].removeprefix(f"{FILMS}/{film_id}/") for one in whole]


async def test_the_playlist_has_what_is_rendered_from_the_beginning_on(site: Site) -> None:
    """A hole in the middle: what is behind it waits, until the film is over, or for ?tail=1."""
    film_id = await done(site)
    await site.context.pool.execute(
        """
        WITH hole AS (SELECT start FROM film_segments WHERE film_id = $1 ORDER BY start OFFSET 3
            LIMIT 1)
        UPDATE film_segments l SET hash = NULL FROM hole WHERE film_id = $1 AND l.start = hole.start
        """,
        film_id,
    )

    async def length(query: str = "") -> int:
        return (await text_of(site, f"{FILMS}/{film_id}/playlist.m3u8{query}")).count("#EXTINF")

    assert await length() == 7
    await site.context.pool.execute("UPDATE films SET state = 'rendering', changed_at = now()")
    assert await length() == 3
    assert await length("?tail=1") == 7
    assert len((await get(site, f"{FILMS}/{film_id}/segments"))["items"]) == 3
    assert len((await get(site, f"{FILMS}/{film_id}/segments?tail=1"))["items"]) == 7
    for query, number in (("", 3), ("?tail=1", 7)):
        line = await get(site, f"{FILMS}/{film_id}/timeline{query}")
        assert len(line["spans"]["at_s"]) == line["segments"] == number
    shown = await get(site, f"{FILMS}/{film_id}")
    assert shown["segments"] == {"done": 7, "planned": 8}
    watched = await site.context.pool.fetchval("SELECT watched_at FROM films")
    assert watched is not None, "its segments are rendered before those of others"


async def test_thumbnails(site: Site) -> None:
    film_id = await done(site)
    vtt = await text_of(site, f"{FILMS}/{film_id}/thumbnails.vtt")
    assert vtt.startswith("WEBVTT\n\n")
    cues = re.findall(
        r"([\d:.]+) --> ([\d:.]+)\nsheets/([0-9a-f]{64})\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)\n", vtt
    )
    assert len(cues) == vtt.count("-->")
    assert cues[0][0] == "00:00:00.000"
    assert [cue[1] for cue in cues[:-1]] == [cue[0] for cue in cues[1:]], "no hole"
    assert cues[-1][1] == f"00:00:{len(SECONDS) / 10:06.3f}"
    sizes = {}
    for hash in dict.fromkeys(cue[2] for cue in cues):
        async with site.client.get(f"{FILMS}/{film_id}/sheets/{hash}.jpg") as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["cache-control"]
            sizes[hash] = Image.open(io.BytesIO(await answer.read())).size
        assert await site.context.storage.head(beside.blob(hash, "sheet"))
    for *_, hash, left, top, width, height in cues:
        assert int(left) + int(width) <= sizes[hash][0]
        assert int(top) + int(height) <= sizes[hash][1]


async def test_a_poster_and_an_animation(site: Site) -> None:
    film_id = await done(site)
    pictures = (await get(site, f"{FILMS}/{film_id}"))["pictures"]
    for name, kind in (("poster", "image/jpeg"), ("preview", "image/webp")):
        for _ in range(2):  # made, and then as it was kept
            async with site.client.get(pictures[name]) as answer:
                assert answer.status == 200
                assert answer.content_type == kind
                body = await answer.read()
                tag = {"if-none-match": answer.headers["etag"]}
        async with site.client.get(pictures[name], headers=tag) as answer:
            assert answer.status == 304
    with Image.open(io.BytesIO(body)) as image:
        assert getattr(image, "n_frames", 1) > 10
    keys = [blob.key async for blob in site.context.storage.list("previews")]
    assert keys == [f"previews/{film_id}/{pictures['preview'].rpartition('/')[2]}"]


async def test_a_poster_is_not_dark_where_the_film_is_not(site: Site) -> None:
    film_id = await done(site)
    pool = site.context.pool
    pieces = await pool.fetch(
        "SELECT hash, last_moment FROM film_segments WHERE film_id = $1 ORDER BY start", film_id
    )
    dusk = datetime.fromtimestamp(pieces[1]["last_moment"] / 1e6, UTC)
    await pool.execute("UPDATE frames SET luma = CASE WHEN taken_at > $1 THEN 4 ELSE 90 END", dusk)
    poster = (await get(site, f"{FILMS}/{film_id}"))["pictures"]["poster"]
    assert poster == f"{FILMS}/{film_id}/posters/{pieces[1]['hash']}.jpg"
    await pool.execute("UPDATE frames SET luma = 4")
    evenly = (await get(site, f"{FILMS}/{film_id}"))["pictures"]["poster"]
    await pool.execute("UPDATE frames SET deleting_at = now()")
    gone = (await get(site, f"{FILMS}/{film_id}"))["pictures"]["poster"]
    assert poster != evenly == gone, "all alike, or nothing known: the one in the middle"


def test_which_piece_is_on_the_poster() -> None:
    assert stills.poster_of([None, None, None]) == 1
    assert stills.poster_of([3, 80, 4, 5, 100, 90]) == 4
    assert stills.poster_of([100, 4, 49, None]) == 0
    assert stills.poster_of([0, 0, 0]) == 1


async def test_pictures_are_made_but_not_kept_when_the_disk_is_nearly_full(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    film_id = await done(site)

    async def little() -> Space:
        return Space(1 << 40, 1 << 20)

    monkeypatch.setattr(site.context.storage, "space", little)
    pictures = (await get(site, f"{FILMS}/{film_id}"))["pictures"]
    async with site.client.get(pictures["preview"]) as answer:
        assert answer.status == 200
    assert [blob async for blob in site.context.storage.list("stills")] == []
    assert [blob async for blob in site.context.storage.list("previews")] == []
    assert site.context.settings.disk_reserve.level(await little()) == reserve.MOST


async def test_pictures_go_with_what_they_show(site: Site) -> None:
    film_id = await done(site)
    pictures = (await get(site, f"{FILMS}/{film_id}"))["pictures"]
    for name in ("poster", "preview"):
        async with site.client.get(pictures[name]) as answer:
            assert answer.status == 200
    storage = site.context.storage
    assert len([blob async for blob in storage.list("stills")]) == 9
    await storage.put("stills/00/strange.jpg", b"x")
    await storage.put(beside.blob("0" * 64, "sheet"), b"x")
    await storage.put("previews/999/" + "0" * 32 + ".webp", b"x")
    assert await check.check(site.context, mend=False) == []
    tomorrow = replace(
        site.context, clock=FakeClock(datetime.now().astimezone() + timedelta(days=1))
    )
    assert len(await check.check(tomorrow, mend=True)) == 3
    assert await check.check(tomorrow, mend=False) == []
    await store.mark_deleting(site.context.pool, film_id)
    await work.look(site.context)
    assert [blob async for blob in storage.list("previews")] == []
    for days in (1, 3):
        await work.tidy(later(site.context, days=days))
    assert await segments.known_segments(site.context.pool, "") == []
    assert [blob async for blob in storage.list("stills")] == []


async def test_a_file_of_a_film_that_grows(site: Site) -> None:
    camera = await making.camera(site.context)
    film_id = await making.film(site.context, camera, until=None)
    film = f"{FILMS}/{film_id}"
    await post(site, f"{film}/file", status=409)
    await making.add_frames(site.context, camera, range(40))
    await making.render(later(site.context, seconds=42), film_id)
    shown = await get(site, film, admin=True)
    assert (shown["state"], shown["file"], shown["actions"]["file"]) == ("growing", None, None)
    shown = await post(site, f"{film}/file", status=202)
    assert shown["file"]["url"] is None
    assert shown["file"]["job"]["state"] == "waiting"
    assert shown["actions"]["file"] == "it is being made"
    assert (await post(site, f"{film}/file", status=202))["file"]["job"] == shown["file"]["job"]
    await making.render(later(site.context, seconds=42), film_id)
    shown = await get(site, film)
    assert shown["state"] == "growing"
    assert shown["file"]["current"] is True
    assert shown["file"]["job"] is None
    await making.add_frames(site.context, camera, range(40, 60))
    await making.render_due(later(site.context, seconds=62), film_id)
    shown = await get(site, film)
    assert shown["file"]["current"] is False
    async with site.client.get(shown["file"]["url"]) as answer:
        assert answer.status == 200, "the one there is can be had"
    await post(site, f"{film}/file", status=202)
    await making.render(later(site.context, seconds=62), film_id)
    assert (await get(site, film))["file"]["current"] is True
    assert len([blob async for blob in site.context.storage.list("films")]) == 1
    async with site.client.post(f"{film}/file") as answer:
        assert answer.status == 401


async def test_a_film_whose_beginning_leaves_it(site: Site) -> None:
    """Its time goes on counting, in the playlist, the timeline and the moments alike."""
    camera = await making.camera(site.context)
    film_id = await making.film(site.context, camera, until=None, rolling_s=60)
    await making.add_frames(site.context, camera, range(80))
    await making.render(later(site.context, seconds=82), film_id)
    await making.add_frames(site.context, camera, range(80, 140))
    await making.render_due(later(site.context, seconds=142), film_id)
    film = await making.get(site.context, film_id)
    assert film.dropped_segments > 0
    text = await text_of(site, f"{FILMS}/{film_id}/playlist.m3u8")
    assert f"#EXT-X-MEDIA-SEQUENCE:{film.dropped_segments + 1}\n" in text
    line = await get(site, f"{FILMS}/{film_id}/timeline")
    began = film.dropped_ticks / film.timescale
    assert line["spans"]["at_s"][0] == began
    found = await get(site, f"{FILMS}/{film_id}/moments?at_s={began}")
    assert found["moment"] == line["spans"]["first"][0]
    back = await get(site, f"{FILMS}/{film_id}/moments?at={found['moment']}")
    assert back["at_s"] == pytest.approx(began)
    assert (await get(site, f"{FILMS}/{film_id}/moments?at=0"))["at_s"] == pytest.approx(began)
    vtt = await text_of(site, f"{FILMS}/{film_id}/thumbnails.vtt")
    assert vtt.split("\n\n")[1].startswith(f"00:00:{began:06.3f} --> ")
    await post(site, f"{FILMS}/{film_id}/file", status=202)
    await making.render(later(site.context, seconds=142), film_id)
    assert (await get(site, f"{FILMS}/{film_id}"))["file"]["current"] is True


async def test_who_is_at_it(site: Site) -> None:
    """Three of its segments are in hand, two of them on one machine."""
    film_id = await done(site)
    pool = site.context.pool
    starts = await pool.fetch("SELECT start FROM film_segments ORDER BY start LIMIT 3")
    for start, host in zip(starts, ("attic", "cellar", "attic"), strict=True):
        job_id = await pool.fetchval(
            "SELECT job_id FROM film_segments WHERE start = $1", start["start"]
        )
        await pool.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = $1", job_id)
        await pool.execute("UPDATE job_progress SET host = $2 WHERE job_id = $1", job_id, host)
    assert (await get(site, f"{FILMS}/{film_id}"))["work"]["renderers"] == [
        {"host": "attic", "jobs": 2},
        {"host": "cellar", "jobs": 1},
    ]
    await pool.execute("UPDATE films SET state = 'rendering'")
    work_ = (await get(site, f"{FILMS}/{film_id}"))["work"]
    assert len(work_["jobs"]) == 3
    assert work_["frames_per_s"] > 0
    assert work_["left_s"] == 0
