"""What an admin asks for, checked: the one way to a source for page, API and command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import db_utils
from vigil import addresses
from vigil.errors import Conflict, Invalid, NotFound
from vigil.sources import store
from vigil.sources.kinds import DIRECTORIES
from vigil.sources.model import DirectoryKind, Source, SourceState

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LEAST_INTERVAL_S = 1.0
LEAST_TTL_S = 10.0
MOST_S = 7 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A source as somebody describes it; ``None`` stands for the kind's default."""

    name: str
    kind: str
    base_url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    interval_s: float | None = None
    ttl_s: float | None = None


async def add(db: db_utils.Database, wanted: Wanted) -> Source:
    """Add a source; raises Invalid naming what cannot be used, Conflict when the name is taken."""
    if not NAME.fullmatch(wanted.name):
        raise Invalid(
            f"{wanted.name[:70]!r} cannot be a source's name",
            hint="lower-case letters, digits and dashes, at most 63, e.g. owncast-2",
        )
    kind = kind_of(wanted.kind)
    interval_s = kind.interval_s if wanted.interval_s is None else float(wanted.interval_s)
    ttl_s = wanted.ttl_s
    if ttl_s is None:  # a slower source's streams last as much longer
        ttl_s = min(kind.ttl_s * max(1.0, interval_s / kind.interval_s), MOST_S)
    _check_times(interval_s, ttl_s)
    return await store.add(
        db,
        name=wanted.name,
        kind=kind.name,
        base_url=_base_url(wanted.base_url),
        options=kind.check_options(wanted.options),
        interval_s=interval_s,
        ttl_s=float(ttl_s),
    )


async def change(
    db: db_utils.Database,
    name: str,
    *,
    base_url: str | None,
    options: Mapping[str, Any],
    interval_s: float,
    ttl_s: float,
    enabled: bool,
) -> None:
    """Change everything of a source but name and kind; raises Invalid, or NotFound."""
    source = (await find(db, name)).source
    _check_times(interval_s, ttl_s)
    changed = await store.change(
        db,
        name,
        base_url=_base_url(base_url),
        options=kind_of(source.kind).check_options(options),
        interval_s=float(interval_s),
        ttl_s=float(ttl_s),
        enabled=enabled,
    )
    if not changed:
        raise _no_source(name)


async def find(db: db_utils.Database, name: str) -> SourceState:
    """A source by its name; raises NotFound."""
    state = await store.get_state(db, name) if NAME.fullmatch(name) else None
    if state is None:
        raise _no_source(name)
    return state


async def set_enabled(db: db_utils.Database, name: str, enabled: bool) -> None:
    """Let the scanner look at a source, or not; raises Conflict where that is so already."""
    state = await find(db, name)
    if state.source.enabled == enabled:
        raise Conflict(f"source {name} is {'enabled' if enabled else 'disabled'} already")
    await store.set_enabled(db, name, enabled)


async def delete(db: db_utils.Database, name: str) -> None:
    """Remove a source and its streams; raises NotFound."""
    if not NAME.fullmatch(name) or not await store.delete(db, name):
        raise _no_source(name)


async def look_now(db: db_utils.Database, name: str) -> None:
    """Have the scanner look now instead of later; raises Conflict where it cannot."""
    state = await find(db, name)
    if state.running:
        raise Conflict(f"source {name} is being looked through right now")
    if not await store.touch(db, name):
        raise Conflict(f"source {name} is disabled", hint="enable it first")


def kind_of(name: str) -> DirectoryKind:
    """A kind by its name; raises Invalid."""
    if name not in DIRECTORIES:
        raise Invalid(f"there is no kind of source called {name[:70]}", hint=", ".join(DIRECTORIES))
    return DIRECTORIES[name]


def _base_url(text: str | None) -> str | None:
    if not text or not text.strip():
        return None
    url = addresses.parse(text.strip())
    if url.query_string or url.fragment or len(text) > 2000:
        raise Invalid("give the address of the source without ? and #")
    return str(url).rstrip("/")


def _check_times(interval_s: float, ttl_s: float) -> None:
    if not LEAST_INTERVAL_S <= interval_s <= MOST_S:  # NaN, too, is refused
        raise Invalid(f"the interval is from {LEAST_INTERVAL_S:g} to {MOST_S:g} seconds")
    if not LEAST_TTL_S <= ttl_s <= MOST_S:
        raise Invalid(f"the time to live is from {LEAST_TTL_S:g} to {MOST_S:g} seconds")
    if ttl_s <= interval_s:
        raise Invalid(
            "the time to live is longer than the interval",
            hint="or streams expire before they are looked at again",
        )


def _no_source(name: str) -> NotFound:
    return NotFound(f"there is no source {name[:70]}")
