"""An agent and the real site: with a network, without one, killed again and again."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.agent.helpers import config, counting, pictures, registered
from tests.cameras.helpers import until
from tests.conftest import Site
from tests.running import NOBODY_HOME
from vigil.agent import cli, drivers, shooting
from vigil.agent.config import CameraConfig, Config
from vigil.agent.shooting import Agent, next_due
from vigil.agent.site import Refusing
from vigil.agent.site import Site as Remote
from vigil.clock import FakeClock
from vigil.errors import SourceError
from vigil.settings import ROOT

NEST = CameraConfig(name="nest", driver="command", target="true", interval_s=1800)


async def bringing(site: Site, *names: str) -> str:
    """A controller's token, which has cameras of these names."""
    token = await registered(site)
    remote = Remote(site.url, token)
    for name in names:
        await asyncio.to_thread(remote.add_camera, name, "", 60.0)
    return token


async def taken(site: Site, name: str = "nest") -> list[datetime]:
    """When the frames of a camera were taken, in the order in which they came."""
    rows = await site.context.pool.fetch(
        """
        SELECT taken_at FROM frames JOIN cameras ON cameras.id = camera_id
        WHERE cameras.name = $1 ORDER BY frames.id
        """,
        name,
    )
    return [row["taken_at"] for row in rows]


@pytest.mark.timeout(240)
async def test_a_week_without_a_network(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken meanwhile comes when the network is back: once, in order, with its time."""
    token = await bringing(site, "nest")
    now = datetime.now(UTC)
    end = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)  # when one is due
    clock = FakeClock(end - timedelta(days=7))
    shots = iter(pictures(tmp_path / "shots", 7 * 48 + 1))

    async def take(driver: str, target: str) -> bytes:
        return next(shots).read_bytes()

    monkeypatch.setattr(drivers, "take", take)
    away = config(NOBODY_HOME, token, NEST)
    agent = Agent(away, tmp_path / "agent", clock)
    shooting_task = asyncio.ensure_future(agent.shoot("nest"))
    for count in range(1, 7 * 48 + 1):
        await asyncio.sleep(0.01)  # it goes to sleep
        await clock.advance(1800)
        await until(lambda n=count: spooled(agent, n), f"picture {count}")  # type: ignore[misc]  # mypy cannot type defaults of a lambda
    with pytest.raises(SourceError, match="cannot be reached"):
        await agent.bring_once("nest")
    shooting_task.cancel()
    # the power was cut, too
    again = Agent(config(site.url, token, NEST), tmp_path / "agent", clock)
    assert again.spool.count("nest") == 7 * 48
    while await again.bring_once("nest"):
        pass
    found = await taken(site)
    assert found == sorted(found)
    assert len(found) == len(set(found)) == 7 * 48
    assert found[0] >= end - timedelta(days=7)
    assert {later - earlier for earlier, later in itertools.pairwise(found)} == {
        timedelta(minutes=30)
    }
    assert again.spool.size == 0


async def spooled(agent: Agent, count: int) -> bool:
    return agent.spool.count("nest") >= count


async def test_an_answer_that_is_lost_brings_nothing_twice(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await bringing(site, "nest")
    clock = FakeClock(datetime.now(UTC) - timedelta(hours=1))
    agent = Agent(config(site.url, token, NEST), tmp_path / "agent", clock)
    for path in pictures(tmp_path / "shots", 30):
        agent.spool.add("nest", path.read_bytes())
        await clock.advance(60)
    push = Remote.push

    def lost(self: Remote, camera: str, waiting: Any) -> Any:
        push(self, camera, waiting)
        raise SourceError("the answer was lost")

    monkeypatch.setattr(Remote, "push", lost)
    for _ in range(2):
        with pytest.raises(SourceError):
            await agent.bring_once("nest")
    monkeypatch.setattr(Remote, "push", push)
    while await agent.bring_once("nest"):
        pass
    assert len(await taken(site)) == 30
    assert agent.spool.count("nest") == 0


async def test_what_the_site_refuses_is_told_and_the_rest_goes_on(
    site: Site, tmp_path: Path
) -> None:
    token = await bringing(site, "nest")
    clock = FakeClock(datetime.now(UTC) - timedelta(hours=1))
    agent = Agent(config(site.url, token, NEST), tmp_path / "agent", clock)
    (good,) = pictures(tmp_path / "shots", 1)
    for data in (b"<html>", good.read_bytes(), good.read_bytes()[:-50]):
        agent.spool.add("nest", data)
        await clock.advance(60)
    assert await agent.bring_once("nest")
    assert len(await taken(site)) == 1
    assert {one.reason for one in agent.spool.losses} == {"refused"}
    assert sum(one.frames for one in agent.spool.losses) == 2
    await agent.report()
    assert agent.spool.losses == []


async def test_its_plan_comes_from_the_site_and_survives(site: Site, tmp_path: Path) -> None:
    token = await bringing(site, "nest")
    folder = tmp_path / "agent"
    begun = config(site.url, token, NEST)
    begun.save(folder)
    clock = FakeClock(datetime(2026, 5, 1, 12, tzinfo=UTC))
    agent = Agent(begun, folder, clock)
    await site.context.pool.execute(
        """
        UPDATE cameras SET interval_s = 3600, plan = '{"hours": [["06:00", "20:00"]]}';
        UPDATE scenes SET time_zone = 'Europe/Berlin'
        """
    )
    await agent.report()
    kept = Config.load(folder).camera("nest")
    assert (kept.interval_s, kept.time_zone, kept.driver) == (3600, "Europe/Berlin", "command")
    due = next_due(kept, datetime(2026, 5, 1, 21, tzinfo=UTC))
    assert due == datetime(2026, 5, 2, 4, tzinfo=UTC)  # six o'clock there
    await site.context.pool.execute("UPDATE cameras SET enabled = false")
    await agent.report()
    assert next_due(Config.load(folder).camera("nest"), clock.now()) is None


async def test_a_camera_that_fails_is_told_and_tried_again(site: Site, tmp_path: Path) -> None:
    token = await bringing(site, "nest")
    broken = replace(NEST, target="echo the lens cap is on >&2; exit 1")
    clock = FakeClock(datetime.now(UTC))
    agent = Agent(config(site.url, token, broken), tmp_path / "agent", clock)
    for _ in range(3):
        assert not await agent.take("nest")
        await clock.advance(60)
    await agent.report()
    message = await site.context.pool.fetchval("SELECT message FROM events")
    assert message.startswith("3 frames of nest will never come")
    span = await site.context.pool.fetchrow(
        "SELECT state, detail FROM camera_spans WHERE state <> 'watching'"
    )
    assert span is not None
    assert span["state"] == "source"
    assert "lens cap" in span["detail"]
    report = await site.context.pool.fetchval("SELECT report FROM controllers")
    assert "lens cap" in report["nest"]["error"]


async def test_a_token_that_is_worthless_loses_nothing(site: Site, tmp_path: Path) -> None:
    clock = FakeClock(datetime.now(UTC))
    agent = Agent(config(site.url, "controller_" + "x" * 43, NEST), tmp_path / "agent", clock)
    (good,) = pictures(tmp_path / "shots", 1)
    agent.spool.add("nest", good.read_bytes())
    with pytest.raises(Refusing):
        await agent.bring_once("nest")
    assert agent.spool.count("nest") == 1


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_killed_at_random_nothing_is_lost_or_doubled(site: Site, tmp_path: Path) -> None:
    """Of what was on the disk when the agent was killed, each picture becomes one frame."""
    token = await bringing(site, "nest")
    folder = tmp_path / "agent"
    camera = CameraConfig(name="nest", driver="command", target=counting(tmp_path), interval_s=0.1)
    await site.context.pool.execute("UPDATE cameras SET interval_s = 0.1")
    config(site.url, token, camera).save(folder)
    chance = random.Random(11)
    seen: dict[str, bytes] = {}
    for _ in range(15):
        with running(folder) as process:
            least = shots(tmp_path) + 3
            await until(lambda n=least: taking(tmp_path, n), "pictures", 60)  # type: ignore[misc]  # mypy cannot type defaults of a lambda
            await asyncio.sleep(chance.uniform(0, 0.4))
            process.send_signal(signal.SIGKILL)
            process.wait()
        for path in (folder / "spool").glob("nest/*/*"):
            if path.suffix != ".part":
                seen[path.name.partition("-")[0]] = path.read_bytes()
    with running(folder):
        await until(lambda: empty(folder), "everything brought", 60)
    rows = await site.context.pool.fetch("SELECT taken_at, sha256 FROM frames")
    assert len(rows) > 15
    hashes = [row["sha256"] for row in rows]
    assert len(hashes) == len(set(hashes)), "a picture came twice"
    times = {round(row["taken_at"].timestamp() * 1e6) for row in rows}
    assert {int(name) for name in seen} <= times, "a picture was lost"


def shots(folder: Path) -> int:
    """How often the camera was asked for a picture."""
    count = folder / "count"
    return int(count.read_text() or 0) if count.exists() else 0


async def taking(folder: Path, least: int) -> bool:
    return shots(folder) >= least


async def empty(folder: Path) -> bool:
    """Whether hardly anything waits any more; new pictures go on coming."""
    return len(list((folder / "spool").glob("nest/*/*"))) <= 1


def running(folder: Path) -> subprocess.Popen[bytes]:
    """The agent as a process of its own, killed at the end."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}

    class Killed(subprocess.Popen[bytes]):
        def __exit__(self, *told: object) -> None:
            self.kill()
            self.wait()

    return Killed(
        [sys.executable, "-m", "vigil.agent", "--folder", str(folder), "run"],
        env=environment,
        stderr=subprocess.DEVNULL,
    )


def test_it_needs_python_alone() -> None:
    """Without site-packages: what a Raspberry Pi has after installing nothing."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import vigil.agent.cli"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


async def test_the_way_from_a_code_to_a_frame(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site.client.post("/api/v1/controllers/codes", headers=site.admin_headers) as answer:
        code = (await answer.json())["code"]
    folder = ["--folder", str(tmp_path / "agent")]

    async def call(*arguments: str) -> int:
        return await asyncio.to_thread(cli.main, [*folder, *arguments])

    assert await call("status") == 1
    assert "not registered" in capsys.readouterr().err
    assert await call("register", site.url, code.lower(), "--name", "shed") == 0
    assert (tmp_path / "agent" / "agent.json").stat().st_mode & 0o077 == 0
    shot = tmp_path / "test.jpg"
    camera = ["camera", "nest", "--driver", "command", "--target", counting(tmp_path)]
    assert await call(*camera, "--interval", "30", "--test", str(shot)) == 0
    assert shot.read_bytes().startswith(b"\xff\xd8")
    agent = Agent(Config.load(tmp_path / "agent"), tmp_path / "agent", FakeClock(datetime.now(UTC)))
    assert await agent.take("nest")
    assert await call("status") == 0
    assert "nest: 1 pictures" in capsys.readouterr().out
    assert await agent.bring_once("nest")
    assert len(await taken(site)) == 1
    assert await call("register", site.url, code) == 1
    assert "opens nothing" in capsys.readouterr().err


def test_times_that_jump_back_do_not_stop_it() -> None:
    due = next_due(NEST, datetime(2026, 5, 1, 12, 10, tzinfo=UTC))
    assert due == datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    assert shooting.next_due(replace(NEST, time_zone="Mars/Base"), due) is not None


async def test_what_cannot_be_started_does_not_end_the_agent(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await bringing(site, "nest")
    clock = FakeClock(datetime.now(UTC))
    agent = Agent(config(site.url, token, NEST), tmp_path / "agent", clock)

    async def refuse(driver: str, target: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(drivers, "take", refuse)
    assert not await agent.take("nest")
    (good,) = pictures(tmp_path / "shots", 1)
    agent.spool.add("nest", good.read_bytes())
    (gone,) = agent.spool.batch("nest", 9, 10_000)
    gone.path.unlink()
    agent.spool.batch = lambda *told: [gone]  # type: ignore[method-assign]  # as it was a moment ago
    assert await agent.bring_once("nest")
    assert await taken(site) == []
