"""``vigil source``, run as a person runs it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from tests.servers.helix import Helix
from tests.servers.owncast import Owncast
from vigil.settings import ROOT, Settings, variable


@dataclass
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str


async def vigil(settings: Settings, *arguments: str) -> Ran:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    values = {variable(one.name): getattr(settings, one.name) for one in fields(settings)}
    environment |= {name: str(value) for name, value in values.items() if value is not None}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "vigil",
        "source",
        *arguments,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ran(process.returncode or 0, out.decode(), err.decode())


async def listed(settings: Settings) -> Any:
    ran = await vigil(settings, "list", "--json")
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


async def test_a_life(settings: Settings) -> None:
    ran = await vigil(settings, "list")
    assert (ran.status, ran.out) == (0, "no sources yet: vigil source add NAME KIND\n")
    ran = await vigil(
        settings, "add", "quiet", "twitch", "--option", "languages=en,de", "--option",
        "max_viewers=3", "--interval", "45", "--ttl", "450",
    )  # fmt: skip
    assert (ran.status, ran.out) == (0, "added source quiet (twitch), looked through every 45 s\n")
    (item,) = await listed(settings)
    assert item["options"] == {"languages": ["de", "en"], "categories": [], "max_viewers": 3}
    assert (item["interval_s"], item["ttl_s"], item["enabled"]) == (45, 450, True)
    assert set(item["actions"]) >= {"test", "delete"}
    assert (await vigil(settings, "disable", "quiet")).out == "disabled source quiet\n"
    again = await vigil(settings, "disable", "quiet")
    assert again.status == 1
    assert "disabled already" in again.err
    assert (await vigil(settings, "enable", "quiet", "--json")).out.startswith("{")
    table = (await vigil(settings, "list")).out
    assert table.splitlines()[0].split()[:3] == ["NAME", "KIND", "STATE"]
    assert table.splitlines()[1].split()[:3] == ["quiet", "twitch", "waiting"]
    assert (await vigil(settings, "remove", "quiet")).out == "removed source quiet\n"
    assert await listed(settings) == []


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("add", "x", "myspace"), 2, "myspace"),
        (("add", "X", "twitch"), 1, "cannot be a source's name"),
        (("add", "x", "twitch", "--option", "max_viewers=lots"), 1, "max_viewers"),
        (("add", "x", "twitch", "--option", "oops"), 1, "NAME=VALUE"),
        (("add", "x", "owncast", "--url", "file:///etc"), 1, "cannot be fetched"),
        (("remove", "nobody"), 1, "no source nobody"),
        (("test", "nobody"), 1, "no source nobody"),
        (("add",), 2, "NAME"),
        (("frobnicate",), 2, "frobnicate"),
    ],
)
async def test_what_cannot_be_done(
    settings: Settings, arguments: tuple[str, ...], status: int, told: str
) -> None:
    ran = await vigil(settings, *arguments)
    assert (ran.status, ran.out) == (status, "")
    assert told in ran.err
    assert "Traceback" not in ran.err


async def test_test(settings: Settings) -> None:
    async with Owncast() as server:
        added = await vigil(settings, "add", "oc", "owncast", "--url", server.url, "--json")
        assert json.loads(added.out)["base_url"] == server.url
        ran = await vigil(settings, "test", "oc")
        assert (ran.status, ran.err) == (0, "")
        assert ran.out == "the Owncast directory answers; 2 instances are live\n"
        server.faults.no_playlist = True
        ran = await vigil(settings, "test", "oc")
        assert ran.status == 1
        assert "no M3U playlist" in ran.err
    ran = await vigil(settings, "test", "oc", "--json")
    assert ran.status == 1
    assert "cannot be connected to" in ran.err


async def test_test_of_twitch_shows_no_secret(settings: Settings) -> None:
    async with Helix(3) as server:
        secret = "very-s3cret"
        wrong = replace(
            settings,
            twitch_api_url=server.api_url,
            twitch_auth_url=server.auth_url,
            twitch_client_id=server.client_id,
            twitch_client_secret=secret,
        )
        await vigil(wrong, "add", "tw", "twitch")
        ran = await vigil(wrong, "test", "tw")
        assert ran.status == 1
        assert "refuses our client id or secret" in ran.err
        assert secret not in ran.err + ran.out
        right = replace(wrong, twitch_client_secret=server.client_secret)
        ran = await vigil(right, "test", "tw")
        assert ran.out == "Twitch answers; 799 of 800 requests are left\n"
