"""store and scan of the notifications: written once, told at commit, forgotten in time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

import db_utils
from vigil.context import Context
from vigil.notifications import scan, store


async def test_an_event_is_there_and_everybody_is_told(context: Context) -> None:
    async with context.listener.subscribe("events", "reconnected") as news:
        await asyncio.wait_for(news.get(), 10)  # connected
        number = await store.add(
            context.pool, "camera.silent", "camera:garden", "garden is silent", {"since": 1}
        )
        told = await asyncio.wait_for(news.get(), 10)
    assert told == {
        "topic": "events",
        "id": number,
        "kind": "camera.silent",
        "subject": "camera:garden",
    }
    [event] = await store.page(context.pool)
    assert (event.id, event.kind, event.message) == (number, "camera.silent", "garden is silent")
    assert event.details == {"since": 1}


async def test_it_stands_in_the_callers_transaction(context: Context) -> None:
    async def break_off() -> None:
        async with db_utils.transaction(context.pool) as connection:
            await store.add(connection, "camera.dark", "camera:garden", "dark")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    assert await store.page(context.pool) == []


async def test_pages_and_choices(context: Context) -> None:
    numbers = [
        await store.add(context.pool, kind, f"camera:{name}", "so")
        for name in ("a", "b")
        for kind in ("camera.dark", "camera.dark.over")
    ]
    assert [event.id for event in await store.page(context.pool)] == numbers[::-1]
    assert [e.id for e in await store.page(context.pool, subject="camera:a")] == numbers[1::-1]
    found = await store.page(context.pool, kinds=["camera.dark"], limit=1)
    assert [event.id for event in found] == [numbers[2]]
    found = await store.page(context.pool, kinds=["camera.dark"], before=numbers[2])
    assert [event.id for event in found] == [numbers[0]]


async def test_old_ones_are_forgotten(context: Context) -> None:
    now = context.clock.now()
    for days in (91, 89):
        await store.add(context.pool, "x", "y", f"{days}", at=now - timedelta(days=days))
    target, _ = await scan.targets(context)
    assert await target.run_once() == scan.PRUNE_EVERY_S
    assert [event.message for event in await store.page(context.pool)] == ["89"]
