"""The loops of an agent: take pictures when they are due, bring them, report."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vigil.agent import drivers
from vigil.agent.config import CameraConfig, Config
from vigil.agent.site import Refusing, Site
from vigil.agent.spool import Loss, Spool
from vigil.cameras import plan, planned
from vigil.clock import Clock
from vigil.errors import SettingsError, SourceError, Unavailable, VigilError

BATCH, BATCH_BYTES = 20, 8_000_000
"""Pictures of one request; fewer when they are large."""
REPORT_S = 60.0
RETRY_S, RETRY_MOST_S = 2.0, 300.0
IDLE_S = 3600.0
"""How long to sleep where nothing is due for a long time: the plan may change."""
LATE_S = 1.0


@dataclass
class _State:
    """What is known of a camera here."""

    config: CameraConfig
    error: str | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """There is something to bring."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Its plan is another."""


class Agent:
    """Takes the pictures of this machine's cameras and brings them to the site.

    Args:
        config: what it begins with; changed plans are written back to ``folder``.
        folder: of the agent.
        clock: the time.
        site: where the pictures go; the one that ``config`` names unless a test says otherwise.
    """

    def __init__(
        self, config: Config, folder: Path, clock: Clock, site: Site | None = None
    ) -> None:
        self._config = config
        self._folder = folder
        self._clock = clock
        self._site = site or Site(config.url, config.token)
        self._states = {one.name: _State(one) for one in config.cameras}
        self.spool = Spool(
            folder,
            most_bytes=config.spool_bytes,
            reserve_bytes=config.reserve_bytes,
            clock=clock,
        )

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for state in self._states.values():
                group.create_task(self.shoot(state.config.name))
                group.create_task(self.bring(state.config.name))
            group.create_task(self._report_on_and_on())

    async def shoot(self, name: str) -> None:
        """Take the pictures of one camera whenever one is due; never ends."""
        state = self._states[name]
        after = self._clock.now()
        while True:
            due = next_due(state.config, after)
            now = self._clock.now()
            wait = IDLE_S if due is None else (due - now).total_seconds()
            if wait > 0:
                await self._sleep(min(wait, IDLE_S), state.changed)
                if state.changed.is_set() or wait > IDLE_S or due is None:
                    state.changed.clear()
                    after = self._clock.now()
                    continue
                if (due - self._clock.now()).total_seconds() > LATE_S:
                    continue  # the clock was set back meanwhile
            await self.take(name)
            # What was missed while the camera was busy is missed; a clock that was set back must
            # not stop us until it is where it was.
            after = max(due or now, self._clock.now() - timedelta(seconds=LATE_S))
            if (after - self._clock.now()).total_seconds() > state.config.interval_s:
                after = self._clock.now()

    async def take(self, name: str) -> bool:
        """Take one picture now and keep it; False, with the reason kept, when there is none."""
        state = self._states[name]
        begun = self.spool.now()
        try:
            data = await drivers.take(state.config.driver, state.config.target)
            self.spool.add(name, data, begun)
        except (SourceError, SettingsError, Unavailable, OSError) as error:
            reason = "spool_full" if isinstance(error, Unavailable) else "source"
            state.error = error.message if isinstance(error, VigilError) else str(error)
            self.spool.lose(name, reason, state.error)
            tell(f"{name}: {state.error}")
            return False
        state.error = None
        state.wake.set()
        return True

    async def bring(self, name: str) -> None:
        """Bring the pictures of one camera, in order, whenever there are any; never ends."""
        state = self._states[name]
        failures = 0
        while True:
            try:
                if await self.bring_once(name):
                    failures = 0
                    continue
                state.wake.clear()
                await self._sleep(IDLE_S, state.wake)
            except SourceError as error:
                failures += 1
                state.error = error.message
                wait = min(RETRY_MOST_S, RETRY_S * 2 ** min(failures, 10))
                wait = max(wait * random.uniform(0.7, 1), error.retry_after or 0)  # noqa: S311
                tell(f"{name}: {error}; next try in {wait:.0f} s")
                await self._clock.sleep(wait)
            except Refusing as error:
                # A token that was revoked, a camera that was removed: nothing is lost here, and a
                # person has to do something.
                state.error = error.message
                tell(f"{name}: {error}; next try in {RETRY_MOST_S:.0f} s")
                await self._clock.sleep(RETRY_MOST_S)

    async def bring_once(self, name: str) -> bool:
        """Bring some pictures of a camera; whether there were any. Raises as Site does."""
        pictures = await asyncio.to_thread(self.spool.batch, name, BATCH, BATCH_BYTES)
        if not pictures:
            return False
        try:
            answers = await asyncio.to_thread(self._site.push, name, pictures)
        except FileNotFoundError:
            return True  # one had to make room meanwhile; the others come with the next try
        later = None
        for picture, answer in zip(pictures, answers, strict=True):
            if answer.get("status") == "later":
                later = str(answer.get("message") or "the site has no room now")
                continue
            if answer.get("status") == "refused":
                tell(f"{name}: the site refused a picture: {answer.get('message')}")
                told = f"refused by the site: {answer.get('reason')}"
                self.spool.lose(name, "refused", told, picture.taken_us)
            self.spool.done(picture)
        if later:
            raise SourceError(later)
        return True

    async def report(self) -> None:
        """Say how it goes and take in what the site says of the plans; raises as Site does."""
        cameras = {name: self._about(state) for name, state in self._states.items()}
        losses = self.spool.losses
        told = [_loss(one) for one in losses]
        answer = await asyncio.to_thread(self._site.report, self._clock.now(), cameras, told)
        if losses:
            self.spool.told(losses)
        self._take_in(answer.get("cameras") or [])

    def _about(self, state: _State) -> dict[str, Any]:
        name = state.config.name
        oldest = self.spool.oldest_us(name)
        return {
            "frames": self.spool.count(name),
            "oldest_at": None if oldest is None else _moment(oldest).isoformat(),
            "error": state.error,
        }

    def _take_in(self, plans: Iterable[dict[str, Any]]) -> None:
        known = {one.name for one in fields(CameraConfig)}
        changed = self._config
        for given in plans:
            state = self._states.get(str(given.get("name")))
            if state is None:
                continue
            new = replace(state.config, **{k: v for k, v in given.items() if k in known})
            try:
                next_due(new, self._clock.now())
            except (VigilError, TypeError, ValueError) as error:
                tell(f"{new.name}: the site's plan is not understood here: {error}")
                continue
            if new != state.config:
                state.config = new
                state.changed.set()
                changed = changed.with_camera(new)
        if changed != self._config:
            self._config = changed
            changed.save(self._folder)

    async def _report_on_and_on(self) -> None:
        while True:
            try:
                await self.report()
            except (SourceError, Refusing) as error:
                tell(f"report: {error}")
            await self._clock.sleep(REPORT_S)

    async def _sleep(self, seconds: float, event: asyncio.Event) -> None:
        """Sleep by the clock, or until the event."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        waiting = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({sleeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (sleeping, waiting):
                one.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await one


def next_due(config: CameraConfig, after: datetime) -> datetime | None:
    """When the next picture of a camera is due; ``None``: not within the next year, or never."""
    if not config.enabled:
        return None
    place = None
    if config.latitude is not None and config.longitude is not None:
        place = config.latitude, config.longitude
    try:
        zone = ZoneInfo(config.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    schedule = plan.Schedule(config.interval_s, planned.read(config.plan), zone, place)
    found = schedule.next_after(plan.micros(after))
    return None if found is None else plan.at(found)


def tell(message: str) -> None:
    """A line for the log; systemd puts the time before it."""
    print(message, file=sys.stderr, flush=True)


def _moment(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _loss(loss: Loss) -> dict[str, Any]:
    given = asdict(loss)
    begins, ends = given.pop("from_us"), given.pop("to_us")
    return given | {"from": _moment(begins).isoformat(), "to": _moment(ends).isoformat()}
