"""Days and gaps as programs and people at a terminal read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cameras.helpers import add_camera
from tests.conftest import Site
from tests.jobs.test_cli import vigil
from vigil.cameras.model import Camera

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


async def history(site: Site) -> Camera:
    """A camera with three days and five gaps."""
    camera = await add_camera(site.context)
    await site.context.pool.executemany(
        """
        INSERT INTO camera_days (camera_id, day, planned, left_out, frames, source, down)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        [
            (camera.id, NOON.date() - timedelta(days=1), 8640, 0, 8640, 0, 0),
            (camera.id, NOON.date(), 8640, 0, 8580, 50, 10),
            (camera.id, NOON.date() + timedelta(days=1), 0, 8640, 0, 0, 0),
        ],
    )
    await site.context.pool.executemany(
        """
        INSERT INTO camera_gaps (camera_id, from_at, to_at, reason, detail, missed, is_open)
        VALUES ($1, $2, $3, $4, $5, 10, $6)
        """,
        [
            (camera.id, NOON + timedelta(hours=n), NOON + timedelta(hours=n, seconds=100),
             "source" if n else "down", "it refuses" if n else "nobody was watching", n == 4)
            for n in range(5)
        ],
    )  # fmt: skip
    return camera


async def items(site: Site, path: str) -> tuple[list[dict[str, Any]], str | None]:
    async with site.client.get(f"/api/v1/cameras/{path}") as answer:
        assert answer.status == 200, await answer.text()
        found = await answer.json()
        return found["items"], found["next"]


async def test_days(site: Site) -> None:
    await history(site)
    found, _ = await items(site, "garden/days?from=2026-04-01&to=2026-05-02")
    assert [one["day"] for one in found] == ["2026-04-30", "2026-05-01", "2026-05-02"]
    assert found[1] == {
        "day": "2026-05-01",
        "planned": 8640,
        "obtained": 8580,
        "coverage": 0.9931,
        "missed": {"source": 50, "down": 10},
        "left_out": 0,
        "frames": 8580,
        "gaps": 5,
        "expired": True,
    }
    assert found[2]["coverage"] is None
    assert not found[2]["expired"]
    assert (await items(site, "garden/days"))[0] == []  # the last month


async def test_days_that_cannot_be(site: Site) -> None:
    await history(site)
    for asked in ("from=2026-05-02&to=2026-05-01", "from=2020-01-01&to=2026-01-01", "from=monday"):
        async with site.client.get(f"/api/v1/cameras/garden/days?{asked}") as answer:
            assert answer.status == 400
    async with site.client.get("/api/v1/cameras/nobody/days") as answer:
        assert answer.status == 404


async def test_gaps_page_by_page(site: Site) -> None:
    await history(site)
    found, cursor = await items(site, "garden/gaps?limit=2")
    assert [one["open"] for one in found] == [True, False]
    assert found[1] == found[1] | {
        "from_at": "2026-05-01T15:00:00Z", "to_at": "2026-05-01T15:01:40Z", "lasted_s": 100,
        "reason": "source", "meaning": "the camera gave none", "detail": "it refuses",
        "missed": 10,
    }  # fmt: skip
    more, cursor = await items(site, f"garden/gaps?limit=2&cursor={cursor}")
    last, cursor = await items(site, f"garden/gaps?limit=2&cursor={cursor}")
    assert len({one["id"] for one in found + more + last}) == 5
    assert cursor is None
    some, _ = await items(site, "garden/gaps?from=2026-05-01T13:01:00Z&to=2026-05-01T14:00:00Z")
    assert [one["from_at"] for one in some] == ["2026-05-01T13:00:00Z"]


async def test_at_a_terminal(site: Site) -> None:
    camera = await history(site)
    status, out, _ = await vigil(site.context, "camera", "gaps", "garden", "--limit", "3")
    assert status == 0
    assert len(out.splitlines()) == 4
    assert "it refuses" in out
    status, out, _ = await vigil(site.context, "camera", "gaps", "garden", "--json")
    assert len(json.loads(out)) == 5
    today = site.context.clock.now().date()
    await site.context.pool.execute(
        "UPDATE camera_days SET day = $2 WHERE camera_id = $1 AND day = $3",
        camera.id, today, NOON.date(),
    )  # fmt: skip
    status, out, _ = await vigil(site.context, "camera", "days", "garden")
    assert status == 0
    assert "99.3%" in out
    assert "50 source, 10 down" in out
    status, _, errors = await vigil(site.context, "camera", "days", "nobody")
    assert status == 1
    assert "no camera" in errors
