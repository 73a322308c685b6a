"""One camera's account in one pass: frames and moments in, gaps and days out; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from vigil.cameras.accounts import ledger
from vigil.cameras.accounts.model import Account, Gap, Span
from vigil.cameras.looking import days
from vigil.cameras.plan import Schedule, at, micros


class Book:
    """The account of a camera, with what changed.

    Args:
        account: how far it goes; changed here.
        schedule: the camera's plan at its scene.
        gap: the one that is open, if any.
    """

    def __init__(self, account: Account, schedule: Schedule, gap: Gap | None) -> None:
        self.account = account
        self.schedule = schedule
        self.gap = gap
        self.gaps: list[Gap] = []
        """New and changed ones."""
        self.gone: list[int] = []
        self.days: dict[date, Counter[str]] = defaultdict(Counter)
        self._steps: list[ledger.Stretch | int] = []
        """Holes, and frames that ended one, in order."""

    def count(self, taken: Sequence[int]) -> None:
        """Count frames, whenever they came."""
        end, counted = 0, Counter[str]()
        for moment in sorted(taken):
            if moment >= end:
                day = days.day_of(at(moment), self.schedule.zone)
                end = micros(days.bounds(day, self.schedule.zone)[1])
                counted = self.days[day]
            counted["frames"] += 1

    def late(self, taken: Sequence[int]) -> list[int]:
        """Those of these frames that lie in what is accounted for already."""
        edge = max(self.account.last, self.account.missed or 0)
        return [moment for moment in taken if moment <= edge]

    def advance(self, taken: Sequence[int], until: int) -> int | None:
        """Go on to ``until`` with the frames that came, in order; returns since when there are
        holes that ``explain`` has to be told the reasons of."""
        self._plan(until)
        account = self.account
        edge = max(account.last, account.missed or 0)
        for moment in taken:
            if moment > edge:
                self._hole(moment)
                if self._steps or self.gap is not None:
                    self._steps.append(moment)
                account.missed = None
            account.last = max(account.last, moment)
        if account.missed is not None and account.missed <= account.last:
            account.missed = None
        self._hole(until)
        return next((step[0] for step in self._steps if isinstance(step, tuple)), None)

    def rest(self, until: int) -> None:
        """Go on to ``until`` while the camera is switched off: nothing is due."""
        account = self.account
        if until > account.until:
            schedule = self.schedule
            for day, begins, ends in self._days(account.until, until):
                number = schedule.count(begins, ends) + schedule.excluded(begins, ends)
                self.days[day]["left_out"] += number
            account.until = until
        account.last, account.missed = max(account.last, account.until), None
        self._close(account.last)

    def explain(self, spans: Sequence[Span]) -> None:
        """Write the holes down as gaps, each for one reason."""
        for step in self._steps:
            if isinstance(step, int):
                self._close(step)
                continue
            gap = self.gap
            before = None
            if gap is not None and not self.schedule.count(gap.to_us, step[0]):
                before = gap.reason, gap.detail
            for from_us, to_us, reason, detail in ledger.explain(spans, step, before):
                self._miss(from_us, to_us, reason, detail)
        self._steps.clear()

    def fill(self, gaps: Sequence[Gap], taken: Mapping[int, Sequence[int]]) -> None:
        """Put late frames into the gaps they lie in; ``taken``: gap's id → frames around it."""
        for gap in gaps:
            assert gap.id is not None  # noqa: S101 - they come from the table
            ours = self.gap if self.gap is not None and self.gap.id == gap.id else gap
            stretch = ours.from_us, ours.to_us
            left = ledger.cut(self.schedule, stretch, taken[gap.id], is_open=ours.is_open)
            if left == [stretch]:
                continue
            self._tally(*stretch, ours.reason, -1)
            self.gone.append(gap.id)
            self.gaps = [one for one in self.gaps if one is not ours]
            if ours is self.gap:
                self.gap = None
            for from_us, to_us in left:
                number = self._tally(from_us, to_us, ours.reason, 1)
                piece = Gap(
                    id=None,
                    camera_id=ours.camera_id,
                    from_us=from_us,
                    to_us=to_us,
                    reason=ours.reason,
                    detail=ours.detail,
                    missed=number,
                    is_open=ours.is_open and to_us == ours.to_us,
                )
                self.gaps.append(piece)
                if piece.is_open:
                    self.gap = piece

    def _plan(self, until: int) -> None:
        """Count what was due."""
        account, schedule = self.account, self.schedule
        if until <= account.until:
            return
        for day, begins, ends in self._days(account.until, until):
            counted = self.days[day]
            counted["planned"] += schedule.count(begins, ends)
            counted["left_out"] += schedule.excluded(begins, ends)
        account.until = until

    def _hole(self, after: int) -> None:
        """Note what is missing since the last frame, beyond what is noted."""
        account = self.account
        hole = ledger.missed(self.schedule, account.last, after)
        if hole is None:
            return
        last = ledger.last_in(self.schedule, hole)
        if account.missed is not None:
            first = self.schedule.next_after(account.missed)
            if first is None or first > last:
                return
            hole = max(hole[0], first), hole[1]
        self._steps.append(hole)
        account.missed = last

    def _miss(self, from_us: int, to_us: int, reason: str, detail: str) -> None:
        schedule = self.schedule
        number = self._tally(from_us, to_us, reason, 1)
        if not number:
            return
        first = next(schedule.ranges(from_us, to_us))[0]
        last, step = schedule.last_until(to_us - 1) or (first, 1)
        end = last + step
        gap = self.gap
        if gap is not None and gap.reason == reason and not schedule.count(gap.to_us, first):
            gap.to_us, gap.missed, gap.detail = end, gap.missed + number, detail or gap.detail
        else:
            if gap is not None:
                gap.is_open = False
                self._changed(gap)
            gap = self.gap = Gap(
                id=None,
                camera_id=self.account.camera_id,
                from_us=first,
                to_us=end,
                reason=reason,
                detail=detail,
                missed=number,
                is_open=True,
            )
        self._changed(gap)

    def _close(self, moment: int) -> None:
        gap = self.gap
        if gap is not None:
            gap.is_open = False
            if gap.from_us < moment < gap.to_us:
                gap.to_us = moment
            self._changed(gap)
            self.gap = None

    def _changed(self, gap: Gap) -> None:
        if not any(one is gap for one in self.gaps):
            self.gaps.append(gap)

    def _tally(self, from_us: int, to_us: int, reason: str, sign: int) -> int:
        total = 0
        for day, begins, ends in self._days(from_us, to_us):
            number = self.schedule.count(begins, ends)
            if number:
                self.days[day][reason] += sign * number
                total += number
        return total

    def _days(self, from_us: int, to_us: int) -> list[tuple[date, int, int]]:
        """The parts of [from, to) by day."""
        found = []
        zone = self.schedule.zone
        while from_us < to_us:
            day = days.day_of(at(from_us), zone)
            end = min(to_us, micros(days.bounds(day, zone)[1]))
            found.append((day, from_us, end))
            from_us = end
        return found
