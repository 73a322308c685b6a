"""Removes films, and segments that no film has any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from vigil import log
from vigil.context import Context
from vigil.films import beside, store
from vigil.films.model import Film
from vigil.films.segments import store as segments


@dataclass(frozen=True)
class Purged:
    """What was removed, or would be."""

    films: list[Film]
    segments: int
    """Those that only these films had, and others that nobody had."""


async def purge(context: Context, kind: str, before: datetime, *, dry_run: bool = False) -> Purged:
    """Remove films that are over and were not changed since a moment, and what only they had.

    One that a renderer is just joining goes when that is done.
    """
    films = await store.over(context.pool, kind, before)
    if dry_run:
        return Purged(films, await segments.only_of(context.pool, [film.id for film in films]))
    for film in films:
        await store.mark_deleting(context.pool, film.id)
    await remove_deleted(context)
    now = context.clock.now()
    return Purged(films, await collect(context, now, now + timedelta(seconds=1)))


async def remove_deleted(context: Context) -> None:
    """Remove films that were deleted and that nobody works on any more, blobs before rows."""
    for film_id in await store.deleting(context.pool):
        for folder in (f"films/{film_id}", beside.preview_folder(film_id)):
            async for blob in context.storage.list(folder):
                await context.storage.delete(blob.key)
        await store.remove(context.pool, film_id)
        log.info("films", f"film {film_id} is removed")


async def collect(context: Context, now: datetime, before: datetime) -> int:
    """Remove segments that no film has had since before a moment; returns how many."""

    async def remove(key: str) -> None:
        for one in (*beside.of_segment(key), key):
            await context.storage.delete(one)

    removed = 0
    while marked := await segments.mark_unused(context.pool, now, before):
        gone = 0
        for hash in marked:
            gone += await segments.collect(context.pool, hash, remove)
        removed += gone
        if not gone:
            break
    if removed:
        log.info("films", f"{removed} unused segments are removed")
    return removed
