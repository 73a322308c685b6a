"""Sources, and what reading one yields."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vigil.context import Context
from vigil.streams.model import SeenStream


@dataclass(frozen=True, kw_only=True)
class Source:
    """A directory of live streams that the scanner looks through."""

    id: int
    name: str
    kind: str
    base_url: str | None
    """``None``: the address in the settings."""
    options: Mapping[str, Any]
    interval_s: float
    ttl_s: float
    enabled: bool
    created_at: datetime
    changed_at: datetime
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Request headers that are sent to it and shown to nobody."""
    memory: str = ""
    """What the last pass asked to have kept (``Page.memory``); nobody else understands it."""


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """A source and how the last pass over it went. Columns: see migrations/0006_sources.sql."""

    source: Source
    started_at: datetime | None = None
    finished_at: datetime | None = None
    succeeded_at: datetime | None = None
    next_at: datetime | None = None
    complete: bool | None = None
    pages: int = 0
    found: int = 0
    kept: int = 0
    refused: int = 0
    refusals: Mapping[str, int] = field(default_factory=dict)
    fresh: int = 0
    ended: int = 0
    failures: int = 0
    error: str | None = None
    hint: str | None = None
    failed_at: datetime | None = None
    budget_remaining: int | None = None
    budget_limit: int | None = None

    @property
    def running(self) -> bool:
        """Whether a pass has begun and not ended yet."""
        if self.started_at is None:
            return False
        return self.finished_at is None or self.finished_at < self.started_at


@dataclass(frozen=True)
class Split:
    """A part of a directory; empty: of all languages, of all categories."""

    languages: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """Their ids."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer of a source: what it showed and what was refused, with reasons."""

    streams: list[SeenStream]
    found: int
    """Items in the answer, refused and repeated ones included."""
    refused: Counter[str] = field(default_factory=Counter)
    """Reason → number."""
    budget_remaining: int | None = None
    budget_limit: int | None = None
    answers: int = 1
    """0 for a page that is a further part of the same answer."""
    whole: Split | None = None
    """With this page, a part of the directory was seen wholly."""
    memory: str | None = None
    """For ``Source.memory`` at the next pass; ``None``: as it is."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a kind, as a form and --help show it."""

    name: str
    label: str
    hint: str = ""
    example: str = ""
    choices: Sequence[str] = ()
    """Where only these are possible."""
    lines: bool = False
    """Whether it may have several lines."""
    expression: bool = False
    """Whether it is a JMESPath expression."""
    group: str = "What is kept"
    """Under which heading it stands."""


@dataclass(frozen=True, kw_only=True)
class DirectoryKind:
    """How one kind of directory is read. One of these stands in each adapter's file."""

    name: str
    title: str
    """For a person: Twitch, Owncast directory, PeerTube."""
    interval_s: float
    """Default seconds between passes."""
    ttl_s: float
    """Default seconds after which a stream not seen again expires."""
    pages: Callable[[Context, Source], AsyncIterator[Page]]
    """One pass; ends normally only when the whole directory was seen, raises SourceError else."""
    check_options: Callable[[Mapping[str, Any]], dict[str, Any]]
    """The options in canonical form; raises Invalid naming the bad one."""
    setting: str | None
    """The setting that holds the default address, e.g. ``owncast_url``. ``None``: there is none,
    and the address of a source is whole, query included."""
    test: Callable[[Context, Source], Awaitable[str]]
    """Try one request; returns a sentence for a person, raises SourceError."""
    form: Sequence[Option] = ()
    """Its options."""
    secrets: bool = False
    """Whether secret headers can be sent."""
    confirm: Callable[[Context, Source, Sequence[str]], Awaitable[Page]] | None = None
    """Those of at most 100 channels, by their ids, that are live and meet the criteria: asked for
    what a pass did not see. ``None``: it cannot be asked so."""
