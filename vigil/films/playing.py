"""What players of a film ask for: playlist, headers, segments, pictures, what is shown when."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, TypedDict
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import openapi, responses
from vigil.errors import Invalid, NotFound
from vigil.films import beside, finding, playlist, stills, store
from vigil.films.describe import real
from vigil.films.model import Film, moment_of, segment_blob
from vigil.films.segments import fmp4, presented
from vigil.films.segments import store as segments
from vigil.films.timeline import Survey, Timeline
from vigil.films.watching import store as watching
from vigil.films.watching.store import Shown
from vigil.openapi import Actions, Items, Media

READ = ("GET", "HEAD")
FOREVER = "public, max-age=31536000, immutable"
PLAYLIST = "application/vnd.apple.mpegurl"
ON_PAGE = 1000


class PlaylistAsked(msgspec.Struct):
    """Which playlist."""

    tail: Annotated[
        str, Meta(description="1: everything that is rendered, also what may yet change.")
    ] = ""


class SegmentsAsked(PlaylistAsked):
    """Which segments of a film."""

    after: Annotated[int, Meta(description="Only those with higher numbers.")] = 0
    limit: Annotated[int, Meta(description="At most 1000.")] = ON_PAGE
    cursor: str = ""


class MomentsAsked(PlaylistAsked):
    """Which time: of the film, or of what it shows."""

    at_s: Annotated[str, Meta(description="Seconds since the film began.")] = ""
    at: Annotated[str, Meta(description="2026-05-01T12:30Z, or a moment as a number.")] = ""


class SegmentJson(TypedDict):
    """A piece of a film: its place there, and the real time that it shows."""

    number: int
    start_s: float
    duration_s: float
    frames: int
    lost: int
    first_at: datetime | None
    last_at: datetime | None
    url: str
    actions: Actions


class TimelineDay(TypedDict):
    """Where a day begins in a film."""

    day: str
    at_s: float
    moment: int


class TimelineGap(TypedDict):
    """A time of which a film shows nothing; moments."""

    at_s: float
    since: int
    until: int


class TimelineSpans(TypedDict):
    """Stretches of a film: where each begins, and the moments of its first and last picture."""

    at_s: list[float]
    first: list[int]
    last: list[int]


class TimelineJson(TypedDict):
    """What a film shows when. Moments are microseconds since 1970, or ticks of a game."""

    unit: str
    time_zone: str
    segments: int
    picture_s: float
    duration_s: float
    spans: TimelineSpans
    days: list[TimelineDay]
    gaps: list[TimelineGap]


class MomentsJson(TypedDict):
    """What is on at a time of a film, and every picture around it."""

    at_s: float
    moment: int
    at: datetime | None
    start_s: float
    picture_s: float
    moments: list[int]


@openapi.describe(Media(PLAYLIST), query=PlaylistAsked, errors=(404,), limited=False, tagged=True)
async def playlist_m3u8(request: Request, film_id: int) -> HTTPResponse:
    """The HLS playlist; grows with the film."""
    film = await finding.film(request, film_id)
    context = responses.context(request)
    tail = request.args.get("tail") == "1"
    await store.watch(context.pool, film_id)
    headers = _tagged(request, film, "playlist")
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    listed = await segments.listed(context.pool, film_id)
    shown = playlist.playable(film, listed, tail=tail)
    if not shown:
        raise _nothing_yet()
    body = playlist.render(film, shown, tail=tail, at=lambda moment: real(film, moment))
    return HTTPResponse(body, headers=headers, content_type=PLAYLIST)


@openapi.describe(Media("video/*"), errors=(404,), limited=False, tagged=True)
async def segment_m4s(request: Request, film_id: int, name: str) -> HTTPResponse:
    """One segment in its place, or (init-….mp4) what a decoder needs before its first picture.

    The bytes under this address never change.
    """
    header, address = playlist.parse_header(name), playlist.parse_address(name)
    hash = header or (address[0] if address else None)
    if hash is None:
        raise NotFound("there is no such segment")
    headers = _immutable(name)
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    segment = fmp4.split(await responses.context(request).storage.get(segment_blob(hash)))
    if address is None:
        return HTTPResponse(segment.init, headers=headers, content_type="video/mp4")
    media = presented.media(segment, *address[1:])
    return HTTPResponse(media, headers=headers, content_type="video/iso.segment")


@openapi.describe(Items[SegmentJson], query=SegmentsAsked, errors=(404,))
async def segments_json(request: Request, film_id: int) -> HTTPResponse:
    """What a film shows, segment by segment: its place in the film and the real time it shows."""
    film = await finding.film(request, film_id)
    after, limit = _whole(request, "after", 0), _whole(request, "limit", ON_PAGE)
    if cursor := request.args.get("cursor"):
        (after,) = responses.cursor_decode(cursor, int)
    limit = min(max(limit, 1), ON_PAGE)
    context, over = responses.context(request), _everything(request, film)
    found = await watching.shown(context.pool, film, over, after, limit + 1)
    rest = responses.cursor_encode(found[limit - 1].number) if len(found) > limit else None
    return responses.items([_segment(film, one) for one in found[:limit]], rest)


@openapi.describe(TimelineJson, query=PlaylistAsked, errors=(404,), tagged=True)
async def timeline_json(request: Request, film_id: int) -> HTTPResponse:
    """What a film shows when: its stretches, days and gaps; for a slider in real time.

    Of a film of more than 2000 segments several are one stretch; ``/moments`` is exact.
    """
    film = await finding.film(request, film_id)
    context, over = responses.context(request), _everything(request, film)
    headers = _tagged(request, film, "timeline")
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    found = await watching.shown(context.pool, film, over)
    if not found:
        raise _nothing_yet()
    length = found[-1].last_moment - found[0].first_moment
    survey = Survey(
        pieces=len(found),
        usual=max(1.0, length / max(1, sum(one.frames for one in found))),
        zone=ZoneInfo(film.time_zone) if film.kind == "scene" else None,
    )
    for some in (found[at : at + ON_PAGE] for at in range(0, len(found), ON_PAGE)):
        starts = [one.window_start for one in some]
        moments = await segments.moments(context.pool, film_id, starts)
        survey.add([watching.piece(one, moments.get(one.window_start)) for one in some])
    return responses.json(_timeline(film, survey), headers=headers)


@openapi.describe(MomentsJson, query=MomentsAsked, errors=(404,))
async def moments_json(request: Request, film_id: int) -> HTTPResponse:
    """What is on at a time of a film, or when it shows a moment: exact, picture by picture."""
    film = await finding.film(request, film_id)
    context, over = responses.context(request), _everything(request, film)
    at_s, moment = request.args.get("at_s"), _moment(request.args.get("at"))
    if (at_s is None) == (moment is None):
        raise Invalid("give either at_s, a time of the film, or at, a moment that it shows")
    ticks = None if at_s is None else round(_seconds(at_s) * film.timescale)
    found = await watching.pieces_at(context.pool, film, over, ticks, moment)
    if not found:
        raise _nothing_yet()
    timeline = Timeline(film.timescale, found)
    seconds = _seconds(at_s or "0") if moment is None else timeline.seconds_of(moment)
    shown = timeline.moment_at(seconds)
    piece = next(
        (p for p in reversed(found) if p.start <= seconds * film.timescale + 0.5), found[0]
    )
    answer: MomentsJson = {
        "at_s": seconds,
        "moment": shown,
        "at": real(film, shown),
        "start_s": piece.start / film.timescale,
        "picture_s": 1 / film.fps,
        "moments": piece.pictures().tolist(),
    }
    return responses.json(answer)


@openapi.describe(Media("text/vtt"), query=PlaylistAsked, errors=(404,), limited=False, tagged=True)
async def thumbnails_vtt(request: Request, film_id: int) -> HTTPResponse:
    """Small pictures along a film's time: WebVTT whose cues name pieces of sheets."""
    film = await finding.film(request, film_id)
    headers = _tagged(request, film, "vtt")
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    context, over = responses.context(request), _everything(request, film)
    found = await watching.shown(context.pool, film, over)
    if not found:
        raise _nothing_yet()
    number, every = stills.thinning(len(found))
    body = stills.vtt(film.timescale, (film.width, film.height), found[::every], number)
    return HTTPResponse(body, headers=headers, content_type="text/vtt; charset=utf-8")


@openapi.describe(Media("image/jpeg"), errors=(404,), limited=False, tagged=True)
async def sheet_jpg(request: Request, film_id: int, name: str) -> HTTPResponse:
    """Small pictures of a segment, in rows; thumbnails.vtt says which is where."""
    return await _still(request, name, "sheet")


@openapi.describe(Media("image/jpeg"), errors=(404,), limited=False, tagged=True)
async def poster_jpg(request: Request, film_id: int, name: str) -> HTTPResponse:
    """A picture that stands for a film: the middle one of a segment."""
    return await _still(request, name, "poster")


@openapi.describe(Media("image/webp"), errors=(404,), limited=False, tagged=True)
async def preview_webp(request: Request, film_id: int, name: str) -> HTTPResponse:
    """About three seconds that stand for a film, animated."""
    film = await finding.film(request, film_id)
    headers = _immutable(name)
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    context = responses.context(request)
    total = (await segments.totals(context.pool, [film_id])).get(film_id)
    places = [(film_id, place) for place in stills.picks(total.segments if total else 0)]
    picked = (await watching.picked(context.pool, places)).get(film_id, [])
    hashes = [one.hash for one in picked]
    if f"{beside.preview_key(hashes)}.webp" != name:
        raise NotFound("the film has grown since; it names another picture now")
    size = stills.cell_size(film.width, film.height)
    data = await stills.preview(context, film_id, hashes, size)
    return HTTPResponse(data, headers=headers, content_type="image/webp")


NOSNIFF = {"x-content-type-options": "nosniff"}


async def _still(request: Request, name: str, kind: beside.Kind) -> HTTPResponse:
    match = re.fullmatch(r"([0-9a-f]{64})\.jpg", name)
    if match is None:
        raise NotFound("there is no such picture")
    headers = _immutable(name)
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    data = await stills.of_segment(responses.context(request), match[1], kind)
    return HTTPResponse(data, headers=headers, content_type="image/jpeg")


def _immutable(name: str) -> dict[str, str]:
    return {"cache-control": FOREVER, "etag": f'"{name}"'} | NOSNIFF


def _everything(request: Request, film: Film) -> bool:
    """Whether all that is rendered counts, or only what its playlist has."""
    return request.args.get("tail") == "1" or playlist.is_over(film)


def _tagged(request: Request, film: Film, what: str) -> dict[str, str]:
    which = f"{film.state}-{what}-{_everything(request, film):d}"
    tag = f'"{film.changed_at.timestamp():.6f}-{which}"'
    return {"cache-control": "no-cache", "etag": tag} | NOSNIFF


def _nothing_yet() -> NotFound:
    return NotFound("there is nothing to play yet", hint="try again in a moment", retry_after=2)


def _whole(request: Request, name: str, otherwise: int) -> int:
    try:
        return int(request.args.get(name) or otherwise)
    except ValueError:
        raise Invalid(f'"{name}" is a number') from None


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e9:
        raise Invalid('"at_s" is a number of seconds')
    return found


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        if text.lstrip("-").isdecimal() and len(text) < 20:
            return int(text)
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return moment_of(found)
    except (ValueError, OverflowError):
        pass
    raise Invalid('"at" is a moment such as 2026-05-01T12:30Z')


def _segment(film: Film, one: Shown) -> SegmentJson:
    return {
        "number": one.number,
        "start_s": one.start / film.timescale,
        "duration_s": one.ticks / film.timescale,
        "frames": one.frames,
        "lost": one.lost,
        "first_at": real(film, one.first_moment),
        "last_at": real(film, one.last_moment),
        "url": f"/api/v1/films/{film.id}/segments/{one.address}",
        "actions": {},
    }


def _timeline(film: Film, survey: Survey) -> TimelineJson:
    def at(ticks: int) -> float:
        return ticks / film.timescale

    return {
        "unit": "microseconds" if film.kind == "scene" else "ticks",
        "time_zone": film.time_zone,
        "segments": survey.pieces,
        "picture_s": 1 / film.fps,
        "duration_s": at(survey.end),
        "spans": {
            "at_s": [at(start) for start, _, _ in survey.spans],
            "first": [first for _, first, _ in survey.spans],
            "last": [last for _, _, last in survey.spans],
        },
        "days": [
            {"day": day.name, "at_s": at(day.start), "moment": day.moment} for day in survey.days
        ],
        "gaps": [
            {"at_s": at(gap.start), "since": gap.since, "until": gap.until}
            for gap in survey.longest_gaps
        ],
    }


# A table, not decorators: Sanic's decorator for two methods hides the handlers' types.
Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]
_FILM = "/api/v1/films/<film_id:int>"
_ROUTES: tuple[tuple[str, Handler], ...] = (
    (f"{_FILM}/playlist.m3u8", playlist_m3u8),
    (f"{_FILM}/segments", segments_json),
    (f"{_FILM}/segments/<name:str>", segment_m4s),
    (f"{_FILM}/timeline", timeline_json),
    (f"{_FILM}/moments", moments_json),
    (f"{_FILM}/thumbnails.vtt", thumbnails_vtt),
    (f"{_FILM}/sheets/<name:str>", sheet_jpg),
    (f"{_FILM}/posters/<name:str>", poster_jpg),
    (f"{_FILM}/previews/<name:str>", preview_webp),
)


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    for path, handler in _ROUTES:
        bp.add_route(handler, path, READ)
