"""A film that there is, as the form that would make another one like it."""

from __future__ import annotations

from collections.abc import Sequence

from vigil.cameras.looking import days
from vigil.films.asking import fields
from vigil.films.asking.orders import FORMATS
from vigil.films.model import Film
from vigil.films.options import Box, Choice, Look

Pairs = list[tuple[str, str]]


def filled(film: Film, scenes: Sequence[str]) -> Pairs:
    """The fields of /films/make, filled in as the film is, but its title.

    Args:
        film: of scenes.
        scenes: their names, in order.
    """
    making = film.making
    codec = (making.codec, making.container)
    return [
        *(("scene", name) for name in scenes),
        *_when(film),
        *_pace(film),
        *chosen(making.choice, making.look),
        ("size", f"{film.width}x{film.height}"),
        ("format", next(name for name, one in FORMATS.items() if one == codec)),
        ("quality", str(making.quality)),
    ]


def _when(film: Film) -> Pairs:
    if film.rolling_s is not None:
        return [("range", "rolling"), ("rolling", f"{film.rolling_s:g}s")]
    zone = days.zone(film.time_zone)
    ends = [("from", film.from_at), ("to", film.to_at)]
    said = [(name, f"{at.astimezone(zone):%Y-%m-%dT%H:%M}") for name, at in ends if at]
    return [("range", "between"), *said]


def _pace(film: Film) -> Pairs:
    fps = [("fps", f"{film.fps:g}")]
    choice, look = film.making.choice, film.making.look
    if choice.daily is not None:
        return [("pace", "per_day"), ("per_day", "1"), *fps]
    if choice.every:
        return [("pace", "every"), *fps]
    return [("pace", "speed"), ("speed", f"{film.speed / look.stands:.10g}"), *fps]


def chosen(choice: Choice, look: Look) -> Pairs:
    """The fields that say what goes in and how it looks; all but ``choice.every``."""
    return [*_choice(choice), *_look(look)]


def _choice(choice: Choice) -> Pairs:
    found: Pairs = [("tags", tag) for tag in choice.tags]
    if choice.sun_from == 0:
        found.append(("daylight", "on"))
    elif choice.sun_from is not None:
        found.append(("sun_from", f"{choice.sun_from:g}"))
    if choice.sun_to is not None:
        found.append(("sun_to", f"{choice.sun_to:g}"))
    if choice.hours:
        found.append(("hours", ", ".join(f"{first}-{last}" for first, last in choice.hours)))
    found += [("weekdays", str(day)) for day in choice.weekdays]
    found += [(f"skip_{fault}", "on") for fault in choice.skip]
    if choice.exclude:
        found.append(("exclude", " ".join(f"{first}-{end}" for first, end in choice.exclude)))
    daily = choice.daily
    if daily is None:
        return found
    if daily.clock is not None:
        found += [("daily", "clock"), ("daily_clock", daily.clock)]
    else:
        rising = "morning" if daily.rising else "evening"
        found += [("daily", "sun"), ("daily_sun", f"{daily.sun:g}"), ("daily_rising", rising)]
    return [*found, ("daily_within", f"{daily.within_s:g}s")]


def _look(look: Look) -> Pairs:
    found: Pairs = []
    stamp, card, fade = look.stamp, look.card, look.fade
    if stamp is not None:
        found += [("stamp", "on"), ("stamp_format", stamp.format), ("stamp_corner", stamp.corner)]
        found += [("stamp_font", stamp.font), ("stamp_size", f"{stamp.size:g}")]
        found += [] if stamp.zone is None else [("stamp_zone", stamp.zone)]
    if card is not None:
        found += [("card", card.text), ("card_seconds", f"{card.seconds:g}")]
    if look.deflicker is not None:
        usual_window = look.deflicker == fields.DEFLICKER
        found.append(("deflicker", "on" if usual_window else str(look.deflicker)))
    found += [(name, "on") for name in ("stabilise", "colours") if getattr(look, name)]
    if fade is not None:
        found += [("fade", fade.between), ("fade_hold", str(fade.hold))]
        found.append(("fade_pictures", str(fade.pictures)))
    usual = Look()
    for name in ("denoise", "rotate", "calm", "layout", "gaps"):
        if getattr(look, name) != getattr(usual, name):
            found.append((name, str(getattr(look, name))))
    if look.crop is not None:
        found += _box("crop", look.crop)
    if look.pan is not None:
        found += [*_box("pan_start", look.pan.start), *_box("pan_end", look.pan.end)]
    return found


def _box(name: str, box: Box) -> Pairs:
    edges = zip(("left", "top", "right", "bottom"), box, strict=True)
    return [(f"{name}_{edge}", f"{share * 100:g}") for edge, share in edges]
