from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import Site
from tests.servers.helix import Helix, channel
from vigil.clock import FakeClock
from vigil.context import Context
from vigil.errors import SourceError
from vigil.fetch import Fetcher
from vigil.loop import Target
from vigil.sources import kinds, twitch
from vigil.sources import store as sources_store
from vigil.sources.model import Page, Source, SourceState
from vigil.streams import scan


def pointed_at(context: Context, helix: Helix) -> Context:
    return replace(
        context,
        settings=replace(
            context.settings,
            twitch_client_id=helix.client_id,
            twitch_client_secret=helix.client_secret,
            twitch_api_url=helix.api_url,
            twitch_auth_url=helix.auth_url,
        ),
    )


async def add_source(context: Context, **options: Any) -> None:
    await sources_store.add(
        context.pool,
        name="twitch",
        kind="twitch",
        base_url=None,
        options=options,
        interval_s=30,
        ttl_s=900,
    )


async def the_source(context: Context) -> Target:
    found = {target.key: target for target in await scan.targets(context)}
    del found["streams:prune"], found["streams:history"]
    (target,) = found.values()
    return target


async def state(context: Context) -> SourceState:
    found = await sources_store.get_state(context.pool, "twitch")
    assert found is not None
    return found


async def held(context: Context) -> set[str]:
    rows = await context.pool.fetch(
        """
        SELECT external_id FROM stream_liveness
        WHERE expires_at > $1
        """,
        context.clock.now(),
    )
    return {row["external_id"] for row in rows}


def live(helix: Helix) -> set[str]:
    return {one.id for one in helix.live}


@pytest_asyncio.fixture
async def helix() -> AsyncIterator[Helix]:
    async with Helix(350, points=800, window_s=2) as running:
        yield running


@pytest_asyncio.fixture
async def scanner(context: Context, helix: Helix) -> Context:
    """A context whose Twitch is the server, with one source."""
    made = pointed_at(context, helix)
    await add_source(made)
    return made


async def test_there_is_a_target_for_each_enabled_source_and_one_that_prunes(
    scanner: Context,
) -> None:
    target = await the_source(scanner)
    source = (await state(scanner)).source
    assert target.key == f"source:{source.id}"
    assert "twitch" in target.name
    await scanner.pool.execute("UPDATE sources SET interval_s = 99")
    assert (await the_source(scanner)).version != target.version
    await sources_store.set_enabled(scanner.pool, "twitch", False)
    keys = [one.key for one in await scan.targets(scanner)]
    assert keys == ["streams:prune", "streams:history"]


async def test_a_pass_writes_what_is_live_and_says_how_it_went(
    scanner: Context, helix: Helix
) -> None:
    target = await the_source(scanner)
    assert await target.run_once() == 30
    assert await held(scanner) == live(helix)
    after = await state(scanner)
    assert (after.pages, after.found, after.kept, after.refused) == (4, 350, 350, 0)
    assert after.complete
    assert after.error is None
    assert not after.running
    assert after.next_at is not None
    assert after.finished_at is not None
    assert after.next_at - after.finished_at == timedelta(seconds=30)
    assert after.budget_limit == 800
    assert after.budget_remaining is not None


async def test_what_ended_is_retired_and_what_began_is_found(
    scanner: Context, helix: Helix
) -> None:
    target = await the_source(scanner)
    await target.run_once()
    helix.stop(*sorted(live(helix))[:20])
    helix.start(*(channel(n, 0) for n in range(1000, 1010)))
    await target.run_once()
    assert await held(scanner) == live(helix)
    assert len(await held(scanner)) == 340


async def test_viewers_and_titles_are_refreshed(scanner: Context, helix: Helix) -> None:
    target = await the_source(scanner)
    await target.run_once()
    old = helix.live[-1]
    helix.stop(old.id)
    helix.start(replace(old, viewer_count=77, title="Quite another"))
    await target.run_once()
    row = await scanner.pool.fetchrow(
        "SELECT title, viewers FROM streams JOIN stream_liveness ON stream_id = id"
        " WHERE streams.external_id = $1",
        old.id,
    )
    assert row is not None
    assert tuple(row) == ("Quite another", 77)


async def test_what_a_pass_missed_is_asked_for_by_name(scanner: Context, helix: Helix) -> None:
    target = await the_source(scanner)
    await target.run_once()
    everything = live(helix)
    helix.faults.repeats = 1
    helix.faults.hidden = frozenset(one.id for one in helix.live[100:110])
    ended = helix.live[200].id
    helix.stop(ended)
    await target.run_once()
    assert await held(scanner) == everything - {ended}
    after = await state(scanner)
    assert (after.kept, after.ended, after.fresh) == (349, 1, 0)


async def test_what_cannot_be_asked_for_is_believed_after_two_passes(
    scanner: Context, helix: Helix, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = replace(kinds.DIRECTORIES["twitch"], confirm=None)
    monkeypatch.setitem(kinds.DIRECTORIES, "twitch", without)
    target = await the_source(scanner)
    await target.run_once()
    everything = live(helix)
    helix.faults.repeats = 1
    helix.faults.hidden = frozenset({helix.live[200].id})  # it only changed places …
    await target.run_once()
    assert await held(scanner) == everything
    helix.faults.hidden = frozenset()  # … and is there again the next time
    ended = helix.live[100]
    helix.stop(ended.id)
    await target.run_once()
    assert await held(scanner) == everything
    await target.run_once()
    assert await held(scanner) == everything - {ended.id}
    assert (await state(scanner)).kept == 349

    helix.stop(helix.live[0].id)
    held_before = await held(scanner)
    await (await the_source(scanner)).run_once()  # as after a restart: knows of no pass before
    assert await held(scanner) == held_before


async def test_one_that_cannot_be_asked_by_name_just_now_is_kept(
    scanner: Context, helix: Helix
) -> None:
    target = await the_source(scanner)
    await target.run_once()
    everything = live(helix)
    helix.faults.repeats = 1
    helix.faults.hidden = frozenset(one.id for one in helix.live[100:110])
    helix.faults.broken_by_name = True
    await target.run_once()
    assert await held(scanner) == everything


@pytest.mark.parametrize(
    "fault", [{"html": -1}, {"wrong_shape": -1}, {"repeat_cursor": True}, {"not_json": -1}]
)
async def test_a_failed_pass_retires_nothing_and_says_why(
    scanner: Context, helix: Helix, fault: dict[str, Any]
) -> None:
    target = await the_source(scanner)
    await target.run_once()
    everything = live(helix)
    helix.stop(*sorted(everything)[:100])
    for name, value in fault.items():
        setattr(helix.faults, name, value)
    with pytest.raises(SourceError) as caught:
        await target.run_once()
    assert await held(scanner) == everything
    assert target.on_failure is not None
    await target.on_failure(caught.value, 7.5)
    after = await state(scanner)
    assert after.error
    assert after.error in str(caught.value)
    assert after.failures == 1
    assert not after.complete
    assert after.next_at is not None
    assert after.failed_at is not None
    assert after.next_at - after.failed_at == timedelta(seconds=7.5)

    helix.faults = type(helix.faults)()
    await target.run_once()
    assert (await state(scanner)).error is None


async def test_a_pass_that_breaks_off_keeps_what_it_saw(scanner: Context, helix: Helix) -> None:
    target = await the_source(scanner)
    first_page = {one.id for one in helix.live[:100]}
    helix.faults.repeat_cursor = True
    with pytest.raises(SourceError):
        await target.run_once()
    assert await held(scanner) >= first_page


async def test_of_a_failed_pass_the_parts_that_were_seen_wholly_retire_what_is_over(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twitch, "SMALL", 1)  # so that each language is a part of its own
    async with Helix(3000, points=5000) as helix:
        scanner = pointed_at(context, helix)
        await add_source(scanner)
        target = await the_source(scanner)
        await target.run_once()
        assert await held(scanner) == live(helix)

        over = {
            language: {
                one.id for one in helix.live if one.language == language and one.id[-1] < "4"
            }
            for language in ("en", "de")
        }
        moved = next(one for one in helix.live if one.language == "en" and one.id[-1] > "4")
        helix.stop(moved.id, *over["en"], *over["de"])
        helix.start(replace(moved, language="de"))  # its old part misses it: it is not over
        helix.faults.broken_language = "de"
        with pytest.raises(SourceError, match=r"1 of \d+ parts failed, first de"):
            await target.run_once()
        assert await held(scanner) == live(helix) | over["de"]
        assert (await state(scanner)).ended == 0  # told of whole passes only

        helix.faults.broken_language = ""
        await target.run_once()
        assert await held(scanner) == live(helix)


async def test_a_part_that_shows_implausibly_little_retires_nothing(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twitch, "SMALL", 1)
    async with Helix(3000, points=5000) as helix:
        scanner = pointed_at(context, helix)
        await add_source(scanner)
        target = await the_source(scanner)
        await target.run_once()
        everything = live(helix)
        helix.stop(*(one.id for one in helix.live if one.language == "fr"))
        helix.faults.broken_language = "de"
        with pytest.raises(SourceError, match="first de"):
            await target.run_once()
        assert await held(scanner) == everything


async def test_what_the_adapter_remembers_outlives_the_process(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second scanner begins where the first one's cursors were."""
    async with Helix(3000, points=5000, languages=("en",)) as helix:
        scanner = pointed_at(context, helix)
        await add_source(scanner)
        await (await the_source(scanner)).run_once()
        source = (await state(scanner)).source
        kept = await sources_store.recall(scanner.pool, source.id)
        async with Fetcher(clock=scanner.clock) as fetcher:
            other = replace(scanner, fetcher=fetcher)
            helix.requests.clear()
            await (await the_source(other)).run_once()
        begun = [one.query.get("after") for one in helix.requests if "after" in one.query]
        assert any(one and one in kept for one in begun[:6])
        assert await held(scanner) == live(helix)
        assert await sources_store.delete(scanner.pool, "twitch")
        assert await sources_store.recall(scanner.pool, source.id) == ""


async def test_an_implausibly_small_result_is_not_believed(scanner: Context, helix: Helix) -> None:
    target = await the_source(scanner)
    await target.run_once()
    everything = live(helix)
    helix.stop(*sorted(everything)[:200])
    with pytest.raises(SourceError, match="showed 150 streams where 350 were live"):
        await target.run_once()
    assert await held(scanner) == everything
    helix.stop(*live(helix))
    with pytest.raises(SourceError, match="showed 0 streams where 350 were live"):
        await target.run_once()
    assert await held(scanner) == everything


async def test_a_small_result_after_the_criteria_changed_is_believed(
    scanner: Context, helix: Helix
) -> None:
    await (await the_source(scanner)).run_once()
    await scanner.pool.execute("""UPDATE sources SET options = '{"languages": ["de"]}'""")
    await (await the_source(scanner)).run_once()
    assert await held(scanner) == {one.id for one in helix.live if one.language == "de"}


async def test_a_small_directory_may_empty_at_once(context: Context) -> None:
    async with Helix(50) as helix:
        scanner = pointed_at(context, helix)
        await add_source(scanner)
        target = await the_source(scanner)
        await target.run_once()
        assert len(await held(scanner)) == 50
        helix.stop(*live(helix))
        await target.run_once()
        assert await held(scanner) == set()


async def test_a_clock_that_is_set_back_retires_nothing(context: Context, helix: Helix) -> None:
    clock = FakeClock(context.clock.now())
    scanner = replace(pointed_at(context, helix), clock=clock)
    await add_source(scanner)
    target = await the_source(scanner)
    await target.run_once()
    clock.jump(-3600)
    await target.run_once()
    assert await held(scanner) == live(helix)
    clock.jump(7200)
    await target.run_once()
    assert await held(scanner) == live(helix)


async def test_criteria_are_kept(context: Context, helix: Helix) -> None:
    scanner = pointed_at(context, helix)
    await add_source(scanner, languages=["de"], max_viewers=1)
    await (await the_source(scanner)).run_once()
    wanted = {c.id for c in helix.live if c.language == "de" and c.viewer_count <= 1}
    assert await held(scanner) == wanted
    assert wanted
    after = await state(scanner)
    assert after.refused == sum(c.language == "de" for c in helix.live) - len(wanted)
    assert after.refusals


async def test_a_stopped_pass_leaves_nothing_half_written(scanner: Context, helix: Helix) -> None:
    helix.faults.slow_s = 0.2
    task = asyncio.ensure_future((await the_source(scanner)).run_once())
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    helix.faults.slow_s = 0
    await (await the_source(scanner)).run_once()
    assert await held(scanner) == live(helix)


async def test_what_is_not_confirmed_expires(context: Context, helix: Helix) -> None:
    clock = FakeClock(context.clock.now())
    scanner = replace(pointed_at(context, helix), clock=clock)
    await add_source(scanner)
    await (await the_source(scanner)).run_once()
    pruning = (await scan.targets(scanner))[0]
    assert await pruning.run_once() > 0
    assert await held(scanner) == live(helix)
    clock.jump(900)
    assert await held(scanner) == set()
    await pruning.run_once()
    assert await scanner.pool.fetchval("SELECT count(*) FROM streams") == 0


async def test_a_kind_that_is_gone_says_so(scanner: Context) -> None:
    await scanner.pool.execute("UPDATE sources SET kind = 'myspace'")
    with pytest.raises(SourceError, match="myspace") as caught:
        await (await the_source(scanner)).run_once()
    assert caught.value.permanent


async def test_an_unforeseen_error_is_written_down_too(scanner: Context) -> None:
    target = await the_source(scanner)
    assert target.on_failure is not None
    await target.on_failure(ZeroDivisionError("secret"), 3)
    after = await state(scanner)
    assert after.error == "an unexpected error: ZeroDivisionError"
    assert after.hint


async def test_two_gigabytes_stop_the_pass(scanner: Context, helix: Helix) -> None:
    target = await the_source(scanner)
    await target.run_once()
    helix.faults.two_gigabytes = -1
    with pytest.raises(SourceError, match=r"sent more than 16\.8 MB"):
        await target.run_once()
    assert await held(scanner) == live(helix)


async def test_a_million_items_stop_the_pass(
    scanner: Context, helix: Helix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that goes on and on: each page new, none of it of use."""
    shown = 0

    async def pages(context: Context, source: Source) -> AsyncIterator[Page]:
        nonlocal shown
        while shown < 1_000_000:
            shown += 1000
            yield Page(streams=[], found=1000, refused=Counter({"malformed": 1000}))

    target = await the_source(scanner)
    await target.run_once()
    endless = replace(kinds.DIRECTORIES["twitch"], pages=pages)
    monkeypatch.setitem(kinds.DIRECTORIES, "twitch", endless)
    with pytest.raises(SourceError, match="sent more than 600,000 items"):
        await target.run_once()
    assert shown == scan.MOST_FOUND + 1000
    assert await held(scanner) == live(helix)


async def table_sizes(context: Context) -> int:
    """Bytes of all our tables with their indexes."""
    found: int = await context.pool.fetchval(
        """
        SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        """
    )
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_passes_with_churn_hold_what_is_live(context: Context) -> None:
    """Twenty passes while channels come, go and change places; every third with faults."""
    async with Helix(3000, points=5000, window_s=2) as helix:
        scanner = pointed_at(context, helix)
        await add_source(scanner)
        target = await the_source(scanner)
        await target.run_once()

        async def churn() -> None:
            while True:
                await asyncio.sleep(0.05)
                helix.churn(2, 2, 60)

        known, late = await held(scanner), 0
        for number in range(20):
            if number % 3 == 2:
                helix.faults.server_error, helix.faults.cut = 1, 1
                helix.faults.unauthorized, helix.faults.bad_items = 1, 2
            before = live(helix)
            churning = asyncio.create_task(churn())
            await target.run_once()
            churning.cancel()
            after, ours = live(helix), await held(scanner)
            assert (before & after & known) <= ours  # none that was live was removed
            assert ours & known <= before | after  # none that was over before the pass is kept
            late = max(late, len((before & after) - ours))
            known = ours
        assert late < 60  # of the new ones some are found in the next pass only
        await target.run_once()
        assert await held(scanner) == live(helix)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_week_leaves_the_size_of_the_database_flat(context: Context) -> None:
    """A pass an hour, in each a tenth of the channels is new and as many change their viewers."""
    clock = FakeClock()
    async with Helix(600, points=100_000, clock=clock) as helix:
        scanner = replace(pointed_at(context, helix), clock=clock)
        await sources_store.add(
            scanner.pool,
            name="twitch",
            kind="twitch",
            base_url=None,
            options={},
            interval_s=3600,
            ttl_s=9000,
        )
        target, pruning = await the_source(scanner), (await scan.targets(scanner))[0]
        sizes = []
        for hour in range(7 * 24):
            await target.run_once()
            assert await held(scanner) == live(helix), hour
            await pruning.run_once()
            helix.churn(60, 60, 60)
            clock.jump(3600)
            if hour % 24 == 23:
                sizes.append(await table_sizes(scanner))
        # The search index keeps a place for each three letters it ever saw; there are only so many.
        assert max(sizes) <= 1.2 * sizes[0], sizes
        assert max(sizes[4:]) <= 1.05 * sizes[3], sizes
        assert await scanner.pool.fetchval("SELECT count(*) FROM streams") <= 660


async def counts(site: Site) -> dict[str, Any]:
    await asyncio.sleep(1.1)  # they are kept for a second
    async with site.client.get("/stats/counts") as response:
        assert response.status == 200
        found: dict[str, Any] = await response.json()
        return found


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_twenty_thousand_channels_with_and_without_faults(site: Site) -> None:
    async with Helix(20_000, points=800, window_s=2) as helix:
        scanner = pointed_at(site.context, helix)
        await add_source(scanner)
        target = await the_source(scanner)

        await target.run_once()
        shown = await counts(site)
        assert shown["streams"] == 20_000
        for viewers in (0, 1):
            wanted = sum(one.viewer_count == viewers for one in helix.live)
            assert shown["viewers"][str(viewers)] == wanted
        assert await held(scanner) == live(helix)
        assert await scanner.pool.fetchval("SELECT count(*) FROM streams") == 20_000

        helix.faults.server_error = 2
        helix.faults.too_many = 2
        helix.faults.unauthorized = 1
        helix.faults.cut = 2
        helix.faults.repeats = 7
        helix.faults.churn = 3
        helix.faults.bad_items = 9
        helix.faults.null_tags = True
        await target.run_once()
        after = await state(scanner)
        assert after.complete
        assert after.refused > 1000
        assert after.found > 20_000 + after.refused
        assert await held(scanner) == live(helix)  # none that is live was pruned
        shown = await counts(site)
        assert shown["streams"] == 20_000
