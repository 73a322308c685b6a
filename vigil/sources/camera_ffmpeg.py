"""Cameras that ffmpeg opens: RTSP, RTMP, HLS and DASH, a V4L2 device, a video file.

One ffmpeg for each camera stays connected and writes a JPEG for each interval; from
``GRAB_FROM_S`` on it connects for one picture and leaves again. With an interval of
``KEYFRAMES_FROM_S`` or more only keyframes are decoded (a tenth of the work); the option
``{"keyframes": false}`` of a camera whose keyframes are further apart than that turns this off.

A file plays at its own speed, over and over. The address, its password included, stands in
ffmpeg's argument list, which other users of the same machine can read.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from urllib.parse import unquote, urlsplit

from vigil import __version__, ffmpeg
from vigil.cameras.model import Camera, CameraKind, Option, RawFrame
from vigil.cameras.multipart import Splitter
from vigil.cameras.pictures.shape import MAX_BYTES
from vigil.context import Context
from vigil.errors import Invalid, SourceError

KEYFRAMES_FROM_S = 10.0
GRAB_FROM_S = 60.0
SILENCE_S = 10
"""A connection on which nothing comes for this long is given up."""

PROTOCOLS = {
    "rtsp": ("rtsp", "rtp", "tcp"),
    "rtsps": ("rtsp", "rtsps", "rtp", "srtp", "tcp", "tls"),
    "rtmp": ("rtmp", "tcp"),
    "rtmps": ("rtmps", "tcp", "tls"),
    "http": ("http", "https", "tcp", "tls", "crypto"),
    "https": ("http", "https", "tcp", "tls", "crypto"),
    "file": ("file",),
}
"""What ffmpeg may read through, for each scheme; everything else it refuses."""

_SHORT_PROBE = ("-analyzeduration", "1000000", "-fpsprobesize", "0")
"""Recognise a live stream within a second: what is read meanwhile comes out in one burst, and we
take a picture's arrival for the time it was taken. (Five seconds of it with ffmpeg's defaults.)"""

_REASONS = (  # what ffmpeg says → what we say, what to do
    # First, and whole words after it: the number of a port may hold a 401.
    (r"Connection refused", "the camera refuses the connection", "look at the address and port"),
    (
        r"\b401 Unauth|\b403 Forbidden|[Aa]uthoriz",
        "the camera does not let us in",
        "look at user name and password",
    ),
    (
        r"\b404 Not Found|\b400 Bad Request",
        "the camera knows no such stream",
        "look at the path of its address",
    ),
    (r"timed out|No route|unreachable", "the camera does not answer", "is it switched on?"),
    (r"resolve|Name or service", "the camera's host name is unknown", "look at the address"),
    (r"Permission denied", "it may not be read", "give the user that runs Vigil the right to"),
    (r"No such (file|device)", "there is no such file or device", "look at the path"),
    (r"Device or resource busy", "another program is using the device", None),
    (r"[Ii]nvalid data|could not find codec", "it is no video that ffmpeg can read", None),
    (r"matches no streams", "there is no picture in it, only sound", None),
)


def accepts(url: str) -> bool:
    """Streaming addresses, playlists over HTTP, absolute paths, ``file:`` and ``/dev/video…``."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https"):
        return parts.path.lower().endswith((".m3u8", ".mpd"))
    return url.startswith("/") or parts.scheme in PROTOCOLS


async def frames(context: Context, camera: Camera) -> AsyncGenerator[RawFrame | None, None]:
    """A picture each ``interval_s`` until the connection breaks; raises SourceError."""
    clock = context.clock
    kind, _ = _where(camera.url or "")
    once = camera.interval_s >= GRAB_FROM_S and kind in PROTOCOLS and kind != "file"
    while True:
        due = clock.monotonic() + camera.interval_s
        async with aclosing(_pictures(camera, once=once)) as pictures:
            async for data in pictures:
                yield RawFrame(data=data, taken_at=clock.now())
                if once:
                    break
            else:
                raise SourceError("the camera ended its stream")
        await clock.sleep(due - clock.monotonic())


async def _pictures(camera: Camera, *, once: bool) -> AsyncGenerator[bytes, None]:
    arguments, protocols = command(camera, once=once)
    splitter = Splitter("multipart/x-mixed-replace", max_bytes=MAX_BYTES)
    running = ffmpeg.stream(
        arguments, protocols=protocols, idle_timeout_s=max(30.0, 2 * camera.interval_s + 20)
    )
    try:
        async with aclosing(running) as chunks:  # leaving it kills the process
            async for chunk in chunks:
                for part in splitter.feed(chunk):
                    yield part.body
    except ffmpeg.FfmpegError as error:
        raise _explained(error) from error


def command(camera: Camera, *, once: bool = False) -> tuple[list[str], Sequence[str]]:
    """ffmpeg's arguments for a camera, and the protocols it is allowed."""
    kind, place = _where(camera.url or "")
    given: list[str] = []
    if kind in ("rtsp", "rtsps"):
        given = ["-rtsp_transport", "tcp", "-timeout", str(SILENCE_S * 1_000_000), *_SHORT_PROBE]
    elif kind == "v4l2":
        given = ["-f", "v4l2"]
    elif kind == "file":
        given = ["-stream_loop", "-1", "-re"]
    else:
        given = ["-rw_timeout", str(SILENCE_S * 1_000_000)]
        if kind in ("http", "https"):  # a segment comes at once and lasts for seconds
            given += ["-user_agent", f"Vigil/{__version__}", "-readrate", "1"]
        else:
            given += _SHORT_PROBE
    sparse = kind in PROTOCOLS and camera.interval_s >= KEYFRAMES_FROM_S
    if sparse and camera.options.get("keyframes", True):
        given += ["-skip_frame", "nokey"]
    # The first picture in each span of the stream's own time: none twice when the camera stalls
    # (as the fps filter would give), and no waiting when its clock jumps back.
    span = f"{camera.interval_s:.6f}"
    chosen = f"select='not(eq(floor(t/{span}),floor(prev_selected_t/{span})))'"
    # JPEG is full-range
    picture = "scale=out_range=full,format=yuv420p"
    output = ["-map", "0:v:0", "-vf", f"{chosen},{picture}", "-color_range", "pc"]
    # One thread: with more the encoder holds each picture back until the next one comes.
    output += ["-fps_mode", "vfr", "-c:v", "mjpeg", "-q:v", "3", "-threads", "1"]
    if once:
        output += ["-frames:v", "1"]
    output += ["-f", "mpjpeg", "-flush_packets", "1", "pipe:1"]
    return [*given, "-i", place, *output], PROTOCOLS.get(kind, ("file",))


def _where(url: str) -> tuple[str, str]:
    """The kind of place, and how ffmpeg is told of it; a path can never be an option or a list."""
    scheme = urlsplit(url).scheme
    path = unquote(urlsplit(url).path) if scheme == "file" else url
    if re.fullmatch(r"/dev/video[0-9]{1,3}", path):
        return "v4l2", path
    if path.startswith("/"):
        return "file", f"file:{path}"
    if scheme in PROTOCOLS:
        return scheme, url
    raise Invalid("ffmpeg cannot be sent there", hint="rtsp://…, https://….m3u8, /path/to/a/file")


def _explained(error: ffmpeg.FfmpegError) -> SourceError:
    """What ffmpeg said, in words for a person and without the address."""
    for pattern, message, hint in _REASONS:
        if re.search(pattern, error.stderr):
            return SourceError(message, hint=hint)
    return SourceError(re.sub(r"[a-z0-9+.-]+://[^\s'\"]+", "the camera", error.message))


KIND = CameraKind(
    name="ffmpeg",
    title="RTSP, HLS, file or device",
    frames=frames,
    accepts=accepts,
    address="rtsp://user:password@192.168.1.20/stream1",
    form=(
        Option(
            name="keyframes",
            label="Decode keyframes only, where the interval allows",
            hint="A tenth of the work; not where keyframes are further apart than the interval.",
            default=True,
        ),
    ),
)
