"""storage: whole or absent, keys that cannot escape, errors a person can act on."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.errors import Invalid, NotFound, Unavailable
from vigil.settings import ROOT
from vigil.storage import Storage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "new" / "blobs"


@pytest.fixture
def storage(folder: Path) -> Storage:
    return Storage.open(folder.as_uri())


async def test_a_blob_comes_back_as_it_was_given(storage: Storage, folder: Path) -> None:
    await storage.put("frames/1/a.jpg", b"\x00first")
    assert await storage.get("frames/1/a.jpg") == b"\x00first"
    assert (folder / "frames/1/a.jpg").read_bytes() == b"\x00first"
    await storage.put("frames/1/a.jpg", b"second")
    assert await storage.get("frames/1/a.jpg") == b"second"


async def test_an_empty_blob_is_a_blob(storage: Storage) -> None:
    await storage.put("empty", b"")
    assert await storage.get("empty") == b""
    info = await storage.head("empty")
    assert info is not None
    assert info.size == 0


async def test_several_at_a_time(storage: Storage) -> None:
    await storage.put("a/1", b"first")
    await storage.put("b", b"")
    for _ in ("from a disk", "from an object store"):
        assert await storage.get_each(["b", "a/1", "a/2", "a/1"]) == [b"", b"first", None, b"first"]
        assert await storage.get_each([]) == []
        with pytest.raises(Invalid):
            await storage.get_each(["b", "../b"])
        storage._root = None


async def test_ranges(storage: Storage) -> None:
    await storage.put("a", b"0123456789")
    assert await storage.get_range("a", 2, 5) == b"234"
    assert await storage.get_range("a", 8, 100) == b"89"
    assert await storage.get_range("a", 3, 3) == b""
    for start, end in ((5, 2), (-1, 2)):
        with pytest.raises(Invalid):
            await storage.get_range("a", start, end)
    with pytest.raises(NotFound):
        await storage.get_range("b", 0, 1)


async def test_head_and_its_etag(storage: Storage) -> None:
    assert await storage.head("a/b") is None
    await storage.put("a/b", b"one")
    first = await storage.head("a/b")
    assert first is not None
    assert (first.key, first.size) == ("a/b", 3)
    assert '"' not in first.etag
    assert abs(first.modified.timestamp() - time.time()) < 60
    await storage.put("a/b", b"two")
    second = await storage.head("a/b")
    assert second is not None
    assert second.etag != first.etag
    assert await storage.head("a") is None  # a folder is not a blob


async def test_delete_twice_and_empty_folders_go(storage: Storage, folder: Path) -> None:
    await storage.put("a/b/c", b"x")
    await storage.delete("a/b/c")
    await storage.delete("a/b/c")
    assert list(folder.iterdir()) == []
    with pytest.raises(NotFound):
        await storage.get("a/b/c")


async def test_list_goes_by_folders(storage: Storage) -> None:
    for key in ("frames/1/a", "frames/1/b/c", "frames/10/a", "films/a"):
        await storage.put(key, key.encode())
    assert {info.key async for info in storage.list("frames/1")} == {"frames/1/a", "frames/1/b/c"}
    assert {info.key async for info in storage.list("frames/1/")} == {"frames/1/a", "frames/1/b/c"}
    assert {info.size async for info in storage.list("films")} == {7}
    assert len([info async for info in storage.list()]) == 4
    assert [info async for info in storage.list("nothing/here")] == []


@pytest.mark.parametrize("same_disk", [True, False])
async def test_a_file_becomes_a_blob(
    storage: Storage,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    same_disk: bool,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    if not same_disk:
        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "film.mp4"
    path.write_bytes(os.urandom(1_000_000) * 12)  # more than one part
    assert await storage.put_file("films/1.mp4", path) == 12_000_000
    assert await storage.put_file("films/1.mp4", path) == 12_000_000  # once more
    assert await storage.get("films/1.mp4") == path.read_bytes()
    assert [info.key async for info in storage.list()] == ["films/1.mp4"]
    assert path.samefile(folder / "films/1.mp4") == same_disk
    with pytest.raises(NotFound):
        await storage.put_file("films/2.mp4", tmp_path / "missing")
    assert await storage.head("films/2.mp4") is None


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/.", "..", ".", "a/", "a b", "a\\b", "ä",
     "a\x00b", "a\n", "%2e%2e/x", "~/x", "a#1", "x" * 513],
)  # fmt: skip
async def test_keys_that_are_refused(storage: Storage, key: str) -> None:
    for attempt in (
        storage.put(key, b""),
        storage.get(key),
        storage.head(key),
        storage.delete(key),
    ):
        with pytest.raises(Invalid):
            await attempt


async def test_a_prefix_cannot_escape(storage: Storage) -> None:
    with pytest.raises(Invalid):
        _ = [info async for info in storage.list("../..")]


@given(key=st.text(alphabet=st.sampled_from("a./-_#\\ \x00é"), max_size=12))
def test_a_key_that_is_accepted_stays_inside(key: str) -> None:
    from vigil.storage import _checked

    try:
        _checked(key)
    except Invalid:
        return
    inside = Path("/root/of/all")
    assert inside in Path(os.path.normpath(inside / key)).parents
    assert str(inside / key) == os.path.normpath(inside / key)


async def test_what_a_killed_write_leaves_is_neither_listed_nor_in_the_way(
    storage: Storage, folder: Path
) -> None:
    """Kills a process that writes blobs as fast as it can, many times over."""
    script = (
        "import asyncio, os, sys, itertools\n"
        "from vigil.storage import Storage\n"
        "async def main():\n"
        "    storage = Storage.open(sys.argv[1])\n"
        "    for n in itertools.count():\n"
        "        await storage.put(f'k/{n % 3}', bytes([n % 251]) * 3_000_000)\n"
        "        print(n, flush=True)\n"
        "asyncio.run(main())\n"
    )
    for attempt in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", script, folder.as_uri()], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert child.stdout is not None
        for _ in range(attempt + 2):
            child.stdout.readline()
        await asyncio.sleep(0.003 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    found = [info async for info in storage.list()]
    assert {info.key for info in found} == {"k/0", "k/1", "k/2"}
    for info in found:
        data = await storage.get(info.key)
        assert len(data) == 3_000_000
        assert len(set(data)) == 1  # of one write, not of two
    (folder / "k/9#1").write_bytes(b"half")
    assert {info.key async for info in storage.list("k")} == {"k/0", "k/1", "k/2"}
    await storage.put("k/9", b"whole")
    assert await storage.get("k/9") == b"whole"


async def test_sweep_removes_only_old_leftovers(storage: Storage, folder: Path) -> None:
    await storage.put("a/b", b"x")
    for name, age in (("a/c#1", 7200), ("a/d#2", 10), ("a/b", 7200)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age,) * 2)
    assert await storage.sweep() == 1
    assert {path.name for path in (folder / "a").iterdir()} == {"b", "d#2"}


async def test_readers_see_a_whole_blob_while_it_is_replaced(storage: Storage) -> None:
    await storage.put("a", b"0" * 500_000)

    async def write() -> None:
        for n in range(40):
            await storage.put("a", str(n % 10).encode() * 500_000)

    writing = asyncio.create_task(write())
    while not writing.done():
        data = await storage.get("a")
        assert len(data) == 500_000
        assert data.count(data[:1]) == 500_000
    await writing


async def test_check_leaves_nothing(storage: Storage, folder: Path) -> None:
    await storage.check()
    assert list(folder.iterdir()) == []


async def test_a_full_disk_says_so(storage: Storage, folder: Path) -> None:
    if os.geteuid() != 0 or not os.path.exists("/dev/full"):
        pytest.skip("needs a small file system: only root can mount one")
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small file system")
    try:
        with pytest.raises(Unavailable, match="full"):
            await storage.put("big", b"x" * 1_000_000)
        assert await storage.head("big") is None
        await storage.put("small", b"x")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_place_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="cannot be opened"):
        Storage.open((tmp_path / "file" / "blobs").as_uri())


async def test_a_store_that_does_not_answer_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{unused_tcp_port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "very-secret",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    storage = Storage.open("s3://bucket/prefix")
    with pytest.raises(Unavailable) as caught:
        await storage.check()
    assert "very-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
