"""What is said of a scene, checked."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from vigil.cameras.looking import days
from vigil.cameras.model import Scene
from vigil.errors import Invalid

LONGEST_NOTES = 10_000


@dataclass(frozen=True, kw_only=True)
class About:
    """What a person says of a scene."""

    title: str = ""
    notes: str = ""
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str = "UTC"


def about(scene: Scene) -> About:
    """What is said of it now."""
    return About(
        title=scene.title,
        notes=scene.notes,
        latitude=scene.latitude,
        longitude=scene.longitude,
        time_zone=scene.time_zone,
    )


def checked(said: About) -> About:
    """The same in canonical form; raises Invalid."""
    title, notes = said.title.strip(), said.notes.strip()
    check_title(title)
    check_notes(notes)
    if (said.latitude is None) != (said.longitude is None):
        raise Invalid("a place is both latitude and longitude", hint="e.g. 52.52 and 13.405")
    for what, value, most in (
        ("latitude", said.latitude, 90.0),
        ("longitude", said.longitude, 180.0),
    ):
        if value is not None and not (isfinite(value) and -most <= value <= most):
            raise Invalid(f"the {what} is from {-most:g} to {most:g} degrees")
    return About(
        title=title,
        notes=notes,
        latitude=said.latitude,
        longitude=said.longitude,
        time_zone=days.check_zone(said.time_zone),
    )


def check_title(title: str) -> None:
    """Raise Invalid for a title that is too long or not to be printed."""
    if len(title) > 200 or not title.isprintable():
        raise Invalid("the title is too long or holds control characters")


def check_notes(notes: str) -> None:
    """Raise Invalid for notes that are too long."""
    if len(notes) > LONGEST_NOTES or "\0" in notes:
        raise Invalid(f"notes are at most {LONGEST_NOTES} characters")
