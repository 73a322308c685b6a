"""Raw pictures to a segment. A change of anything here gives segments new names."""

from __future__ import annotations

from collections.abc import Iterable

from vigil import ffmpeg
from vigil.films.model import TICKS, Film

LONGEST_S = 1800.0
"""An encoder that is not done with a few seconds of film by then hangs."""


def arguments(film: Film) -> list[str]:
    """All that is said to the encoder.

    The pictures are what it works with, in limited range by the matrix of BT.601, as other films
    are, so nothing is converted; the stream says so, so that players show the same colours. One
    fragment, and signed composition offsets, so that decode and presentation time begin at 0.
    """
    return [
        *("-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{film.width}x{film.height}"),
        *("-framerate", f"{film.timescale}/{TICKS}", "-i", "pipe:0", "-an", "-vf"),
        "setsar=1,setparams=range=tv:colorspace=smpte170m:color_primaries=bt709:color_trc=bt709",
        *("-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23"),
        *("-threads", "1", "-g", "600", "-flags", "+cgop"),
        *("-video_track_timescale", str(film.timescale), "-map_metadata", "-1"),
        "-movflags",
        "+frag_custom+empty_moov+default_base_moof+negative_cts_offsets+skip_trailer",
        *("-f", "mp4", "pipe:1"),
    ]


async def segment(film: Film, pictures: Iterable[bytes | memoryview]) -> bytes:
    """Encode yuv420p pictures into one self-contained fragmented MP4 that begins at time 0;
    they may be drawn as they are asked for, in a thread.

    Raises FfmpegError, and what ``pictures`` raises.
    """
    return await ffmpeg.read(
        arguments(film), input=pictures, timeout_s=LONGEST_S, max_bytes=1 << 30
    )
