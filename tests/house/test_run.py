"""`vigil run` from outside: starts, serves, stops, survives."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.running import Vigil, free_port, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def frames(house: Vigil) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = house.get("/api/v1/cameras/testcard/frames?limit=500")[
            "items"
        ]
    except OSError:
        return []
    return found


def segments(house: Vigil, film: int = 1) -> int:
    return house.text(f"/api/v1/films/{film}/playlist.m3u8").count("#EXTINF")


def has_more(house: Vigil, film: int, seen: int, newest: int) -> bool:
    """Whether there are more segments of a film, and frames after the newest, than there were."""
    return segments(house, film) > seen and frames(house)[0]["id"] > newest


def kill(house: Vigil, part: str) -> bool:
    found = house.pids(part)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(found)


def assert_clean(house: Vigil) -> None:
    """After whatever happened: rows and blobs agree, without anything to mend."""
    done = house.command("check", "--no-mend")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "clean" in done.stdout


def test_a_new_user_sees_a_working_site_and_loses_nothing_by_stopping() -> None:
    with running() as house:
        house.start()
        wait_for(lambda: "To sign in as the admin, once:" in house.output.read_text(), 5, "a link")
        assert isinstance(house.get("/stream"), list)
        assert house.get("/stats/counts")["streams"] == 0
        wait_for(lambda: len(frames(house)) > 2, 20, "frames of the test card")
        wait_for(lambda: segments(house) >= 1, 60, "the first segment of the film")
        front = house.text("/")
        assert "127.0.0.1" in front or "Owncast" in front  # says which source failed
        before, seen = segments(house), frames(house)[0]["id"]
        left = house.everything()
        assert house.stop() == 0
        assert not [p for p in left if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

        house.output.write_text("")
        house.start()
        assert "To sign in" not in house.output.read_text()  # the first link is still good
        assert segments(house) >= before
        assert any(one["id"] == seen for one in frames(house))
        assert_clean(house)


def test_whatever_is_killed_comes_back_and_nothing_is_lost() -> None:
    with running() as house:
        house.start()
        # two seconds of film each four: something is always being rendered
        made = house.command("film", "make", "testcard", "--from", "now", "--speed", "2", "--json")
        assert made.returncode == 0, made.stderr
        film = json.loads(made.stdout)["id"]
        wait_for(lambda: segments(house, film) >= 1, 30, "the first segment")
        for victim in ("scanner.py", "renderer.py", "app.py", "postgres -D"):
            for _ in range(2):
                wait_for(functools.partial(kill, house, victim), 30, f"{victim} to kill")
                time.sleep(1)
            wait_for(lambda: house.health().get("status") == "ok", 30, f"health after {victim}")
            seen, newest = segments(house, film), frames(house)[0]["id"]
            more = functools.partial(has_more, house, film, seen, newest)
            wait_for(more, 60, f"a segment and a frame after {victim}")
        assert_clean(house)

        kept, seen_frames = segments(house, film), [one["id"] for one in frames(house)]
        for process in house.everything():
            process.kill()
        house.process.wait()
        house.output.write_text("")
        house.start()
        assert segments(house, film) >= kept
        assert set(seen_frames[:-20]) <= {one["id"] for one in frames(house)}
        assert_clean(house)


def test_killing_vigil_run_leaves_nothing_behind() -> None:
    with running() as house:
        house.start()
        left = house.everything()
        house.process.kill()
        house.process.wait()
        gone = psutil.wait_procs(left, timeout=30)[1]
        assert not [p for p in gone if p.status() != psutil.STATUS_ZOMBIE]


def test_a_second_signal_ends_it_at_once() -> None:
    with running() as house:
        house.start()
        left = house.everything()
        house.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        house.process.send_signal(signal.SIGINT)
        house.process.wait(5)
        gone = psutil.wait_procs(left, timeout=5)[1]
        assert not [p for p in gone if p.status() != psutil.STATUS_ZOMBIE]


def test_what_cannot_start_is_said() -> None:
    with running() as house:
        house.environment["VIGIL_PORTT"] = "1"
        done = house.command("run")
        assert done.returncode == 1
        assert "did you mean VIGIL_PORT" in done.stderr
    with running(VIGIL_DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/x") as house:
        house.spawn()
        assert house.process.wait(30) == 1
        assert "database does not answer" in house.output.read_text()


def test_two_on_the_same_data_are_refused() -> None:
    with running() as house:
        house.start()
        done = house.command("run")
        assert done.returncode == 1
        assert "already runs" in done.stderr


def _system_postgres() -> Path | None:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "postgres").exists():
            return folder
    return None


@pytest.mark.skipif(_system_postgres() is None, reason="no PostgreSQL of the system's here")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become PostgreSQL's user")
def test_with_a_postgresql_of_the_system(tmp_path: Path) -> None:
    binaries = _system_postgres()
    assert binaries is not None
    place = Path("/tmp") / f"vigil-system-pg-{os.getpid()}"
    port = free_port()
    as_user: dict[str, Any] = {
        "user": "postgres",
        "group": "postgres",
        "extra_groups": [],
        "cwd": "/",
    }
    place.mkdir()
    shutil.chown(place, "postgres", "postgres")
    try:
        initdb: list[str | Path] = [binaries / "initdb", "-D", place / "data", "--auth=trust"]
        subprocess.run(initdb, check=True, capture_output=True, **as_user)
        server = subprocess.Popen(
            [binaries / "postgres", "-D", place / "data", "-k", place, "-p", str(port)],
            stderr=subprocess.DEVNULL,
            **as_user,
        )
        try:
            wait_for((place / f".s.PGSQL.{port}").exists, 20, "the system's PostgreSQL")
            url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
            with running(VIGIL_DATABASE_URL=url) as house:
                house.start()
                assert not house.pids("postgres -D")
                wait_for(lambda: len(frames(house)) > 2, 20, "frames of the test card")
                wait_for(lambda: segments(house) >= 1, 60, "the first segment of the film")
                assert_clean(house)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)
    finally:
        shutil.rmtree(place, ignore_errors=True)
