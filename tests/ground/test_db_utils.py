import asyncio
import hashlib
import shutil
from pathlib import Path

import asyncpg
import pytest

import db_utils
from tests.conftest import Server
from vigil.errors import SettingsError, Unavailable
from vigil.settings import Settings


@pytest.fixture
async def empty(server: Server, tmp_path: Path) -> Settings:
    """Settings with a database in which nothing was applied yet."""
    name = "empty_" + hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]
    connection = await asyncpg.connect(server.dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return Settings(database_url=server.database(name), data_dir=tmp_path)


async def test_three_processes_that_start_at_once_apply_each_migration_once(
    empty: Settings,
) -> None:
    done = await asyncio.gather(*[db_utils.migrate(empty) for _ in range(3)])
    wanted = [f"{m.number:04} {m.name}" for m in db_utils.migrations()]
    assert sorted(done, key=len) == [[], [], wanted]
    assert await db_utils.migrate(empty) == []


async def test_a_failed_migration_leaves_nothing(empty: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_good.sql").write_text("CREATE TABLE good (id int);")
    (folder / "0002_bad.sql").write_text("CREATE TABLE half (id int); SELECT 1/0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await db_utils.migrate(empty, folder)
    connection = await asyncpg.connect(db_utils.dsn(empty))
    try:
        assert await connection.fetchval("SELECT to_regclass('good')") == "good"
        assert await connection.fetchval("SELECT to_regclass('half')") is None
        assert await connection.fetchval("SELECT max(number) FROM migrations") == 1
    finally:
        await connection.close()


async def test_an_edited_or_unknown_migration_is_refused(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(db_utils.MIGRATIONS, folder)
    first = sorted(folder.glob("*.sql"))[0]
    first.write_text(first.read_text() + "\n-- edited")
    with pytest.raises(SettingsError, match="edited after it was applied"):
        await db_utils.migrate(settings, folder)
    shutil.rmtree(folder)
    shutil.copytree(db_utils.MIGRATIONS, folder)
    sorted(folder.glob("*.sql"))[-1].unlink()
    with pytest.raises(SettingsError, match="newer Vigil"):
        await db_utils.migrate(settings, folder)


def test_a_gap_or_a_bad_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0002_second.sql").write_text("SELECT 1")
    with pytest.raises(SettingsError, match="without a gap"):
        db_utils.migrations(tmp_path)
    (tmp_path / "first.sql").write_text("SELECT 1")
    with pytest.raises(SettingsError, match="not named"):
        db_utils.migrations(tmp_path)


async def test_a_database_that_does_not_allow_extensions_is_refused_politely(
    empty: Settings, server: Server
) -> None:
    connection = await asyncpg.connect(db_utils.dsn(empty))
    await connection.execute("DROP ROLE IF EXISTS modest; CREATE ROLE modest LOGIN")
    await connection.execute("GRANT CREATE ON SCHEMA public TO modest")
    await connection.close()
    modest = Settings(database_url=db_utils.dsn(empty).replace("postgres@", "modest@", 1))
    with pytest.raises(SettingsError) as caught:
        await db_utils.migrate(modest)
    assert "CREATE EXTENSION pg_trgm" in str(caught.value)
    assert "contrib" in str(caught.value)


async def test_a_database_that_is_away_is_waited_for_and_named(tmp_path: Path) -> None:
    away = Settings(data_dir=tmp_path)  # embedded, never started
    with pytest.raises(Unavailable, match="does not answer"):
        await db_utils.wait_until_up(away, seconds=0.5)


async def test_json_and_times_come_back_as_they_went(pool: db_utils.Pool) -> None:
    value = {"a": [1, None, "é\u2028"], "b": {"c": 1.5}}
    assert await pool.fetchval("SELECT $1::jsonb", value) == value
    assert await pool.fetchval("SHOW timezone") == "UTC"


async def test_a_transaction_rolls_back_as_a_whole(pool: db_utils.Pool) -> None:
    async def fail_half_way() -> None:
        async with db_utils.transaction(pool) as connection:
            await connection.execute("INSERT INTO planted (name) VALUES ('x')")
            async with db_utils.transaction(connection) as inner:
                await inner.execute("INSERT INTO planted (name) VALUES ('y')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_half_way()
    assert await pool.fetchval("SELECT count(*) FROM planted") == 0
