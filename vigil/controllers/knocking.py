"""Whose token a request carries, and which cameras' frames it may bring.

A camera that can send no bearer token may use basic authentication: any user, the token as the
password. Sessions of browsers do not count here: a page of somebody else must not push frames.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from sanic import Request

from vigil import auth, responses
from vigil.admin.model import TOKEN, well_formed
from vigil.cameras.model import Camera
from vigil.controllers import store
from vigil.controllers.model import CONTROLLER, PUSH
from vigil.errors import Forbidden, Unauthorized


@dataclass(frozen=True, slots=True)
class Known:
    """A controller that proved who it is."""

    id: int
    name: str


def secret_of(request: Request) -> str:
    """The token of a request; empty when it has none."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic":
        try:
            user_and_password = base64.b64decode(given.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return user_and_password.partition(":")[2]
    return ""


async def controller(request: Request) -> Known:
    """The controller that sends a request; raises Unauthorized for everybody else."""
    secret = secret_of(request)
    if well_formed(secret, CONTROLLER):
        pool = responses.context(request).pool
        found = await store.by_token(pool, auth.hash_secret(secret))
        if found is not None:
            return Known(*found)
    raise _stranger(request, "this is for a registered controller")


async def check_may_push(request: Request, camera: Camera) -> None:
    """Raise Unauthorized or Forbidden unless the request may bring this camera's frames.

    That may: the camera's own token, the token of the controller that has the camera, an admin's.
    """
    secret = secret_of(request)
    pool = responses.context(request).pool
    if well_formed(secret, PUSH):
        found = await store.pushes(pool, auth.hash_secret(secret))
        if found == camera.id:
            return
        if found is not None:
            raise Forbidden("this token is another camera's")
    elif well_formed(secret, CONTROLLER):
        known = await store.by_token(pool, auth.hash_secret(secret))
        if known is not None and await store.brings(pool, known[0], camera.id):
            return
        if known is not None:
            raise Forbidden(f"controller {known[1]} does not have the camera {camera.name}")
    elif well_formed(secret, TOKEN) and await auth.identify(request) is not None:
        return
    raise _stranger(request, "this needs the camera's token")


def _stranger(request: Request, message: str) -> Unauthorized:
    """Counts against the client's limit, so that nobody keeps the database busy by guessing."""
    request.app.ctx.limiter.take(request)
    return Unauthorized(message, hint="Authorization: Bearer <token>")
