"""What ffmpeg does with the tracks: its filter graph (https://ffmpeg.org/ffmpeg-filters.html).

JPEG is full-range; video is not: without ``out_range=tv`` players show it washed out, or ffmpeg
writes yuvj420p, which some cannot play. The colour matrix stays that of JPEG (BT.601) and is
named in the stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vigil.films.looks import timeline
from vigil.films.looks.boxes import unturned
from vigil.films.looks.cells import Cell
from vigil.films.looks.texts import FONTS
from vigil.films.model import TICKS, Film, Recipe

_DENOISE = ("", "4:3", "8:6", "16:12")
"""Luma and chroma, in space. Not in time: between pictures hours apart that leaves ghosts, and a
segment would begin with more noise than the one before it ends with."""
_TRANSPOSE = {
    0: (),
    90: ("transpose=clock",),
    180: ("hflip", "vflip"),
    270: ("transpose=cclock",),
}
_TRUE_COLOURS = "setparams=range=tv:colorspace=smpte170m:color_primaries=bt709:color_trc=bt709"


def graph(recipe: Recipe, cells: Sequence[Cell], *, raw: bool, script: Path | None) -> str:
    """The whole graph; its output is ``[out]``.

    Args:
        recipe: what is rendered.
        cells: where each scene stands.
        raw: whether frames come as pixels that fit their cells, else as they are.
        script: subtitles that are drawn over it.
    """
    film = recipe.film
    scenes = len(cells)
    lines = []
    for place, cell in enumerate(cells):
        steps = _cell(film, cell, raw=raw)
        if not raw:
            steps += _gains(list(timeline.turns(recipe)), place, before=False)
        lines.append(f"[0:v:{place}]{_chain(steps, film)}[now{place}]")
    lines.append(_together("now", cells))
    picture = "now"
    if timeline.blends(recipe):
        for place, cell in enumerate(cells):
            steps = _cell(film, cell, raw=raw)
            if not raw:
                steps += _gains(list(timeline.turns(recipe)), place, before=True)
            lines.append(f"[0:v:{scenes + place}]{_chain(steps, film)}[before{place}]")
        lines.append(_together("before", cells))
        size = f"{film.width}:{film.height}"
        lines.append(
            f"[0:v:{2 * scenes}]scale={size}:flags=neighbor:in_range=tv:out_range=tv,"
            f"{_TRUE_COLOURS},fps=1:start_time=0[mask]"
        )
        lines.append("[now][before][mask]maskedmerge[blend]")
        picture = "blend"
    lines.append(f"[{picture}]{','.join(_ending(film, script))}[out]")
    return ";".join(lines)


def _chain(steps: list[str], film: Film) -> str:
    """One scene's frames, each as long as it is on."""
    denoise = _DENOISE[film.making.look.denoise]
    if denoise:
        steps = [*steps, f"hqdn3d={denoise}:0.001:0.001"]
    return ",".join([*steps, "fps=1:start_time=0"])


def _cell(film: Film, cell: Cell, *, raw: bool) -> list[str]:
    """From a frame to a picture of the size of its cell."""
    colours = "out_range=tv:out_color_matrix=bt601"
    if raw:
        scale = f"scale=in_range=pc:in_color_matrix=bt601:{colours}"
        return [scale, "setsar=1", "format=yuv420p", _TRUE_COLOURS]
    look, steps = film.making.look, []
    if look.crop is not None:
        left, top, right, bottom = unturned(look.crop, look.rotate)
        steps.append(
            f"crop=w=max(2\\,iw*{right - left:.6f}):h=max(2\\,ih*{bottom - top:.6f})"
            f":x=iw*{left:.6f}:y=ih*{top:.6f}"
        )
    width, height = cell.width, cell.height
    if look.rotate in (90, 270):
        width, height = height, width
    steps.append(
        f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        f":{colours}"
    )
    steps += _TRANSPOSE[look.rotate]
    steps += [f"pad={cell.width}:{cell.height}:-1:-1:black", "setsar=1", "format=yuv420p"]
    return [*steps, _TRUE_COLOURS]


def _gains(turns: Sequence[timeline.Turn], place: int, *, before: bool) -> list[str]:
    """A factor of the brightness that changes from shot to shot.

    Of red, green and blue alike, which is the same as of Y (above 16), Cb and Cr (around 128).
    """
    values: list[tuple[int, float]] = []
    for turn in turns:
        shot = (turn.before if before else None) or turn.shot
        gain = shot.gains[place] if shot.gains else 1.0
        if not values or values[-1][1] != gain:
            values.append((turn.start, gain))
    if all(gain == 1 for _, gain in values):
        return []
    # eq is contrast × (Y - 127.5) + 127.5 + 255 × brightness; exact only with a gamma
    bright = [(start, (gain - 1) * (127.5 - 16) / 255) for start, gain in values]
    factor, plus = _steps(values), _steps(bright)
    return [
        f"eq=eval=frame:contrast='{factor}':saturation='{factor}':brightness='{plus}'"
        ":gamma=1.00001:gamma_r=1.00001:gamma_b=1.00001"
    ]


def _steps(values: Sequence[tuple[int, float]]) -> str:
    """An expression of ``t`` that takes each value from its time on: a tree, so it is cheap."""
    if len(values) == 1:
        return f"{values[0][1]:.5f}"
    half = len(values) // 2
    return f"if(lt(t,{values[half][0]}-0.5),{_steps(values[:half])},{_steps(values[half:])})"


def _together(name: str, cells: Sequence[Cell]) -> str:
    """All scenes in one picture."""
    if len(cells) == 1:
        return f"[{name}0]null[{name}]"
    inputs = "".join(f"[{name}{place}]" for place in range(len(cells)))
    layout = "|".join(f"{cell.left}_{cell.top}" for cell in cells)
    return f"{inputs}xstack=inputs={len(cells)}:layout={layout}:fill=black[{name}]"


def _ending(film: Film, script: Path | None) -> list[str]:
    """The last picture stays as long as it is wanted; words; from seconds to the film's time."""
    steps = ["tpad=stop=-1:stop_mode=clone"]
    if script is not None:
        steps.append(f"ass=filename={escaped(script)}:fontsdir={escaped(FONTS)}")
    scale = film.timescale
    steps.append(f"settb=1/{scale},setpts=N*{TICKS},fps=fps={scale}/{TICKS}")
    return [*steps, _TRUE_COLOURS]


def escaped(path: Path) -> str:
    """A path as a value within a graph, which takes two layers of quotes off."""
    value = str(path)
    for special in ("\\':", "\\'[],;"):
        value = "".join(f"\\{c}" if c in special else c for c in value)
    return value
