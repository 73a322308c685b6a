"""``vigil source``, run as a person runs it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers.helix import Helix
from tests.servers.json_api import JsonApi
from tests.servers.owncast import Owncast
from vigil.settings import ROOT, Settings, variable


@dataclass
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str


async def vigil(settings: Settings, *arguments: str, stdin: str = "") -> Ran:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VIGIL_")}
    for one in fields(settings):
        value = getattr(settings, one.name)
        if value not in (None, one.default):
            environment[variable(one.name)] = str(value)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "vigil",
        "source",
        *arguments,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
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


async def test_a_feed_is_tried_added_changed_and_shown(settings: Settings, tmp_path: Path) -> None:
    secret = "correct-horse-battery"
    async with JsonApi(25, way="cursor", key=secret) as api:
        file = tmp_path / "radio.json"
        file.write_text(json.dumps(api.options | {"title": "name"}))
        described = (
            "radio", "json_feed", "--url", api.address, "--options", str(file),
            "--option", "max_viewers=5", "--secret", "X-Api-Key",
        )  # fmt: skip
        ran = await vigil(settings, "add", *described, "--dry-run", stdin=f"{secret}\n")
        assert ran.status == 0, ran.err
        assert "Station 3" in ran.out
        assert "would be kept; nothing was saved" in ran.out
        assert "refused: more than 5 viewers" in ran.out
        ran = await vigil(settings, "add", *described, "--dry-run", stdin="wrong\n")
        assert (ran.status, "answered 401" in ran.err) == (1, True)
        assert await listed(settings) == []
        ran = await vigil(settings, "add", *described, stdin=f"{secret}\n")
        assert ran.out == "added source radio (json_feed), looked through every 120 s\n"
        ran = await vigil(settings, "change", "radio", "--option", "title=", "--dry-run", "--json")
        assert json.loads(ran.out)["items"][1]["title"] == "Station 1"  # the channel's name
        ran = await vigil(settings, "change", "radio", "--option", "title=a[")
        assert (ran.status, "option title ends too early" in ran.err) == (1, True)
        ran = await vigil(settings, "change", "radio", "--option", "title=show.title")
        assert ran.out == "changed source radio\n"
        ran = await vigil(settings, "test", "radio", "--show")
        assert "Show 3" in ran.out
        shown = await vigil(settings, "show", "radio")
        for name in ("next_at", "pages", "found", "kept", "fresh", "refusals", "budget", "error"):
            assert f"\n{name} " in shown.out
        assert "X-Api-Key" in shown.out
        assert secret not in shown.out + (await vigil(settings, "list", "--json")).out
        ran = await vigil(settings, "change", "radio", "--forget", "X-Api-Key", "--json")
        assert json.loads(ran.out)["secrets"] == []
        ran = await vigil(settings, "add", "x", "m3u", "--options", str(ROOT / "README.md"))
        assert (ran.status, "no JSON object" in ran.err) == (1, True)


async def test_kinds(settings: Settings) -> None:
    ran = await vigil(settings, "kinds", "--json")
    rows = json.loads(ran.out)
    assert {row["kind"] for row in rows} == {"twitch", "json_feed", "m3u"}
    assert {"kind", "option", "example", "what"} == rows[0].keys()
    assert "started_at" in (await vigil(settings, "kinds")).out
