"""What the adapters' tests share: a source as the table would hold it, and a pass over it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vigil.context import Context
from vigil.sources.kinds import DIRECTORIES
from vigil.sources.model import Page, Source, Split
from vigil.streams.model import SeenStream

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def make_source(kind: str, base_url: str | None, **options: Any) -> Source:
    """A source of a kind at an address."""
    return Source(
        id=1,
        name=kind,
        kind=kind,
        base_url=base_url,
        options=DIRECTORIES[kind].check_options(options),
        interval_s=60,
        ttl_s=600,
        enabled=True,
        created_at=LONG_AGO,
        changed_at=LONG_AGO,
    )


@dataclass
class Pass:
    """Everything that one pass yielded."""

    pages: list[Page]
    """Those that hold something of an answer."""
    whole: list[Split] = field(default_factory=list)
    """Parts of the directory that were seen wholly."""
    memory: str = ""
    """What the next pass should be given."""

    @property
    def streams(self) -> list[SeenStream]:
        """Of all pages, repeated ones included."""
        return [stream for page in self.pages for stream in page.streams]

    @property
    def refused(self) -> Counter[str]:
        """Of all pages."""
        return sum((page.refused for page in self.pages), Counter())

    @property
    def found(self) -> int:
        """Of all pages."""
        return sum(page.found for page in self.pages)


async def look_through(context: Context, source: Source) -> Pass:
    """One whole pass over a source; raises what the adapter raises."""
    seen = Pass([])
    async for page in DIRECTORIES[source.kind].pages(context, source):
        if page.answers or page.streams:
            seen.pages.append(page)
        if page.whole is not None:
            seen.whole.append(page.whole)
        seen.memory = page.memory or seen.memory
    return seen
