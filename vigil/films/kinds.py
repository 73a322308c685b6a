"""Kinds of films: who plans what a film shows, and who renders a segment of it.

Everything else is the same for all: jobs, playlist, file, pages. ``renderer.py``, ``app.py`` and
the command line have a table of those there are; a kind of another room is made known by it, as
itself or by where it is: ``kinds.know_where({"game": "vigil.games.filming:KIND"})``.

A *moment* is a whole number that says what a picture shows: microseconds since 1970 UTC in a film
of scenes, a tick in a film of a game. Moments never go back within a film.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vigil.context import Context
from vigil.films.model import Film, Planned, Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a film should have, as far as this look at it goes."""

    segments: Sequence[Planned]
    """In order of ``start``; all that it should have from ``since`` on."""
    since: int | None = None
    """Windows that begin earlier stay as they are; ``None``: this is the whole film."""
    frozen: int | None = None
    """What is rendered of windows whose first picture is earlier stays: what it was made of is
    going. ``None``: nothing is."""
    next_at: datetime | None
    """When to look again; ``None``: the film is complete with this."""
    planned_id: int = 0
    """A mark of the kind's own that the next look begins from; 0: look at everything."""


class Outdated(Exception):
    """What a segment was planned from has changed since: the film must be planned again."""


class Kind(Protocol):
    """Plans and renders films of one kind. Has no state; everything is in the film's row."""

    @property
    def name(self) -> str:
        """As it stands in films.kind."""

    async def plan(self, context: Context, film: Film, now: datetime) -> Plan:
        """What the film should have now; the same for the same rows, whoever plans when."""

    async def render(self, context: Context, film: Film, planned: Planned) -> Rendered:
        """Render one segment, on its own, exactly as it would be inside the whole.

        Raises Outdated when it would be another than planned.
        """

    async def has_news(self, context: Context, film: Film) -> bool:
        """Whether a plan made now may differ from the last one; cheap."""

    def at(self, film: Film, moment: int) -> datetime | None:
        """The real time of a moment, where there is one."""


_KNOWN: dict[str, Kind] = {}
_WHERE: dict[str, str] = {}


def know(*kinds: Kind) -> None:
    """Make kinds known to this process; again is no harm."""
    _KNOWN.update({kind.name: kind for kind in kinds})


def know_where(places: Mapping[str, str]) -> None:
    """Make kinds known by name and place (``module:name``). Each is imported with the first film
    of it, so that no process carries what draws films that it never sees."""
    _WHERE.update(places)


def of(film: Film) -> Kind:
    """The kind of a film; raises LookupError when this process does not know it."""
    return named(film.kind)


def named(name: str) -> Kind:
    """A kind by its name; raises LookupError as well."""
    if name not in _KNOWN:
        module, _, attribute = _WHERE[name].partition(":")
        know(getattr(importlib.import_module(module), attribute))
    return _KNOWN[name]
