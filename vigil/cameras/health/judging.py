"""Findings become events: one when something begins, one when it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import db_utils
from vigil.cameras import store as cameras
from vigil.cameras.accounts import store as accounts
from vigil.cameras.accounts.model import Gap
from vigil.cameras.health import findings, store
from vigil.cameras.health.model import Finding, Look, Past
from vigil.cameras.model import Camera
from vigil.cameras.plan import at
from vigil.context import Context
from vigil.notifications import store as notifications

EACH_S = 30.0
PAST_DAYS = 7
PAST_FRAMES = 5
"""Of each day before, so many frames stand for an hour."""
PAST_EACH = timedelta(minutes=15)
PAST_AT_ONCE = 50
"""Cameras whose past is looked up in one pass; the others have their turn in the next ones."""
UNSEEN = timedelta(days=2)
"""A camera without a frame for longer is silent; what its last pictures showed is past."""
PROBES = [timedelta(minutes=minutes) for minutes in range(5, 46, 5)]
"""How long ago the pictures are that a standing one is held against."""

Found = dict[str, tuple[bool | None, datetime | None]]
"""Kind of finding → whether it is so, and since when."""


class Judge:
    """Looks at the cameras again and again; remembers how they were on the days before."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._past: dict[int, tuple[datetime, Past]] = {}

    async def look(self) -> float:
        """Look at every camera that is switched on; returns the seconds until the next look."""
        db, now = self._context.pool, self._context.clock.now()
        there = [c for c in await cameras.all_cameras(db) if c.enabled and not c.deleting_at]
        numbers = [camera.id for camera in there]
        looks = await store.latest(db, numbers, findings.LOOKED_AT, now - UNSEEN)
        stands = await self._standing(looks, now)
        await self._remember(numbers, now)
        await store.forget_disabled(db)
        gaps, known = await accounts.open_gaps(db), await store.findings(db)
        for camera in there:
            before = {finding.kind: finding for finding in known.get(camera.id, ())}
            mine = looks.get(camera.id, [])
            found = seen(mine, self._past.get(camera.id, (now, Past()))[1])
            found["silent"] = silent(gaps.get(camera.id), mine, before.get("silent"), now)
            if mine and camera.kind != "testcard":  # a clock on still ground
                found["frozen"] = camera.id in stands, stands.get(camera.id)
            await _record(db, camera, before, found, mine, now)
        return EACH_S

    async def _standing(
        self, looks: Mapping[int, Sequence[Look]], now: datetime
    ) -> dict[int, datetime]:
        """The cameras whose picture stands still, and since when."""
        db = self._context.pool
        stands = {}
        for number, since in (await store.unchanged_since(db, now)).items():
            if looks.get(number):
                since = max(since, looks[number][-1].taken_at)
            if now - since >= findings.FROZEN_AT_LEAST:
                stands[number] = since
        suspects = [n for n, mine in looks.items() if findings.alike(mine[0], mine[-1])]
        if suspects:
            longest = now - PROBES[-1] - PROBES[0]
            probes = await store.before_each(db, suspects, [now - ago for ago in PROBES], longest)
            for number in suspects:
                both = {look.taken_at: look for look in probes.get(number, ())}
                both |= {look.taken_at: look for look in looks[number]}
                frozen = findings.frozen_since([both[moment] for moment in sorted(both)])
                if frozen is not None:
                    stands.setdefault(number, frozen)
        return stands

    async def _remember(self, numbers: Sequence[int], now: datetime) -> None:
        """Look up how some cameras were on the days before, those first that wait longest."""
        long_ago = now - timedelta(days=1)
        self._past = {number: self._past.get(number, (long_ago, Past())) for number in numbers}
        oldest = sorted(numbers, key=lambda number: self._past[number][0])[:PAST_AT_ONCE]
        wanted = [n for n in oldest if abs(now - self._past[n][0]) >= PAST_EACH]
        if wanted:
            found = await store.past(self._context.pool, wanted, now, PAST_DAYS, PAST_FRAMES)
            self._past |= {number: (now, found.get(number, Past())) for number in wanted}


def seen(looks: Sequence[Look], past: Past) -> Found:
    """What the latest frames say."""
    if not looks:
        return {}
    since = looks[-findings.IN_A_ROW :][0].taken_at
    return {
        kind: (answer, since)
        for kind, answer in (
            ("dark", findings.dark(looks, past)),
            ("blown_out", findings.blown_out(looks)),
            ("blurred", findings.blurred(looks)),
            ("out_of_focus", findings.out_of_focus(looks, past)),
            ("clock", findings.clock(looks)),
        )
    }


def silent(
    gap: Gap | None, looks: Sequence[Look], before: Finding | None, now: datetime
) -> tuple[bool | None, datetime | None]:
    """Whether a camera is silent, and since when.

    That we did not watch, or had no room, is no silence of its; nor is the same picture again.
    """
    if gap is None:
        return False, None
    if before is not None and looks and looks[-1].taken_at > before.since_at:
        return False, None
    if gap.reason not in ("source", "network", "refused"):
        return None, None
    since = at(gap.from_us)
    return (True if findings.is_silent(gap.missed, since, now) else None), since


async def _record(
    db: db_utils.Database,
    camera: Camera,
    before: Mapping[str, Finding],
    found: Found,
    looks: Sequence[Look],
    now: datetime,
) -> None:
    title = camera.title or camera.name
    for kind, (answer, since) in found.items():
        began = before.get(kind)
        if answer is True and began is None:
            message = f"{title}: {_words(kind, looks)}"
            finding = Finding(kind=kind, since_at=since or now, message=message)
            async with db_utils.transaction(db) as connection:
                if await store.begin(connection, camera.id, finding):
                    await notifications.add(
                        connection,
                        f"camera.{kind}",
                        f"camera:{camera.name}",
                        message,
                        {"camera": camera.name, "since": finding.since_at},
                        at=now,
                    )
        elif answer is False and began is not None:
            lasted = now - began.since_at
            async with db_utils.transaction(db) as connection:
                if await store.end(connection, camera.id, kind):
                    await notifications.add(
                        connection,
                        f"camera.{kind}.over",
                        f"camera:{camera.name}",
                        f"{title}: it is over that {findings.KINDS[kind]}"
                        f" (it lasted {_span(lasted)})",
                        {"camera": camera.name, "since": began.since_at, "until": now},
                        at=now,
                    )


def _words(kind: str, looks: Sequence[Look]) -> str:
    if kind == "clock":
        offset = findings.clock_offset(looks)
        if offset is not None:
            side = "ahead" if offset > timedelta() else "behind"
            return f"its clock is {_span(abs(offset))} {side}"
    return findings.KINDS[kind]


def _span(span: timedelta) -> str:
    seconds = span.total_seconds()
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
