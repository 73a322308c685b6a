"""Pictures over HTTP: a camera's latest and that of each frame, whole or small.

What visitors get carries no metadata: neither where the camera stands nor which one it is. The
bytes as they came are for an admin.
"""

from __future__ import annotations

import re

from sanic import Blueprint, HTTPResponse, Request

from vigil import auth, responses
from vigil.cameras import asking, jpeg
from vigil.cameras.frames import store as frames
from vigil.cameras.frames.model import thumbnails_key
from vigil.cameras.model import Frame
from vigil.cameras.pictures import reading
from vigil.cameras.pictures.shape import BadPicture
from vigil.context import Context
from vigil.errors import NotFound
from vigil.openapi import Media, describe

READ = ("GET", "HEAD")
FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "heif": "image/heic",
}


@describe(Media("image/jpeg"), errors=(404,), tagged=True, limited=False)
async def api_latest(request: Request, name: str) -> HTTPResponse:
    """The latest picture; ask with If-None-Match to learn cheaply that it is the same."""
    camera = await asking.camera_of(request, name)
    frame = await frames.latest(responses.context(request).pool, camera.id)
    if frame is None:
        raise NotFound(f"camera {name} has no frames yet")
    return await _picture(request, frame, None, "no-cache")


@describe(Media("image/jpeg"), errors=(404,), tagged=True, limited=False)
async def api_frame(request: Request, name: str, file: str) -> HTTPResponse:
    """The picture of one frame, ``<id>.jpg``, or a smaller one, ``<id>-<160|320|640>.jpg``.

    What it shows never changes.
    """
    match = re.fullmatch(r"([0-9]{1,18})(?:-(160|320|640))?\.jpg", file)
    frame = await _frame(request, name, match[1] if match else "")
    width = int(match[2]) if match and match[2] else None
    return await _picture(request, frame, width, FOR_EVER)


@describe(Media("image/*"), admin=True, errors=(404,), tagged=True)
@auth.require_admin
async def api_original(request: Request, name: str, number: str) -> HTTPResponse:
    """What the camera sent, byte for byte, in the format it came in."""
    frame = await _frame(request, name, number)
    headers = _headers(frame, f'"{frame.sha256.hex()}"', "private, no-cache")
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    name = frame.blob.rpartition("/")[2]
    headers["content-disposition"] = responses.disposition(name)
    data = await responses.context(request).storage.get(frame.blob)
    return _answer(request, data, headers, TYPES[frame.format])


async def shown_picture(context: Context, frame: Frame) -> bytes:
    """A frame's JPEG as visitors get it: without what the camera wrote about itself and its place.

    Raises NotFound when it is gone or was damaged.
    """
    if frame.picture is not None:
        return await context.storage.get(frame.picture)
    try:
        return jpeg.without_metadata(await context.storage.get(frame.blob))
    except BadPicture as error:
        raise NotFound("this picture was damaged on the disk") from error


async def thumbnail(context: Context, frame: Frame, width: int) -> bytes:
    """A frame's thumbnail; made now for one from the time before there were any.

    Raises NotFound when the picture is gone or was damaged.
    """
    if frame.thumbnails is not None:
        place = reading.WIDTHS.index(width)
        start = sum(frame.thumbnails[:place])
        end = start + frame.thumbnails[place]
        try:
            return await context.storage.get_range(thumbnails_key(frame.blob), start, end)
        except NotFound:
            pass  # lost; ``bin/vigil check`` makes it again
    whole = await shown_picture(context, frame)
    try:
        return await reading.run(reading.thumbnail, whole, width)
    except BadPicture as error:
        raise NotFound("this picture was damaged on the disk") from error


async def _frame(request: Request, name: str, number: str) -> Frame:
    camera = await asking.camera_of(request, name)
    frame = None
    if re.fullmatch(r"[0-9]{1,18}", number):
        frame = await frames.by_id(responses.context(request).pool, camera.id, int(number))
    if frame is None:
        raise NotFound("there is no such frame, or it is no longer kept")
    return frame


async def _picture(
    request: Request, frame: Frame, width: int | None, cache_control: str
) -> HTTPResponse:
    shown = frame.sha256.hex() if frame.picture is None else frame.picture.rpartition("/")[2][:-4]
    headers = _headers(frame, f'"{shown}-{width}"' if width else f'"{shown}"', cache_control)
    if responses.etag_matches(request.headers.get("if-none-match"), headers["etag"]):
        return HTTPResponse(status=304, headers=headers)
    context = responses.context(request)
    if width is None:
        data = await shown_picture(context, frame)
    else:
        data = await thumbnail(context, frame, width)
    return _answer(request, data, headers, "image/jpeg")


def _headers(frame: Frame, etag: str, cache_control: str) -> dict[str, str]:
    return {
        "etag": etag,
        "cache-control": cache_control,
        "x-content-type-options": "nosniff",
        "x-taken-at": frame.taken_at.isoformat(),
    }


def _answer(request: Request, data: bytes, headers: dict[str, str], kind: str) -> HTTPResponse:
    headers["content-length"] = str(len(data))
    body = b"" if request.method == "HEAD" else data
    return HTTPResponse(body, headers=headers, content_type=kind)


def register(bp: Blueprint) -> None:
    """Put the routes on the room's blueprint."""
    frame = "/api/v1/cameras/<name>/frames"
    bp.add_route(api_latest, "/api/v1/cameras/<name>/latest.jpg", READ, name="api_latest")
    bp.add_route(api_frame, f"{frame}/<file>", READ, name="api_frame")
    bp.add_route(api_original, f"{frame}/<number>/original", READ, name="api_original")
