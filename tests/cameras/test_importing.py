"""Imports: every picture of a place becomes a frame once, at its time, whatever happens."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cameras.helpers import add_camera, add_frame
from tests.cameras.importing import MTIME, begin, brought, done, many, picture, put, times
from vigil.cameras import store as cameras
from vigil.cameras.importing import places, store
from vigil.cameras.scenes import store as scenes
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Conflict, Invalid, NotFound, Unavailable

NOW = datetime(2026, 7, 1, tzinfo=UTC)
YEAR_S = 365 * 86_400.0


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # numbers, unpacked


@pytest.fixture
def context(context: Context) -> Context:
    """Some summer's day."""
    clock = FakeClock(NOW)
    return replace(context, clock=clock)


async def test_times_come_from_exif_then_name_then_last_change(
    context: Context, tmp_path: Path
) -> None:
    put(tmp_path, "a/20260501_110000.jpg", picture(1, "2026:05:01 12:00:00"))  # EXIF goes first
    put(tmp_path, "a/IMG_20260501_130000.jpg", picture(2))
    put(tmp_path, "b/holiday.jpeg", picture(3))
    put(tmp_path, "b/GOPR0001.JPG", picture(4, "2026:05:01 24:10:00"))  # ten past midnight
    put(tmp_path, "b/clip_20260502_253000.jpg", picture(5))
    put(tmp_path, "2026/05/03/120000.jpg", picture(6))
    put(tmp_path, "notes.txt", b"no picture")
    put(tmp_path, "b/broken.jpg", picture(7)[:-300])
    put(tmp_path, "b/page.jpg", b"<!doctype html><title>Sign in</title>")
    put(tmp_path, ".hidden.jpg", picture(8))
    one = await brought(context, tmp_path, new=True, time_zone="Europe/Berlin", retention_s=YEAR_S)
    assert await times(context) == [
        MTIME,
        utc(2026, 5, 1, 10),
        utc(2026, 5, 1, 11),
        utc(2026, 5, 1, 22, 10),
        utc(2026, 5, 2, 23, 30),
        utc(2026, 5, 3, 10),
    ]
    assert one.ways == {"exif": 2, "name": 3, "mtime": 1}
    assert (one.files, one.added, one.known, one.refused, one.mended) == (8, 6, 0, 2, 2)
    assert one.refusals["html"]["examples"] == ["b/page.jpg"]
    assert one.refusals["truncated"]["examples"] == ["b/broken.jpg"]
    assert (one.first_at, one.last_at) == (MTIME, utc(2026, 5, 3, 10))
    assert one.total_files == 8
    camera = await cameras.by_name(context.pool, "garden")
    assert camera is not None
    assert (camera.kind, camera.retention_s) == ("push", YEAR_S)
    assert (await scenes.of_camera(context.pool, camera.id, NOW)).time_zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("exif", [utc(2026, 6, 1, 11, 59)]),
        ("name", [utc(2026, 6, 1, 12, 59)]),
        ("mtime", [MTIME]),
        ("auto", [utc(2026, 6, 1, 11, 59)]),
    ],
)
async def test_a_rule_and_a_clock_that_was_ahead(
    context: Context, tmp_path: Path, rule: str, expected: list[datetime]
) -> None:
    put(tmp_path, "20260601_130000.jpg", picture(1, "2026:06:01 12:00:00"))
    await brought(context, tmp_path, new=True, rule=rule, clock_offset_s=60, retention_s=YEAR_S)
    assert await times(context) == expected


async def test_a_picture_without_the_time_that_is_asked_for(
    context: Context, tmp_path: Path
) -> None:
    put(tmp_path, "a.jpg", picture(1))
    one = await brought(context, tmp_path, new=True, rule="exif")
    assert (one.added, one.refusals["no_time"]["count"]) == (0, 1)
    assert "EXIF" in one.refusals["no_time"]["message"]


async def test_a_second_run_adds_nothing(context: Context, tmp_path: Path) -> None:
    await add_camera(context)
    many(tmp_path, 30)
    first = await brought(context, tmp_path)
    assert (first.added, first.known) == (30, 0)
    put(tmp_path, "2026-06-20_120000.jpg", picture(99))
    second = await brought(context, tmp_path)
    assert (second.files, second.added, second.known) == (31, 1, 30)
    assert len(await times(context)) == 31
    assert (await cameras.health(context.pool))[first.camera_id].frames == 31


async def test_what_came_another_way_is_known(context: Context, tmp_path: Path) -> None:
    camera = await add_camera(context)
    await add_frame(context, camera, picture(1), utc(2026, 6, 30, 12))
    put(tmp_path, "20260630_120000.jpg", picture(1))
    put(tmp_path, "copy/20260630_120000.jpg", picture(1))
    one = await brought(context, tmp_path)
    assert (one.added, one.known) == (0, 2)


async def test_pictures_of_one_second_are_all_kept_in_the_order_of_their_names(
    context: Context, tmp_path: Path
) -> None:
    second = utc(2026, 6, 30, 12)
    for n in range(12):
        put(tmp_path, f"burst{n:02}.jpg", picture(n, "2026:06:30 12:00:00"))
    one = await brought(context, tmp_path, new=True)
    assert (one.added, one.shifted) == (12, 11)
    assert await times(context) == [second + timedelta(microseconds=n) for n in range(12)]
    rows = await context.pool.fetch("SELECT sha256 FROM frames ORDER BY taken_at")
    assert [row["sha256"] for row in rows] == [
        hashlib.sha256(picture(n, "2026:06:30 12:00:00")).digest() for n in range(12)
    ]
    put(tmp_path, "burst00a.jpg", picture(50, "2026:06:30 12:00:00"))
    again = await brought(context, tmp_path)
    assert (again.added, again.known) == (1, 12)


async def test_what_is_too_old_is_refused_or_kept_for_ever(
    context: Context, tmp_path: Path
) -> None:
    await add_camera(context)
    put(tmp_path, "20240101_120000.jpg", picture(1))
    put(tmp_path, "20300101_120000.jpg", picture(2))
    put(tmp_path, "20260630_120000.jpg", picture(3))
    one = await brought(context, tmp_path)
    assert (one.added, one.refused) == (1, 2)
    assert {reason: told["count"] for reason, told in one.refusals.items()} == {
        "expired": 1,
        "future": 1,
    }
    health = (await cameras.health(context.pool))[one.camera_id]
    assert (health.refused, health.error) == (0, None), "the camera did nothing wrong"
    kept = await brought(context, tmp_path, keep=True)
    assert (kept.added, kept.known) == (1, 1)
    rows = await context.pool.fetch("SELECT taken_at, kept FROM frames ORDER BY taken_at")
    assert [(row["taken_at"].year, row["kept"]) for row in rows] == [(2024, True), (2026, True)]
    state = await context.pool.fetchrow("SELECT passing_frames, passing_bytes FROM camera_state")
    assert state is not None
    assert tuple(state) == (0, 0)


async def test_a_pattern_chooses(context: Context, tmp_path: Path) -> None:
    put(tmp_path, "north/20260630_120000.jpg", picture(1))
    put(tmp_path, "south/20260630_130000.JPG", picture(2))
    put(tmp_path, "south/20260630_140000.png.bak", picture(3))
    assert (await brought(context, tmp_path, new=True, pattern="*.jpg")).added == 2
    assert (await brought(context, tmp_path, pattern="south/*")).added == 1  # JPEG by content


async def test_a_file_that_goes_or_is_closed(context: Context, tmp_path: Path) -> None:
    folder = places.Folder.of(context.settings, tmp_path, "")
    put(tmp_path, "a.jpg", picture(1))
    put(tmp_path, "b.jpg", picture(2))
    [first, second] = folder.page(None, 10)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(Exception, match="no longer there"):
        await folder.read(first)
    (tmp_path / "b.jpg").unlink()
    (tmp_path / "b.jpg").symlink_to("/etc/hostname")
    with pytest.raises(Exception, match="no longer there"):
        await folder.read(second)


async def test_no_link_is_followed_and_nothing_of_vigil_is_read(
    context: Context, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    put(outside, "secret.jpg", picture(1))
    put(inside, "a.jpg", picture(2))
    (inside / "link.jpg").symlink_to(outside / "secret.jpg")
    (inside / "folder").symlink_to(outside)
    os.mkfifo(inside / "pipe.jpg")
    folder = places.Folder.of(context.settings, inside, "")
    assert [file.path for file in folder.page(None, 10)] == ["a.jpg"]
    sampled = await folder.sample(10, 10)
    assert (sampled.files, sampled.other) == (1, 3)
    data = context.settings.data_dir
    put(data / "blobs" / "frames", "x.jpg", picture(3))
    for path in (data, data / "blobs" / "frames", Path("/proc/self"), Path("/")):
        with pytest.raises(Invalid, match="not one to import from"):
            places.canonical(context.settings, str(path))
    (inside / "data").symlink_to(data)
    with pytest.raises(Invalid, match="not one to import from"):
        places.canonical(context.settings, str(inside / "data"))
    around = places.Folder.of(context.settings, data.parent, "")
    seen = [file.path for file in around.page(None, 10)]
    assert seen == ["inside/a.jpg", "outside/secret.jpg"]
    assert (await around.sample(10, 10)).files == 2


def test_pages_are_in_order_and_may_be_cut_anywhere(tmp_path: Path) -> None:
    names = ["a.jpg", "a/b.jpg", "a/b/c.jpg", "a/z.jpg", "a b.jpg", "é.jpg", "z/1.jpg", "z/2.jpg"]
    for n, name in enumerate(names):
        put(tmp_path, name if name != "a/b.jpg" else "a/b.jpg", picture(n))
    (tmp_path / "empty" / "more").mkdir(parents=True)
    bad = os.fsencode(tmp_path) + b"/\xff\xfe.jpg"
    with open(bad, "wb") as file:
        file.write(picture(9))
    folder = places.Folder(tmp_path, frozenset(), places.matching(""))
    whole = [file.path for file in folder.page(None, 100)]
    assert sorted(whole) == sorted([*names, os.fsdecode(b"\xff\xfe.jpg")])
    for limit in (1, 2, 3, 5):
        found: list[str] = []
        while page := folder.page(found[-1] if found else None, limit):
            found += [file.path for file in page]
            assert len(page) <= limit
        assert found == whole


def test_more_files_than_a_page_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PAGE", 7)
    for n in range(50):
        (tmp_path / f"{n:03}.jpg").touch()
        (tmp_path / f"d{n % 5}").mkdir(exist_ok=True)
        (tmp_path / f"d{n % 5}" / f"{n}.jpg").touch()
    folder = places.Folder(tmp_path, frozenset(), places.matching(""))
    assert len(folder.page(None, 1000)) == 100


async def test_what_cannot_be_imported(context: Context, tmp_path: Path) -> None:
    await add_camera(context)
    with pytest.raises(NotFound, match="no camera nobody"):
        await begin(context, tmp_path, "nobody")
    with pytest.raises(Conflict, match="already"):
        await begin(context, tmp_path, new=True)
    for wanted, what in (
        ({"rule": "guess"}, "no rule"),
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
        ({"clock_offset_s": float("nan")}, "offset"),
        ({"retention_s": 1.0}, "retention"),
        ({"pattern": "\n"}, "pattern"),
    ):
        with pytest.raises(Invalid, match=what):
            await begin(context, tmp_path, **wanted)
    for place in ("", "relative", "http://example.org/", "s3://user:secret@bucket/", "/not/there"):
        with pytest.raises(Invalid):
            await begin(context, place)
    own = replace(context.settings, storage_url="s3://mine/vigil")
    for place in ("s3://mine", "s3://mine/vigil/frames"):
        with pytest.raises(Invalid, match="own data"):
            places.canonical(own, place)
    assert places.canonical(own, "s3://mine/other") == "s3://mine/other"


async def test_an_import_goes_on_where_it_was(context: Context, tmp_path: Path) -> None:
    many(tmp_path, 40)
    import_id = await begin(context, tmp_path, new=True)
    one = await store.get(context.pool, import_id)
    assert one is not None
    await context.pool.execute(
        "UPDATE imports SET cursor = $1, files = 25 WHERE id = $2",
        b"2026-06-10_002400.jpg",
        import_id,
    )
    after = await done(context, import_id)
    assert (after.files, after.added, after.total_files) == (40, 15, 40)
    assert not await store.enqueue(context.pool, import_id), "it is done"


async def test_a_closed_folder_says_so(context: Context, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    put(tmp_path, "closed/a.jpg", picture(1))
    (tmp_path / "closed").chmod(0)
    folder = places.Folder.of(context.settings, tmp_path, "")
    with pytest.raises(Unavailable, match="closed cannot be read"):
        folder.page(None, 10)
