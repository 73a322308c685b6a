"""Frames that cameras and scripts bring themselves."""

from __future__ import annotations

import asyncio
import base64
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from tests.cameras.helpers import add_camera, blobs, count, health
from tests.conftest import Site
from tests.servers.pictures import bomb, jpeg
from vigil import auth
from vigil.cameras.frames import store as frames
from vigil.cameras.model import Camera
from vigil.controllers import store
from vigil.controllers.model import PUSH
from vigil.errors import Unavailable

FRAMES = "/api/v1/cameras/garden/frames"


async def token_of(site: Site, camera: Camera) -> str:
    secret = auth.new_secret(PUSH)
    await store.set_push_token(site.context.pool, camera.id, auth.hash_secret(secret))
    return secret


async def garden(site: Site, **wanted: Any) -> tuple[Camera, dict[str, str]]:
    """A camera that is pushed to, and the header with its token."""
    camera = await add_camera(site.context, url="push", **wanted)
    return camera, {"authorization": f"Bearer {await token_of(site, camera)}"}


def recently(seconds: float = 60) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=seconds)


async def push(site: Site, headers: dict[str, str], data: Any) -> tuple[int, dict[str, Any]]:
    async with site.client.post(FRAMES, data=data, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_one_picture_with_its_time(site: Site) -> None:
    camera, token = await garden(site)
    taken_at = recently()
    headers = token | {"x-taken-at": taken_at.isoformat(), "content-type": "image/jpeg"}
    status, answer = await push(site, headers, jpeg(1))
    assert status == 201
    (item,) = answer["items"]
    assert (item["status"], item["way"]) == ("accepted", "said")
    assert datetime.fromisoformat(item["taken_at"]) == taken_at
    latest = await frames.latest(site.context.pool, camera.id)
    assert latest is not None
    assert latest.id == item["id"]
    async with site.client.put(FRAMES, data=jpeg(1), headers=headers) as again:
        assert again.status == 200
        assert (await again.json())["items"][0]["status"] == "known"
    assert await count(site.context) == 1


async def test_a_picture_that_says_nothing_is_of_now(site: Site) -> None:
    _, token = await garden(site)
    status, answer = await push(site, token, jpeg(2))
    assert status == 201
    assert answer["items"][0]["way"] == "arrival"
    age = datetime.now(UTC) - datetime.fromisoformat(answer["items"][0]["taken_at"])
    assert timedelta() <= age < timedelta(seconds=30)


def batch(times: list[datetime | str], pictures: list[bytes]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for moment in times:
        form.add_field("taken_at", moment if isinstance(moment, str) else moment.isoformat())
    for data in pictures:
        form.add_field("frame", data, filename="x.jpg", content_type="image/jpeg")
    return form


async def test_a_batch_is_answered_one_by_one(site: Site) -> None:
    _, token = await garden(site)
    times = [recently(60 - n) for n in range(4)]
    pictures = [jpeg(1), b"<html>no</html>", jpeg(3), jpeg(3)[:-200]]
    status, answer = await push(site, token, batch([*times], pictures))
    assert status == 201
    found = [(item["status"], item["reason"]) for item in answer["items"]]
    assert found[0] == found[2] == ("accepted", None)
    assert found[1] == ("refused", "html")
    assert found[3][0] == "refused"
    assert [datetime.fromisoformat(item["taken_at"]) for item in answer["items"]] == times
    status, answer = await push(site, token, batch([*times], pictures))
    assert status == 200
    assert [item["status"] for item in answer["items"]].count("known") == 2
    assert await count(site.context) == 2


async def test_what_comes_many_times_at_once_is_one_frame(site: Site) -> None:
    camera, token = await garden(site)
    times, picture = [recently()] * 5, [jpeg(1)] * 5
    answers = await asyncio.gather(*(push(site, token, batch([*times], picture)) for _ in range(8)))
    ids = {item["id"] for _, answer in answers for item in answer["items"]}
    assert len(ids) == 1
    assert await count(site.context) == 1
    assert (await health(site.context, camera)).frames == 1
    assert len(await blobs(site.context)) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"\x89PNG\r\n\x1a\n" + b"x" * 50, None), (bomb(), "too_many_pixels"), (b"{}", None)],
)
async def test_one_bad_picture_is_refused_with_a_reason(
    site: Site, data: bytes, reason: str | None
) -> None:
    camera, token = await garden(site)
    status, answer = await push(site, token | {"content-type": "image/jpeg"}, data)
    assert status == 422
    assert reason in (None, answer["error"]["code"])
    assert answer["error"]["message"]
    assert (await health(site.context, camera)).refused == 1
    assert await count(site.context) == 0


async def test_what_cannot_be_read_is_explained(site: Site) -> None:
    _, token = await garden(site)
    for data, headers, part in (
        (b"", {}, "no picture"),
        (jpeg(1), {"x-taken-at": "yesterday"}, "no time"),
        (batch([recently()], [jpeg(1), jpeg(2)]), {}, "2 pictures and 1 times"),
        (batch(["soon"], [jpeg(1)]), {}, "no time"),
        (b"garbage", {"content-type": "multipart/form-data; boundary=x"}, "no picture"),
    ):
        status, answer = await push(site, token | headers, data)
        assert status == 400, answer
        assert part in answer["error"]["message"]
    status, _ = await push(site, token, batch([], [jpeg(1)] * 101))
    assert status == 413
    assert await count(site.context) == 0


async def test_only_who_may(site: Site) -> None:
    camera, token = await garden(site)
    other = await add_camera(site.context, "roof", url="push")
    others = f"Bearer {await token_of(site, other)}"
    for given, wanted in (
        (None, 401),
        ("Bearer push_" + "x" * 43, 401),
        ("Bearer nonsense", 401),
        ("Basic !!!", 401),
        (others, 403),
    ):
        status, _ = await push(site, {"authorization": given} if given else {}, jpeg(1))
        assert status == wanted, given
    assert await count(site.context) == 0
    secret = token["authorization"].removeprefix("Bearer ")
    basic = {"authorization": f"Basic {base64.b64encode(f'camera:{secret}'.encode()).decode()}"}
    assert (await push(site, basic, jpeg(1)))[0] == 201
    assert (await push(site, site.admin_headers, jpeg(2)))[0] == 201
    await token_of(site, camera)
    assert (await push(site, token, jpeg(3)))[0] == 401  # a new token makes the old one worthless


async def test_a_camera_that_is_asked_cannot_be_pushed_to(site: Site) -> None:
    await add_camera(site.context, "garden")
    assert (await push(site, site.admin_headers, jpeg(1)))[0] == 409
    async with site.client.post(
        "/api/v1/cameras/nobody/frames", data=jpeg(1), headers=site.admin_headers
    ) as answer:
        assert answer.status == 404


async def test_a_clock_that_is_three_hours_ahead(site: Site) -> None:
    _, token = await garden(site)
    ahead = recently() + timedelta(hours=3)
    status, answer = await push(site, token | {"x-taken-at": ahead.isoformat()}, jpeg(1))
    assert (status, answer["error"]["code"]) == (422, "future")
    await site.context.pool.execute("""UPDATE cameras SET options = '{"clock_offset_s": 10800}'""")
    status, answer = await push(site, token | {"x-taken-at": ahead.isoformat()}, jpeg(1))
    assert status == 201
    taken_at = datetime.fromisoformat(answer["items"][0]["taken_at"])
    assert taken_at == ahead - timedelta(hours=3)


async def test_a_store_that_is_away_acknowledges_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = await garden(site)

    async def fail(key: str, data: bytes) -> None:
        raise Unavailable("the blob store is full")

    monkeypatch.setattr(site.context.storage, "put", fail)
    status, answer = await push(site, token, jpeg(1))
    assert status == 503, answer
    assert await count(site.context) == 0


async def test_many_at_once_from_many(site: Site) -> None:
    _, token = await garden(site)
    picture = [jpeg(n) for n in range(10)]
    chance = random.Random(3)

    async def client(number: int) -> int:
        times = [recently(3600) + timedelta(seconds=number, milliseconds=n) for n in range(5)]
        pictures = [chance.choice(picture) for _ in times]
        status, answer = await push(site, token, batch([*times], pictures))
        assert status == 201
        return sum(item["status"] == "accepted" for item in answer["items"])

    assert sum(await asyncio.gather(*(client(n) for n in range(20)))) == 100
    assert await count(site.context) == 100
