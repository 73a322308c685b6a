"""The connection pool, the migrations and small helpers. No room's SQL stands here."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import msgspec

from vigil import log, postgres
from vigil.errors import SettingsError, Unavailable
from vigil.settings import ROOT, Settings

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = (
        asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    )
    Database: TypeAlias = Pool | Connection
else:
    Pool, Connection, Database = asyncpg.Pool, asyncpg.Connection, Any

MIGRATIONS = ROOT / "migrations"
OLDEST_SERVER = 15
MIGRATION_LOCK = 7_061_104_103  # any number that nobody else in this database uses

GONE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a query on a pooled connection that has just been cut
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
"""What asyncpg raises while the server is away, starting or going."""


def dsn(settings: Settings) -> str:
    """The address of the database: the given one, or the embedded one's socket."""
    return settings.database_url or postgres.dsn(settings.data_dir)


async def connect(settings: Settings, name: str) -> asyncpg.Connection[asyncpg.Record]:
    """One connection of its own, for LISTEN and advisory locks.

    Dead peers are noticed within about ten seconds, so that what they held is free again.
    """
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
        dsn(settings), timeout=10, server_settings=_server_settings(name)
    )
    await _set_codecs(connection)
    return connection


async def create_pool(
    settings: Settings,
    name: str,
    *,
    size: int = 10,
    server: dict[str, str] | None = None,
    stateless: bool = False,
) -> Pool:
    """A pool whose connections speak UTC and turn jsonb into objects and back.

    Args:
        settings: says where the database is.
        name: shown in pg_stat_activity as vigil-<name>.
        size: the most connections it opens.
        server: PostgreSQL settings of its connections, beside those of all of ours.
        stateless: whether its users leave nothing behind in a connection, so that PostgreSQL need
            not be asked to reset it each time, which takes as long as a small query.
    """
    return await asyncpg.create_pool(
        dsn(settings),
        min_size=1,
        max_size=size,
        timeout=10,
        init=_set_codecs,
        server_settings=_server_settings(name) | (server or {}),
        reset=_leave if stateless else None,
    )


async def _leave(connection: Any) -> None:
    """Instead of a reset."""


def _server_settings(name: str) -> dict[str, str]:
    return {
        "application_name": f"vigil-{name}",
        "timezone": "UTC",
        "jit": "off",
        "tcp_keepalives_idle": "3",
        "tcp_keepalives_interval": "2",
        "tcp_keepalives_count": "2",
    }


async def _set_codecs(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(data[1:]),
        schema="pg_catalog",
        format="binary",
    )


async def wait_until_up(settings: Settings, *, seconds: float = 60) -> None:
    """Return once the database answers; raises Unavailable when it does not in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    told = False
    while True:
        try:
            connection = await asyncpg.connect(dsn(settings), timeout=5)
        except (*GONE, TimeoutError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(
                    f"the database does not answer: {error or type(error).__name__}",
                    hint="is PostgreSQL running, and is VIGIL_DATABASE_URL right?",
                ) from error
            if not told:
                log.info("database", "waiting for PostgreSQL")
                told = True
            await asyncio.sleep(0.2)
        except asyncpg.PostgresError as error:
            raise SettingsError(
                f"the database refuses us: {error}", hint="look at VIGIL_DATABASE_URL"
            ) from error
        else:
            await connection.close()
            return


@asynccontextmanager
async def transaction(db: Database) -> AsyncIterator[Connection]:
    """A transaction on a pool's connection, or inside the one that is given."""
    if isinstance(db, asyncpg.Pool):
        async with db.acquire() as connection, connection.transaction():
            yield connection
    else:
        async with db.transaction():
            yield db


@dataclass(frozen=True)
class Migration:
    """One numbered SQL file."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file, to notice one that was edited after it was applied."""
        return hashlib.sha256(self.sql.encode()).digest()


def migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """All migrations in order; raises SettingsError for a gap or a doubled number."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        if not match:
            raise SettingsError(f"migrations/{path.name} is not named 0001_<what>.sql")
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise SettingsError("the migrations are not numbered 1, 2, 3 … without a gap")
    return found


async def migrate(settings: Settings, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the database up to date; returns the names of what was applied now.

    Safe when several processes start at once: the work is done under an advisory lock, each
    migration in a transaction of its own.
    """
    connection = await asyncpg.connect(dsn(settings), timeout=10)
    try:
        await _check_server(connection)
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        await connection.execute(
            """
            CREATE TABLE IF NOT EXISTS migrations (
                number integer PRIMARY KEY,
                name text NOT NULL,
                sha256 bytea NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            );
            COMMENT ON TABLE migrations IS 'Which numbered SQL files were applied.';
            COMMENT ON COLUMN migrations.number IS 'Number of the file.';
            COMMENT ON COLUMN migrations.name IS 'Name of the file without its number.';
            COMMENT ON COLUMN migrations.sha256 IS 'Of the file when it was applied.';
            COMMENT ON COLUMN migrations.applied_at IS 'When that was.';
            """
        )
        return await _apply(connection, migrations(folder))
    finally:
        await connection.close()  # frees the lock, too


async def _apply(
    connection: asyncpg.Connection[asyncpg.Record], wanted: list[Migration]
) -> list[str]:
    rows = await connection.fetch("SELECT number, name, sha256 FROM migrations ORDER BY number")
    known = {m.number: m for m in wanted}
    for row in rows:
        migration = known.get(row["number"])
        if migration is None:
            raise SettingsError(
                f"the database was made by a newer Vigil (migration {row['number']} {row['name']})",
                hint="update Vigil, or restore a backup from before",
            )
        if migration.digest != row["sha256"]:
            raise SettingsError(
                f"migration {row['number']} {row['name']} was edited after it was applied",
                hint="undo the edit and write a new migration",
            )
    applied = {row["number"] for row in rows}
    done = []
    for migration in wanted:
        if migration.number in applied:
            continue
        try:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO migrations (number, name, sha256) VALUES ($1, $2, $3)",
                    migration.number,
                    migration.name,
                    migration.digest,
                )
        except (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError) as error:
            raise _cannot(migration, error) from error
        except asyncpg.PostgresError as error:
            if "extension" not in str(error):
                raise
            raise _cannot(migration, error) from error
        done.append(f"{migration.number:04} {migration.name}")
    return done


def _cannot(migration: Migration, error: Exception) -> SettingsError:
    return SettingsError(
        f"the database does not allow migration {migration.number:04} {migration.name}: {error}",
        hint="install PostgreSQL's contrib package and, as a superuser, run in that database: "
        "CREATE EXTENSION pg_trgm; CREATE EXTENSION tsm_system_rows;",
    )


async def _check_server(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    version = connection.get_server_version()
    if version.major < OLDEST_SERVER:
        raise SettingsError(
            f"PostgreSQL {version.major} is too old", hint=f"Vigil needs {OLDEST_SERVER} or newer"
        )
