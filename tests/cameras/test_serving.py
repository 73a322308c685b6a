"""Pictures over HTTP: whole, small and as they came; nothing public says where or by whom."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from tests.cameras.corpus import drawn
from tests.cameras.helpers import add_camera, add_frame
from tests.conftest import Site
from tests.servers.pictures import jpeg
from vigil.cameras.frames.model import thumbnails_key
from vigil.cameras.model import Frame


async def get(
    site: Site, path: str, status: int = 200, **headers: Any
) -> tuple[bytes, dict[str, str]]:
    async with site.client.get(path, headers=headers) as answer:
        assert answer.status == status
        return await answer.read(), {name.lower(): value for name, value in answer.headers.items()}


def address(frame: Frame, width: int | None = None) -> str:
    return f"/api/v1/cameras/garden/frames/{frame.id}{f'-{width}' if width else ''}.jpg"


def size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        image.load()
        return image.size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
async def test_small_ones(site: Site, kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker of cameras"
    camera = await add_camera(site.context)
    frame = await add_frame(site.context, camera, drawn(kind, (1280, 720), exif=exif.tobytes()))
    for width, expected in (
        (None, (1280, 720)),
        (640, (640, 360)),
        (320, (320, 180)),
        (160, (160, 90)),
    ):
        data, headers = await get(site, address(frame, width))
        assert size(data) == expected
        assert b"Maker" not in data
        assert headers["content-type"] == "image/jpeg"
        assert "immutable" in headers["cache-control"]
        assert headers["content-length"] == str(len(data))
        _, again = await get(site, address(frame, width), 304, **{"if-none-match": headers["etag"]})
        assert again["etag"] == headers["etag"]
    for other in (161, 64, 1280):
        await get(site, address(frame, other), 404)


async def test_frames_of_old_are_made_small_when_they_are_asked_for(site: Site) -> None:
    camera = await add_camera(site.context)
    frame = await add_frame(site.context, camera, jpeg(1, (1280, 720)))
    fresh, _ = await get(site, address(frame, 320))
    await site.context.storage.delete(thumbnails_key(frame.blob))
    lost, _ = await get(site, address(frame, 320))
    await site.context.pool.execute("UPDATE frames SET thumbnails = NULL")
    old, _ = await get(site, address(frame, 320))
    assert size(fresh) == size(lost) == size(old) == (320, 180)
    await site.context.storage.put(frame.blob, b"<html>")
    await get(site, address(frame, 320), 404)


async def test_the_original_is_for_an_admin(site: Site) -> None:
    camera = await add_camera(site.context)
    data = drawn("HEIF")
    frame = await add_frame(site.context, camera, data)
    path = f"/api/v1/cameras/garden/frames/{frame.id}/original"
    await get(site, path, 401)
    got, headers = await get(site, path, 200, **site.admin_headers)
    assert got == data
    assert headers["content-type"] == "image/heic"
    assert headers["cache-control"].startswith("private")
    assert ".heic" in headers["content-disposition"]
    tag = {"if-none-match": headers["etag"]}
    await get(site, path, 304, **site.admin_headers, **tag)
    await get(site, path.replace(str(frame.id), "0"), 404, **site.admin_headers)
    await get(site, path.replace(str(frame.id), "x"), 404, **site.admin_headers)


async def test_the_latest_is_what_is_shown(site: Site) -> None:
    camera = await add_camera(site.context)
    await add_frame(site.context, camera, drawn("PNG"))
    first, headers = await get(site, "/api/v1/cameras/garden/latest.jpg")
    assert size(first) == (320, 240)
    assert headers["cache-control"] == "no-cache"
    camera = replace(camera, rotation=90)  # the same bytes are another picture now
    await add_frame(site.context, camera, drawn("PNG"))
    second, now = await get(site, "/api/v1/cameras/garden/latest.jpg")
    assert size(second) == (240, 320)
    assert now["etag"] != headers["etag"]
