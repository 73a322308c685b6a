"""Joins the segments of a film into one file, by stream copy."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from vigil import ffmpeg
from vigil.context import Context
from vigil.films import playlist
from vigil.films.model import Film, Listed, segment_blob
from vigil.films.segments import fmp4
from vigil.films.segments import store as segments
from vigil.films.states import store as states
from vigil.jobs.model import RunningJob
from vigil.storage import Storage


async def join(context: Context, job: RunningJob, film: Film) -> None:
    """Join what is rendered of a film, unless its file is that already."""
    listed = [one for one in await segments.listed(context.pool, film.id) if one.hash]
    if not listed:
        return
    key = hashlib.sha256("".join(one.hash or "" for one in listed).encode()).hexdigest()
    blob = f"films/{film.id}/{key[:32]}.mp4"
    size = film.file_bytes
    if film.file_key != key or size is None or await context.storage.head(blob) is None:
        await job.progress(message="joining the film")
        size = await _join(context, film, listed, blob)
    if not await states.keep_file(context.pool, film, blob, size, key):
        await context.storage.delete(blob)
    elif film.file_blob not in (None, blob):
        await context.storage.delete(str(film.file_blob))


async def _join(context: Context, film: Film, listed: Sequence[Listed], blob: str) -> int:
    """Write the film's file; returns its bytes."""
    folder = scratch(context)
    with tempfile.TemporaryDirectory(dir=folder, prefix="film-", ignore_cleanup_errors=True) as tmp:
        path = Path(tmp) / "film.mp4"
        done = await ffmpeg.run(
            [
                *("-f", "mp4", "-i", "pipe:0", "-c", "copy", "-movflags", "+faststart"),
                *("-metadata", f"title={film.title}", "-f", "mp4", str(path)),
            ],
            input=fragments(context.storage, film, listed),
        )
        wanted = sum(segment.frames for segment in listed)
        if done.frames != wanted:
            raise ffmpeg.FfmpegError(f"the film came out with {done.frames} of {wanted} pictures")
        return await context.storage.put_file(blob, path)


async def fragments(storage: Storage, film: Film, listed: Sequence[Listed]) -> AsyncIterator[bytes]:
    """The whole film as one fragmented MP4: the first segment's header, then every fragment."""
    first = film.dropped_ticks
    for placed in playlist.place(film, listed):
        data = await storage.get(segment_blob(str(placed.segment.hash)))
        segment = fmp4.split(data)
        if placed.start == first:
            yield segment.init
        yield fmp4.place(segment.media, placed.sequence, placed.start - first)


def scratch(context: Context) -> Path:
    """The folder for files that are being made."""
    folder = context.settings.data_dir / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
