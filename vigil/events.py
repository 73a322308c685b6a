"""What changed, told to every process: PostgreSQL's NOTIFY in, asyncio queues out.

One channel, ``vigil``; a message is a small JSON object whose ``topic`` says what it is about:
``cameras`` and ``sources`` (configuration), ``camera:<id>`` (a frame came), ``film:<id>``,
``jobs``, ``source_state`` (a pass went on). A message is a hint to look, never the truth: whoever
missed one reads the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec

import db_utils
from vigil import log

CHANNEL = "vigil"
RECONNECTED: dict[str, Any] = {"topic": "reconnected"}
"""Sent to everybody when the listener connects, again too: anything may have been missed."""


async def notify(db: db_utils.Database, topic: str, **fields: Any) -> None:
    """Tell everybody, when the transaction that this stands in commits. At most 7,900 bytes."""
    payload = msgspec.json.encode({"topic": topic, **fields}).decode()
    await db.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)


class Listener:
    """Holds one connection that listens, and hands messages to the subscribers in this process."""

    def __init__(
        self, connect: Callable[[], Awaitable[asyncpg.Connection[asyncpg.Record]]]
    ) -> None:
        self._connect = connect
        self._subscribers: dict[asyncio.Queue[dict[str, Any]], frozenset[str]] = {}

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
        """A queue of the messages with these topics, from now on, and of RECONNECTED.

        A subscriber that does not keep up loses the oldest messages, never the newest.
        """
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=100)
        self._subscribers[queue] = frozenset(topics)
        try:
            yield queue
        finally:
            del self._subscribers[queue]

    async def run(self) -> None:
        """Listen until cancelled, connecting again whenever the server goes away."""
        while True:
            try:
                connection = await self._connect()
            except (*db_utils.GONE, TimeoutError, asyncpg.PostgresError):
                await asyncio.sleep(0.5)
                continue
            closed = asyncio.Event()
            try:
                connection.add_termination_listener(lambda *_, closed=closed: closed.set())
                await connection.add_listener(CHANNEL, self._receive)
                self._hand_out(RECONNECTED, to_all=True)
                while not closed.is_set():
                    try:
                        await asyncio.wait_for(closed.wait(), 15)
                    except TimeoutError:
                        await connection.fetchval("SELECT 1", timeout=10)
            except (*db_utils.GONE, TimeoutError, asyncpg.PostgresError) as error:
                log.debug("events", f"listener lost its connection: {error}")
            finally:
                connection.terminate()
            await asyncio.sleep(0.2)

    def _receive(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        try:
            message = msgspec.json.decode(str(payload))
            topic = message["topic"]
        except (msgspec.DecodeError, KeyError, TypeError):
            log.warning("events", "a NOTIFY that is not ours was ignored")
            return
        if isinstance(topic, str):
            self._hand_out(message)

    def _hand_out(self, message: dict[str, Any], *, to_all: bool = False) -> None:
        for queue, topics in self._subscribers.items():
            if to_all or message["topic"] in topics:
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(message)
