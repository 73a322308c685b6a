"""Pictures over HTTP: a camera's latest and that of each frame."""

from __future__ import annotations

import re

from sanic import Blueprint, HTTPResponse, Request

from vigil import responses
from vigil.cameras import asking, jpeg
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Frame
from vigil.context import Context
from vigil.errors import NotFound
from vigil.openapi import Media, describe

READ = ("GET", "HEAD")


@describe(Media("image/jpeg"), errors=(404,), tagged=True, limited=False)
async def api_latest(request: Request, name: str) -> HTTPResponse:
    """The latest picture; ask with If-None-Match to learn cheaply that it is the same."""
    camera = await asking.camera_of(request, name)
    frame = await frames.latest(responses.context(request).pool, camera.id)
    if frame is None:
        raise NotFound(f"camera {name} has no frames yet")
    return await _picture(request, frame, "no-cache")


@describe(Media("image/jpeg"), errors=(404,), tagged=True, limited=False)
async def api_frame(request: Request, name: str, file: str) -> HTTPResponse:
    """The picture of one frame, ``<id>.jpg``; what it shows never changes."""
    camera = await asking.camera_of(request, name)
    match = re.fullmatch(r"([0-9]{1,18})(?:-(?:160|320|640))?\.jpg", file)
    frame = None
    if match:
        frame = await frames.by_id(responses.context(request).pool, camera.id, int(match[1]))
    if frame is None:
        raise NotFound("there is no such frame, or it is no longer kept")
    return await _picture(request, frame, "public, max-age=31536000, immutable")


async def shown_picture(context: Context, frame: Frame) -> bytes:
    """A frame's JPEG as visitors get it: without what the camera wrote about itself and its place.

    Raises NotFound when it is gone or was damaged.
    """
    try:
        return jpeg.without_metadata(await context.storage.get(frame.blob))
    except jpeg.BadPicture as error:
        raise NotFound("this picture was damaged on the disk") from error


async def _picture(request: Request, frame: Frame, cache_control: str) -> HTTPResponse:
    etag = f'"{frame.sha256.hex()}"'
    headers = {
        "etag": etag,
        "cache-control": cache_control,
        "x-content-type-options": "nosniff",
        "x-taken-at": frame.taken_at.isoformat(),
    }
    if responses.etag_matches(request.headers.get("if-none-match"), etag):
        return HTTPResponse(status=304, headers=headers)
    data = await shown_picture(responses.context(request), frame)
    headers["content-length"] = str(len(data))
    body = b"" if request.method == "HEAD" else data
    return HTTPResponse(body, headers=headers, content_type="image/jpeg")


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    bp.add_route(api_latest, "/api/v1/cameras/<name>/latest.jpg", READ, name="api_latest")
    bp.add_route(api_frame, "/api/v1/cameras/<name>/frames/<file>", READ, name="api_frame")
