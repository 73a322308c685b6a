"""Pictures of a film: a sheet of small ones for each segment, a poster, a cover, an animation.

All are made of rendered segments when they are first asked for, and kept as blobs beside them:
since a segment never changes, neither do its sheet and its poster, films share them, and a film
that grows has only new ones made. The animation is put together from sheets.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from weakref import WeakKeyDictionary

from PIL import Image

from vigil import ffmpeg
from vigil.context import Context
from vigil.errors import NotFound
from vigil.films.beside import Kind, blob, preview_blob, preview_folder
from vigil.films.model import segment_blob
from vigil.films.segments import fmp4
from vigil.films.segments import store as segments
from vigil.films.watching import store as watching
from vigil.films.watching.store import Shown

DARK = 0.5
"""A poster is no darker than this part of the brightest that there could be."""

CELLS, COLUMNS = 8, 4
"""Pictures of a sheet: at most so many, and so many in a row."""
CELL_WIDTH, POSTER_WIDTH = 240, 640
COVER = 1400
"""Width and height of a cover: podcast apps want a square of 1400 to 3000 pixels, RGB, and not much
more than half a megabyte (https://podcasters.apple.com/support/896-artwork-requirements)."""
PREVIEW_SEGMENTS = 8
PREVIEW_PICTURES = 32
PREVIEW_STEP_MS = 100
MOST_CUES = 1500
"""A long film has a thumbnail only for some of its segments."""
TIMEOUT_S = 60.0
AT_ONCE = 2
"""Segments that are decoded at a time in this process."""

_busy: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
_making: dict[str, asyncio.Task[bytes]] = {}


def cells(frames: int) -> list[int]:
    """Which pictures of a segment of so many its sheet has, in order: rows are full."""
    number = frames if frames < COLUMNS else min(frames // COLUMNS * COLUMNS, CELLS)
    return [index * frames // number for index in range(number)]


def cell_size(width: int, height: int) -> tuple[int, int]:
    """Size of a picture in a sheet of a film of that size."""
    across = min(CELL_WIDTH, width)
    return across, max(2, int(across * height / width / 2 + 0.5) * 2)


def box(cell: int, size: tuple[int, int]) -> tuple[int, int]:
    """Left and top of a cell in its sheet."""
    row, column = divmod(cell, COLUMNS)
    return column * size[0], row * size[1]


def thinning(segments: int) -> tuple[int, int]:
    """How many pictures of each segment are shown, and of every how many segments."""
    shown = CELLS
    while shown > 1 and segments * shown > MOST_CUES:
        shown //= 2
    return shown, max(1, -(-segments * shown // MOST_CUES))


def vtt(timescale: int, film: tuple[int, int], shown: Sequence[Shown], number: int) -> str:
    """The thumbnails of a film as WebVTT: each cue names a piece of a sheet.

    Args:
        timescale: ticks a second.
        film: its width and height.
        shown: the segments whose sheets are used, in order.
        number: how many pictures of each, at most.
    """
    size = cell_size(*film)
    cues = [
        (one.start + one.ticks * picture // one.frames, one.hash, cell)
        for one in shown
        for cell, picture in list(enumerate(cells(one.frames)))[:: max(1, CELLS // number)]
    ]
    ends = [start for start, _, _ in cues[1:]]
    ends += [one.start + one.ticks for one in shown[-1:]]
    lines = ["WEBVTT", ""]
    for (start, hash, cell), end in zip(cues, ends, strict=True):
        left, top = box(cell, size)
        lines.append(f"{_clock(start / timescale)} --> {_clock(end / timescale)}")
        lines += [f"sheets/{hash}.jpg#xywh={left},{top},{size[0]},{size[1]}", ""]
    return "\n".join(lines)


def _clock(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}.{thousandths:03}"


def picks(segments: int) -> list[int]:
    """Which segments stand for a film of so many: spread over it, and the same for most of its
    growth, changing only when it has doubled."""
    whole = 1 << max(0, segments.bit_length() - 1)
    return [] if segments < 1 else list(range(0, whole, max(1, whole // PREVIEW_SEGMENTS)))


def poster_of(lumas: Sequence[float | None]) -> int:
    """Which of some segments is on the poster, by how bright they are: of those that are not dark
    beside the brightest the one closest to the middle."""
    middle = len(lumas) // 2
    least = DARK * max((luma for luma in lumas if luma is not None), default=0.0)
    bright = [place for place, luma in enumerate(lumas) if luma is not None and luma >= least]
    return min(bright, key=lambda place: abs(place - middle), default=middle)


async def of_segment(context: Context, hash: str, kind: Kind) -> bytes:
    """A segment's sheet, poster or cover, JPEG; made now when there is none. Raises NotFound."""

    async def make() -> bytes:
        data = await context.storage.get(segment_blob(hash))
        return await _MAKERS[kind](data)

    return await _kept(context, blob(hash, kind), make)


async def preview(
    context: Context, film_id: int, hashes: Sequence[str], size: tuple[int, int]
) -> bytes:
    """About three seconds of a film, animated WebP; made now when there is none.

    Args:
        context: for the blobs.
        film_id: whose it is.
        hashes: of the segments that stand for it: ``picks``.
        size: of a cell in their sheets.
    """
    key = preview_blob(film_id, hashes)

    async def make() -> bytes:
        sheets = [await of_segment(context, hash, "sheet") for hash in hashes]
        made = await asyncio.to_thread(_animate, sheets, size)
        async for other in context.storage.list(preview_folder(film_id)):
            if other.key != key:
                await context.storage.delete(other.key)
        return made

    return await _kept(context, key, make)


async def _kept(context: Context, key: str, make: Callable[[], Awaitable[bytes]]) -> bytes:
    """A blob, made when there is none, by one of those who ask for it at the same time."""
    try:
        return await context.storage.get(key)
    except NotFound:
        pass

    async def keep() -> bytes:
        try:
            made = await make()
            space = await context.storage.space()
            if not context.settings.disk_reserve.level(space):
                await context.storage.put(key, made)
            return made
        finally:
            _making.pop(key, None)

    running = _making.get(key)
    if running is None:
        running = _making[key] = asyncio.create_task(keep())
    return await asyncio.shield(running)


async def _sheet(segment: bytes) -> bytes:
    shown = cells(fmp4.split(segment).frames)
    wanted = "+".join(f"eq(n\\,{index})" for index in shown)
    rows = -(-len(shown) // COLUMNS)
    columns = min(COLUMNS, len(shown))
    small = _scaled(CELL_WIDTH)
    return await _decode(segment, f"select='{wanted}',{small},tile={columns}x{rows}", 5)


async def _poster(segment: bytes) -> bytes:
    middle = fmp4.split(segment).frames // 2
    return await _decode(segment, f"select='eq(n\\,{middle})',{_scaled(POSTER_WIDTH)}", 4)


async def _cover(segment: bytes) -> bytes:
    """A square: the middle picture before itself, enlarged, blurred and darker."""
    middle = fmp4.split(segment).frames // 2
    square = f"{COVER}:{COVER}:force_original_aspect_ratio="
    return await _decode(
        segment,
        f"select='eq(n\\,{middle})',scale=out_range=pc,setsar=1,split[a][b];"
        f"[a]scale={square}increase,crop={COVER}:{COVER},gblur=sigma=30,lutyuv=y=val*0.6[back];"
        f"[b]scale={square}decrease:flags=lanczos[front];"
        "[back][front]overlay=(W-w)/2:(H-h)/2",
        4,
    )


_MAKERS: dict[Kind, Callable[[bytes], Awaitable[bytes]]] = {
    "sheet": _sheet,
    "poster": _poster,
    "cover": _cover,
}


async def on_poster(context: Context, film_id: int) -> str | None:
    """The segment that is on a film's poster; ``None``: there is none yet."""
    total = (await segments.totals(context.pool, [film_id])).get(film_id)
    places = [(film_id, place) for place in picks(total.segments if total else 0)]
    picked = (await watching.picked(context.pool, places)).get(film_id, [])
    if not picked:
        return None
    return picked[poster_of([one.luma for one in picked])].hash


def _scaled(width: int) -> str:
    """The filter that makes a picture as ``cell_size`` says."""
    height = "max(2,trunc(ow*ih/iw/2+0.5)*2)"
    return f"scale=w='min({width},iw)':h='{height}':flags=area:out_range=pc"


async def _decode(segment: bytes, filters: str, quality: int) -> bytes:
    async def whole() -> AsyncIterator[bytes]:
        yield segment

    async with _busy.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)):
        return await ffmpeg.read(
            [
                *(
                    "-threads",
                    "1",
                    "-f",
                    "mp4",
                    "-i",
                    "pipe:0",
                    "-vf",
                    f"{filters},format=yuvj420p",
                ),
                *("-frames:v", "1", "-c:v", "mjpeg", "-q:v", str(quality)),
                *("-f", "image2pipe", "pipe:1"),
            ],
            input=whole(),
            timeout_s=TIMEOUT_S,
            max_bytes=1 << 24,
        )


def _animate(sheets: Sequence[bytes], size: tuple[int, int]) -> bytes:
    shown = [picture for sheet in sheets for picture in _cut(sheet, size)]
    step = max(1, -(-len(shown) // PREVIEW_PICTURES))
    first, *rest = shown[::step]
    out = io.BytesIO()
    first.save(
        out,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=PREVIEW_STEP_MS,
        loop=0,
        quality=55,
        method=2,
    )
    return out.getvalue()


def _cut(sheet: bytes, size: tuple[int, int]) -> Iterator[Image.Image]:
    with Image.open(io.BytesIO(sheet), formats=("JPEG",)) as image:
        whole = image.convert("RGB")
    for top in range(0, whole.height - size[1] + 1, size[1]):
        for left in range(0, whole.width - size[0] + 1, size[0]):
            yield whole.crop((left, top, left + size[0], top + size[1]))
