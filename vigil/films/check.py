"""Finds and mends what a crash left between the rows of films and their blobs."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta

from vigil.context import Context
from vigil.films import beside, kinds, store
from vigil.films.model import Film
from vigil.films.scene.kind import SCENE
from vigil.films.segments import store as segments
from vigil.storage import BlobInfo

kinds.know(SCENE)

YOUNG = timedelta(hours=1)
"""A blob without a row may be about to get one."""


async def check(context: Context, mend: bool) -> list[str]:
    """One line for each fault; with ``mend`` each of them is mended. Safe while all runs."""
    found = [line async for line in _segments_without_blob(context, mend)]
    found += [line async for line in _files_without_blob(context, mend)]
    found += [line async for line in _blobs_without_row(context, mend)]
    found += [line async for line in _stills_of_nothing(context, mend)]
    found += [line async for line in _holes(context, mend)]
    return found


async def _segments_without_blob(context: Context, mend: bool) -> AsyncIterator[str]:
    after = ""
    while names := await segments.known_segments(context.pool, after):
        after = names[-1]
        for hash in names:
            if await segments.has_blob(context.pool, hash, context.storage.head):
                continue
            films = []
            if mend:
                films = await segments.forget_segment(context.pool, hash)
                for film_id in films:
                    await store.replan(context.pool, film_id)
            again = f", films {films} are rendered again" if films else ""
            yield f"segment {hash[:16]} has no file{again}"


async def _files_without_blob(context: Context, mend: bool) -> AsyncIterator[str]:
    for film_id, blob in await store.files(context.pool):
        if await context.storage.head(blob) is not None:
            continue
        if mend:
            await store.forget_file(context.pool, film_id)
            await store.replan(context.pool, film_id)
        yield f"film {film_id} has lost its file"


async def _blobs_without_row(context: Context, mend: bool) -> AsyncIterator[str]:
    before = context.clock.now() - YOUNG
    for folder in ("segments", "films"):
        lost: list[BlobInfo] = [
            blob
            async for blob in context.storage.list(folder)
            if blob.modified < before and not await segments.is_known(context.pool, blob.key)
        ]
        for blob in lost:
            if mend:
                await segments.remove_unknown(context.pool, blob.key, context.storage.delete)
            yield f"{blob.key} belongs to nothing"


async def _stills_of_nothing(context: Context, mend: bool) -> AsyncIterator[str]:
    """Pictures of segments and films that are no more; they are made again if anybody asks."""
    before = context.clock.now() - YOUNG
    lost: list[str] = []
    async for blob in context.storage.list("stills"):
        segment = beside.segment_of(blob.key)
        if blob.modified < before and not (
            segment and await segments.is_known(context.pool, segment)
        ):
            lost.append(blob.key)
    async for blob in context.storage.list("previews"):
        film_id = beside.film_of(blob.key)
        if blob.modified < before and not (film_id and await store.get(context.pool, film_id)):
            lost.append(blob.key)
    for key in lost:
        if mend:
            await context.storage.delete(key)
        yield f"{key} belongs to nothing"


async def _holes(context: Context, mend: bool) -> AsyncIterator[str]:
    for film in await store.finished(context.pool):
        lacking = await _lacking(context, film)
        if lacking:
            if mend:
                await store.replan(context.pool, film.id)
            yield f"film {film.id} lacks {lacking} of its segments"


async def _lacking(context: Context, film: Film) -> int:
    """How many segments a finished film should have, by a plan made now, and has not."""
    anew = dataclasses.replace(film, planned_id=0)
    wanted = await kinds.of(film).plan(context, anew, context.clock.now())
    rows = await segments.listed(context.pool, film.id)
    there = {one.start for one in rows if one.hash is not None}
    return sum(one.start not in there for one in wanted.segments)
