"""What goes into a film and how it looks, in words, as far as somebody chose it."""

from __future__ import annotations

from collections.abc import Sequence

from vigil.films.options import Choice, Daily, Look

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FAULTS = {
    "dark": "dark",
    "blurred": "blurred",
    "frozen": "frozen",
    "foreign": "of something else",
}
NOISE = ("", "a little less noise", "less noise", "much less noise")
GAPS = {
    "hold": "the last frame held over gaps",
    "fade": "blends over gaps",
    "mark": "gaps named",
}
LAYOUTS = {"side": "side by side", "stack": "one above the other", "grid": "a grid"}


def choice(made: Choice) -> str:
    """Which frames go in; empty: all of their time."""
    found = []
    if made.tags:
        found.append(f"tagged {_or(made.tags)}")
    if made.sun_from == 0 and made.sun_to is None:
        found.append("in daylight")
    elif made.sun_from is not None and made.sun_to is not None:
        found.append(f"sun {made.sun_from:g}° to {made.sun_to:g}° high")
    elif made.sun_from is not None:
        found.append(f"sun at least {made.sun_from:g}° high")
    elif made.sun_to is not None:
        found.append(f"sun at most {made.sun_to:g}° high")
    if made.hours:
        found.append(_or([f"{first}–{last}" for first, last in made.hours]))
    if made.weekdays:
        found.append(_or([DAYS[day] for day in made.weekdays]))
    if made.daily is not None:
        found.append(f"one a day, closest to {_daily(made.daily)}")
    if made.skip:
        found.append(f"none that are {_or([FAULTS[fault] for fault in made.skip])}")
    if made.exclude:
        count = len(made.exclude)
        found.append(f"{count} picked out by hand")
    return "; ".join(found)


def look(made: Look) -> str:
    """How it looks; empty: as the frames are."""
    found = [LAYOUTS[made.layout]] if made.layout in LAYOUTS else []
    if made.card is not None:
        found.append(f"title card “{made.card.text}”")
    if made.stamp is not None:
        zone = f" in {made.stamp.zone}" if made.stamp.zone else ""
        found.append(f"the time{zone}, {made.stamp.corner.replace('-', ' ')}")
    for wanted, words in (
        (made.deflicker is not None, "even brightness"),
        (made.stabilise, "steadied"),
        (made.colours, "colours of all days alike"),
        (made.denoise > 0, NOISE[made.denoise]),
        (made.fade is not None, f"cross-fade between {made.fade.between if made.fade else ''}"),
        (made.rotate != 0, f"turned by {made.rotate}°"),
        (made.crop is not None, "cropped"),
        (made.pan is not None, "pan and zoom"),
        (made.calm > 1, f"{made.calm} times as fast where nothing happens"),
        (made.gaps in GAPS, GAPS.get(made.gaps, "")),
    ):
        if wanted:
            found.append(words)
    return "; ".join(found)


def _daily(daily: Daily) -> str:
    if daily.clock is not None:
        return daily.clock
    return f"the sun {daily.sun:g}° high, {'morning' if daily.rising else 'evening'}"


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
