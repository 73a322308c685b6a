import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import db_utils
from tests.running import wait_for
from vigil import postgres
from vigil.errors import SettingsError
from vigil.settings import ROOT, Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder that the database's user can reach."""
    made = Path(tempfile.mkdtemp(prefix="vigil-pg-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def start(folder: Path) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"VIGIL_DATA_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [sys.executable, "-m", "vigil.postgres"], env=environment, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: postgres.answers(folder) or server.poll() is not None, 30, "the server")
    return server


async def ask(folder: Path, statement: str) -> object:
    await db_utils.wait_until_up(Settings(data_dir=folder))
    connection = await asyncpg.connect(postgres.dsn(folder))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_was_committed_survives_kill_9(folder: Path) -> None:
    server = start(folder)
    await ask(folder, "CREATE TABLE kept AS SELECT 42 AS answer")
    server.kill()
    server.wait()

    def again() -> "subprocess.Popen[bytes] | None":
        # as supervisord would: backends of the killed one may still be going
        made = start(folder)
        return made if made.poll() is None else None

    server = wait_for(again, 30, "a server after the kill")
    try:
        assert await ask(folder, "SELECT answer FROM kept") == 42
        assert (folder / "postgres" / "run").stat().st_mode & 0o077 == 0  # nobody else gets in
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0


async def test_a_cluster_that_was_cut_short_is_made_again(folder: Path) -> None:
    leftover = folder / "postgres" / "cluster.new"
    leftover.mkdir(parents=True)
    (leftover / "PG_VERSION").write_text("18")
    with postgres.running(folder):
        assert await ask(folder, "SELECT current_database()") == "vigil"
        with postgres.running(folder):  # joins the one that runs
            assert await ask(folder, "SELECT 1") == 1
        assert postgres.answers(folder)
    assert not postgres.answers(folder)


def test_data_of_another_version_are_refused(folder: Path) -> None:
    postgres.prepare(folder)
    (folder / "postgres" / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(SettingsError, match="made by PostgreSQL 12"):
        postgres.prepare(folder)


def test_a_long_path_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    assert len(str(postgres.socket_folder(deep))) < 80
    assert postgres.socket_folder(deep) != postgres.socket_folder(deep / "z")
    assert str(postgres.socket_folder(Path("/srv/v"))) == "/srv/v/postgres/run"
