"""What a source would show, before it is saved: its first streams, and what is refused and why."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

import db_utils
from vigil.context import Context
from vigil.errors import SourceError
from vigil.sources.blocks import store as blocks_store
from vigil.sources.kinds import DIRECTORIES
from vigil.sources.model import Source
from vigil.streams.model import SeenStream

ENOUGH = 12
"""Streams."""
MOST_ANSWERS = 3
"""They may all be refused; then that is what there is to see."""

PATIENCE_S = 40.0
"""Somebody is waiting."""


class StreamJson(TypedDict):
    """A stream as it would be kept."""

    id: str
    title: str
    channel: str
    category: str
    tags: list[str]
    language: str
    viewers: int
    started_at: datetime | None
    thumbnail_url: str | None
    page_url: str
    player: str
    player_url: str
    mature: bool


class Reason(TypedDict):
    """Why items are not kept."""

    reason: str
    count: int


class PreviewJson(TypedDict):
    """The beginning of what a source shows."""

    items: list[StreamJson]
    found: int
    kept: int
    refused: list[Reason]
    complete: bool
    """Whether that was all."""


@dataclass
class Preview:
    """What the first answers of a source came to."""

    streams: list[SeenStream] = field(default_factory=list)
    """The first ``ENOUGH``."""
    found: int = 0
    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    complete: bool = True


async def preview(context: Context, source: Source) -> Preview:
    """Read the beginning of a source and save nothing; raises SourceError."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await _preview(context, source)
    except TimeoutError:
        raise SourceError(f"it did not show anything within {PATIENCE_S:g} s") from None


async def _preview(context: Context, source: Source) -> Preview:
    seen, answers = Preview(), 0
    async with db_utils.transaction(context.pool) as connection:
        blocks = await blocks_store.held(connection)
    async with aclosing(DIRECTORIES[source.kind].pages(context, source)) as pages:  # type: ignore[type-var]
        async for page in pages:
            answers += page.answers
            allowed = [stream for stream in page.streams if not blocks.has(stream)]
            seen.found += page.found
            seen.kept += len(allowed)
            seen.refused += page.refused
            seen.refused["blocked"] += len(page.streams) - len(allowed)
            seen.streams += allowed[: ENOUGH - len(seen.streams)]
            if len(seen.streams) == ENOUGH or answers >= MOST_ANSWERS:
                seen.complete = False
                break
    seen.refused = +seen.refused  # without zeros
    return seen


def preview_json(of: Preview) -> PreviewJson:
    """It for the API and the command line."""
    return {
        "items": [_shown(stream) for stream in of.streams],
        "found": of.found,
        "kept": of.kept,
        "refused": [{"reason": why, "count": n} for why, n in of.refused.most_common()],
        "complete": of.complete,
    }


def _shown(of: SeenStream) -> StreamJson:
    return {
        "id": of.external_id,
        "title": of.title,
        "channel": of.channel_name,
        "category": of.category,
        "tags": list(of.tags),
        "language": of.language,
        "viewers": of.viewers,
        "started_at": of.started_at,
        "thumbnail_url": of.thumbnail_url,
        "page_url": of.page_url,
        "player": of.player,
        "player_url": of.player_url,
        "mature": of.mature,
    }
