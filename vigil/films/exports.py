"""Short films as animated pictures: WebP and GIF, made of the joined fragmented MP4."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterable
from pathlib import Path

from vigil import ffmpeg
from vigil.errors import Invalid
from vigil.ffmpeg import OnProgress
from vigil.films.model import Film
from vigil.films.options import Container

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
    joined: AsyncIterable[bytes],
    out: Path,
    *,
    on_progress: OnProgress | None = None,
) -> None:
    """Write a film to ``out`` as an animated picture.

    Args:
        film: says its size, frame rate and quality.
        container: ``webp`` or ``gif``; see ``check``.
        joined: the film as fragmented MP4; read once.
        out: the file; what is there is replaced. A GIF needs some room beside it.
        on_progress: told how far ffmpeg is.

    Raises FfmpegError, and whatever ``joined`` raises. A WebP is in memory as a whole before it is
    written; it is short.
    """
    target = ["-map_metadata", "-1", "-loop", "0", "-f", container, "-y", str(out)]
    if container == "gif":
        await _gif(film, joined, out.parent, target, on_progress)
        return
    quality = str(_WEBP_QUALITY[film.making.quality])
    await ffmpeg.run(
        [
            *("-f", "mp4", "-i", "pipe:0", "-vf", _smaller(film, container)),
            *("-c:v", "libwebp_anim", "-quality", quality, "-threads", "1", *target),
        ],
        input=joined,
        on_progress=on_progress,
        timeout_s=_TIMEOUT_S,
    )


async def _gif(
    film: Film,
    joined: AsyncIterable[bytes],
    folder: Path,
    target: list[str],
    on_progress: OnProgress | None,
) -> None:
    """One palette for all of it, found in a first pass, so that colours do not flicker."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="gif-") as scratch:
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
                *target,
            ],
            on_progress=on_progress,
            timeout_s=_TIMEOUT_S,
        )


def _smaller(film: Film, container: Container) -> str:
    """Fewer and smaller pictures where there are too many."""
    rate = min(film.fps, FASTEST[container])
    width = min(film.width, WIDEST[container])
    return f"fps={rate:g},scale={width}:-2:flags=lanczos"
