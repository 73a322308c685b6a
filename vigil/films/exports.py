"""Films in other containers than their own: WebM, and animated WebP and GIF of short ones.

The film comes as the joined fragmented MP4 that downloads are made of.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterable
from pathlib import Path

from vigil import ffmpeg
from vigil.errors import Invalid
from vigil.ffmpeg import OnProgress
from vigil.films.model import Film
from vigil.films.options import Container
from vigil.pipe import Data

LONGEST_S = 60.0
"""Seconds of film that an animation may have: browsers and chats hold all of it in memory."""
WIDEST = {"webp": 960, "gif": 480}
"""Pixels across; wider films are made smaller."""
FASTEST = {"webp": 25, "gif": 12.5}
"""Pictures a second. GIF counts in hundredths of a second, so 12.5 and 25 come out even."""
_WEBP_QUALITY = (40, 55, 70, 80, 90)
_TIMEOUT_S = 3600.0


def check(container: Container, codec: str, duration_s: float) -> None:
    """Raises Invalid when a film of this codec and length cannot be had in a container."""
    if container == "webm" and codec == "h264":
        raise Invalid(
            "WebM holds VP9 and AV1, and this film is H.264", hint="make it with another codec"
        )
    if container in WIDEST and duration_s > LONGEST_S:
        raise Invalid(
            f"an animation may be {LONGEST_S:g} s long, and this film is {duration_s:.0f} s",
            hint="make a shorter film of it, or take it as MP4",
        )


async def export(
    film: Film,
    container: Container,
    joined: AsyncIterable[Data],
    out: Path,
    *,
    on_progress: OnProgress | None = None,
) -> None:
    """Write a film to ``out`` in this container.

    Args:
        film: says its size, frame rate and quality.
        container: what is wanted; see ``check``.
        joined: the film as fragmented MP4; read once.
        out: the file; what is there is replaced.
        on_progress: told how far ffmpeg is.

    Raises FfmpegError, and whatever ``joined`` raises. Memory does not depend on the length, but
    for WebP, which is written when all of it is there.
    """
    source = ["-f", "mp4", "-i", "pipe:0"]
    target = ["-map_metadata", "-1", "-y", str(out)]
    if container in ("mp4", "webm"):
        flags = ["-movflags", "+faststart"] if container == "mp4" else []
        await ffmpeg.run(
            [*source, "-map", "0:v", "-c", "copy", *flags, "-f", container, *target],
            input=joined,
            on_progress=on_progress,
            timeout_s=_TIMEOUT_S,
        )
    elif container == "webp":
        quality = str(_WEBP_QUALITY[film.making.quality])
        await ffmpeg.run(
            [
                *(*source, "-vf", _smaller(film, container), "-c:v", "libwebp_anim"),
                *("-quality", quality, "-loop", "0", "-threads", "1", "-f", "webp", *target),
            ],
            input=joined,
            on_progress=on_progress,
            timeout_s=_TIMEOUT_S,
        )
    else:
        await _gif(film, joined, target, on_progress)


async def _gif(
    film: Film, joined: AsyncIterable[Data], target: list[str], on_progress: OnProgress | None
) -> None:
    """One palette for all of it, found in a first pass, so that colours do not flicker."""
    with tempfile.TemporaryDirectory(prefix="vigil-export-") as scratch:
        small, palette = Path(scratch, "small.mkv"), Path(scratch, "palette.png")
        look = f"{_smaller(film, 'gif')},split[a][b];[b]palettegen=stats_mode=full[palette]"
        await ffmpeg.run(
            [
                *("-f", "mp4", "-i", "pipe:0", "-filter_complex", look),
                *("-map", "[a]", "-c:v", "ffv1", str(small)),
                *("-map", "[palette]", "-frames:v", "1", "-update", "1", str(palette)),
            ],
            input=joined,
            timeout_s=_TIMEOUT_S,
        )
        dither = "paletteuse=dither=bayer:bayer_scale=4:diff_mode=rectangle"
        await ffmpeg.run(
            [
                *("-i", str(small), "-i", str(palette), "-filter_complex", f"[0][1]{dither}"),
                *("-loop", "0", "-f", "gif", *target),
            ],
            on_progress=on_progress,
            timeout_s=_TIMEOUT_S,
        )


def _smaller(film: Film, container: Container) -> str:
    """Fewer and smaller pictures where there are too many."""
    rate = min(film.fps, FASTEST[container])
    width = min(film.width, WIDEST[container])
    return f"fps={rate:g},scale={width}:-2:flags=lanczos"
