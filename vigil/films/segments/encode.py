"""How a segment is encoded and named. A change of anything here gives segments new names."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterable, Iterable

import msgspec

from vigil import ffmpeg
from vigil.films.model import TICKS, Film

FORMAT = 1
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
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "23"),
        *("-g", str(film.window_frames), "-flags", "+cgop"),
        *("-video_track_timescale", str(film.timescale), "-map_metadata", "-1"),
    ]


def input_arguments(film: Film) -> list[str]:
    """How JPEG after JPEG is read from stdin."""
    rate = f"{film.timescale}/{TICKS}"
    return ["-f", "image2pipe", "-c:v", "mjpeg", "-framerate", rate, "-i", "pipe:0"]


def name(film: Film, digests: Iterable[bytes], version: str) -> str:
    """The name of the segment made of frames with these SHA-256 digests, in this order.

    Args:
        film: its frame rate, size and window decide about the encoder's settings.
        digests: of the frames.
        version: of ffmpeg.
    """
    content = {
        "format": FORMAT,
        "ffmpeg": version,
        "input": input_arguments(film),
        "settings": arguments(film),
        "frames": [digest.hex() for digest in digests],
    }
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


async def segment(film: Film, pictures: AsyncIterable[bytes]) -> bytes:
    """Encode JPEGs into one self-contained fragmented MP4 that begins at time 0.

    Raises FfmpegError, also when there is no picture that can be decoded.
    """
    # One fragment, however many keyframes; signed composition offsets, so that decode and
    # presentation time both begin at 0.
    flags = "+frag_custom+empty_moov+default_base_moof+negative_cts_offsets+skip_trailer"
    return await ffmpeg.read(
        [*input_arguments(film), *arguments(film), "-movflags", flags, "-f", "mp4", "pipe:1"],
        input=pictures,
        timeout_s=LONGEST_S,
        max_bytes=1 << 30,
    )
