"""A film that is asked for: looked at, made. What may be asked is in vigil.films.asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

import db_utils
from vigil.cameras import store as cameras
from vigil.cameras.looking import days
from vigil.cameras.looking import store as looking
from vigil.cameras.model import Camera, Scene
from vigil.cameras.scenes import store as scenes
from vigil.context import Context
from vigil.errors import Invalid, NotFound
from vigil.films import store
from vigil.films.asking import checking, fitting, when
from vigil.films.asking import store as asking
from vigil.films.asking.completing import complete, settled, usual_s
from vigil.films.asking.model import Place, Seen, Span
from vigil.films.asking.orders import Order, parse
from vigil.films.asking.pace import Pace
from vigil.films.asking.planning import Material
from vigil.films.asking.words import Wrong
from vigil.films.model import NewFilm, moment_of
from vigil.films.options import convert

__all__ = ["Order", "Ready", "complete_in", "make", "make_in", "parse", "prepare"]

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A film that can be made."""

    order: Order
    """What was asked for, with what it implies."""
    new: NewFilm
    places: Sequence[Place]
    span: Span
    seen: Seen
    notes: Sequence[str]
    """Where a wish was adjusted, and how."""
    material: Material | None = None
    """The frames that were read for it; ``None``: none had to be."""


async def make(context: Context, wish: Order) -> tuple[int, list[str]]:
    """Make a film as asked for; returns its number and notes. Raises Invalid or NotFound."""
    ready = await prepare(context.pool, wish, context.clock.now())
    return await store.add(context.pool, ready.new), list(ready.notes)


async def make_in(db: db_utils.Database, wish: Order, now: datetime) -> int:
    """Make a film in the caller's transaction, as ``complete_in`` says; returns its number."""
    new, _ = await complete_in(db, wish, now)
    return await store.add(db, new)


async def complete_in(
    db: db_utils.Database, wish: Order, now: datetime
) -> tuple[NewFilm, Sequence[str]]:
    """The film of an order and notes on it, whether there are frames yet or not.

    Its speed follows from its length and range alone, so films of many periods are alike.
    """
    ready, pace = await _begin(db, wish, now)
    new = await _referring(db, ready.order, ready.new, ready.span, now)
    return new, [*ready.notes, *pace.notes]


async def prepare(pool: db_utils.Pool, wish: Order, now: datetime) -> Ready:
    """Everything about a film but making it; one of the past has frames, and the length that was
    asked for. Raises Invalid or NotFound."""
    ready, pace = await _begin(pool, wish, now)
    places, span, seen, new, have = ready.places, ready.span, ready.seen, ready.new, None
    if span.ends_by(now):
        if not seen.frames:
            raise await _nothing(pool, places, span)
        interval_s = seen.interval_s or usual_s(places)
        new, pace, have = await fitting.fitted(
            pool, ready.order, places, span, new, pace, interval_s, now
        )
    new = await _referring(pool, ready.order, new, span, now)
    return replace(ready, new=new, notes=[*ready.notes, *pace.notes], material=have)


async def _begin(db: db_utils.Database, wish: Order, now: datetime) -> tuple[Ready, Pace]:
    """The film as its order and the cameras alone make it, and its pace."""
    places = await _places(db, wish, now)
    wish = settled(wish, places)
    numbers = [place.scene.id for place in places]
    zone = days.zone(places[0].scene.time_zone)
    span = when.span(wish, now, zone, await asking.first_at(db, numbers))
    seen = await _seen(db, span, numbers, now)
    new, pace = complete(wish, places, span, seen, now)
    notes = await _moved(db, wish, span, now)
    return Ready(order=wish, new=new, places=places, span=span, seen=seen, notes=notes), pace


async def _places(db: db_utils.Database, wish: Order, now: datetime) -> list[Place]:
    """The scenes that are asked for; raises NotFound, Invalid."""
    known = {one.name: one for one in await cameras.all_cameras(db) if one.deleting_at is None}
    showing = await scenes.shown_now(db, now)
    by_scene: dict[int, Camera] = {}
    for camera in known.values():
        if camera.id in showing:
            by_scene.setdefault(showing[camera.id].id, camera)
    wanted: dict[int, Scene] = {}
    for name in wish.cameras:
        if name not in known or known[name].id not in showing:
            raise _unknown("camera", name, list(known))
        scene = showing[known[name].id]
        by_scene[scene.id] = known[name]
        wanted[scene.id] = scene
    for name in wish.scenes:
        found = await scenes.by_name(db, name) if "\0" not in name else None
        if found is None:
            raise _unknown("scene", name, [one.name for one in await scenes.all_scenes(db)])
        wanted[found.id] = found
    if not wanted:
        raise Wrong(
            "camera", "is missing: a film shows one, or several", hint=_there_are(list(known))
        )
    if len(wanted) > checking.MOST_SCENES:
        raise Wrong("camera", f"names more than {checking.MOST_SCENES} at once")
    found_places = []
    for scene in wanted.values():
        latest = await looking.latest(db, scene.id)
        tags = await looking.tags(db, scene.id)
        found_places.append(
            Place(
                scene=scene,
                camera=by_scene.get(scene.id),
                size=(latest.width, latest.height) if latest else None,
                tags=list(dict.fromkeys(tag.name for tag in tags)),
            )
        )
    return found_places


def _unknown(what: str, name: str, there: list[str]) -> NotFound:
    return NotFound(f"there is no {what} {name[:60]}", hint=_there_are(there))


def _there_are(names: list[str]) -> str:
    return f"there are: {', '.join(names[:20])}" if names else "add one first"


async def _seen(db: db_utils.Database, span: Span, numbers: list[int], now: datetime) -> Seen:
    """The frames of the span; where it has hardly begun, how far apart those before it are."""
    found = await asking.seen(
        db, numbers, span.from_at, min(span.to_at or now, now) + MOMENT * (span.to_at is None)
    )
    if found.interval_s is None:
        before = await asking.seen(db, numbers, now - timedelta(days=30), now)
        found = replace(found, interval_s=before.interval_s)
    return found


async def _moved(db: db_utils.Database, wish: Order, span: Span, now: datetime) -> list[str]:
    """What to say of cameras that showed something else in a part of the span."""
    notes = []
    for name in wish.cameras:
        camera = await cameras.by_name(db, name)
        if camera is None:
            continue
        before = [
            shown
            for shown in await scenes.spans(db, camera_id=camera.id)
            if shown.to_at is not None and span.from_at < shown.to_at <= now
        ]
        if before:
            notes.append(
                f"{name} showed {before[-1].scene} until {before[-1].to_at:%Y-%m-%d %H:%M} UTC: "
                f'that is another scene, for "scene"'
            )
    return notes


async def _nothing(db: db_utils.Database, places: Sequence[Place], span: Span) -> Invalid:
    """Says that there are no frames in a span, and where there are some."""
    numbers = [place.scene.id for place in places]
    first = await asking.first_at(db, numbers)
    if first is None:
        return Wrong("from", f"is past, and {places[0].scene.name} has no frames yet",
                     hint="make a film from now on")  # fmt: skip
    latest = [frame.taken_at for n in numbers if (frame := await looking.latest(db, n))]
    return Wrong(
        "from",
        f'and "to" hold no frames of {", ".join(place.scene.name for place in places)}',
        hint=f"there are some from {first:%Y-%m-%d %H:%M} to {max(latest):%Y-%m-%d %H:%M} UTC",
    )


async def _referring(
    db: db_utils.Database, wish: Order, new: NewFilm, span: Span, now: datetime
) -> NewFilm:
    """The film with the moment of its reference frame, where its look goes by one.

    That is the frame closest to noon of the first day that has frames; of a shorter time, closest
    to its middle; of one without frames, the latest there is.
    """
    if not (wish.look.stabilise or wish.look.colours) or wish.look.reference is not None:
        return new
    scene = new.scenes[0]
    end = span.to_at or max(now, span.from_at) + MOMENT
    (first,) = await looking.closest(db, scene, [(span.from_at, span.from_at, end)])
    if first is None:
        frame = await looking.latest(db, scene)
        if frame is None:
            raise Wrong("stabilise", "needs a frame to go by, and there is none yet")
    else:
        own = await scenes.by_id(db, scene)
        place = days.zone(own.time_zone if own else "UTC")
        noon = days.at(days.day_of(first.taken_at, place), time(12), place)
        last = min(end, now)
        wish_at = (
            noon if first.taken_at <= noon < last else first.taken_at + (last - first.taken_at) / 2
        )
        (frame,) = await looking.closest(db, scene, [(wish_at, span.from_at, end)])
        frame = frame or first
    options = dict(new.options)
    options["look"] = dict(options["look"]) | {"reference": moment_of(frame.taken_at)}
    convert(options)
    return replace(new, options=options)
