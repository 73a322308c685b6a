"""Sources as visitors and programs see them, with what can be done and why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict

from vigil import log
from vigil.auth import Identity
from vigil.settings import Settings
from vigil.sources import options
from vigil.sources.kinds import DIRECTORIES
from vigil.sources.model import SourceState


class Refusal(TypedDict):
    """Why items were not kept."""

    reason: str
    count: int


class Budget(TypedDict):
    """Requests left in the source's rate limit."""

    remaining: int | None
    limit: int


class SourceJson(TypedDict):
    """A source of live streams, and how the last pass over it went."""

    name: str
    kind: str
    title: str
    base_url: str
    default_address: bool
    options: Mapping[str, Any]
    """Its criteria; for an admin the description of a feed, too."""
    secrets: list[str]
    """For an admin: names of the secret headers. Their values are shown to nobody."""
    criteria: str
    interval_s: float
    ttl_s: float
    enabled: bool
    created_at: datetime
    state: str
    badge: str
    started_at: datetime | None
    finished_at: datetime | None
    succeeded_at: datetime | None
    next_at: datetime | None
    complete: bool | None
    pages: int
    found: int
    kept: int
    fresh: int
    """Of those, not known before."""
    ended: int
    """Removed, because they are over."""
    refused: int
    refusals: list[Refusal]
    failures: int
    error: str | None
    hint: str | None
    failed_at: datetime | None
    budget: Budget | None
    actions: dict[str, str | None]


BADGES = {
    "fine": "ok",
    "looking": "ok live",
    "waiting": "",
    "late": "warn",
    "failing": "bad",
    "disabled": "",
}
"""State → the badge's colour. The states: ``state``."""

PATIENCE = timedelta(seconds=60)
ADMIN_ONLY = "only an admin can do this"


def state(of: SourceState, now: datetime) -> str:
    """How a source is, in a word.

    ``disabled``; ``looking``: a pass is under way; ``failing``: the last one ended badly;
    ``waiting``: none has begun yet; ``late``: the next one should have begun, for instance because
    no scanner runs; ``fine``.
    """
    if not of.source.enabled:
        return "disabled"
    if of.running:
        return "looking"
    if of.finished_at is None:
        late = now - of.source.changed_at > PATIENCE
        return "late" if late else "waiting"
    if of.next_at is not None and now - of.next_at > PATIENCE:
        return "late"
    return "failing" if of.error else "fine"


def actions(of: SourceState, identity: Identity | None) -> dict[str, str | None]:
    """What can be done with a source: ``None``, or why it cannot be done now."""
    refused = ADMIN_ONLY if identity is None else None
    enabled = of.source.enabled
    busy = "it is being looked through right now" if of.running else None
    return {
        "test": refused or (busy if enabled else "it is disabled"),
        "change": refused,
        "enable": refused or ("it is enabled already" if enabled else None),
        "disable": refused or (None if enabled else "it is disabled already"),
        "delete": refused,
    }


def source_json(
    of: SourceState, settings: Settings, identity: Identity | None, now: datetime
) -> SourceJson:
    """A source for the API and the page. Only an admin sees what its address may hold of a
    secret, and how a feed is described."""
    source, kind = of.source, DIRECTORIES.get(of.source.kind)
    base_url = source.base_url or (getattr(settings, kind.setting) if kind and kind.setting else "")
    criteria = {
        option.name: source.options[option.name]
        for option in options.NAMED_CRITERIA
        if option.name in source.options
    }
    return {
        "name": source.name,
        "kind": source.kind,
        "title": kind.title if kind else source.kind,
        "base_url": base_url if identity else log.redact_url(base_url),
        "default_address": source.base_url is None,
        "options": source.options if identity else criteria,
        "secrets": sorted(source.secrets) if identity else [],
        "criteria": options.written(criteria),
        "interval_s": source.interval_s,
        "ttl_s": source.ttl_s,
        "enabled": source.enabled,
        "created_at": source.created_at,
        "state": state(of, now),
        "badge": BADGES[state(of, now)],
        "started_at": of.started_at,
        "finished_at": of.finished_at,
        "succeeded_at": of.succeeded_at,
        "next_at": of.next_at,
        "complete": of.complete,
        "pages": of.pages,
        "found": of.found,
        "kept": of.kept,
        "fresh": of.fresh,
        "ended": of.ended,
        "refused": of.refused,
        "refusals": [
            {"reason": reason, "count": count}
            for reason, count in sorted(of.refusals.items(), key=lambda item: -item[1])
        ],
        "failures": of.failures,
        "error": of.error,
        "hint": of.hint,
        "failed_at": of.failed_at,
        "budget": None
        if of.budget_limit is None
        else {"remaining": of.budget_remaining, "limit": of.budget_limit},
        "actions": actions(of, identity),
    }
