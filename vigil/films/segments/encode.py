"""How a segment of a film of scenes is rendered and named.

A change of anything here, or in ``vigil.films.looks``, that changes a byte of a segment gives
segments new names: raise ``FORMAT`` where no setting shows it.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from vigil import ffmpeg
from vigil.films.looks import feeding, texts
from vigil.films.looks.cells import cells
from vigil.films.looks.graph import graph
from vigil.films.looks.jpegs import Mixed
from vigil.films.model import Film, FilmFrame, Recipe, Shot, moment_of
from vigil.films.segments import fmp4

FORMAT = 3
"""Raised when the bytes of a segment change for a reason that no other setting shows."""
LONGEST_S = 1800.0
"""An encoder that is not done with a few seconds of film by then hangs."""
LARGEST = 1 << 30

Read = Callable[[FilmFrame], Awaitable[bytes]]

_CRF = {
    "h264": (32, 27, 23, 20, 17),
    "vp9": (48, 41, 35, 29, 23),
    "av1": (52, 45, 37, 30, 23),
}
"""Constant rate factor of each quality: about as good as each other's."""
_ENCODER = {
    "h264": ("-c:v", "libx264", "-preset", "veryfast", "-sc_threshold", "0", "-flags", "+cgop"),
    "vp9": (
        *("-c:v", "libvpx-vp9", "-b:v", "0", "-deadline", "good", "-cpu-used", "5"),
        *("-row-mt", "0", "-tile-columns", "0", "-auto-alt-ref", "1", "-lag-in-frames", "16"),
    ),
    "av1": ("-c:v", "libsvtav1", "-preset", "9", "-svtav1-params", "lp=1:scd=0"),
}


def arguments(film: Film) -> list[str]:
    """The encoder's settings.

    The only keyframe is the first picture, and the longest distance between two is the same in
    all segments of a film, as it is part of the header. One thread: what x264 writes depends on
    how many there are.
    """
    making = film.making
    return [
        *_ENCODER[making.codec],
        *("-crf", str(_CRF[making.codec][making.quality])),
        *("-g", "65535", "-threads", "1"),
        *("-video_track_timescale", str(film.timescale), "-map_metadata", "-1"),
    ]


def settings(film: Film, *, card: bool = False) -> bytes:
    """Everything in a film that changes a pixel or a byte of a segment: begin of what names it.

    Canonical JSON. What is a shot's own (when, how long, fades, gains) is not in it.

    Args:
        film: the film.
        card: for the segment of its title card.
    """
    look = film.making.look
    found: dict[str, Any] = {
        "format": FORMAT,
        "ffmpeg": ffmpeg.version(),
        "encoder": arguments(film),
        "size": [film.width, film.height],
        "rate": film.timescale,
    }
    if card:
        found["card"] = look.card
        return msgspec.json.encode(found, order="sorted")
    found["graph"] = _usual(film)
    if look.stamp is not None:
        found["stamp"] = look.stamp
        found["zone"] = look.stamp.zone or film.time_zone
    if look.gaps == "mark":
        found["clock"] = film.time_zone
    if look.pan is not None:
        found["pan"] = look.pan
        found["span"] = [moment_of(at) for at in (film.from_at, film.to_at) if at is not None]
    if look.stabilise or look.colours:
        found["reference"] = [look.stabilise, look.colours, look.reference]
    return msgspec.json.encode(found, order="sorted")


def _usual(film: Film) -> str:
    """What ffmpeg does with a frame of each scene that is shown for one picture."""
    scenes = len(film.scenes) or 1
    shot = Shot(frames=(None,) * scenes, moment=0)
    recipe = Recipe(film=film, shots=(shot,))
    places = cells(film.making.look.layout, scenes, film.width, film.height)
    return graph(recipe, places, raw=False, script=None)


async def segment(recipe: Recipe, read: Read) -> bytes:
    """Render one self-contained fragmented MP4 that begins at time 0, exactly ``pictures`` long.

    Args:
        recipe: everything that goes in.
        read: gives a frame's JPEG.

    Raises FfmpegError, also when nothing could be decoded, and Invalid for a time that cannot be
    written. Frames go to ffmpeg as they are unless they are of different make, or the look needs
    their pixels.
    """
    if recipe.pictures == 0:
        raise ffmpeg.FfmpegError("there is nothing in this segment")
    try:
        data = await _rendered(recipe, read, raw=feeding.needs_pixels(recipe))
    except Mixed:
        data = await _rendered(recipe, read, raw=True)
    found = fmp4.split(data)
    if found.frames != recipe.pictures:
        raise ffmpeg.FfmpegError(f"{found.frames} pictures came out instead of {recipe.pictures}")
    return data


async def _rendered(recipe: Recipe, read: Read, *, raw: bool) -> bytes:
    film = recipe.film
    script = texts.script(recipe)
    with tempfile.TemporaryDirectory(prefix="vigil-segment-") as scratch:
        folder = Path(scratch)
        subtitles = None
        if script is not None:
            subtitles = folder / "texts.ass"
            subtitles.write_text(script, encoding="utf-8")
        places = cells(film.making.look.layout, feeding.scenes(recipe), film.width, film.height)
        plan = folder / "graph"
        plan.write_text(graph(recipe, places, raw=raw, script=subtitles), encoding="utf-8")
        feed: AsyncIterator[bytes] = feeding.feed(recipe, read, places, raw=raw)
        return await ffmpeg.read(
            [
                *("-filter_complex_threads", "1", "-threads", "1", "-noautorotate"),
                *("-f", "matroska", "-i", "pipe:0", "-/filter_complex", str(plan)),
                *("-map", "[out]", "-frames:v", str(recipe.pictures), *arguments(film)),
                # One fragment, however many keyframes; signed composition offsets, so that decode
                # and presentation time both begin at 0.
                *("-movflags", _FLAGS, "-f", "mp4", "pipe:1"),
            ],
            input=feed,
            timeout_s=LONGEST_S,
            max_bytes=LARGEST,
            fonts=None if script is None or texts.needs_other_fonts(script) else texts.FONTCONFIG,
        )


_FLAGS = "+frag_custom+empty_moov+default_base_moof+negative_cts_offsets+skip_trailer"
