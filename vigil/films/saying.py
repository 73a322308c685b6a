"""Films and plans in the few lines that a terminal shows; times by the clock of the scene."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from vigil import human
from vigil.cameras.looking import days
from vigil.films.asking import told
from vigil.films.asking.shown import PlanJson
from vigil.films.describe import FilmJson
from vigil.films.options import convert


def plan(shown: PlanJson, zone: tzinfo) -> dict[str, Any]:
    """A plan in a few lines."""
    gaps, segments = shown["gaps"], shown["segments"]
    lines: dict[str, Any] = {
        "title": shown["title"],
        "from": _at(shown["from"], zone),
        "to": _at(shown["to"], zone) if shown["to"] else "it goes on",
        "length": f"{shown['duration_s']:.1f} s, {shown['pictures']:,} pictures",
        "frames": f"{shown['shown']:,} of {shown['frames']:,} go in",
        "speed": f"{_times(shown['speed'])}, {shown['fps']:g} pictures a second",
        "size": f"{shown['width']}x{shown['height']}",
        "segments": f"{segments['count']:,}, {segments['rendered']:,} of them rendered already",
        "gaps": f"{gaps['count']}, together {human.span(gaps['seconds'])}; {gaps['said']}"
        if gaps["count"]
        else "none",
    }
    if shown["pictures_a_day"]:
        seconds = shown["pictures_a_day"] / shown["fps"]
        lines["each day"] = f"{seconds:.1f} s, {shown['pictures_a_day']:,.0f} pictures"
    if not segments["count"]:
        return lines
    if shown["bytes"] is not None:
        lines["bytes"] = f"about {human.size(shown['bytes'])}"
    if segments["rendered"] == segments["count"]:
        lines["takes"] = "no time: all of it is there"
    elif shown["render_s"] is not None:
        lines["takes"] = f"about {human.span(max(1, shown['render_s']))} of one renderer"
    return lines


def row(shown: FilmJson) -> dict[str, Any]:
    """A film as a line of a table."""
    pieces = shown["segments"]
    to, zone = shown["to"], days.zone(shown["time_zone"])
    return {
        "id": shown["id"],
        "title": shown["title"],
        "camera": shown["camera"],
        "state": shown["state"],
        "segments": f"{pieces['done']}/{pieces['planned']}",
        "frames": shown["frames"],
        "length": f"{shown['duration_s']:.1f} s",
        "size": human.size(shown["bytes"]),
        "ends": "–" if to is None else f"{to.astimezone(zone):%Y-%m-%d %H:%M}",
    }


def film(shown: FilmJson, address: str) -> dict[str, Any]:
    """A film in some lines: what it is, how far it is, what is wrong."""
    zone = days.zone(shown["time_zone"])
    pieces, file, work = shown["segments"], shown["file"], shown.get("work")
    lines: dict[str, Any] = {"id": shown["id"], "title": shown["title"], "state": shown["state"]}
    if shown["error"]:
        lines["error"] = shown["error"]
    if shown["camera"]:
        lines["camera"] = shown["camera"]
    if shown["from"]:
        lines["from"] = _at(shown["from"], zone)
    lines["to"] = _at(shown["to"], zone) if shown["to"] else _goes_on(shown)
    if shown["first_at"] and shown["last_at"]:
        lines["shows"] = f"{_at(shown['first_at'], zone)} to {_at(shown['last_at'], zone)}"
    lines["length"] = f"{shown['duration_s']:.1f} s, {human.size(shown['bytes'])}"
    lines["frames"] = f"{shown['frames']:,} of {shown['planned_frames']:,}"
    lines["segments"] = f"{pieces['done']:,} of {pieces['planned']:,}"
    lines["speed"] = f"{_times(shown['speed'])}, {shown['fps']:g} pictures a second"
    if shown["kind"] == "scene":
        made = convert(shown["options"])
        if said := told.choice(made.choice):
            lines["goes in"] = said
        if said := told.look(made.look):
            lines["look"] = said
    lines["picture"] = f"{shown['width']}x{shown['height']}, {shown['codec']}"
    if work and work["frames_per_s"]:
        left = human.span(work["left_s"])
        lines["renders"] = f"{work['frames_per_s']:g} frames a second, {left} left"
    if shown["job"] and (said := shown["job"]["waiting_for"] or shown["job"]["message"]):
        lines["job"] = said
    if shown["next_at"]:
        lines["next"] = _at(shown["next_at"], zone)
    for number, trouble in enumerate(shown.get("troubles", ()), 1):
        when = f"{_at(trouble['first_at'], zone)}: " if trouble["first_at"] else ""
        what = trouble["error"] or f"{trouble['lost']} frames could not be read"
        again = f"; next try {_at(trouble['again_at'], zone)}" if trouble["again_at"] else ""
        lines[f"trouble {number}"] = f"{when}{what}{again}"
    if file and file["url"]:
        old = "" if file["current"] else ", older than the film"
        lines["file"] = f"{human.size(file['bytes'])}{old}"
    lines["page"] = address
    return lines


def _goes_on(shown: FilmJson) -> str:
    rolling = shown["rolling_s"]
    return "it goes on" if rolling is None else f"it goes on, the last {human.span(rolling)}"


def _at(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def _times(speed: float) -> str:
    return f"{speed:,.0f}×" if speed >= 1000 else f"{speed:.4g}×"
