"""Events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    id: int
    at: datetime
    kind: str
    """Word to choose by: ``camera.silent`` when it begins, ``camera.silent.over`` at its end."""
    subject: str
    """What it is about: ``camera:<name>``."""
    message: str
    """A sentence for a person."""
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where events are sent."""

    id: int
    name: str
    kind: str
    """``webhook`` or ``apprise``."""
    url: str = field(repr=False)
    """With credentials; shown to nobody again."""
    secret: str = field(repr=False)
    """Of a webhook: ``whsec_`` and base64, with what requests are signed."""
    kinds: Sequence[str]
    """Kinds of events, or their beginnings (``camera.``); empty: all."""
    enabled: bool
    error: str | None
    """Why the last attempt failed; ``None`` after one that did not."""
    error_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one destination."""

    id: int
    attempts: int
    """So far."""
    event: Event
    destination: Destination


WAITS_S = (10, 60, 300, 1800, 7200, 18_000, 36_000, 36_000)
"""Seconds after each failed attempt; after the last one a delivery is given up: about 28 hours."""
