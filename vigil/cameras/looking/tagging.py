"""Tags of a scene for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses, sent
from vigil.cameras.looking import days, forms, store
from vigil.cameras.looking import shown as looks
from vigil.cameras.looking.api import SCENE, scene_of
from vigil.cameras.looking.shown import TagJson
from vigil.errors import NotFound
from vigil.openapi import Items, describe

MOST = 1 << 31
"""Numbers of tags are smaller."""


class NewTag(msgspec.Struct, forbid_unknown_fields=True, rename={"from_at": "from", "to_at": "to"}):
    """A tag; times without a zone are meant where the scene is, no end: it goes on."""

    name: str
    from_at: str
    to_at: str | None = None


class TagChange(
    msgspec.Struct, forbid_unknown_fields=True, rename={"from_at": "from", "to_at": "to"}
):
    """What is not in it stays as it is."""

    name: str | UnsetType = UNSET
    from_at: str | UnsetType = UNSET
    to_at: str | UnsetType | None = UNSET


@describe(Items[TagJson], errors=(404,))
async def api_tags(request: Request, name: str) -> HTTPResponse:
    """The tags of a scene, the earliest first."""
    scene = await scene_of(request, name)
    found = await store.tags(responses.context(request).pool, scene.id)
    identity = await auth.identify(request)
    return responses.items([looks.tag_json(tag, identity) for tag in found])


@describe(answers={201: TagJson}, body=NewTag, admin=True, errors=(404, 409))
@auth.require_admin
async def api_tag_add(request: Request, name: str) -> HTTPResponse:
    """Name a span of time."""
    scene = await scene_of(request, name)
    given = sent.body(request, NewTag, '{"name": "snow", "from": …, "to": …}')
    place = days.zone(scene.time_zone)
    tag = await forms.add_tag(
        responses.context(request).pool,
        scene,
        given.name,
        days.parse_moment(given.from_at, place, '"from"'),
        days.parse_moment(given.to_at, place, '"to"') if given.to_at else None,
    )
    identity = await auth.identify(request)
    headers = {"location": f"/api/v1/scenes/{scene.name}/tags/{tag.id}"}
    return responses.json(looks.tag_json(tag, identity), 201, headers)


@describe(TagJson, body=TagChange, admin=True, errors=(404,))
@auth.require_admin
async def api_tag_change(request: Request, name: str, tag_id: int) -> HTTPResponse:
    """Change a tag."""
    scene = await scene_of(request, name)
    given = sent.body(request, TagChange, '{"name": "snow"}')
    place = days.zone(scene.time_zone)
    pool = responses.context(request).pool
    tag = await store.tag_by_id(pool, scene.id, tag_id) if 0 < tag_id < MOST else None
    if tag is None:
        raise NotFound("there is no such tag")
    said = sent.changed(given)
    moments: dict[str, datetime | None] = {
        key: days.parse_moment(said[key], place, f'"{key[:-3]}"') if said[key] else None
        for key in ("from_at", "to_at")
        if key in said
    }
    from_at, to_at = moments.get("from_at", tag.from_at), moments.get("to_at", tag.to_at)
    text = forms.check_tag(said.get("name", tag.name), from_at, to_at)
    assert from_at is not None  # noqa: S101 - checked
    found = await store.change_tag(pool, tag.id, name=text, from_at=from_at, to_at=to_at)
    if found is None:
        raise NotFound("there is no such tag")
    return responses.json(looks.tag_json(found, await auth.identify(request)))


@describe(answers={204: None}, admin=True, errors=(404,))
@auth.require_admin
async def api_tag_delete(request: Request, name: str, tag_id: int) -> HTTPResponse:
    """Remove a tag; frames stay."""
    await remove_tag(request, name, tag_id)
    return HTTPResponse(status=204)


async def remove_tag(request: Request, name: str, tag_id: int) -> None:
    """Remove a tag; raises NotFound."""
    scene = await scene_of(request, name)
    pool = responses.context(request).pool
    if not 0 < tag_id < MOST or not await store.remove_tag(pool, scene.id, tag_id):
        raise NotFound("there is no such tag")


ROUTES: tuple[tuple[str, str, Any], ...] = (
    ("GET", f"{SCENE}/tags", api_tags),
    ("POST", f"{SCENE}/tags", api_tag_add),
    ("PATCH", f"{SCENE}/tags/<tag_id:int>", api_tag_change),
    ("DELETE", f"{SCENE}/tags/<tag_id:int>", api_tag_delete),
)


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    for method, path, handler in ROUTES:
        bp.add_route(handler, path, (method,), name=handler.__name__)
