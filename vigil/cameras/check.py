"""Where frames and their blobs disagree: what a crash, or a hand on the disk, left behind."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from vigil.cameras.frames import store as frames
from vigil.cameras.scan import remove
from vigil.context import Context

YOUNG = timedelta(minutes=1)
"""A younger blob may be waiting for its row."""
STUCK = timedelta(minutes=10)
"""Longer than this no removal takes while a scanner runs."""
BATCH = 1000
_KEY = re.compile(r"frames/(\d{1,9})/(\d{4}-\d\d-\d\d)/(\d{1,16})-[0-9a-f]{16}\.jpg")


async def check(context: Context, mend: bool) -> list[str]:
    """Find, and with ``mend`` remove, frames without blobs, blobs without frames, stuck removals.

    Safe while everything runs. Returns a line for each fault.
    """
    found = [line async for line in _frames_without_blobs(context, mend)]
    found += [line async for line in _blobs_without_frames(context, mend)]
    stuck = await frames.stuck(context.pool, context.clock.now() - STUCK)
    if stuck and mend:
        await remove(context, stuck)
    found += [f"frame {frame_id} was being removed and still was there" for frame_id, _ in stuck]
    if mend:
        left = await context.storage.sweep()
        if left:
            found.append(f"{left} files of writes that were cut short")
    return found


async def _frames_without_blobs(context: Context, mend: bool) -> AsyncIterator[str]:
    """Walk over the frames; a day of a camera is listed once, a blob missing there asked for."""
    folders: dict[str, set[str]] = {}
    after = 0
    while rows := await frames.blobs_after(context.pool, after, BATCH):
        after = rows[-1][0]
        for frame_id, blob in rows:
            folder = blob.rpartition("/")[0]
            if folder not in folders:
                if len(folders) >= 100:
                    folders.clear()
                folders[folder] = {info.key async for info in context.storage.list(folder)}
            if blob in folders[folder] or await context.storage.head(blob) is not None:
                continue
            if await frames.blobs_after(context.pool, frame_id - 1, 1) != [(frame_id, blob)]:
                continue  # expired meanwhile
            if mend:
                await frames.forget_one(context.pool, frame_id)
            yield f"frame {frame_id} had lost its blob {blob}"


async def _blobs_without_frames(context: Context, mend: bool) -> AsyncIterator[str]:
    batch: list[str] = []
    before = context.clock.now() - YOUNG
    async for info in context.storage.list("frames"):
        if info.modified < before:
            batch.append(info.key)
        if len(batch) >= BATCH:
            async for line in _strays(context, batch, mend):
                yield line
            batch = []
    async for line in _strays(context, batch, mend):
        yield line


async def _strays(context: Context, blobs: list[str], mend: bool) -> AsyncIterator[str]:
    places = []
    for blob in blobs:
        match = _KEY.fullmatch(blob)
        if match:
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            taken_at = epoch + timedelta(microseconds=int(match[3]))
            places.append((int(match[1]), taken_at, blob))
    known = await frames.known_blobs(context.pool, places)
    for blob in blobs:
        if blob not in known:
            if mend:
                await context.storage.delete(blob)
            yield f"the blob {blob} belonged to no frame"
