"""The ffmpeg seam, against the real ffmpeg."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from vigil import ffmpeg
from vigil.ffmpeg import FfmpegError, Progress, ProgressParser

TEST_PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10"]
ENDLESS = ["-re", *TEST_PICTURE, "-f", "mpegts", "pipe:1"]


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def groups() -> set[int]:
    return set(ffmpeg._running)


async def test_run_counts_frames_and_seconds(tmp_path: Path) -> None:
    seen: list[Progress] = []

    async def note(progress: Progress) -> None:
        seen.append(progress)

    out = tmp_path / "out.mp4"
    last = await ffmpeg.run([*TEST_PICTURE, "-t", "2", str(out)], on_progress=note)
    assert last.done
    assert last.frames == 20
    assert last.seconds == pytest.approx(2.0, abs=0.2)
    assert seen[-1] == last
    assert [p.frames for p in seen] == sorted(p.frames for p in seen)
    assert out.stat().st_size > 1000
    assert not groups()


async def test_relative_paths_begin_in_cwd(tmp_path: Path) -> None:
    await ffmpeg.run([*TEST_PICTURE, "-frames:v", "1", "one.png"], cwd=tmp_path)
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_progress_of_a_block() -> None:
    parser = ProgressParser()
    lines = ["frame=7", "fps=0.00", "out_time_us=1500000", "speed=2.5x", "progress=continue"]
    assert [parser.feed(line) for line in lines][-1] == Progress(7, 1.5, 2.5, False)
    assert parser.feed("out_time_us=N/A") is None
    assert parser.feed("speed=N/A") is None
    assert parser.feed("progress=end") == Progress(0, 0.0, None, True)


@given(st.lists(st.text(max_size=40), max_size=20))
def test_progress_parser_bears_nonsense(lines: list[str]) -> None:
    parser = ProgressParser()
    for line in lines:
        parser.feed(line)
    assert parser.feed("progress=end") is not None


async def test_error_holds_the_end_of_what_ffmpeg_said(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"this is no film" * 1000)
    with pytest.raises(FfmpegError) as caught:
        await ffmpeg.run(["-i", str(broken), "-f", "null", "-"])
    error = caught.value
    assert error.exit_status not in (0, None)
    assert "Invalid data" in error.stderr
    assert "Invalid data" in error.message
    assert len(error.stderr) <= ffmpeg.TAIL_BYTES
    assert not groups()


async def test_tail_is_the_last_4_kilobytes(tmp_path: Path) -> None:
    arguments = ["-loglevel", "debug", *TEST_PICTURE, "-t", "5", str(tmp_path / "no" / "out.mp4")]
    with pytest.raises(FfmpegError) as caught:
        await ffmpeg.run(arguments)
    assert 3000 < len(caught.value.stderr) <= ffmpeg.TAIL_BYTES
    assert "No such file" in caught.value.stderr


def test_errors_name_no_password() -> None:
    said = "[rtsp @ 0x1] rtsp://user:secret@cam:554/live?key=abc: Connection refused"
    assert "secret" not in ffmpeg.redact(said)
    assert "abc" not in ffmpeg.redact(said)
    assert "rtsp://cam:554/live" in ffmpeg.redact(said)
    assert "Connection refused" in ffmpeg.redact(said)


def test_allowlist_stands_before_every_input() -> None:
    assert ffmpeg.with_protocols(["-i", "a", "-f", "x", "-i", "b", "c"], ("file", "pipe")) == [
        *("-protocol_whitelist", "file,pipe", "-i", "a", "-f", "x"),
        *("-protocol_whitelist", "file,pipe", "-i", "b", "c"),
    ]


async def serve(body: bytes) -> tuple[asyncio.Server, str, list[int]]:
    calls: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(1)
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/film", calls


async def test_http_is_refused_unless_allowed() -> None:
    film = await ffmpeg.read([*TEST_PICTURE, "-t", "1", "-f", "mpegts", "pipe:1"])
    server, url, calls = await serve(film)
    async with server:
        with pytest.raises(FfmpegError, match=r"not on whitelist|Invalid argument"):
            await ffmpeg.run(["-i", url, "-f", "null", "-"])
        assert calls == []
        done = await ffmpeg.run(["-i", url, "-f", "null", "-"], protocols=("http", "tcp"))
        assert done.frames == 10
        assert calls


async def test_a_playlist_cannot_smuggle_another_protocol(tmp_path: Path) -> None:
    server, url, calls = await serve(b"")
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{url}.ts\n#EXT-X-ENDLIST\n")
    async with server:
        with pytest.raises(FfmpegError):
            await ffmpeg.run(["-f", "hls", "-i", str(playlist), "-f", "null", "-"])
    assert calls == []


async def test_settings_are_not_in_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIL_TWITCH_CLIENT_SECRET", "hush")
    monkeypatch.setattr(ffmpeg, "executable", lambda: script(tmp_path, "env >&2; exit 3"))
    with pytest.raises(FfmpegError) as caught:
        await ffmpeg.run([])
    assert "PATH=" in caught.value.stderr
    assert "hush" not in caught.value.stderr


def script(folder: Path, body: str) -> str:
    path = folder / "ffmpeg.sh"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


async def test_cancel_kills_the_whole_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "pids"
    body = f'sleep 1000 & echo "$$ $!" > {note}.new; mv {note}.new {note}; exec "{{}}" "$@"'
    path = script(tmp_path, body.format(ffmpeg.executable()))
    monkeypatch.setattr(ffmpeg, "executable", lambda: path)
    task = asyncio.create_task(ffmpeg.run(["-re", *TEST_PICTURE, "-f", "null", "-"]))
    await until(note.exists)
    pids = [int(pid) for pid in note.read_text().split()]
    assert all(alive(pid) for pid in pids)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not any(alive(pid) for pid in pids))
    assert not groups()


async def test_time_limit_kills() -> None:
    with pytest.raises(FfmpegError, match=r"not done after 0\.5 s"):
        await ffmpeg.run(["-re", *TEST_PICTURE, "-f", "null", "-"], timeout_s=0.5)
    assert not groups()


async def test_kill_all_ends_what_runs() -> None:
    task = asyncio.create_task(ffmpeg.run(["-re", *TEST_PICTURE, "-f", "null", "-"]))
    await until(lambda: bool(groups()))
    ffmpeg.kill_all()
    with pytest.raises(FfmpegError) as caught:
        await asyncio.wait_for(task, 5)
    assert caught.value.exit_status == -9
    assert not groups()


async def pictures(count: int, sent: list[int]) -> AsyncIterator[bytes]:
    picture = await ffmpeg.read(
        [*TEST_PICTURE, "-frames:v", "1", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1"]
    )
    for number in range(count):
        sent.append(number)
        yield picture


FROM_STDIN = ["-f", "image2pipe", "-c:v", "mjpeg", "-framerate", "10", "-i", "pipe:0"]


async def test_input_reaches_stdin(tmp_path: Path) -> None:
    sent: list[int] = []
    done = await ffmpeg.run([*FROM_STDIN, str(tmp_path / "out.mp4")], input=pictures(30, sent))
    assert done.frames == len(sent) == 30


async def test_input_waits_for_a_slow_reader() -> None:
    """Back-pressure: a reader that sleeps takes a pipe's worth, not all that there is."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(100_000)

    slow = ["-readrate", "0.001", "-f", "rawvideo", "-s", "64x48", "-i", "pipe:0"]
    task = asyncio.create_task(ffmpeg.run([*slow, "-f", "null", "-"], input=endless()))
    await asyncio.sleep(1.5)
    assert 0 < sent < 100
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_of_a_pipe_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither descriptors nor threads: cancelled while it writes, before it began, not started."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    piece = bytes(1 << 20)

    def held() -> tuple[int, int]:
        threads = sum(one.name.startswith("ffmpeg-stdin") for one in threading.enumerate())
        return len(list(Path("/proc/self/fd").iterdir())), threads

    before = held()
    path = script(tmp_path, "sleep 1000")
    monkeypatch.setattr(ffmpeg, "executable", lambda: path)
    for seconds in (0.5, 0.0):
        for source in (endless(), itertools.repeat(piece)):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ffmpeg.read([], input=source, timeout_s=None), seconds)
    monkeypatch.setattr(ffmpeg, "executable", lambda: str(tmp_path / "nothing"))
    with pytest.raises(FileNotFoundError):
        await ffmpeg.read([], input=endless())
    await until(lambda: held() == before)


async def test_pieces_made_in_the_same_memory_come_through_whole() -> None:
    """Each is in the pipe before the next one is made over it, and the loop goes on meanwhile."""
    memory = bytearray(64 * 48)
    threads: list[str] = []

    def made() -> Iterator[memoryview]:
        for number in range(50):
            memory[:] = bytes([number]) * len(memory)
            threads.append(threading.current_thread().name)
            yield memoryview(memory)

    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-video_size", "64x48"]
    found = await ffmpeg.read([*raw, "-i", "pipe:0", *raw[:4], "pipe:1"], input=made())
    assert found == b"".join(bytes([number]) * len(memory) for number in range(50))
    assert threading.current_thread().name not in threads


async def test_an_error_of_what_is_made_in_a_thread_comes_through(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(1000)
        raise LookupError("there is no such star")

    with pytest.raises(LookupError, match="no such star"):
        await ffmpeg.run([*FROM_STDIN, str(tmp_path / "out.mp4")], input=broken())
    assert not groups()


async def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    sent: list[int] = []
    done = await ffmpeg.run(
        [*FROM_STDIN, "-frames:v", "3", str(tmp_path / "out.mp4")], input=pictures(100_000, sent)
    )
    assert done.frames == 3
    assert len(sent) < 100_000


async def test_an_error_of_the_input_comes_through_and_kills(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for picture in pictures(3, []):
            yield picture
        raise LookupError("the store is gone")

    with pytest.raises(LookupError, match="the store is gone"):
        await ffmpeg.run([*FROM_STDIN, str(tmp_path / "out.mp4")], input=broken())
    assert not groups()


async def test_stream_gives_what_comes() -> None:
    chunks = [c async for c in ffmpeg.stream([*TEST_PICTURE, "-t", "1", "-f", "mpegts", "pipe:1"])]
    assert b"".join(chunks)[0] == 0x47
    assert not groups()


async def test_stream_ends_with_the_error() -> None:
    with pytest.raises(FfmpegError, match="No such file"):
        async for _ in ffmpeg.stream(["-i", "/nowhere/film.mp4", "-f", "mpegts", "pipe:1"]):
            pass


async def test_stream_left_early_kills() -> None:
    chunks = ffmpeg.stream(ENDLESS)
    await anext(chunks)
    assert len(groups()) == 1
    await chunks.aclose()
    assert not groups()


async def test_stream_that_falls_silent_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = script(tmp_path, "echo something; sleep 1000")
    monkeypatch.setattr(ffmpeg, "executable", lambda: path)
    with pytest.raises(FfmpegError, match=r"sent nothing for 0\.3 s"):
        async for _ in ffmpeg.stream([], idle_timeout_s=0.3):
            pass
    assert not groups()


async def test_read_refuses_more_than_its_limit() -> None:
    with pytest.raises(FfmpegError, match="more than 1000 bytes"):
        await ffmpeg.read([*TEST_PICTURE, "-t", "5", "-f", "mpegts", "pipe:1"], max_bytes=1000)
    assert not groups()


def test_version_is_known() -> None:
    assert ffmpeg.version()
    assert " " not in ffmpeg.version()


def test_it_runs_in_the_loop_of_the_website() -> None:
    made = [*("-f", "lavfi", "-i", "color=red:size=16x16", "-frames:v", "1"), "-f", "mjpeg"]

    async def one() -> bytes:
        async def nothing() -> AsyncIterator[bytes]:
            yield b""

        return await ffmpeg.read([*made, "pipe:1"], input=nothing())

    assert uvloop.run(one()).startswith(b"\xff\xd8")
