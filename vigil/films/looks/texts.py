"""What is written over a film: a subtitle file (ASS) that ffmpeg draws by itself.

Format: SSA v4.00+ as libass reads it. Sizes and places are in pixels of the film.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vigil.errors import Invalid
from vigil.films.model import Film, Recipe, Shot, at_moment
from vigil.films.options import Stamp

FONTS = Path(__file__).parent / "fonts"
FONTCONFIG = FONTS / "fontconfig.xml"
_FAMILIES = {"sans": "DejaVu Sans", "mono": "DejaVu Sans Mono", "serif": "DejaVu Serif"}
_CORNERS = {"bottom-left": 1, "bottom-right": 3, "top-left": 7, "top-right": 9}
_MIDDLE = 5
_LINE = 1.164
"""Height of a line in these fonts, by the size of the letters: what ASS calls the font's size."""
_SMALLEST = 8
_OWN = re.compile(r"[\t\n -\u052f\u2010-\u2044\u20a0-\u20bf\u2190-\u2193]*")
"""Characters that all of the fonts have."""

_HEAD = """\
[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 0
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
"""
_EVENTS = """
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def script(recipe: Recipe) -> str | None:
    """The subtitles of a segment, a second for each picture; ``None`` when nothing is written."""
    film, look = recipe.film, recipe.film.making.look
    styles, events = [], []
    if not recipe.shots and look.card is not None:
        styles.append(_card_style(film))
        events.append(_event("card", 0, recipe.pictures, look.card.text))
    if look.stamp is not None and recipe.shots:
        styles.append(_stamp_style(film, look.stamp))
        events += _events("stamp", recipe.shots, stamps(film, recipe.shots))
    if any(shot.mark for shot in recipe.shots):
        styles.append(_mark_style(film))
        events += _events("mark", recipe.shots, [shot.mark for shot in recipe.shots])
    if not events:
        return None
    head = _HEAD.format(width=film.width, height=film.height)
    return head + "".join(styles) + _EVENTS + "".join(events)


def stamps(film: Film, shots: Iterable[Shot]) -> list[str]:
    """What the stamp says in each shot; raises Invalid for what cannot be said."""
    stamp = film.making.look.stamp
    if stamp is None:
        return []
    name = stamp.zone or film.time_zone
    try:
        zone = ZoneInfo(name)
        return [at_moment(shot.moment).astimezone(zone).strftime(stamp.format) for shot in shots]
    except (ZoneInfoNotFoundError, OSError) as error:
        raise Invalid(f"there is no time zone {name}") from error
    except (ValueError, OverflowError, UnicodeError) as error:
        raise Invalid(f"no time can be written as {stamp.format!r}") from error


def needs_other_fonts(text: str) -> bool:
    """Whether letters are written that only fonts of the machine may have."""
    return _OWN.fullmatch(text) is None


def _events(style: str, shots: Iterable[Shot], texts: Iterable[str]) -> list[str]:
    """Each text for as long as its shot; what stays the same is one event."""
    found, start = [], 0
    pairs = zip(texts, shots, strict=True)
    for text, group in groupby(pairs, key=lambda pair: pair[0]):
        end = start + sum(shot.pictures for _, shot in group)
        if text:
            found.append(_event(style, start, end, text))
        start = end
    return found


def _event(style: str, start: int, end: int, text: str) -> str:
    return f"Dialogue: 0,{_time(start)},{_time(end)},{style},,0,0,0,,{_escaped(text)}\n"


def _escaped(text: str) -> str:
    r"""Text that says itself: no override in braces, no ``\N``; a line stays a line."""
    lines = text.replace("\r\n", "\n").split("\n")
    clean = ("".join(c if c.isprintable() else " " for c in line) for line in lines)
    return r"\N".join(line.replace("\\", "\\\N{WORD JOINER}").replace("{", r"\{") for line in clean)


def _time(second: int) -> str:
    return f"{second // 3600}:{second // 60 % 60:02}:{second % 60:02}.00"


def _stamp_style(film: Film, stamp: Stamp) -> str:
    size = max(_SMALLEST, stamp.size * film.height)
    return _style("stamp", _FAMILIES[stamp.font], size, _CORNERS[stamp.corner], size * 0.6)


def _mark_style(film: Film) -> str:
    return _style("mark", _FAMILIES["sans"], max(_SMALLEST, film.height / 18), _MIDDLE, 0)


def _card_style(film: Film) -> str:
    return _style("card", _FAMILIES["sans"], max(_SMALLEST, film.height / 12), _MIDDLE, 0)


def _style(name: str, family: str, size: float, alignment: int, margin: float) -> str:
    """White with a black edge and a shadow: legible on any background."""
    edge, side = max(1.0, size * 0.09), margin or size
    return (
        f"Style: {name},{family},{size * _LINE:.2f},&H00FFFFFF,&H00FFFFFF,&H00000000,&H60000000,"
        f"0,0,0,0,100,100,0,0,1,{edge:.2f},{edge / 2:.2f},{alignment},"
        f"{side:.0f},{side:.0f},{margin:.0f},1\n"
    )
