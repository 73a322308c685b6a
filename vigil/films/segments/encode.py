"""How a segment is encoded and named. A change of anything here gives segments new names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from vigil import ffmpeg
from vigil.films.model import TICKS, Film, FilmFrame, Recipe

Read = Callable[[FilmFrame], Awaitable[bytes]]
"""Gives the JPEG of a frame."""
FORMAT = 2
"""Raised when the bytes of a segment change for a reason that no other setting shows."""
LONGEST_S = 600.0
"""An encoder that is not done with a few seconds of film by then hangs."""


def arguments(film: Film) -> list[str]:
    """Everything between input and output that changes a pixel or a byte.

    JPEG is full-range; video is not: without ``out_range=tv`` players show it washed out, or
    ffmpeg writes yuvj420p, which some cannot play. The colour matrix stays that of JPEG (BT.601)
    and is named in the stream. The group of pictures is closed, so that a segment stands alone,
    and its longest length is part of the sequence header: the same in all segments of a film.
    """
    size = f"{film.width}:{film.height}"
    picture = (
        f"scale={size}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        f":out_range=tv:out_color_matrix=bt601,pad={size}:-1:-1:black,setsar=1,format=yuv420p"
        ",setparams=range=tv:colorspace=smpte170m:color_primaries=bt709:color_trc=bt709"
    )
    return [
        *("-an", "-vf", picture, "-fps_mode", "passthrough"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-threads", "1"),
        *("-g", "600", "-flags", "+cgop"),
        *("-video_track_timescale", str(film.timescale), "-map_metadata", "-1"),
    ]


def input_arguments(film: Film) -> list[str]:
    """How JPEG after JPEG is read from stdin."""
    rate = f"{film.timescale}/{TICKS}"
    return ["-f", "image2pipe", "-c:v", "mjpeg", "-framerate", rate, "-i", "pipe:0"]


def settings(film: Film, *, card: bool = False) -> bytes:
    """Everything in a film that changes a pixel or a byte of a segment: begin of what names it.

    Args:
        film: the film.
        card: for the segment of its title card.
    """
    content = {
        "format": FORMAT,
        "ffmpeg": ffmpeg.version(),
        "input": input_arguments(film),
        "settings": arguments(film),
    }
    return msgspec.json.encode(content, order="sorted")


async def segment(recipe: Recipe, read: Read) -> bytes:
    """Encode a recipe into one self-contained fragmented MP4 that begins at time 0.

    Raises FfmpegError, and what ``read`` raises.
    """

    async def pictures() -> AsyncIterator[bytes]:
        for shot in recipe.shots:
            for frame in shot.frames:
                if frame is not None:
                    data = await read(frame)
                    for _ in range(shot.pictures):
                        yield data

    # One fragment, however many keyframes; signed composition offsets, so that decode and
    # presentation time both begin at 0.
    flags = "+frag_custom+empty_moov+default_base_moof+negative_cts_offsets+skip_trailer"
    film = recipe.film
    return await ffmpeg.read(
        [*input_arguments(film), *arguments(film), "-movflags", flags, "-f", "mp4", "pipe:1"],
        input=pictures(),
        timeout_s=LONGEST_S,
        max_bytes=1 << 30,
    )
