"""Standing films for programs: JSON, feeds, and addresses that stay while films come and go."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, openapi, prepared, responses, sent
from vigil.errors import Conflict, Invalid, NotFound
from vigil.films import stills
from vigil.films.standing import feed, ordering, store
from vigil.films.standing.model import Edition, Standing
from vigil.films.standing.ordering import SLUG, StandingChanges, StandingOrder
from vigil.films.standing.shown import (
    EditionJson,
    StandingJson,
    edition_json,
    file_of,
    newest_of,
    tell,
)
from vigil.openapi import Items, Media, describe

PAGE, MOST = 50, 500


class EditionsAsked(msgspec.Struct):
    """Which of its films."""

    limit: Annotated[int, Meta(ge=1, le=MOST)] = PAGE
    cursor: str = ""


class PastWanted(msgspec.Struct, forbid_unknown_fields=True):
    """How many past periods."""

    number: Annotated[int, Meta(ge=1, le=ordering.MOST_PAST)]


class StandingDelete(msgspec.Struct):
    """What goes with it."""

    films: Annotated[bool, Meta(description="Whether the films that it made go, too.")] = False


async def standing_of(request: Request, slug: str) -> Standing:
    """The standing film of this name; raises NotFound."""
    found = None
    if SLUG.fullmatch(slug):
        found = await store.by_slug(responses.context(request).pool, slug)
    if found is None:
        raise NotFound(f"there is no standing film {slug[:70]}")
    return found


async def told(request: Request, standing: Standing) -> StandingJson:
    """One as the one who asks may see it."""
    admin = await auth.identify(request) is not None
    return await tell(responses.context(request), standing, admin=admin)


async def all_told(request: Request) -> list[StandingJson]:
    """All of them."""
    there = await store.page(responses.context(request).pool)
    return [await told(request, standing) for standing in there]


@describe(Items[StandingJson])
async def api_index(request: Request) -> HTTPResponse:
    """Standing films, by title."""
    return responses.items(await all_told(request))


@describe(answers={201: StandingJson}, body=StandingOrder, admin=True, errors=(404, 409))
@auth.require_admin
async def api_make(request: Request) -> HTTPResponse:
    """Make a standing film; its film of now begins within seconds."""
    asked = ordering.parse(sent.anything(request, ordering.HINT))
    made = await ordering.make(responses.context(request), asked)
    headers = {"location": f"/api/v1/films/standing/{made.slug}"}
    return responses.json(await told(request, made), 201, headers)


@describe(StandingJson, errors=(404,))
async def api_show(request: Request, slug: str) -> HTTPResponse:
    """One standing film."""
    return responses.json(await told(request, await standing_of(request, slug)))


@describe(StandingJson, body=StandingChanges, admin=True, errors=(404, 409))
@auth.require_admin
async def api_change(request: Request, slug: str) -> HTTPResponse:
    """Change what is given; films that there are stay as they are, a rolling one is made anew."""
    standing = await standing_of(request, slug)
    try:
        changes = msgspec.convert(sent.anything(request, ordering.HINT), StandingChanges)
    except msgspec.ValidationError as error:
        raise Invalid(f"it cannot be changed so: {error}") from None
    asked = ordering.changed(standing, changes)
    found = await ordering.change(responses.context(request), standing, asked)
    return responses.json(await told(request, found))


@describe(StandingJson, admin=True, errors=(404, 409))
@auth.require_admin
async def api_act(request: Request, slug: str, action: str) -> HTTPResponse:
    """Pause it: no new films, or resume it: the film of now goes on; missed ones stay missed."""
    await ordering.act(responses.context(request), await standing_of(request, slug), action)
    return responses.json(await told(request, await standing_of(request, slug)))


@describe(answers={202: StandingJson}, body=PastWanted, admin=True, errors=(404, 409))
@auth.require_admin
async def api_past(request: Request, slug: str) -> HTTPResponse:
    """Make films of past periods, the latest first, where frames are there."""
    standing = await standing_of(request, slug)
    try:
        asked = msgspec.convert(sent.anything(request, ordering.HINT), PastWanted)
    except msgspec.ValidationError as error:
        raise Invalid(f"how many? {error}", hint='send {"number": 30}') from None
    await past(request, standing, asked.number)
    return responses.json(await told(request, await standing_of(request, slug)), 202)


async def past(request: Request, standing: Standing, number: int) -> None:
    """Have films of past periods made; raises Invalid or Conflict."""
    if standing.past_at is not None:
        raise Conflict("past ones are being made")
    context = responses.context(request)
    await ordering.past(context.pool, standing, number, context.clock.now())


@describe(answers={204: None}, query=StandingDelete, admin=True, errors=(404,))
@auth.require_admin
async def api_delete(request: Request, slug: str) -> HTTPResponse:
    """Delete a standing film; the films that it made stay unless ?films=true."""
    wanted, _ = openapi.asked(request, StandingDelete)
    standing = await standing_of(request, slug)
    await ordering.remove(responses.context(request), standing, films_too=wanted.films)
    return HTTPResponse(status=204)


@describe(Items[EditionJson], query=EditionsAsked, errors=(404,))
async def api_films(request: Request, slug: str) -> HTTPResponse:
    """The films that it made, the latest period first."""
    wanted, _ = openapi.asked(request, EditionsAsked)
    standing = await standing_of(request, slug)
    before = responses.cursor_decode(wanted.cursor, datetime)[0] if wanted.cursor else None
    found = await store.editions(
        responses.context(request).pool, standing.id, before=before, limit=wanted.limit + 1
    )
    following = None
    if len(found) > wanted.limit:
        following = responses.cursor_encode(found[wanted.limit - 1].from_at)
    return responses.items([edition_json(one) for one in found[: wanted.limit]], following)


@describe(answers={302: None}, errors=(404,), limited=False)
async def latest_m3u8(request: Request, slug: str) -> HTTPResponse:
    """The playlist of the newest film that plays."""
    standing = await standing_of(request, slug)
    newest = await newest_of(responses.context(request).pool, standing)
    if newest is None:
        raise NotFound("there is nothing to play yet", hint="try again in a moment", retry_after=5)
    return _elsewhere(f"/api/v1/films/{newest.film_id}/playlist.m3u8")


@describe(answers={302: None}, errors=(404,), limited=False)
async def latest_mp4(request: Request, slug: str) -> HTTPResponse:
    """The newest film that is one file."""
    standing = await standing_of(request, slug)
    for one in await _whole(request, standing, 1):
        return _elsewhere(file_of(one))
    raise NotFound(
        "no film is one file yet",
        hint=f"what there is plays at /films/standing/{slug}/latest.m3u8",
        retry_after=60,
    )


@describe(Media("image/jpeg"), errors=(404,), limited=False, tagged=True)
async def cover_jpg(request: Request, slug: str) -> HTTPResponse:
    """A square picture of its newest film, 1400 × 1400, as podcast apps want it."""
    standing = await standing_of(request, slug)
    context = responses.context(request)
    newest = next(iter(await _whole(request, standing, 1)), None)
    newest = newest or await newest_of(context.pool, standing)
    hash = await stills.on_poster(context, newest.film_id) if newest else None
    if hash is None:
        raise NotFound("there is no picture yet", hint="try again in a moment", retry_after=60)
    headers = {"cache-control": "public, max-age=3600", "etag": f'"{hash}"'}
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    data = await stills.of_segment(context, hash, "cover")
    return HTTPResponse(data, headers=headers, content_type="image/jpeg")


def _elsewhere(location: str) -> HTTPResponse:
    response = responses.redirect(location, 302)
    response.headers["cache-control"] = "no-cache"
    return response


@describe(Media(feed.RSS), errors=(404,), tagged=True)
async def feed_xml(request: Request, slug: str) -> HTTPResponse:
    """Its films as a podcast: RSS 2.0 with enclosures, the newest 100."""
    body = feed.as_rss(await _feed(request, slug))
    return prepared.answer(request, body, f"{feed.RSS}; charset=utf-8")


@describe(Media(feed.JSON_FEED), errors=(404,), tagged=True)
async def feed_json(request: Request, slug: str) -> HTTPResponse:
    """Its films as JSON Feed 1.1, the newest 100."""
    return prepared.answer(request, feed.as_json(await _feed(request, slug)), feed.JSON_FEED)


async def _feed(request: Request, slug: str) -> feed.Feed:
    standing = await standing_of(request, slug)
    whole = await _whole(request, standing, feed.ON_FEED)
    editions = [edition for edition in whole if edition.to_at is not None]
    site = responses.context(request).settings.site_url
    return feed.Feed(standing=standing, editions=editions, site=site)


async def _whole(request: Request, standing: Standing, number: int) -> list[Edition]:
    pool = responses.context(request).pool
    return await store.editions(pool, standing.id, whole=True, limit=number)


Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]
_ALL = "/api/v1/films/standing"
_ONE = f"{_ALL}/<slug:str>"
_PAGE = "/films/standing/<slug:str>"
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", _ALL, api_index),
    ("POST", _ALL, api_make),
    ("GET", _ONE, api_show),
    ("PATCH", _ONE, api_change),
    ("DELETE", _ONE, api_delete),
    ("POST", f"{_ONE}/<action:pause|resume>", api_act),
    ("POST", f"{_ONE}/past", api_past),
    ("GET", f"{_ONE}/films", api_films),
    ("GET", f"{_PAGE}/latest.m3u8", latest_m3u8),
    ("GET", f"{_PAGE}/latest.mp4", latest_mp4),
    ("GET", f"{_PAGE}/cover.jpg", cover_jpg),
    ("GET", f"{_PAGE}/feed.xml", feed_xml),
    ("GET", f"{_PAGE}/feed.json", feed_json),
)


def register(bp: Blueprint) -> None:
    """Put the routes on the blueprint."""
    for method, path, handler in _ROUTES:
        methods = ("GET", "HEAD") if method == "GET" else (method,)
        bp.add_route(handler, path, methods, name=handler.__name__)
