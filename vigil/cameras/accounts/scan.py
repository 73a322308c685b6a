"""The chores: account for what came and what did not; forget what is told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import timedelta

from vigil.cameras import store as cameras
from vigil.cameras.accounts import store
from vigil.cameras.accounts.book import Book
from vigil.cameras.accounts.model import Account
from vigil.cameras.accounts.writing import store as writing
from vigil.cameras.model import Camera
from vigil.cameras.plan import Schedule, at, micros
from vigil.cameras.scenes import store as scenes
from vigil.context import Context
from vigil.loop import Target, lease_id
from vigil.sources.kinds import CAMERAS

EACH_S = 10.0
SETTLE = timedelta(seconds=5)
"""A younger frame may be overtaken by one with a lower number that is not written yet."""
LAG = timedelta(seconds=20)
"""What was due more recently than this may still be on its way, or its failure not yet noted."""
BRIDGE_S = 3 * EACH_S
SPANS_KEPT = timedelta(days=2)
GAPS_KEPT = timedelta(days=400)
PRUNE_EACH_S = 3600.0
BESIDE = 4
"""Frames so many intervals beside a gap are looked at when one came late."""


async def targets(context: Context) -> Sequence[Target]:
    """The chores of the accounts."""
    schedules = Schedules()

    async def run_once() -> float:
        await watched(context)
        return 0 if await account(context, schedules) else EACH_S

    async def prune() -> float:
        now = context.clock.now()
        await store.prune(context.pool, now - SPANS_KEPT, now - GAPS_KEPT)
        return PRUNE_EACH_S

    return (
        Target(key="cameras:accounts", name="accounts of cameras", run_once=run_once),
        Target(key="cameras:accounts:prune", name="old gaps", run_once=prune),
    )


class Schedules:
    """Each camera's schedule, kept from pass to pass until its camera or its scene changes."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, Schedule]] = {}

    async def all(self, context: Context, wanted: Sequence[Camera]) -> dict[int, Schedule]:
        """The schedules of these cameras, by their number."""
        shown = await scenes.shown_now(context.pool, context.clock.now())
        known = self._known
        self._known = {}
        for camera in wanted:
            scene = shown.get(camera.id)
            if scene is None:
                continue  # gone since we asked
            version = camera.changed_at, scene.id, scene.changed_at
            old = known.get(camera.id)
            keep = old is not None and old[0] == version
            schedule = old[1] if old is not None and keep else Schedule.of(camera, scene)
            self._known[camera.id] = version, schedule
        return {number: schedule for number, (_, schedule) in self._known.items()}


async def watched(context: Context) -> None:
    """Note whose lease is held now, and by which process."""
    leases, brought = {}, []
    for camera in await cameras.all_cameras(context.pool):
        kind = CAMERAS.get(camera.kind)
        if not camera.enabled or camera.deleting_at:
            continue
        if kind is None or kind.asked:
            leases[camera.id] = lease_id(f"camera:{camera.id}")
        else:
            brought.append(camera.id)
    await store.note_watched(context.pool, leases, brought, context.clock.now(), BRIDGE_S)


async def account(context: Context, schedules: Schedules) -> bool:
    """Account for some of what came and for the time until shortly before now.

    Returns whether there is more. One transaction writes it all: a pass that is cut short, or
    runs twice, changes nothing.
    """
    db, now = context.pool, context.clock.now()
    frame_id, passes = await store.cursor(db)
    rows = await store.frames_after(db, frame_id)
    full = len(rows) == store.BATCH
    young = (n for n, row in enumerate(rows) if now - SETTLE < row["received_at"] <= now)
    rows = rows[: next(young, len(rows))]
    until = now - LAG
    if full and rows:
        until = min(until, rows[-1]["received_at"] - LAG)
    taken: dict[int, list[int]] = {}
    for row in rows:
        taken.setdefault(row["camera_id"], []).append(micros(row["taken_at"]))
    there = [camera for camera in await cameras.all_cameras(db) if not camera.deleting_at]
    plans = await schedules.all(context, there)
    accounts, gaps = await store.accounts(db), await store.open_gaps(db)
    changes = writing.Changes(passes=passes, frame_id=rows[-1]["id"] if rows else frame_id)
    books, holes = [], {}
    for camera in (camera for camera in there if camera.id in plans):
        begins = micros(camera.created_at)
        mine = accounts.get(camera.id) or Account(camera_id=camera.id, until=begins, last=begins)
        book = Book(mine, plans[camera.id], gaps.get(camera.id))
        hole = await _go_on(context, camera, book, sorted(taken.get(camera.id, ())), micros(until))
        if hole is not None:
            holes[camera.id] = hole
        books.append(book)
    spans = {}
    if holes:
        spans = await store.spans(db, list(holes), at(min(holes.values())))
    for book in books:
        book.explain(spans.get(book.account.camera_id, ()))
        changes.accounts.append(book.account)
        changes.gaps += book.gaps
        changes.gone += book.gone
        number = book.account.camera_id
        changes.days |= {(number, day): n for day, n in book.days.items() if any(n.values())}
    written = await writing.write(db, changes)
    return full and written


async def _go_on(
    context: Context, camera: Camera, book: Book, taken: Sequence[int], until: int
) -> int | None:
    """Put a camera's frames into its book; returns since when holes want to be explained."""
    book.count(taken)
    late = book.late(taken)
    if late:
        await _fill(context, camera, book, late)
    if not camera.enabled:
        book.rest(until)
        return None
    return book.advance(taken, until)


async def _fill(context: Context, camera: Camera, book: Book, late: Sequence[int]) -> None:
    """Put late frames, in order, into the gaps that they lie in."""
    beside = BESIDE * book.schedule.step_us
    first, last = at(late[0] - beside), at(late[-1] + beside + 1)
    touched, around = [], {}
    for gap in await store.gaps(
        context.pool, camera.id, from_at=first, to_at=last, limit=store.BATCH
    ):
        begins, ends = gap.from_us - beside, gap.to_us + beside
        at_or_after = bisect_left(late, begins)
        if gap.id is None or at_or_after == len(late) or late[at_or_after] >= ends:
            continue
        touched.append(gap)
        around[gap.id] = await store.taken_between(context.pool, camera.id, at(begins), at(ends))
    book.fill(touched, around)
