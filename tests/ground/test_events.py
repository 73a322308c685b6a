import asyncio

from vigil import events
from vigil.context import Context


async def next_of(queue: "asyncio.Queue[dict[str, object]]") -> dict[str, object]:
    return await asyncio.wait_for(queue.get(), 5)


async def listening(context: Context) -> None:
    """Return once the listener hears; it connects in the background."""
    async with context.listener.subscribe("ping") as queue:
        while queue.empty():
            await events.notify(context.pool, "ping")
            await asyncio.sleep(0.05)


async def test_messages_reach_whoever_asked_for_their_topic(context: Context) -> None:
    await listening(context)
    async with (
        context.listener.subscribe("camera:1") as one,
        context.listener.subscribe("camera:2", "jobs") as two,
    ):
        await events.notify(context.pool, "camera:1", frame=7)
        await events.notify(context.pool, "jobs", id=3)
        assert await next_of(one) == {"topic": "camera:1", "frame": 7}
        assert await next_of(two) == {"topic": "jobs", "id": 3}
        assert one.empty()


async def test_nothing_is_sent_by_a_transaction_that_fails(context: Context) -> None:
    await listening(context)
    async with context.listener.subscribe("a", "b") as queue:
        async with context.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await events.notify(connection, "a")
            await transaction.rollback()
        await events.notify(context.pool, "b")
        assert (await next_of(queue))["topic"] == "b"


async def test_a_lost_connection_is_made_again_and_said(context: Context) -> None:
    await listening(context)
    async with context.listener.subscribe("a") as queue:
        await context.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'vigil-test-events' AND datname = current_database()"
        )
        assert await next_of(queue) == events.RECONNECTED
        await events.notify(context.pool, "a", n=1)
        assert await next_of(queue) == {"topic": "a", "n": 1}


async def test_configuration_rows_tell_of_themselves(context: Context) -> None:
    await listening(context)
    async with context.listener.subscribe("cameras", "sources") as queue:
        await context.pool.execute("INSERT INTO cameras (name, kind) VALUES ('c', 'testcard')")
        message = await next_of(queue)
        assert (message["topic"], message["change"]) == ("cameras", "insert")
        await context.pool.execute("UPDATE cameras SET title = 'C' WHERE name = 'c'")
        assert (await next_of(queue))["change"] == "update"
        await context.pool.execute("INSERT INTO sources (name, kind) VALUES ('s', 'owncast')")
        assert (await next_of(queue))["topic"] == "sources"


async def test_a_slow_subscriber_loses_the_oldest(context: Context) -> None:
    await listening(context)
    async with (
        context.listener.subscribe("a") as slow,
        context.listener.subscribe("end") as end,
    ):
        for number in range(slow.maxsize + 10):
            await events.notify(context.pool, "a", n=number)
        await events.notify(context.pool, "end")
        await next_of(end)
        assert slow.full()
        assert (await next_of(slow))["n"] == 10
