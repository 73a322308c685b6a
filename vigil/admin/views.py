"""Signing in and out, and the page that says who may come in."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, HTTPResponse, Request, Sanic

from vigil import auth, responses, sent
from vigil.admin import store
from vigil.admin.guesses import Guesses
from vigil.admin.model import LINK, SESSION, TOKEN, link_address, message_text, well_formed
from vigil.auth import Identity
from vigil.errors import Forbidden, NotFound
from vigil.limits import sender
from vigil.site import store as site_store

bp = Blueprint("admin")


@bp.before_server_start
async def prepare(app: Sanic[Any, Any]) -> None:
    """Begin to count wrong secrets."""
    app.ctx.guesses = Guesses(app.ctx.vigil.clock)


async def identify(request: Request) -> Identity | None:
    """Who sends a request: the holder of a bearer token or of a session; ``None``: anybody."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await _program(request, secret.strip())
    cookie = request.cookies.get(auth.COOKIE)
    if not cookie or not well_formed(cookie, SESSION):
        return None
    pool = responses.context(request).pool
    if await store.session_role(pool, auth.hash_secret(cookie)) != "admin":
        return None
    return Identity("admin", "admin", auth.csrf_token(cookie))


async def _program(request: Request, secret: str) -> Identity | None:
    if not well_formed(secret, TOKEN):
        return None
    guesses: Guesses = request.app.ctx.guesses
    guesses.check(TOKEN, _sender(request))
    found = await store.use_token(responses.context(request).pool, auth.hash_secret(secret))
    if found is None or found[1] != "admin":
        guesses.wrong(TOKEN, _sender(request))
        return None
    return Identity(found[0], "admin", None)


@bp.get("/admin")
async def admin_page(request: Request) -> HTTPResponse:
    """Who may come in; how to, for somebody who is not."""
    if await auth.identify(request) is None:
        return await responses.page(request, "admin/outside.html")
    pool = responses.context(request).pool
    return await responses.page(
        request,
        "admin/inside.html",
        tokens=await store.tokens(pool),
        sessions=await store.sessions(pool),
        mine=_session_id(request),
        message=await site_store.message_of_the_day(pool),
    )


@bp.post("/admin/message")
@auth.require_admin
async def set_message(request: Request) -> HTTPResponse:
    """Write the message of the day; an empty one takes it away."""
    identity = await auth.identify(request)
    by = identity.name if identity else ""
    text = message_text(sent.field(request, "text"))
    await site_store.set_message_of_the_day(responses.context(request).pool, text, by)
    return responses.redirect("/admin")


@bp.get("/admin/enter")
async def enter_page(request: Request) -> HTTPResponse:
    """A button: a link that is only looked at, by a chat program say, is not used up."""
    key = request.args.get("key", "")
    return await responses.page(request, "admin/enter.html", key=key)


@bp.post("/admin/enter")
async def enter(request: Request) -> HTTPResponse:
    """Use up a one-time link: this browser is signed in from now on."""
    key = sent.field(request, "key")
    guesses: Guesses = request.app.ctx.guesses
    guesses.check(LINK, _sender(request))
    context = responses.context(request)
    session = auth.new_secret(SESSION)
    if not well_formed(key, LINK) or not await store.enter(
        context.pool, auth.hash_secret(key), auth.hash_secret(session)
    ):
        guesses.wrong(LINK, _sender(request))
        raise Forbidden(
            "this link opens nothing",
            hint="each link works once and for a day; `bin/vigil admin link` prints another",
        )
    response = responses.redirect("/admin")
    _set_cookie(request, response, session, round(store.SESSION_LIFETIME.total_seconds()))
    return response


@bp.post("/admin/sign-out")
@auth.require_admin
async def sign_out(request: Request) -> HTTPResponse:
    """End this browser's session."""
    mine = _session_id(request)
    if mine is not None:
        await store.end_session(responses.context(request).pool, mine)
    response = responses.redirect("/")
    _set_cookie(request, response, "", 0)
    return response


@bp.post("/admin/links")
@auth.require_admin
async def add_link(request: Request) -> HTTPResponse:
    """Make a one-time link, for another browser; shown this once."""
    context = responses.context(request)
    secret = auth.new_secret(LINK)
    await store.add_link(context.pool, auth.hash_secret(secret))
    return await responses.page(
        request, "admin/secret.html", link=link_address(context.settings, secret)
    )


@bp.post("/admin/tokens")
@auth.require_admin
async def add_token(request: Request) -> HTTPResponse:
    """Make a bearer token; shown this once."""
    name = sent.field(request, "name")
    secret = auth.new_secret(TOKEN)
    token = await store.add_token(responses.context(request).pool, name, auth.hash_secret(secret))
    return await responses.page(request, "admin/secret.html", token=token, secret=secret)


@bp.post("/admin/tokens/<token_id:int>/revoke")
@auth.require_admin
async def revoke_token(request: Request, token_id: int) -> HTTPResponse:
    """Make a token worthless."""
    if await store.revoke_token(responses.context(request).pool, id=token_id) is None:
        raise NotFound("there is no such token")
    return responses.redirect("/admin")


@bp.post("/admin/sessions/<session_id:[0-9a-f]{16}>/revoke")
@auth.require_admin
async def revoke_session(request: Request, session_id: str) -> HTTPResponse:
    """Sign a browser out."""
    if not await store.end_session(responses.context(request).pool, session_id):
        raise NotFound("this browser is not signed in")
    return responses.redirect("/admin")


def _sender(request: Request) -> str:
    return sender(request.ip, request.headers.get("x-forwarded-for"))


def _session_id(request: Request) -> str | None:
    cookie = request.cookies.get(auth.COOKIE)
    return auth.hash_secret(cookie).hex()[:16] if cookie else None


def _set_cookie(request: Request, response: HTTPResponse, value: str, max_age_s: int) -> None:
    public_url = responses.context(request).settings.public_url or ""
    response.add_cookie(
        auth.COOKIE,
        value,
        path="/",
        max_age=max_age_s,
        httponly=True,
        samesite="Lax",
        secure=public_url.startswith("https:"),
    )
