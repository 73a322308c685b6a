"""An order as flat fields: what a form sends and the command line takes.

Every field may come several times; empty ones count as not given. ``range`` and ``pace`` say which
of the fields below them count; without them all that are given do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from vigil.films.asking import words
from vigil.films.asking.orders import Order, parse
from vigil.films.asking.words import Wrong
from vigil.films.options import Fault

Fields = Mapping[str, Sequence[str]]

RANGES = {
    "last": ("last",),
    "between": ("from", "to"),
    "on": (),
    "all": (),
    "rolling": ("rolling",),
}
"""Which time → the fields that say it. ``on``: from now on; ``all``: from the first frame on."""
PACES = {
    "length": ("length",),
    "speed": ("speed",),
    "per_day": ("per_day",),
    "every": (),
}
EDGES = ("left", "top", "right", "bottom")
PLAIN = ("title", "from", "to", "last", "rolling", "length", "speed", "per_day", "fps", "size",
         "width", "height", "format", "quality")  # fmt: skip
CHOICE = ("tags", "daylight", "sun_from", "sun_to", "hours", "weekdays",
          *(f"skip_{fault}" for fault in get_args(Fault)), "daily", "daily_clock", "daily_sun",
          "daily_rising", "daily_within", "exclude", "every")  # fmt: skip
STAMP = ("format", "zone", "corner", "font", "size")
LOOK = ("stamp", *(f"stamp_{part}" for part in STAMP), "card", "card_seconds", "deflicker",
        "stabilise", "colours", "fade", "fade_hold", "fade_pictures", "denoise", "rotate", "crop",
        "pan_start", "pan_end", "calm", "layout", "gaps")  # fmt: skip
BOXES = ("crop", "pan_start", "pan_end")
_EDGES = tuple(f"{box}_{edge}" for box in BOXES for edge in EDGES)
CHOSEN = frozenset((*CHOICE, *LOOK, *_EDGES, "skip")) - set(BOXES)
"""What says what goes in and how it looks; boxes by their edges."""
KNOWN = frozenset(("camera", "scene", "range", "pace", "skip", *PLAIN, *CHOICE, *LOOK, *_EDGES))
DEFLICKER, CALM = 31, 10
"""What "on" means: even out over so many frames; show one of so many where nothing happens."""


def order(fields: Fields) -> Order:
    """The order that fields make; raises Invalid, naming the field."""
    given = _counting(
        {n: kept for n, v in fields.items() if (kept := [one for one in v if one.strip()])}
    )
    unknown = sorted(set(given) - KNOWN)
    if unknown:
        raise Wrong(unknown[0][:40], "is not a field of a film", hint="see /films/make")
    body: dict[str, Any] = {name: given[name][0] for name in PLAIN if name in given}
    for name in ("camera", "scene"):
        if name in given:
            body[name] = ",".join(given[name])
    if given.get("range") == ["all"]:
        body |= {"from": "first", "to": "now"}
    body["choice"], body["look"] = _choice(given), _look(given)
    return parse(body)


def _counting(given: dict[str, list[str]]) -> dict[str, list[str]]:
    """Only the fields that the chosen range and pace let count."""
    for name, known in (("range", RANGES), ("pace", PACES)):
        chosen = given.get(name, [""])[0]
        if not chosen:
            continue
        if chosen not in known:
            raise Wrong(name, f"cannot be {chosen[:20]}", hint=f"one of {', '.join(known)}")
        out = {field for fields in known.values() for field in fields} - set(known[chosen])
        given = {field: values for field, values in given.items() if field not in out}
        for field in known[chosen]:
            if field not in given and field not in ("from", "to"):
                raise Wrong(field, "is empty", hint="say how much")
        if (name, chosen) == ("pace", "every"):
            given = given | {"every": ["on"]}
    return given


def _choice(given: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "tags" in given:
        found["tags"] = list(
            dict.fromkeys(t.strip() for one in given["tags"] for t in one.split(","))
        )
    if _on(given, "daylight"):
        found["sun_from"] = 0
    for name in ("sun_from", "sun_to"):
        if name in given:
            found[name] = words.number(given[name][0], name, -90, 90)
    if "hours" in given:
        found["hours"] = words.hours(",".join(given["hours"]))
    if "weekdays" in given:
        found["weekdays"] = words.weekdays(given["weekdays"])
    skip = [one for values in given.get("skip", ()) for one in values.split(",")]
    skip += [fault for fault in get_args(Fault) if _on(given, f"skip_{fault}")]
    if skip:
        found["skip"] = list(dict.fromkeys(skip))
    if (daily := _daily(given)) is not None:
        found["daily"] = daily
    if "exclude" in given:
        found["exclude"] = excluded(given["exclude"])
    if _on(given, "every"):
        found["every"] = True
    return found


def _daily(given: Fields) -> dict[str, Any] | None:
    """One frame a day: ``daily=clock`` or ``sun``; or just what it is closest to."""
    kind = given.get("daily", [""])[0].lower()
    if not kind or kind in words.OFF:
        kind = next((k for k in ("clock", "sun") if f"daily_{k}" in given and not kind), "")
    if not kind:
        return None
    found: dict[str, Any] = {}
    if kind == "sun":
        found["sun"] = words.number(given.get("daily_sun", ["10"])[0], "daily_sun", -18, 90)
        rising = given.get("daily_rising", ["on"])[0]
        found["rising"] = rising == "morning" or (
            rising != "evening" and words.flag(rising, "daily_rising")
        )
    elif kind == "clock" or kind in words.ON:
        found["clock"] = words.clock(given.get("daily_clock", ["12:00"])[0], "daily_clock")
    else:
        raise Wrong("daily", f"cannot be {kind[:20]}", hint='"clock" (a time of day) or "sun"')
    if "daily_within" in given:
        found["within_s"] = words.span(given["daily_within"][0], "daily_within", 'such as "1h"')
    return found


def excluded(values: Sequence[str]) -> list[tuple[int, int]]:
    """Spans that were picked out, merged: ``moment`` or ``from-to``, microseconds since 1970."""
    spans = []
    for one in sorted({part for value in values for part in value.replace(",", " ").split()}):
        first, _, end = one.partition("-")
        if not (first.isascii() and first.isdigit()) or (
            end and not (end.isascii() and end.isdigit())
        ):
            raise Wrong(
                "exclude", f"is no moment: {one[:40]}", hint="microseconds since 1970, or from-to"
            )
        if len(first) > 18 or len(end) > 18:
            raise Wrong("exclude", "is too far away")
        spans.append((int(first), int(end) if end else int(first) + 1))
    merged: list[tuple[int, int]] = []
    for begin, end_ in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end_, merged[-1][1]))
        elif end_ > begin:
            merged.append((begin, end_))
    return merged


def _look(given: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    stamp = {part: given[f"stamp_{part}"][0] for part in STAMP if f"stamp_{part}" in given}
    if _on(given, "stamp") or (stamp and "stamp" not in given and "range" not in given):
        found["stamp"] = stamp | _numbers(given, {"stamp_size": ("size", 0.01, 0.2)})
    if "card" in given:
        text = " ".join(given["card"][0].split())
        found["card"] = {"text": text} | _numbers(given, {"card_seconds": ("seconds", 0.5, 20)})
    every = (*words.OFF, "1")  # one of one frame is shown: nothing is left out
    for name, usual, off in (("deflicker", DEFLICKER, words.OFF), ("calm", CALM, every)):
        if name in given and given[name][0].lower() not in off:
            text = given[name][0]
            found[name] = (
                usual if text.lower() in words.ON else round(words.number(text, name, 1, 301))
            )
    for name in ("stabilise", "colours"):
        if _on(given, name):
            found[name] = True
    if "fade" in given and given["fade"][0] not in words.OFF:
        counts = {"fade_hold": ("hold", 1, 600), "fade_pictures": ("pictures", 1, 120)}
        found["fade"] = {"between": given["fade"][0]} | {
            name: round(value) for name, value in _numbers(given, counts).items()
        }
    for name in ("denoise", "rotate"):
        if name in given:
            found[name] = round(words.number(given[name][0], name, 0, 270))
    for name in ("layout", "gaps"):
        if name in given:
            found[name] = given[name][0]
    boxes = {name: _box(given, name) for name in BOXES}
    if boxes["crop"] is not None:
        found["crop"] = boxes["crop"]
    if boxes["pan_start"] is not None or boxes["pan_end"] is not None:
        whole = (0.0, 0.0, 1.0, 1.0)
        found["pan"] = {"start": boxes["pan_start"] or whole, "end": boxes["pan_end"] or whole}
    return found


def _box(given: Fields, name: str) -> tuple[float, float, float, float] | None:
    """A box in percent, as one field or as four; ``None``: all of the picture."""
    if name in given:
        found = words.box(given[name][0], name)
    else:
        edges = [given.get(f"{name}_{edge}", [""])[0] for edge in EDGES]
        usual = ("0", "0", "100", "100")
        found = words.box(",".join(e or u for e, u in zip(edges, usual, strict=True)), name)
    return None if found == (0.0, 0.0, 1.0, 1.0) else found


def _numbers(given: Fields, names: Mapping[str, tuple[str, float, float]]) -> dict[str, float]:
    return {
        name: words.number(given[field][0], field, least, most)
        for field, (name, least, most) in names.items()
        if field in given
    }


def _on(given: Fields, name: str) -> bool:
    return name in given and words.flag(given[name][0], name)
