"""Where frames and their blobs disagree: what a crash, or a hand on the disk, left behind."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from vigil.cameras import retention, store
from vigil.cameras.frames.model import Stored, picture_key, thumbnails_key
from vigil.cameras.keeping import store as keeping
from vigil.cameras.pictures import reading
from vigil.cameras.pictures.shape import BadPicture
from vigil.context import Context
from vigil.errors import NotFound

YOUNG = timedelta(minutes=1)
"""A younger blob may be waiting for its row."""
STUCK = timedelta(minutes=10)
"""Longer than this no removal takes while a scanner runs."""
BATCH = 1000
FOLDERS = ("frames", "pictures", "thumbnails")
_KEY = re.compile(
    r"[a-z]+/(\d{1,9})/(\d{4}-\d\d-\d\d)/(\d{1,16})(-[0-9a-f]{16}){1,2}\.(jpgs?|png|webp|heic)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def check(context: Context, mend: bool) -> list[str]:
    """Find, and with ``mend`` put right, where rows, blobs, pictures and thumbnails disagree.

    A frame that lost its blob is removed; a picture or thumbnails that are missing are made again;
    blobs that no row names go, and so do removals that got stuck. Safe while everything runs.
    Returns a line for each fault.
    """
    found = [line async for line in _frames_without_blobs(context, mend)]
    for folder in FOLDERS:
        found += [line async for line in _blobs_without_frames(context, folder, mend)]
    stuck = await keeping.stuck(context.pool, context.clock.now() - STUCK)
    if stuck and mend:
        await retention.remove(context, stuck)
    found += [f"frame {frame.id} was being removed and still was there" for frame in stuck]
    for name in await keeping.miscounted(context.pool):
        if mend:
            await keeping.recount(context.pool, name)
        found.append(f"the frames of camera {name} were miscounted")
    if mend:
        left = await context.storage.sweep()
        if left:
            found.append(f"{left} files of writes that were cut short")
    return found


async def _frames_without_blobs(context: Context, mend: bool) -> AsyncIterator[str]:
    """Walk over the frames; a day of a camera is listed once, a blob missing there asked for."""
    folders: dict[str, dict[str, int]] = {}
    after = 0
    while rows := await keeping.after(context.pool, after, BATCH):
        after = rows[-1].id
        for frame in rows:
            missing = [
                key for key in frame.blobs if not await _is_there(context, folders, frame, key)
            ]
            if not missing:
                continue
            now = await keeping.after(context.pool, frame.id - 1, 1)
            if now != [frame]:
                continue  # expired meanwhile, or mended
            if frame.blob in missing:
                if mend:
                    await keeping.mark(context.pool, [frame.id], context.clock.now())
                    await retention.remove(context, [frame])
                yield f"frame {frame.id} had lost its blob {frame.blob}"
            else:
                if mend:
                    await _make_again(context, frame, missing)
                yield f"frame {frame.id} had lost {', '.join(missing)}"


async def _is_there(
    context: Context, folders: dict[str, dict[str, int]], frame: Stored, key: str
) -> bool:
    """Whether a blob of a frame is there; thumbnails must be as long as the row says."""
    folder = key.rpartition("/")[0]
    if folder not in folders:
        if len(folders) >= 300:
            folders.clear()
        folders[folder] = {info.key: info.size async for info in context.storage.list(folder)}
    size = folders[folder].get(key)
    if size is None:
        info = await context.storage.head(key)
        size = info.size if info else None
    if key == thumbnails_key(frame.blob):
        return size == sum(frame.thumbnails or ())
    return size is not None


async def _make_again(context: Context, frame: Stored, missing: list[str]) -> None:
    """Make picture and thumbnails of a frame again; without, if its blob was damaged."""
    camera = await store.by_id(context.pool, frame.camera_id)
    if camera is None:
        return
    lost = frame.picture in missing
    source = frame.blob if lost or frame.picture is None else frame.picture
    picture, thumbnails = None if lost else frame.picture, None
    size = None
    try:
        data = await context.storage.get(source)
        shape = await reading.run(reading.measure, data)
        seen = await reading.run(
            reading.examine,
            data,
            shape,
            rotation=camera.rotation if lost else 0,
            crop=camera.crop if lost else None,
        )
        if picture is not None:
            size = len(data)
        elif lost and seen.picture is not None:
            picture = picture_key(frame.blob, hashlib.sha256(seen.picture).digest())
            size = len(seen.picture)
            await context.storage.put(picture, seen.picture)
        await context.storage.put(thumbnails_key(frame.blob), b"".join(seen.thumbnails))
        thumbnails = [len(one) for one in seen.thumbnails]
    except NotFound:
        return  # it goes, or the next check finds that its blob is gone
    except BadPicture:
        picture = None
    await keeping.replace_derived(
        context.pool, frame.id, picture=picture, picture_bytes=size, thumbnails=thumbnails
    )


async def _blobs_without_frames(context: Context, folder: str, mend: bool) -> AsyncIterator[str]:
    batch: list[str] = []
    before = context.clock.now() - YOUNG
    async for info in context.storage.list(folder):
        if info.modified < before:
            batch.append(info.key)
        if len(batch) >= BATCH:
            async for line in _strays(context, batch, mend):
                yield line
            batch = []
    async for line in _strays(context, batch, mend):
        yield line


async def _strays(context: Context, blobs: list[str], mend: bool) -> AsyncIterator[str]:
    places = set()
    for blob in blobs:
        match = _KEY.fullmatch(blob)
        if match:
            places.add((int(match[1]), _EPOCH + timedelta(microseconds=int(match[3]))))
    frames = await keeping.taken_at(context.pool, sorted(places))
    known = {key for frame in frames for key in frame.blobs}
    for blob in blobs:
        if blob not in known:
            if mend:
                await context.storage.delete(blob)
            yield f"the blob {blob} belonged to no frame"
