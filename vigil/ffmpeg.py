"""The one way to ffmpeg: argument lists only, protocols allowed by name, killed with its group.

Every process runs in a session of its own, so that cancelling takes whatever it started with
it. What ffmpeg says goes, shortened and without credentials, into the error that is raised.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import imageio_ffmpeg

from vigil import log, pipe
from vigil.errors import VigilError

LOCAL = ("file", "pipe")
"""The protocols of work that needs nothing from outside; the default."""
TAIL_BYTES = 4096
"""How much of the end of ffmpeg's complaints is kept."""
CHUNK = 64 * 1024

_T = TypeVar("_T")
OnProgress = Callable[["Progress"], Awaitable[None]]
Source = AsyncIterable[pipe.Data] | Iterable[pipe.Data]
"""What is fed to stdin. An ``Iterable`` is gone through by a thread of its own, in which it may
work; its pieces may lie in the same memory."""

_running: set[int] = set()  # process groups of ours


@dataclass(frozen=True, slots=True)
class Progress:
    """How far ffmpeg is."""

    frames: int
    """Pictures written."""
    seconds: float
    """Seconds of output written."""
    speed: float | None
    """Seconds of output a second; ``None`` while unknown."""
    done: bool


class FfmpegError(VigilError):
    """ffmpeg ended with an error, took too long or fell silent."""

    code = "ffmpeg_failed"

    def __init__(self, message: str, *, stderr: str = "", exit_status: int | None = None) -> None:
        last = stderr.strip().rpartition("\n")[2]
        super().__init__(f"{message}: {last}" if last else message)
        self.stderr = stderr
        """The end of what it said, at most ``TAIL_BYTES``; URLs without credentials."""
        self.exit_status = exit_status
        """Negative: the signal that ended it; ``None``: we did."""


@functools.cache
def executable() -> str:
    """Path of the ffmpeg that imageio-ffmpeg brings (or that IMAGEIO_FFMPEG_EXE names)."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


@functools.cache
def version() -> str:
    """What ``ffmpeg -version`` calls itself: part of what names a rendered segment."""
    shown = subprocess.run(
        [executable(), "-version"], capture_output=True, text=True, check=True, timeout=30
    )
    match = re.match(r"ffmpeg version (\S+)", shown.stdout)
    return match[1] if match else shown.stdout[:100]


async def run(
    arguments: Sequence[str],
    *,
    protocols: Sequence[str] = LOCAL,
    input: Source | None = None,
    on_progress: OnProgress | None = None,
    timeout_s: float | None = None,
    cwd: Path | None = None,
) -> Progress:
    """Run ffmpeg to its end; the output is a file, since stdout carries the progress.

    Args:
        arguments: everything after ``ffmpeg``; never a shell's line.
        protocols: what its inputs may be read through; ffmpeg refuses everything else.
        input: fed to stdin (``-i pipe:0``) as fast as ffmpeg takes it.
        on_progress: told about four times a second and at the end.
        timeout_s: after this it is killed.
        cwd: where relative paths begin.

    Returns the last progress. Raises FfmpegError when it fails, and whatever ``input`` or
    ``on_progress`` raises. Cancelling kills the process group at once.
    """
    seen = Progress(0, 0.0, None, False)
    parser = ProgressParser()
    reporting = ["-progress", "pipe:1", "-nostats", "-stats_period", "0.25", *arguments]
    async with (
        _time_limit(timeout_s),
        _started(reporting, protocols, feed=input is not None, cwd=cwd) as ffmpeg,
    ):
        ffmpeg.feed(input)
        while line := await ffmpeg.next(ffmpeg.stdout.readline()):
            progress = parser.feed(line.decode("ascii", "replace"))
            if progress is not None:
                seen = progress
                if on_progress is not None:
                    await on_progress(progress)
        await ffmpeg.finish()
    return seen


async def stream(
    arguments: Sequence[str],
    *,
    protocols: Sequence[str] = LOCAL,
    input: Source | None = None,
    idle_timeout_s: float = 30,
) -> AsyncGenerator[bytes, None]:
    """Chunks of what ffmpeg writes to ``pipe:1``, as they come.

    Ends when ffmpeg ends well; raises FfmpegError when it fails or sends nothing for
    ``idle_timeout_s``. Leaving the loop early (``aclose``) or cancelling kills the group.
    """
    async with _started(arguments, protocols, feed=input is not None, cwd=None) as ffmpeg:
        ffmpeg.feed(input)
        while True:
            try:
                chunk = await asyncio.wait_for(
                    ffmpeg.next(ffmpeg.stdout.read(CHUNK)), idle_timeout_s
                )
            except TimeoutError:
                raise FfmpegError(
                    f"ffmpeg sent nothing for {idle_timeout_s:g} s", stderr=ffmpeg.said
                ) from None
            if not chunk:
                break
            yield chunk
        await ffmpeg.finish()


async def read(
    arguments: Sequence[str],
    *,
    protocols: Sequence[str] = LOCAL,
    input: Source | None = None,
    timeout_s: float | None = 60,
    max_bytes: int = 64 * 1024 * 1024,
    fonts: Path | None = None,
) -> bytes:
    """Everything that ffmpeg writes to ``pipe:1``; raises FfmpegError beyond ``max_bytes``.

    ``fonts`` is a configuration of fontconfig that is used instead of the machine's.
    """
    found: list[bytes] = []
    async with (
        _time_limit(timeout_s),
        _started(arguments, protocols, feed=input is not None, cwd=None, fonts=fonts) as ffmpeg,
    ):
        ffmpeg.feed(input)

        async def collect() -> None:
            size = 0
            while chunk := await ffmpeg.stdout.read(pipe.ROOM):
                found.append(chunk)
                size += len(chunk)
                if size > max_bytes:
                    raise FfmpegError(
                        f"ffmpeg wrote more than {max_bytes} bytes", stderr=ffmpeg.said
                    )

        await ffmpeg.next(collect())
        await ffmpeg.finish()
    return b"".join(found)


def kill_all() -> None:
    """Kill every process group of ours at once: nothing may outlive a second Ctrl-C."""
    for group in list(_running):
        _kill(group)


class ProgressParser:
    """Reads what ``-progress`` writes: key=value lines, a block ended by ``progress=…``."""

    def __init__(self) -> None:
        self._block: dict[str, str] = {}

    def feed(self, line: str) -> Progress | None:
        """The progress when this line ends a block, else ``None``; nonsense counts as nothing."""
        key, _, value = line.strip().partition("=")
        self._block[key] = value.strip()
        if key != "progress":
            return None
        block, self._block = self._block, {}
        microseconds = _number(block.get("out_time_us", ""))
        return Progress(
            frames=int(_number(block.get("frame", "")) or 0),
            seconds=max(0.0, (microseconds or 0.0) / 1e6),
            speed=_number(block.get("speed", "").removesuffix("x")),
            done=block["progress"] == "end",
        )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None  # N/A, before the first frame


def with_protocols(arguments: Sequence[str], protocols: Sequence[str]) -> list[str]:
    """The arguments with the allowlist put before every input."""
    allowed = []
    for argument in arguments:
        if argument == "-i":
            allowed += ["-protocol_whitelist", ",".join(protocols)]
        allowed.append(argument)
    return allowed


def redact(text: str) -> str:
    """The text with every URL in it stripped of user, password and query."""
    return re.sub(r"[a-z][a-z0-9+.-]*://[^\s'\"]+", lambda m: log.redact_url(m[0]), text)


@dataclass
class _Running:
    """One process, what it said, and the task that feeds it."""

    process: Process
    tail: bytearray = field(default_factory=bytearray)
    listening: asyncio.Task[None] | None = None
    feeding: asyncio.Task[None] | None = None
    stdin: pipe.Pipe | None = None

    @property
    def stdout(self) -> asyncio.StreamReader:
        assert self.process.stdout is not None  # noqa: S101  # always a pipe here
        return self.process.stdout

    @property
    def said(self) -> str:
        return redact(self.tail.decode("utf-8", "replace"))

    def feed(self, source: Source | None) -> None:
        """Begin to write ``source`` to stdin."""
        if source is not None:
            self.feeding = asyncio.create_task(self._feed(source))

    async def _feed(self, source: Source) -> None:
        stdin = self.stdin
        assert stdin is not None  # noqa: S101  # asked for by _started
        try:
            if isinstance(source, AsyncIterable):
                await self._pass_on(aiter(source), stdin)
            else:
                await stdin.send(source)
        except BrokenPipeError:
            pass  # it wants no more; its exit status says whether that is well
        finally:
            stdin.close()

    @staticmethod
    async def _pass_on(iterator: AsyncIterator[pipe.Data], stdin: pipe.Pipe) -> None:
        try:
            async for data in iterator:
                await stdin.write(data)
            await stdin.flush()
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()

    async def next(self, reading: Awaitable[_T]) -> _T:
        """What is read next; raises at once what went wrong with the input."""
        read = asyncio.ensure_future(reading)
        try:
            if self.feeding is not None:
                await asyncio.wait((read, self.feeding), return_when=asyncio.FIRST_COMPLETED)
                self._check_feed(self.feeding)
            return await read
        finally:
            if not read.done():
                read.cancel()
                with suppress(asyncio.CancelledError):
                    await read

    @staticmethod
    def _check_feed(feeding: asyncio.Task[None]) -> None:
        if feeding.done() and not feeding.cancelled():
            error = feeding.exception()
            if error is not None:
                raise error

    async def listen(self) -> None:
        """Keep the end of what it says on stderr."""
        assert self.process.stderr is not None  # noqa: S101  # always a pipe here
        while chunk := await self.process.stderr.read(CHUNK):
            self.tail += chunk
            del self.tail[:-TAIL_BYTES]

    async def finish(self) -> None:
        """Wait for its end; raises FfmpegError when that is a bad one."""
        status = await self.process.wait()
        if self.listening is not None:
            await self.listening
        if status != 0:
            how = f"was killed by signal {-status}" if status < 0 else "failed"
            raise FfmpegError(f"ffmpeg {how}", stderr=self.said, exit_status=status)

    async def stop(self) -> None:
        """Kill what still runs and leave no task and no zombie behind."""
        if self.process.returncode is None:
            _kill(self.process.pid)
        tasks = [task for task in (self.listening, self.feeding) if task is not None]
        if self.feeding is not None:
            self.feeding.cancel()
        await self.process.wait()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.stdin is not None:
            self.stdin.close()


@asynccontextmanager
async def _started(
    arguments: Sequence[str],
    protocols: Sequence[str],
    *,
    feed: bool,
    cwd: Path | None,
    fonts: Path | None = None,
) -> AsyncIterator[_Running]:
    command = ["-hide_banner", "-nostdin", "-loglevel", "warning"]
    stdin = pipe.Pipe() if feed else None
    try:
        process = await asyncio.create_subprocess_exec(
            executable(),
            *command,
            *with_protocols(arguments, protocols),
            stdin=subprocess.DEVNULL if stdin is None else stdin.reading,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=_environment(fonts),
            start_new_session=True,
            limit=pipe.ROOM,
        )
    except BaseException:
        if stdin is not None:
            stdin.close()
        raise
    finally:
        if stdin is not None:
            os.close(stdin.reading)
    _running.add(process.pid)
    running = _Running(process, stdin=stdin)
    _widen_stdout(process)
    try:
        running.listening = asyncio.create_task(running.listen())
        yield running
    finally:
        try:
            await running.stop()
        finally:
            _running.discard(process.pid)


@asynccontextmanager
async def _time_limit(seconds: float | None) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if limit.expired():
            raise FfmpegError(f"ffmpeg was not done after {seconds:g} s") from None
        raise


def _environment(fonts: Path | None) -> dict[str, str]:
    """Ours without what is secret (VIGIL_*) or makes ffmpeg write logs of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VIGIL_", "FFREPORT"))}
    if fonts is not None:
        kept["FONTCONFIG_FILE"] = str(fonts)
    return kept | {"AV_LOG_FORCE_NOCOLOR": "1"}


def _widen_stdout(process: Process) -> None:
    transport = cast(Any, process)._transport.get_pipe_transport(1)
    file: Any = transport and transport.get_extra_info("pipe")  # uvloop does not say
    if hasattr(file, "fileno"):
        with suppress(ValueError):  # closed already
            pipe.widen(file.fileno())


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
