"""A film as one file: its segments joined by stream copy, with title, real time and chapters.

What was asked for as an animated picture is made of the same (``exports``).

The segments flow through a pipe one after the other, so memory does not depend on the length of
the film. The file is written to the scratch folder of this machine first and goes to the blob
store from there.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from vigil import ffmpeg
from vigil.cameras.looking import store as looking
from vigil.context import Context
from vigil.errors import DiskFull, Invalid, NotFound
from vigil.ffmpeg import OnProgress
from vigil.films import chapters, exports, playlist
from vigil.films.chapters import Span
from vigil.films.model import TICKS, Film, Listed, at_moment, moment_of, segment_blob
from vigil.films.options import Container
from vigil.films.playlist import Placed
from vigil.films.segments import fmp4, splicing
from vigil.films.segments import store as segments
from vigil.films.states import store as states
from vigil.films.store import tell
from vigil.films.timeline import Mark, Piece, Survey
from vigil.jobs.model import RunningJob
from vigil.pipe import Data
from vigil.storage import Storage

MUXERS = {"mp4": ("mp4", ["-movflags", "+faststart"]), "webm": ("webm", ["-cues_to_front", "1"])}
"""For each container the name of ffmpeg's muxer, and what lets players begin at once."""
REORDERED = 2 * TICKS
"""How much later than it is decoded a picture of H.264 may have to be presented: x264 reorders over
two pictures at most."""
PAGE = 100
"""Segments whose pictures' moments are read together."""
OVERHEAD = 1.02
"""The file against the sum of its segments, at most."""
ANIMATION = 100_000_000
"""Bytes that an animated picture may come to."""


async def join(context: Context, job: RunningJob, film: Film) -> None:
    """Make the file of what a film shows now; nothing to do when that is there already."""
    listed = playlist.playable(film, await segments.listed(context.pool, film.id))
    if not listed:
        raise NotFound(f"film {film.id} shows nothing yet")
    key = content_key(listed)
    end = container(film, listed)
    blob = f"films/{film.id}/{key[:32]}.{end}"
    if film.file_key == key and await context.storage.head(blob) is not None:
        return
    await check_room(context, listed, end)
    wanted = sum(one.frames for one in listed)

    async def on_progress(seen: ffmpeg.Progress) -> None:
        await job.progress(min(seen.frames, wanted), wanted, "frames", "joining the film")
        await tell(context.pool, film.id)

    folder = await asyncio.to_thread(scratch, context)
    with tempfile.TemporaryDirectory(dir=folder, prefix="film-", ignore_cleanup_errors=True) as tmp:
        path = Path(tmp) / f"film.{end}"
        if end in MUXERS:
            await _copy(context, film, listed, path, on_progress)
        else:
            joined = fragments(context.storage, film, listed)
            await exports.export(film, end, joined, path, on_progress=on_progress)
        size = await context.storage.put_file(blob, path)
    if not await states.keep_file(context.pool, film, blob, size, key):
        await context.storage.delete(blob)  # the film is gone
    elif film.file_blob not in (None, blob):
        await context.storage.delete(str(film.file_blob))


def content_key(listed: Sequence[Listed]) -> str:
    """Names what a file of these segments shows."""
    return hashlib.sha256("".join(str(one.hash) for one in listed).encode()).hexdigest()


def container(film: Film, listed: Sequence[Listed]) -> Container:
    """What the file is, as the end of its name: the film's own wish, where it can be that."""
    if film.kind != "scene":
        return "mp4"
    try:
        length = sum(one.duration_s for one in listed)
        exports.check(film.making.container, film.making.codec, length)
    except Invalid:
        return "mp4"  # it has grown too long, say
    return film.making.container


async def check_room(context: Context, listed: Sequence[Listed], end: Container) -> None:
    """Raise DiskFull when the disk could not take the file twice, as scratch and as blob."""
    space = await context.storage.space()
    if space is None:
        return
    size = round(OVERHEAD * sum(one.bytes for one in listed))
    if end not in MUXERS:
        size = max(size, ANIMATION)
    left = space.free - 2 * size
    if left < context.settings.disk_reserve.of(space):
        raise DiskFull(
            f"there is no room for a file of {size / 1e6:.0f} MB:"
            f" {space.free / 1e9:.1f} GB are free, and a part of it is kept in reserve",
            hint="the film plays in the browser all the same; free some space and ask again",
        )


async def _copy(
    context: Context, film: Film, listed: Sequence[Listed], path: Path, on_progress: OnProgress
) -> None:
    """Write the film by stream copy, with what it says about itself."""
    notes = path.with_suffix(".notes")
    told = await metadata(context, film, listed)
    await asyncio.to_thread(notes.write_text, told, encoding="utf-8")
    muxer, options = MUXERS[path.suffix[1:]]
    done = await ffmpeg.run(
        [
            *("-f", "mp4", "-i", "pipe:0", "-f", "ffmetadata", "-i", str(notes)),
            *("-map", "0:v:0", "-map_metadata", "1", "-map_chapters", "1", "-c", "copy"),
            *(*options, "-f", muxer, str(path)),
        ],
        input=fragments(context.storage, film, listed),
        on_progress=on_progress,
    )
    wanted = sum(one.frames for one in listed)
    if done.frames != wanted:
        raise ffmpeg.FfmpegError(f"the film came out with {done.frames} of {wanted} pictures")


async def fragments(storage: Storage, film: Film, listed: Sequence[Listed]) -> AsyncIterator[Data]:
    """The whole film as one fragmented MP4: the first segment's header, then every fragment."""
    first = parameters = b""
    header = ""
    for placed in playlist.place(film, listed):
        segment = fmp4.split(await storage.get(segment_blob(str(placed.segment.hash))))
        moof = fmp4.place(segment.moof, placed.sequence, placed.start - film.dropped_ticks)
        if not header:
            first = parameters = splicing.parameter_sets(segment.init)
            yield segment.init
        elif placed.header != header:
            parameters = splicing.parameter_sets(segment.init)
        header = placed.header
        if parameters:
            moof = fmp4.delayed(moof, REORDERED)
        if parameters == first:
            yield moof
            yield segment.mdat
        else:
            yield splicing.with_parameters(b"".join((moof, segment.mdat)), parameters)


async def metadata(context: Context, film: Film, listed: Sequence[Listed]) -> str:
    """What the file of these segments says about itself, for ffmpeg to read."""
    scene = film.kind == "scene"
    first, last = listed[0].first, listed[-1].last
    spans: list[Span] = []
    if scene and film.scene_id is not None:
        edges = at_moment(first), at_moment(last + 1)
        tags = await looking.tags(context.pool, film.scene_id, *edges)
        spans = [
            Span(
                tag.name,
                moment_of(tag.from_at),
                None if tag.to_at is None else moment_of(tag.to_at),
            )
            for tag in tags
        ]
    survey = Survey(
        pieces=len(listed),
        usual=max(1, last - first),
        zone=ZoneInfo(film.time_zone) if scene else None,
        edges=chapters.edges(spans, first, last),
    )
    for some in batched(playlist.place(film, listed), PAGE):
        moments = await segments.moments(context.pool, film.id, [p.segment.start for p in some])
        survey.add([piece(film, placed, moments.get(placed.segment.start)) for placed in some])
    began = at_moment(first).isoformat() if scene else None
    return chapters.metadata(film.title, began, marks(survey, spans), survey.end, film.timescale)


def marks(survey: Survey, spans: Sequence[Span]) -> list[Mark]:
    """The chapters of a film: its days, or those of its tags when it has one day, or none."""
    found = chapters.of_days(survey.days)
    return found if len(found) > 1 else chapters.of_tags(spans, survey.starts)


def piece(film: Film, placed: Placed, moments: bytes | None) -> Piece:
    """A segment as the timeline takes it, on the time axis of the file."""
    return Piece(
        number=placed.sequence,
        start=placed.start - film.dropped_ticks,
        ticks=placed.segment.ticks(film.timescale),
        frames=placed.segment.frames,
        first=placed.segment.first,
        last=placed.segment.last,
        moments=moments,
    )


def batched(found: Iterable[Placed], number: int) -> Iterator[list[Placed]]:
    """So many at a time."""
    rest = iter(found)
    while some := list(itertools.islice(rest, number)):
        yield some


def scratch(context: Context) -> Path:
    """The folder of this machine in which files are put together."""
    folder = context.settings.data_dir / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
