"""What is known of a scene beside its frames, as far as films ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import db_utils
from vigil.cameras.looking import store as looking
from vigil.cameras.looking.model import Tag
from vigil.cameras.model import Scene
from vigil.cameras.scenes import store as scenes
from vigil.films.model import moment_of
from vigil.films.options import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A scene; frozen, so that films are planned from it again and again."""

    place: tuple[float, float] | None = None
    """Latitude and longitude, degrees, north and east positive; ``None``: nobody said."""
    time_zone: str = "UTC"
    """IANA name."""
    tags: tuple[tuple[str, int, int | None], ...] = ()
    """Name, from, up to but not including (``None``: it goes on): microseconds since 1970."""


def of(scene: Scene | None, tags: Sequence[Tag] = ()) -> Facts:
    """The facts of a scene with these tags; without one nothing is known."""
    if scene is None:
        return Facts()
    here = None
    if scene.latitude is not None and scene.longitude is not None:
        here = scene.latitude, scene.longitude
    spans = (
        (tag.name, moment_of(tag.from_at), None if tag.to_at is None else moment_of(tag.to_at))
        for tag in tags
    )
    return Facts(place=here, time_zone=scene.time_zone, tags=tuple(spans))


async def load(db: db_utils.Database, scene_id: int) -> Facts:
    """The facts of a scene as they are now; of one that is gone: nothing is known."""
    return of(await scenes.by_id(db, scene_id), await looking.tags(db, scene_id))


def lacking(choice: Choice, facts: Facts) -> str | None:
    """Why frames cannot be chosen like this from a scene, for a person; ``None``: they can."""
    by_sun = choice.sun_from is not None or choice.sun_to is not None
    if choice.daily is not None and choice.daily.sun is not None:
        by_sun = True
    if by_sun and facts.place is None:
        return "choosing by the sun needs the scene's latitude and longitude"
    known = {name for name, _, _ in facts.tags}
    unknown = [name for name in choice.tags if name not in known]
    return f"the scene has no tag {unknown[0]!r}" if unknown else None
