"""Who may do what: secrets, identities, and the check that stands before every write.

Deny by default: a handler that changes something wears ``@require_admin``. A browser proves
itself with a session cookie and, for a write, the session's CSRF token; a program with
``Authorization: Bearer <token>``.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from sanic import HTTPResponse, Request

from vigil import sent
from vigil.errors import Forbidden, Unauthorized

COOKIE = "vigil_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]


@dataclass(frozen=True)
class Identity:
    """Somebody who proved who they are."""

    name: str
    role: Literal["admin"]
    csrf: str | None
    """The token every form of this session must carry; ``None`` for a bearer token."""


Identify = Callable[[Request], Awaitable[Identity | None]]
"""Looks up who sends a request; room admin provides it as ``app.ctx.identify``."""


def new_secret(prefix: str) -> str:
    """A fresh secret with 256 random bits, recognisable by its prefix (``vigil_…``)."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> bytes:
    """SHA-256 of a secret: all that is kept. Enough, since the secret is random, not chosen."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_token(session_secret: str) -> str:
    """The CSRF token of a session: a keyed hash of its secret, so nothing needs storing."""
    return hmac.new(session_secret.encode(), b"vigil csrf", hashlib.sha256).hexdigest()


async def identify(request: Request) -> Identity | None:
    """Who sends this request, or ``None``; looked up once a request."""
    if not hasattr(request.ctx, "identity"):
        request.ctx.identity = await request.app.ctx.identify(request)
    identity: Identity | None = request.ctx.identity
    return identity


def require_admin(handler: Handler) -> Handler:
    """Let only an admin through; raises Unauthorized or Forbidden for everybody else."""

    @functools.wraps(handler)
    async def checked(request: Request, *args: Any, **kwargs: Any) -> HTTPResponse | None:
        identity = await identify(request)
        if identity is None:
            raise Unauthorized(
                "this is for the admin of the site",
                hint="sign in with a link from `bin/vigil admin link`, or send a bearer token",
            )
        if identity.csrf is not None and request.method not in SAFE_METHODS:
            check_csrf(request, identity.csrf)
        return await handler(request, *args, **kwargs)

    return checked


def check_csrf(request: Request, expected: str) -> None:
    """Compare the CSRF token of a form or header in constant time; raises Forbidden."""
    given = request.headers.get("x-csrf-token") or sent.field(request, sent.CSRF)
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forbidden("this form is out of date", hint="reload the page and try again")
