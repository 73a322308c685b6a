"""The room's SQL against a real PostgreSQL: sources, and how a pass over one went."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import db_utils
from vigil.context import Context
from vigil.errors import Conflict
from vigil.sources import builtin, store
from vigil.sources.model import Source, SourceState

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def make(pool: db_utils.Pool, name: str = "one", kind: str = "owncast") -> Source:
    return await store.add(
        pool,
        name=name,
        kind=kind,
        base_url=None,
        options={"languages": ["en"]},
        interval_s=60,
        ttl_s=600,
    )


async def state_of(pool: db_utils.Pool, name: str) -> SourceState:
    state = await store.get_state(pool, name)
    assert state is not None
    return state


async def test_a_source_comes_back_as_it_was_added(pool: db_utils.Pool) -> None:
    made = await make(pool)
    state = await state_of(pool, "one")
    assert state.source == made
    assert (made.options, made.base_url, made.enabled) == ({"languages": ["en"]}, None, True)
    assert (state.started_at, state.pages, state.running) == (None, 0, False)
    assert await store.get_state(pool, "two") is None


async def test_a_name_is_taken_once(pool: db_utils.Pool) -> None:
    await make(pool)
    with pytest.raises(Conflict, match="a source named one already"):
        await make(pool, kind="peertube")
    assert len(await store.list_states(pool)) == 1


async def test_lists(pool: db_utils.Pool) -> None:
    for name in ("b", "a", "c"):
        await make(pool, name)
    assert await store.set_enabled(pool, "b", False)
    assert [source.name for source in await store.list_enabled(pool)] == ["a", "c"]
    assert [state.source.name for state in await store.list_states(pool)] == ["a", "b", "c"]
    assert not await store.set_enabled(pool, "z", False)


async def test_change_and_delete(pool: db_utils.Pool) -> None:
    before = await make(pool)
    changed = await store.change(
        pool,
        "one",
        base_url="http://x",
        options={},
        interval_s=5,
        ttl_s=50,
        secrets={"X-Key": "s3cret"},
        enabled=False,
    )
    state = await state_of(pool, "one")
    assert changed
    after = state.source
    assert (after.base_url, after.options, after.interval_s, after.ttl_s, after.enabled) == (
        "http://x", {}, 5, 50, False,
    )  # fmt: skip
    assert after.secrets == {"X-Key": "s3cret"}
    assert "s3cret" not in repr(state)
    assert after.changed_at > before.changed_at
    await store.begin_pass(pool, after.id, T0)
    assert await store.delete(pool, "one")
    assert not await store.delete(pool, "one")
    assert await pool.fetchval("SELECT count(*) FROM source_state") == 0


async def test_the_story_of_passes(pool: db_utils.Pool) -> None:
    one = await make(pool)

    await store.begin_pass(pool, one.id, T0)
    state = await state_of(pool, "one")
    assert state.running
    assert state.next_at is None
    await store.record_progress(pool, one.id, 2, 200, 150, Counter(a=3, b=4), 700, 800)
    await store.finish_pass(pool, one.id, T0 + MINUTE, True, T0 + 2 * MINUTE)
    state = await state_of(pool, "one")
    assert not state.running
    assert (state.pages, state.found, state.kept, state.refused) == (2, 200, 150, 7)
    assert (state.refusals, state.complete, state.error) == ({"a": 3, "b": 4}, True, None)
    assert (state.budget_remaining, state.budget_limit) == (700, 800)
    assert (state.succeeded_at, state.next_at) == (T0 + MINUTE, T0 + 2 * MINUTE)

    for number in (1, 2):
        await store.begin_pass(pool, one.id, T0 + 3 * MINUTE)
        await store.record_progress(pool, one.id, 1, 10, 5, Counter(), None, None)
        await store.fail_pass(pool, one.id, T0 + 4 * MINUTE, "it broke", "mend it", T0 + 5 * MINUTE)
        state = await state_of(pool, "one")
        assert not state.running
        assert (state.failures, state.error, state.hint) == (number, "it broke", "mend it")
        assert (state.pages, state.refused, state.refusals, state.complete) == (1, 0, {}, False)
        assert (state.succeeded_at, state.failed_at) == (T0 + MINUTE, T0 + 4 * MINUTE)
        assert state.next_at == T0 + 5 * MINUTE

    await store.begin_pass(pool, one.id, T0 + 6 * MINUTE)
    state = await state_of(pool, "one")
    assert (state.running, state.error) == (True, "it broke")  # until it went well again
    await store.finish_pass(pool, one.id, T0 + 7 * MINUTE, False, T0 + 8 * MINUTE)
    state = await state_of(pool, "one")
    assert (state.failures, state.error, state.hint) == (0, None, None)
    assert state.failed_at == T0 + 4 * MINUTE


async def test_a_source_that_is_gone_has_no_state(pool: db_utils.Pool) -> None:
    await store.begin_pass(pool, 4711, T0)
    await store.record_progress(pool, 4711, 1, 1, 1, Counter(), None, None)
    await store.finish_pass(pool, 4711, T0, True, T0)
    await store.fail_pass(pool, 4711, T0, "no", None, T0)
    assert await pool.fetchval("SELECT count(*) FROM source_state") == 0


async def test_a_failure_before_any_pass(pool: db_utils.Pool) -> None:
    one = await make(pool)
    await store.fail_pass(pool, one.id, T0, "no", None, T0 + MINUTE)
    state = await state_of(pool, "one")
    assert (state.failures, state.error, state.running) == (1, "no", False)


async def test_every_change_is_told(context: Context) -> None:
    pool = context.pool
    async with context.listener.subscribe("sources", store.STATE_TOPIC) as news:
        await asyncio.sleep(0.3)  # the listener may still be connecting
        while not news.empty():
            news.get_nowait()
        one = await make(pool)
        await store.begin_pass(pool, one.id, T0)
        await store.touch(pool, "one")
        await store.finish_pass(pool, one.id, T0, True, T0)
        await store.delete(pool, "one")
        told = [await asyncio.wait_for(news.get(), 5) for _ in range(5)]
    assert [(message["topic"], message.get("change")) for message in told] == [
        ("sources", "insert"),
        ("source_state", None),
        ("sources", "update"),
        ("source_state", None),
        ("sources", "delete"),
    ]
    assert {message["id"] for message in told} == {one.id}


async def test_touch_wakes_only_what_is_enabled(pool: db_utils.Pool) -> None:
    before = await make(pool)
    assert await store.touch(pool, "one")
    after = (await store.list_enabled(pool))[0]
    assert after.changed_at > before.changed_at
    assert replace(after, changed_at=before.changed_at) == before
    await store.set_enabled(pool, "one", False)
    assert not await store.touch(pool, "one")


class TestBuiltin:
    async def names(self, context: Context) -> list[str]:
        return [state.source.name for state in await store.list_states(context.pool)]

    async def test_a_new_installation_has_what_needs_no_key(self, context: Context) -> None:
        await builtin.register_builtin(context)
        await builtin.register_builtin(context)
        assert await self.names(context) == ["owncast", "peertube"]

    async def test_twitch_joins_once_there_are_keys(self, context: Context) -> None:
        await builtin.register_builtin(context)
        keys = replace(context.settings, twitch_client_id="a", twitch_client_secret="b")
        await builtin.register_builtin(replace(context, settings=keys))
        assert await self.names(context) == ["owncast", "peertube", "twitch"]

    async def test_one_that_a_person_removed_stays_away(self, context: Context) -> None:
        await builtin.register_builtin(context)
        await store.delete(context.pool, "owncast")
        await builtin.register_builtin(context)
        assert await self.names(context) == ["peertube"]

    async def test_one_that_a_person_made_before_is_left_alone(self, context: Context) -> None:
        await make(context.pool, "owncast", "peertube")
        await builtin.register_builtin(context)
        state = await state_of(context.pool, "owncast")
        assert state.source.kind == "peertube"

    async def test_many_processes_at_once(self, context: Context) -> None:
        await asyncio.gather(*(builtin.register_builtin(context) for _ in range(8)))
        assert await self.names(context) == ["owncast", "peertube"]
