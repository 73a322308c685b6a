"""A disk that fills up: what is worth least is given up first, and what is in stays whole."""

from __future__ import annotations

import asyncio
import io
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.cameras.helpers import add_camera, at, count, health
from tests.conftest import Site
from tests.servers.pictures import jpeg
from vigil import reserve, storage
from vigil.cameras import intake, retention
from vigil.cameras.check import check
from vigil.cameras.model import Camera, Frame, RawFrame, Refusal
from vigil.context import Context
from vigil.notifications import store as notifications
from vigil.reserve import Reserve, Space
from vigil.site.health import Health
from vigil.storage import Storage

MB = 1_000_000


class Filling(Storage):
    """A store on a disk of 100 MB of which as much is free as a test says."""

    free = 90 * MB

    async def space(self) -> Space:
        return Space(100 * MB, self.free)


@pytest.fixture
def filling(context: Context) -> Iterator[Context]:
    """A context whose disk has 10 MB in reserve."""
    settings = replace(context.settings, disk_reserve=Reserve(10 * MB, 0))
    yield at(context, settings=settings, storage=Filling.open(context.settings.blobs_url))
    Filling.free = 90 * MB


async def cameras(context: Context) -> dict[str, Camera]:
    wanted: dict[str, dict[str, object]] = {
        "card": {"url": "testcard", "interval_s": 600},
        "second": {"interval_s": 1},
        "minute": {"interval_s": 60},
        "hour": {"interval_s": 3600},
    }
    return {name: await add_camera(context, name, **how) for name, how in wanted.items()}


async def accepted(context: Context, all_of_them: dict[str, Camera], number: int) -> set[str]:
    """Names of the cameras that a frame was taken from."""
    names = set()
    for name, camera in all_of_them.items():
        raw = RawFrame(data=jpeg(number), taken_at=context.clock.now())
        outcome = await intake.accept(context, camera, raw)
        if isinstance(outcome, Frame):
            names.add(name)
        else:
            assert outcome.reason == "disk_full"
    return names


async def test_what_is_worth_least_goes_first_and_comes_back(filling: Context) -> None:
    them = await cameras(filling)
    everybody = set(them)
    for turn, (free, expected) in enumerate(
        [
            (90, everybody),
            (15, everybody),
            (14.9, everybody - {"card"}),
            (13, everybody - {"card", "second"}),
            (11, {"hour"}),
            (9.9, set()),
            (11, {"hour"}),
            (16, everybody),
        ]
    ):
        Filling.free = round(free * MB)
        assert await accepted(filling, them, turn) == expected, free
    with_thumbnails = await filling.pool.fetchval(
        "SELECT count(*) FROM frames WHERE thumbnails IS NOT NULL"
    )
    assert with_thumbnails == 3 * len(everybody)
    assert (await health(filling, them["second"])).refusals == {"disk_full": 4}
    assert await check(filling, mend=False) == []


async def test_what_is_in_already_is_found_however_full_it_is(filling: Context) -> None:
    camera = await add_camera(filling)
    raw = RawFrame(data=jpeg(1), taken_at=filling.clock.now())
    first = await intake.accept(filling, camera, raw)
    Filling.free = 0
    assert await intake.accept(filling, camera, raw) == first


async def test_the_site_says_so(filling: Context) -> None:
    report = await Health(filling).report()
    assert report.disk is not None
    assert (report.disk.shedding, report.disk.reserve_bytes) == (0, 10 * MB)
    assert not any("disk" in problem for problem in report.problems)
    Filling.free = 9 * MB
    report = await Health(filling).report()
    assert report.status == "degraded"
    (problem,) = [one for one in report.problems if "disk" in one]
    assert reserve.GIVEN_UP[reserve.MOST] in problem


async def test_an_event_when_it_begins_gets_worse_and_is_over(filling: Context) -> None:
    told = []
    for free in (90, 14, 14, 9, 11, 14, 90, 90, 9):
        Filling.free = free * MB
        await retention.expire(filling)
        events = await notifications.page(filling.pool, subject="disk")
        told.append([(event.kind, event.details["level"]) for event in reversed(events)])
    assert told[0] == []
    assert told[2] == [("disk.full", 1)]
    assert told[5] == [("disk.full", 1), ("disk.full", 4)]
    assert told[8] == [*told[5], ("disk.full.over", 0), ("disk.full", 4)]


async def test_pages_and_metrics_say_so(site: Site) -> None:
    async with site.client.get("/health", headers={"accept": "text/html"}) as answer:
        assert "are kept in reserve" in await answer.text()
    async with site.client.get("/metrics") as answer:
        text = await answer.text()
    assert "vigil_disk_free_bytes " in text
    assert "vigil_disk_shedding " in text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 48 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m,mode=0777", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=10)


def heavy(number: int) -> bytes:
    """A JPEG of about half a megabyte."""
    noise = random.Random(number).randbytes(800 * 600)
    written = io.BytesIO()
    Image.frombytes("L", (800, 600), noise).save(written, "JPEG", quality=95)
    return written.getvalue()


def fill(folder: Path, leave: int) -> Path:
    """Have somebody else take all but so many bytes."""
    file = folder / "somebody-elses"
    found = os.statvfs(folder)
    with file.open("wb") as opened, suppress(OSError):
        os.posix_fallocate(opened.fileno(), 0, max(1, found.f_bavail * found.f_frsize - leave))
    return file


async def bring(context: Context, camera: Camera, number: int) -> Frame | Refusal:
    raw = RawFrame(data=heavy(number), taken_at=context.clock.now())
    return await intake.accept(context, camera, raw)


@pytest.mark.parametrize("kept_free", [8 * MB, 0], ids=["with a reserve", "to the last byte"])
async def test_a_real_disk_that_fills_up(
    context: Context, small_disk: Path, monkeypatch: pytest.MonkeyPatch, kept_free: int
) -> None:
    monkeypatch.setattr(storage, "SPACE_S", 0.0)
    context = at(
        context,
        settings=replace(context.settings, disk_reserve=Reserve(kept_free, 0)),
        storage=Storage.open(small_disk.as_uri()),
    )
    camera = await add_camera(context, interval_s=3600)
    outcomes: list[Frame | Refusal] = []
    for n in range(0, 160, 4):
        outcomes += await asyncio.gather(*(bring(context, camera, n + k) for k in range(4)))
        if sum(isinstance(one, Refusal) for one in outcomes) >= 8:
            break
    refused = [one for one in outcomes if isinstance(one, Refusal)]
    taken = [one for one in outcomes if isinstance(one, Frame)]
    assert {one.reason for one in refused} == {"disk_full"}
    assert len(refused) >= 8
    assert len(taken) >= 20
    found = os.statvfs(small_disk)
    free = found.f_bavail * found.f_frsize
    assert kept_free - 4 * MB < free < kept_free + 2 * MB

    somebody_else = fill(small_disk, 0)
    assert isinstance(await bring(context, camera, 900), Refusal)
    for frame in taken:  # not one of them is damaged
        assert len(await context.storage.get(frame.blob)) == frame.bytes
    somebody_else.unlink()
    before = await count(context)
    await context.pool.execute("UPDATE cameras SET retention_frames = 10")
    monkeypatch.setattr(retention, "FRESH", retention.FRESH * 0)
    await retention.expire(context)
    assert await count(context) == 10 < before
    assert isinstance(await bring(context, camera, 901), Frame)  # it has recovered by itself
    assert (await health(context, camera)).error is None
