"""What an operator blocks for good, checked; and the pages and JSON for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

import msgspec
from sanic import Blueprint, HTTPResponse, Request

import db_utils
from vigil import auth, responses, sent
from vigil.errors import Invalid, NotFound
from vigil.openapi import Actions, Items, describe
from vigil.sources import clean
from vigil.sources.blocks import store
from vigil.sources.blocks.model import Block, BlockKind, spelled

KINDS: tuple[BlockKind, ...] = ("channel", "word")


class NewBlock(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /api/v1/blocks."""

    kind: BlockKind
    """channel: login, id or name; word: a whole word of title, category, tags or channel."""
    value: str


class BlockJson(TypedDict):
    """A channel or word that is never kept."""

    id: int
    kind: BlockKind
    value: str
    created_by: str
    created_at: datetime
    actions: Actions


async def block(db: db_utils.Database, kind: str, value: str, by: str) -> tuple[Block, int]:
    """Block for good; returns the block and how many streams went. Raises Invalid, Conflict."""
    if kind not in KINDS:
        raise Invalid("a block is of a channel or of a word")
    cleaned = spelled(clean.text(value))
    if not cleaned or len(value) > clean.NAME_MOST:
        raise Invalid(f"a {kind} to block has 1 to {clean.NAME_MOST} characters")
    if kind == "word" and not any(letter.isalnum() for letter in cleaned):
        raise Invalid("a word to block has letters or digits")
    return await store.add(db, kind, cleaned, by)


async def unblock(db: db_utils.Database, kind: str, value: str) -> None:
    """Block no longer: the next pass keeps it again. Raises NotFound."""
    if kind not in KINDS or not await store.remove(db, kind, spelled(value)):
        raise NotFound(f"no {kind[:20]} {value[:70]!r} is blocked")


def register(bp: Blueprint) -> None:
    """Add what stands here to the room's routes."""
    routes: tuple[tuple[Any, str, str, str], ...] = (
        (page, "/sources/blocks", "GET", "blocks"),
        (add_form, "/sources/blocks", "POST", "block_form"),
        (remove_form, "/sources/blocks/remove", "POST", "unblock_form"),
        (api_list, "/api/v1/blocks", "GET", "api_blocks"),
        (api_add, "/api/v1/blocks", "POST", "api_block"),
        (api_remove, "/api/v1/blocks/<block_id:int>", "DELETE", "api_unblock"),
    )
    for handler, address, method, name in routes:
        bp.add_route(handler, address, (method,), name=name)


@auth.require_admin
async def page(request: Request) -> HTTPResponse:
    """What is blocked, and forms to change it."""
    blocks = await store.list_all(responses.context(request).pool)
    return await responses.page(request, "sources/blocks.html", blocks=blocks)


@auth.require_admin
async def add_form(request: Request) -> HTTPResponse:
    """Block from the form."""
    kind, value = sent.field(request, "kind"), sent.field(request, "value")
    await block(responses.context(request).pool, kind, value, await _who(request))
    return responses.redirect("/sources/blocks")


@auth.require_admin
async def remove_form(request: Request) -> HTTPResponse:
    """Unblock from the form."""
    kind, value = sent.field(request, "kind"), sent.field(request, "value")
    await unblock(responses.context(request).pool, kind, value)
    return responses.redirect("/sources/blocks")


@describe(Items[BlockJson], admin=True)
@auth.require_admin
async def api_list(request: Request) -> HTTPResponse:
    """Every block."""
    blocks = await store.list_all(responses.context(request).pool)
    return responses.items([_shown(one) for one in blocks])


@describe(answers={201: BlockJson}, body=NewBlock, admin=True, errors=(409,))
@auth.require_admin
async def api_add(request: Request) -> HTTPResponse:
    """Block a channel or a word for good; what is stored of it goes at once."""
    body = sent.body(request, NewBlock)
    made, _ = await block(
        responses.context(request).pool, body.kind, body.value, await _who(request)
    )
    return responses.json(_shown(made), 201, {"location": f"/api/v1/blocks/{made.id}"})


@describe(answers={204: None}, admin=True, errors=(404,))
@auth.require_admin
async def api_remove(request: Request, block_id: int) -> HTTPResponse:
    """Block something no longer."""
    pool = responses.context(request).pool
    for one in await store.list_all(pool):
        if one.id == block_id:
            await unblock(pool, one.kind, one.value)
            return HTTPResponse(status=204)
    raise NotFound(f"there is no block {block_id}")


def _shown(of: Block) -> BlockJson:
    return {
        "id": of.id,
        "kind": of.kind,
        "value": of.value,
        "created_by": of.created_by,
        "created_at": of.created_at,
        "actions": {"delete": None},
    }


async def _who(request: Request) -> str:
    identity: Any = await auth.identify(request)
    return str(identity.name)
