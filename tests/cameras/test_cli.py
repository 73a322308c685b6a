"""``vigil camera``, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cameras.helpers import add_frame
from tests.jobs.test_cli import vigil
from tests.servers.pictures import jpeg
from vigil.cameras import store
from vigil.context import Context
from vigil.settings import ROOT


async def test_a_camera_from_beginning_to_end(context: Context, tmp_path: Path) -> None:
    status, out, _ = await vigil(context, "camera", "list")
    assert status == 0
    assert "no cameras yet" in out
    url = "rtsp://joe:secret@10.0.0.1/live"
    status, out, _ = await vigil(
        context, "camera", "add", "garden", url, "--interval", "1m", "--retention", "2d",
        "--title", "The garden", "--option", "keyframes=false",
    )  # fmt: skip
    assert (status, out) == (0, "added camera garden (ffmpeg), a frame each 60 s\n")
    camera = await store.by_name(context.pool, "garden")
    assert camera is not None
    assert (camera.url, camera.interval_s, camera.retention_s) == (url, 60, 172_800)
    assert (camera.title, camera.options) == ("The garden", {"keyframes": False})
    await add_frame(context, camera, jpeg(1))
    status, out, _ = await vigil(context, "camera", "list", "--json")
    (listed,) = json.loads(out)
    assert (listed["name"], listed["url"], listed["state"]) == ("garden", url, "connected")
    status, out, _ = await vigil(context, "camera", "list")
    assert "connected" in out
    status, _, errors = await vigil(context, "camera", "add", "garden", "testcard")
    assert status == 1
    assert "already" in errors
    status, out, _ = await vigil(context, "camera", "remove", "garden")
    assert status == 0
    assert "is being removed" in out
    status, _, errors = await vigil(context, "camera", "remove", "garden")
    assert status == 1
    status, _, errors = await vigil(context, "camera", "remove", "gardn")
    assert status == 1
    assert "there is no camera gardn" in errors


async def test_a_path_is_meant_from_here(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    status, out, _ = await vigil(
        context, "camera", "add", "street", str(tmp_path / "a.mp4"), "--json"
    )
    assert status == 0
    assert json.loads(out)["url"] == str(tmp_path / "a.mp4")
    status, out, _ = await vigil(context, "camera", "add", "code", "pyproject.toml", "--json")
    assert json.loads(out)["url"] == str(ROOT / "pyproject.toml")
    status, _, errors = await vigil(context, "camera", "add", "none", "missing.mp4")
    assert status == 1
    assert "no address of a camera" in errors


async def test_wrong_usage(context: Context) -> None:
    wrong: tuple[tuple[str, ...], ...] = (
        ("add",),
        ("add", "a"),
        ("add", "a", "testcard", "--interval", "soon"),
        ("add", "a", "testcard", "--nonsense"),
        ("paint",),
    )
    for arguments in wrong:
        status, _, errors = await vigil(context, "camera", *arguments)
        assert status == 2, arguments
        assert errors
    refused: tuple[tuple[str, ...], ...] = (
        ("add", "Garden", "testcard"),
        ("add", "a", "testcard", "--interval", "0"),
        ("add", "a", "testcard", "--option", "keyframes=maybe"),
        ("add", "a", "gopher://x"),
    )
    for arguments in refused:
        status, _, errors = await vigil(context, "camera", *arguments)
        assert status == 1, arguments
        assert errors.startswith("vigil: ")
    assert await store.all_cameras(context.pool) == []
