"""Cameras that bring their frames themselves are never asked."""

from __future__ import annotations

import pytest

from tests.cameras.helpers import add_camera
from vigil.cameras import scan
from vigil.cameras.adding import guess
from vigil.context import Context
from vigil.errors import Invalid, SourceError
from vigil.sources import camera_push


async def test_the_scanner_leaves_it_alone(context: Context) -> None:
    await add_camera(context, "nest", url="push")
    await add_camera(context, "garden")
    keys = {target.name for target in await scan.targets(context)}
    assert "camera garden" in keys
    assert "camera nest" not in keys


async def test_its_address_is_its_name(context: Context) -> None:
    assert guess("push") == "push"
    camera = await add_camera(context, "nest", url="push")
    assert (camera.kind, camera.url) == ("push", None)
    with pytest.raises(Invalid):
        await add_camera(context, "other", url="http://127.0.0.1:9/", kind="push")


async def test_who_asks_it_all_the_same_is_told_what_to_do(context: Context) -> None:
    camera = await add_camera(context, "nest", url="push")
    with pytest.raises(SourceError, match="brings its frames itself"):
        await anext(camera_push.frames(context, camera))


async def test_how_a_time_is_known_is_an_option(context: Context) -> None:
    options = {"time": "exif", "clock_offset_s": -7200}
    camera = await add_camera(context, "nest", url="push", options=options)
    assert camera.options == options
    for wrong in ({"time": "moon"}, {"clock_offset_s": "much"}, {"clock_offset_s": float("nan")}):
        with pytest.raises(Invalid):
            await add_camera(context, "other", url="push", options=wrong)
