"""What a film's maker may choose: what goes in, and how it looks. Kept in films.options.

All are frozen, so that a film can be planned from them again and again; what is not said has its
default and is not written. Words and ranges are checked here, once: ``convert`` raises Invalid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from vigil.errors import Invalid

Unit = Annotated[float, Meta(ge=0, le=1)]
Box = tuple[Unit, Unit, Unit, Unit]
"""Left, top, right, bottom; shares of the width and height."""
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
"""A time of day, ``06:30``, by the scene's clock."""
Fault = Literal["dark", "blurred", "frozen", "foreign"]
Codec = Literal["h264", "vp9", "av1"]
Container = Literal["mp4", "webm", "webp", "gif"]
Gaps = Literal["cut", "hold", "fade", "mark"]
Layout = Literal["single", "side", "stack", "grid"]
Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]


class Options(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of all: unknown fields are refused, defaults are not written."""


class Daily(Options, frozen=True):
    """One frame a day: the closest to a time of day, or to a height of the sun."""

    clock: Clock | None = None
    sun: Annotated[float, Meta(ge=-18, le=90)] | None = None
    """Degrees above the horizon; on days that do not reach it there is none."""
    rising: bool = True
    """Whether the sun passes that height in the morning; else in the evening."""
    within_s: Annotated[float, Meta(gt=0, le=43200)] = 3600.0
    """How far from that moment the frame may be taken."""


class Choice(Options, frozen=True):
    """Which frames go in."""

    tags: tuple[Annotated[str, Meta(min_length=1, max_length=60)], ...] = ()
    """Only within the spans of these tags of the scene (their union); none: everything."""
    sun_from: Annotated[float, Meta(ge=-90, le=90)] | None = None
    """Only while the sun is at least so many degrees high; 0 is daylight."""
    sun_to: Annotated[float, Meta(ge=-90, le=90)] | None = None
    """Only while it is at most so high."""
    hours: tuple[tuple[Clock, Clock], ...] = ()
    """Only between these times of day by the scene's clock; a span may pass midnight."""
    weekdays: tuple[Annotated[int, Meta(ge=0, le=6)], ...] = ()
    """Only on these days, Monday is 0."""
    skip: tuple[Fault, ...] = ()
    """Leave out: dark; blurred; frozen (nothing moved for long); foreign (another picture)."""
    daily: Daily | None = None
    exclude: tuple[tuple[int, int], ...] = ()
    """Spans picked out by hand: moments in microseconds, from and up to, not including."""
    every: bool = False
    """Every frame is shown, however unevenly they came; else the closest to each slot's moment."""


class Stamp(Options, frozen=True):
    """The time, written into the picture."""

    format: Annotated[str, Meta(min_length=1, max_length=60)] = "%Y-%m-%d %H:%M"
    """strftime(3)."""
    zone: Annotated[str, Meta(max_length=60)] | None = None
    """IANA name; default: the scene's."""
    corner: Corner = "bottom-right"
    font: Literal["sans", "mono", "serif"] = "sans"
    size: Annotated[float, Meta(ge=0.01, le=0.2)] = 0.04
    """Height of the letters as a share of the picture's."""


class Card(Options, frozen=True):
    """A title shown before the first picture."""

    text: Annotated[str, Meta(min_length=1, max_length=200)]
    seconds: Annotated[float, Meta(ge=0.5, le=20)] = 3.0


class Fade(Options, frozen=True):
    """Pictures that blend into the next."""

    between: Literal["frames", "days"] = "frames"
    hold: Annotated[int, Meta(ge=1, le=600)] = 1
    """Pictures for which a frame stands still (between days: only the last of a day)."""
    pictures: Annotated[int, Meta(ge=1, le=120)] = 10
    """Pictures of the blend."""


class Pan(Options, frozen=True):
    """Pan and zoom from one box of the picture to another, over the film's whole range."""

    start: Box
    end: Box


class Look(Options, frozen=True):
    """How the pictures look."""

    stamp: Stamp | None = None
    card: Card | None = None
    deflicker: Annotated[int, Meta(ge=3, le=301)] | None = None
    """Even out the brightness over so many frames, the one in the middle of them."""
    stabilise: bool = False
    """Shift each frame onto the film's reference frame."""
    colours: bool = False
    """Match the colours of each day to the film's reference frame."""
    fade: Fade | None = None
    denoise: Annotated[int, Meta(ge=0, le=3)] = 0
    rotate: Literal[0, 90, 180, 270] = 0
    """Degrees clockwise, before the crop."""
    crop: Box | None = None
    pan: Pan | None = None
    calm: Annotated[int, Meta(ge=1, le=100)] = 1
    """Where nothing happens show only one of so many frames."""
    layout: Layout = "single"
    """How several scenes share the picture: side by side, one above the other, in a grid."""
    gaps: Gaps = "cut"
    """What fills a time without frames."""
    reference: int | None = None
    """Moment of the frame that stabilise and colours go by; fixed when the film is made."""

    @property
    def stands(self) -> int:
        """Pictures for which each frame stands: more than one where frames blend."""
        fade = self.fade
        return fade.hold + fade.pictures if fade and fade.between == "frames" else 1


class Making(Options, frozen=True):
    """The options of a film of scenes."""

    choice: Choice = Choice()
    look: Look = Look()
    codec: Codec = "h264"
    container: Container = "mp4"
    quality: Annotated[int, Meta(ge=0, le=4)] = 2
    """0 small and coarse to 4 large and fine."""


def convert(values: Mapping[str, Any]) -> Making:
    """The options as they stand in the database or came from outside; raises Invalid."""
    try:
        return msgspec.convert(values, Making)
    except msgspec.ValidationError as error:
        raise Invalid(f"these options of a film cannot be: {error}") from None


def written(making: Making) -> dict[str, Any]:
    """The same as JSON values, defaults left out."""
    found: dict[str, Any] = msgspec.to_builtins(making)
    return found
