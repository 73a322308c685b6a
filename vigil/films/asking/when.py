"""Which time a film shows."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from vigil.films.asking import words
from vigil.films.asking.model import Span
from vigil.films.asking.orders import Order
from vigil.films.asking.words import Wrong

LONGEST_RANGE = timedelta(days=50 * 366)
LONGEST_ROLLING = timedelta(days=3660)
LEAST_ROLLING_S = 10.0
FIRST = ("first", "beginning")


def span(order: Order, now: datetime, zone: tzinfo, first_at: datetime | None) -> Span:
    """The time that an order names; raises Wrong.

    Args:
        order: what was asked for.
        now: what "now" and spans of time count from.
        zone: of moments that name none.
        first_at: when the first frame that there is was taken.
    """
    given = [name for name in ("last", "rolling") if getattr(order, name) is not None]
    if len(given) > 1 or (given and (order.from_ is not None or order.to is not None)):
        what = "from and to" if given == ["last"] else "a range"
        raise Wrong(given[0], f"stands for {what}: give it alone")
    if order.rolling is not None:
        seconds = words.span(order.rolling, "rolling")
        if not LEAST_ROLLING_S <= seconds <= LONGEST_ROLLING.total_seconds():
            raise Wrong("rolling", "is between ten seconds and ten years")
        return Span(from_at=now - timedelta(seconds=seconds), to_at=None, rolling_s=seconds)
    from_at, to_at = now, None
    if order.last is not None:
        seconds = words.span(order.last.lstrip("-"), "last")
        if seconds > LONGEST_RANGE.total_seconds():
            raise Wrong("last", "is too long: at most fifty years")
        from_at, to_at = now - timedelta(seconds=seconds), now
    elif order.from_ is not None and order.from_.strip().lower() in FIRST:
        from_at = first_at or now
    elif order.from_ is not None:
        from_at = words.moment(order.from_, now, "from", zone)
    if order.to is not None:
        to_at = words.moment(order.to, now, "to", zone)
    if to_at is not None and to_at <= from_at:
        if order.from_ in FIRST and first_at is None:
            raise Wrong("from", "has no frames yet", hint="leave it out: the film then begins now")
        raise Wrong("to", "lies before the film begins", hint='"to" must be later than "from"')
    if (to_at or now) - from_at > LONGEST_RANGE or from_at - now > LONGEST_RANGE:
        raise Wrong("from", "is too far away: a film shows at most fifty years")
    return Span(from_at=from_at, to_at=to_at)
