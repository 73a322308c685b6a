"""What an admin asks for, checked: the one way to a source for page, API and command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import db_utils
from vigil import addresses
from vigil.errors import Conflict, Invalid, NotFound
from vigil.sources import headers, store
from vigil.sources.kinds import DIRECTORIES
from vigil.sources.model import DirectoryKind, Source, SourceState

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LEAST_INTERVAL_S = 1.0
LEAST_TTL_S = 10.0
MOST_S = 7 * 86_400.0
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A source as somebody describes it; ``None`` stands for the kind's default."""

    name: str
    kind: str
    base_url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    interval_s: float | None = None
    ttl_s: float | None = None
    secrets: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    """Secret headers; of a source that is there, those to change: ``None`` forgets one."""
    enabled: bool = True


def checked(wanted: Wanted, before: Source | None = None) -> Source:
    """A source as it would be saved; raises Invalid naming what cannot be used.

    Args:
        wanted: all that it is to be.
        before: the source that is changed, if there is one.
    """
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
    base_url = _base_url(kind, wanted.base_url)
    return Source(
        id=before.id if before else 0,
        name=wanted.name,
        kind=kind.name,
        base_url=base_url,
        options=kind.check_options(wanted.options),
        interval_s=interval_s,
        ttl_s=float(ttl_s),
        enabled=wanted.enabled,
        created_at=before.created_at if before else _NEVER,
        changed_at=before.changed_at if before else _NEVER,
        secrets=_secrets(kind, wanted.secrets, base_url, before),
    )


def as_it_is(source: Source) -> Wanted:
    """A source as somebody would describe it who wants no change."""
    return Wanted(
        name=source.name,
        kind=source.kind,
        base_url=source.base_url,
        options=source.options,
        interval_s=source.interval_s,
        ttl_s=source.ttl_s,
        enabled=source.enabled,
    )


async def add(db: db_utils.Database, wanted: Wanted) -> Source:
    """Add a source; raises Invalid, or Conflict when the name is taken."""
    source = checked(wanted)
    return await store.add(
        db,
        name=source.name,
        kind=source.kind,
        base_url=source.base_url,
        options=source.options,
        interval_s=source.interval_s,
        ttl_s=source.ttl_s,
        secrets=source.secrets,
    )


async def change(db: db_utils.Database, name: str, **wanted: Any) -> None:
    """Change what is named of a source, by the fields of ``Wanted`` but name and kind.

    Raises Invalid, or NotFound.
    """
    before = (await find(db, name)).source
    source = checked(replace(as_it_is(before), **wanted), before)
    changed = await store.change(
        db,
        name,
        base_url=source.base_url,
        options=source.options,
        interval_s=source.interval_s,
        ttl_s=source.ttl_s,
        secrets=source.secrets,
        enabled=source.enabled,
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


def _base_url(kind: DirectoryKind, text: str | None) -> str | None:
    if not text or not text.strip():
        if kind.setting is None:
            raise Invalid("give the address of the source", hint="there is no usual one")
        return None
    url = addresses.parse(text.strip())
    if len(text) > 2000 or url.fragment:
        raise Invalid("give the address of the source without #, at most 2000 characters")
    if kind.setting is None:  # the address is whole: nothing is put behind it
        return text.strip()
    if url.query_string:
        raise Invalid("give the address of the source without ? and #")
    return str(url).rstrip("/")


def _secrets(
    kind: DirectoryKind,
    given: Mapping[str, str | None],
    base_url: str | None,
    before: Source | None,
) -> dict[str, str]:
    """The secret headers that a source has then; none of them goes to another host unasked."""
    names = {name.lower() for name in given}
    fresh = {name: value for name, value in given.items() if value}
    kept = {
        name: value
        for name, value in (before.secrets if before else {}).items()
        if name.lower() not in names
    }
    if (kept or fresh) and not kind.secrets:
        raise Invalid(f"a source of kind {kind.name} sends no headers")
    if kept and before and _origin(before.base_url) != _origin(base_url):
        raise Invalid(
            f"the address is on another host: give {', '.join(kept)} again, or remove it",
            hint="a secret header goes only where it was meant for",
        )
    return headers.checked({**kept, **fresh}, secret=True)


def _origin(base_url: str | None) -> str:
    return str(addresses.parse(base_url).origin()) if base_url else ""


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
