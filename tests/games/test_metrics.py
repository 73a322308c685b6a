"""What /metrics says of games."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Site
from tests.games.helpers import KEY, served
from tests.servers.universe import Universe
from vigil.games.register import register


async def test_games_are_in_the_metrics(site: Site) -> None:
    async with served(Universe.made_up(5, 2)) as server:
        settings = replace(site.context.settings, neptunes_pride_url=server.url)
        made = (await register(replace(site.context, settings=settings), "123", KEY)).game
    async with site.client.get("/metrics") as response:
        text = await response.text()
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("vigil_game")
    }
    assert made.seen_at is not None
    assert found == {
        ("vigil_games", "running"): 1,
        ("vigil_game_last_success_timestamp_seconds", "np/123"): made.seen_at.timestamp(),
        ("vigil_game_failures", "np/123"): 0,
    }
