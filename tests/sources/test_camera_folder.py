"""camera_folder: files that are dropped become frames, each once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.cameras.helpers import add_camera, at, count, health, until
from tests.servers.ftp import Ftp
from tests.servers.pictures import jpeg
from vigil.cameras import intake, scan, store
from vigil.cameras.frames import store as stored
from vigil.cameras.model import Camera, Frame, Refusal
from vigil.cameras.trying import asking
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import Invalid, SourceError
from vigil.sources import camera_folder, folders

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_folder, "SETTLE_S", 0.15)
    monkeypatch.setattr(camera_folder, "LOOK_S", 0.05)


@pytest.fixture
def root(context: Context) -> Path:
    path = context.settings.data_dir / "drop" / "garden"
    path.mkdir(parents=True)
    return path


async def garden(context: Context, root: Path, **wanted: Any) -> Camera:
    return await add_camera(context, url=f"folder:{root}", **wanted)


def drop(path: Path, data: bytes, age_s: float = 60) -> datetime:
    """Write a file as if it were so old; returns its time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    moment = int(time.time() - age_s)
    os.utime(path, (moment, moment))
    return datetime.fromtimestamp(moment, UTC)


async def take(
    context: Context, camera: Camera, number: int, *, tell: bool = True
) -> list[Frame | Refusal]:
    """What became of the next pictures; the adapter is told unless somebody was killed."""
    found: list[Frame | Refusal] = []
    async with asyncio.timeout(30), aclosing(camera_folder.frames(context, camera)) as frames:
        async for raw in frames:
            assert raw is not None
            assert raw.done is not None
            found.append(await intake.accept(context, camera, raw))
            if tell:
                await raw.done(found[-1])
            if len(found) == number:
                break
    return found


async def nothing(context: Context, camera: Camera) -> str:
    """Nothing comes for a second; returns what is said then."""
    quick = replace(camera, interval_s=-2.0)  # silent after a second
    with pytest.raises(SourceError) as caught:
        await take(context, quick, 1)
    return str(caught.value)


def left(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_files_are_taken_oldest_first_and_removed(context: Context, root: Path) -> None:
    camera = await garden(context, root)
    times = [
        drop(root / "z.jpg", jpeg(1), 300),
        drop(root / "2026" / "05" / "a.jpg", jpeg(2), 200),
        drop(root / "b.JPEG", jpeg(3), 100),
    ]
    found = await take(context, camera, 3)
    assert [one.taken_at for one in found if isinstance(one, Frame)] == times
    assert left(root) == []
    assert "nothing new came" in await nothing(context, camera)


async def test_when_it_was_taken(context: Context, root: Path) -> None:
    camera = await garden(context, root, time_zone="Europe/Berlin")
    now = datetime.now(UTC).replace(microsecond=0)
    name = f"snap_{now - timedelta(hours=2):%Y%m%d_%H%M%S}Z.jpg"
    drop(root / name, jpeg(1), 50)
    (frame,) = await take(context, camera, 1)
    assert isinstance(frame, Frame)
    assert frame.taken_at == now - timedelta(hours=2)
    options = {"time": "arrival"}
    other = await add_camera(context, "other", url=f"folder:{root}", options=options)
    changed = drop(root / name, jpeg(1), 50)
    (frame,) = await take(context, other, 1)
    assert isinstance(frame, Frame)
    assert frame.taken_at == changed


async def test_what_is_no_picture_is_put_aside_and_counted(
    context: Context, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "REFUSED_FILES", 2)
    camera = await garden(context, root)
    for n in range(4):
        drop(root / "day" / f"notes-{n}.txt", b"no picture %d" % n, 60 - n)
    drop(root / "good.jpg", jpeg(1), 10)
    found = await take(context, camera, 5)
    assert [isinstance(one, Frame) for one in found] == [False] * 4 + [True]
    assert [path.rpartition("-")[2] for path in left(root)] == ["2.txt", "3.txt"]
    assert all(path.startswith("refused/") for path in left(root))
    assert (await health(context, camera)).refused == 4
    await nothing(context, camera)


async def test_a_file_that_grows_is_left_alone(context: Context, root: Path) -> None:
    camera = await garden(context, root)
    data = jpeg(1, (1600, 1200))

    async def write() -> None:
        with (root / "slow.jpg").open("wb", buffering=0) as file:
            for begin in range(0, len(data), len(data) // 12):
                file.write(data[begin : begin + len(data) // 12])
                await asyncio.sleep(0.1)

    writing = asyncio.create_task(write())
    (frame,) = await take(context, camera, 1)
    assert writing.done()
    assert isinstance(frame, Frame)
    assert frame.bytes == len(data)


async def test_a_stalled_upload_gets_longer(
    context: Context, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = await garden(context, root)
    data = jpeg(1)
    (root / "stalled.jpg").write_bytes(data[: len(data) // 2])
    (root / "empty.jpg").write_bytes(b"")
    assert "nothing new" in await nothing(context, camera)
    assert left(root) == ["empty.jpg", "stalled.jpg"]
    with (root / "stalled.jpg").open("ab") as file:
        file.write(data[len(data) // 2 :])
    (frame,) = await take(context, camera, 1)
    assert isinstance(frame, Frame)
    monkeypatch.setattr(camera_folder, "STALLED_S", 0.3)
    (refusal,) = await take(context, camera, 1)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "empty"


async def test_names_of_unfinished_files_wait_for_their_last_one(
    context: Context, root: Path
) -> None:
    camera = await garden(context, root)
    for name in (".hidden.jpg", "a.jpg.tmp", "b.jpg.filepart", "c.JPG.PART"):
        (root / name).write_bytes(jpeg(1))
    assert "nothing new" in await nothing(context, camera)
    (root / "a.jpg.tmp").rename(root / "a.jpg")
    assert len(await take(context, camera, 1)) == 1
    assert "a.jpg" not in left(root)


async def test_the_next_picture_under_the_same_name_is_never_lost(
    context: Context, root: Path
) -> None:
    camera = await garden(context, root)
    drop(root / "now.jpg", jpeg(1), 30)
    async with aclosing(camera_folder.frames(context, camera)) as frames:
        raw = await asyncio.wait_for(anext(frames), 20)
        assert raw is not None
        assert raw.done is not None
        second = drop(root / "now.jpg", jpeg(2), 20)  # while intake has the first in hand
        await raw.done(await intake.accept(context, camera, raw))
        raw = await asyncio.wait_for(anext(frames), 20)
    assert raw is not None
    assert (raw.data, raw.taken_at) == (jpeg(2), second)


async def test_killed_between_intake_and_removal(context: Context, root: Path) -> None:
    camera = await garden(context, root)
    drop(root / "a.jpg", jpeg(1))
    (first,) = await take(context, camera, 1, tell=False)
    assert left(root) == ["a.jpg"]
    (again,) = await take(context, camera, 1)
    assert first == again
    assert await count(context) == 1
    assert left(root) == []


async def test_kept_files_are_remembered(context: Context, root: Path) -> None:
    camera = await garden(context, root, options={"after": "keep"})
    for n in range(3):
        drop(root / f"{n}.jpg", jpeg(n), 100 - n)
    drop(root / "notes.txt", b"no picture", 10)
    found = await take(context, camera, 4)
    assert isinstance(found[3], Refusal)
    assert left(root) == ["0.jpg", "1.jpg", "2.jpg", "notes.txt"]
    assert "nothing new" in await nothing(context, camera)  # as after a restart
    drop(root / "3.jpg", jpeg(3), 5000)  # older than all others
    drop(root / "1.jpg", jpeg(4), 5)  # another picture
    assert len(await take(context, camera, 2)) == 2
    assert len(await store.files(context.pool, camera.id)) == 5  # the old 1 is forgotten
    (root / "0.jpg").unlink()
    await nothing(context, camera)
    assert len(await store.files(context.pool, camera.id)) == 4
    files = root.with_name("elsewhere")
    root.rename(files)
    root.mkdir()  # the disk is not mounted
    await nothing(context, camera)
    assert len(await store.files(context.pool, camera.id)) == 4


async def test_killed_before_a_kept_file_is_remembered(context: Context, root: Path) -> None:
    camera = await garden(context, root, options={"after": "keep"})
    drop(root / "a.jpg", jpeg(1))
    await take(context, camera, 1, tell=False)
    (frame,) = await take(context, camera, 1)
    assert isinstance(frame, Frame)
    assert await count(context) == 1


async def test_one_for_each_interval_where_that_is_wished(context: Context, root: Path) -> None:
    begin = int(time.time()) // 10 * 10 - 600
    camera = await garden(context, root, options={"thin": True}, interval_s=10)
    for n in range(12):
        drop(root / f"{n}.jpg", jpeg(n))
        os.utime(root / f"{n}.jpg", (begin + 4 * n, begin + 4 * n))
    found = await take(context, camera, 5)
    seconds = [int(one.taken_at.timestamp()) - begin for one in found if isinstance(one, Frame)]
    assert seconds == [0, 12, 20, 32, 40]
    drop(root / "after.jpg", jpeg(20))
    os.utime(root / "after.jpg", (begin + 48, begin + 48))  # a restart knows the last one's slot
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(take(context, camera, 1), 1)
    assert left(root) == []


async def test_without_room_the_files_stay(
    context: Context, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = await garden(context, root)
    drop(root / "a.jpg", jpeg(1))

    async def full(*_: object) -> Refusal:
        return Refusal(reason="disk_full", message="no room")

    with monkeypatch.context() as patched:
        patched.setattr(intake, "accept", full)
        with pytest.raises(SourceError, match="no room") as caught:
            await take(context, camera, 1)
    assert caught.value.retry_after
    assert left(root) == ["a.jpg"]
    assert isinstance((await take(context, camera, 1))[0], Frame)


async def test_links_lead_nowhere(context: Context, root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "x.jpg").write_bytes(jpeg(1))
    camera = await garden(context, root)
    (root / "file.jpg").symlink_to(secret / "x.jpg")
    (root / "folder").symlink_to(secret)
    os.mkfifo(root / "pipe.jpg")
    assert "nothing new" in await nothing(context, camera)
    (root / "sub").mkdir()
    drop(root / "sub" / "x.jpg", jpeg(2))
    folder = folders.Folder(root)
    (entry,) = folder.look(lambda _: True, 10, 0).entries
    shutil.rmtree(root / "sub")
    (root / "sub").symlink_to(secret)  # between the look and the rest
    assert folder.read(entry, 10_000_000) is None
    folder.remove(entry)
    assert (secret / "x.jpg").exists()
    (root / "refused").symlink_to(secret)
    drop(root / "y.jpg", jpeg(3))
    (entry,) = folder.look(lambda _: True, 10, 0).entries
    with pytest.raises(SourceError):
        folder.refuse(entry)
    assert os.listdir(secret) == ["x.jpg"]


async def test_only_folders_that_were_named(context: Context, root: Path, tmp_path: Path) -> None:
    def refused(path: Path, **changes: Any) -> str:
        with pytest.raises(SourceError) as caught:
            folders.allowed(replace(context.settings, **changes), str(path))
        return str(caught.value)

    ftp = tmp_path / "ftp"
    ftp.mkdir()
    (ftp / "in").symlink_to(tmp_path)
    assert "not one that cameras may use" in refused(ftp)
    assert "not one that cameras may use" in refused(Path("/etc"))
    assert "no such folder" in refused(tmp_path / "none")
    assert folders.allowed(replace(context.settings, folders=(ftp,)), str(ftp)) == ftp.resolve()
    assert refused(ftp / "in", folders=(ftp,))  # leads out of it
    for own in (context.settings.data_dir, tmp_path, context.settings.data_dir / "blobs"):
        own.mkdir(exist_ok=True)
        assert "own data" in refused(own, folders=(Path("/"),))
    assert folders.allowed(context.settings, str(root)) == root.resolve()


async def test_its_address(context: Context) -> None:
    camera = await add_camera(context, url="folder:/srv/ftp/front door")
    assert (camera.kind, camera.url) == ("folder", "folder:/srv/ftp/front door")
    for url in ("folder:/srv/../etc", "folder:srv", "folder:"):
        with pytest.raises(Invalid):
            await add_camera(context, "other", url=url)
    with pytest.raises(SourceError, match="no such folder") as caught:
        await take(context, camera, 1)
    assert "/srv" not in str(caught.value)


async def test_silence_is_no_trouble_while_the_plan_asks_for_nothing(
    context: Context, root: Path
) -> None:
    camera = await garden(context, root, plan={"hours": [["06:00", "20:00"]]}, interval_s=1)
    night = at(context, clock=FakeClock(datetime(2026, 5, 1, 22, tzinfo=UTC)))
    frames = camera_folder.frames(night, camera)
    asking = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0.5)
    assert not asking.done()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_empty_folders_go_after_a_while(context: Context, root: Path) -> None:
    camera = await garden(context, root)
    old, young = root / "2026" / "04", root / "2026" / "05"
    old.mkdir(parents=True)
    young.mkdir()
    days_ago = time.time() - 3 * 86_400
    os.utime(old, (days_ago, days_ago))
    drop(root / "a.jpg", jpeg(1))
    await take(context, camera, 1)
    assert not old.exists()
    assert young.exists()


@needs_curl
async def test_a_real_ftp_server(context: Context, root: Path) -> None:
    """Slow uploads, several at once, into folders, one that breaks off and comes again."""
    camera = await garden(context, root)
    large = jpeg(9, (2400, 1800), quality=98)
    async with Ftp(root) as server:
        taking = asyncio.create_task(take(context, camera, 6))
        done = await asyncio.gather(
            *(server.upload(jpeg(n), f"2026/05/{n}.jpg") for n in range(4)),
            server.upload(large, "large.jpg", "--limit-rate", str(len(large) // 2)),
            server.upload(jpeg(5), "part.tmp", "-Q", "-RNFR part.tmp", "-Q", "-RNTO whole.jpg"),
        )
        assert done == [0] * 6
        found = await taking
    assert all(isinstance(one, Frame) for one in found)
    assert await count(context) == 6
    assert max(one.bytes for one in found if isinstance(one, Frame)) == len(large)
    await until(lambda: asyncio.to_thread(lambda: left(root) == []), "the folder is empty")


async def test_the_interval_thins_nothing_out(context: Context, root: Path) -> None:
    """Under the scanner, a camera of one frame an hour takes all that are there."""
    camera = await garden(context, root, interval_s=3600)
    for n in range(5):
        drop(root / f"{n}.jpg", jpeg(n), 60 - n)
    watching = asyncio.create_task(scan.watch(context, camera))
    await until(lambda: asyncio.to_thread(lambda: left(root) == []), "the folder is empty")
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert await count(context) == 5


async def test_who_only_tries_changes_nothing(context: Context, root: Path) -> None:
    camera = await garden(context, root)
    drop(root / "a.jpg", jpeg(1))
    found = await asking.ask(context, replace(camera, id=0), ZoneInfo("UTC"))
    assert (found.width, found.height) == (320, 240)
    assert left(root) == ["a.jpg"]
    assert await count(context) == 0


async def test_thousands_at_once(context: Context, root: Path) -> None:
    """Looked through once or twice, not once for each."""
    camera = await garden(context, root, interval_s=1)
    data = jpeg(1, (64, 48))
    for n in range(300):
        drop(root / f"{n % 7}" / f"{n}.jpg", data, 4000 - n)
    found = await take(context, camera, 300)
    times = [one.taken_at for one in found if isinstance(one, Frame)]
    assert times == sorted(times)
    assert len(await stored.page(context.pool, camera.id, limit=1000)) == 300
