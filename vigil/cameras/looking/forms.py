"""What may be said of a scene, a tag, a move: checked, whoever asks."""

from __future__ import annotations

from datetime import datetime

import db_utils
from vigil.cameras import adding
from vigil.cameras.looking import store
from vigil.cameras.looking.model import Tag
from vigil.cameras.model import Camera, Scene
from vigil.cameras.scenes import store as scenes
from vigil.cameras.scenes.describing import About, about, checked
from vigil.errors import Conflict, Invalid, NotFound
from vigil.films import store as films
from vigil.films.segments import store as segments

MOST_TAGS = 1000
MOST_MOVED = 500_000
"""Frames that may change their scene at once; longer would keep the camera waiting."""


async def add_scene(db: db_utils.Database, name: str, said: About) -> Scene:
    """Add a scene that no camera shows yet; raises Invalid, Conflict."""
    if not adding.NAME.fullmatch(name):
        raise Invalid(
            f"{name[:70]!r} cannot be a scene's name",
            hint="lower-case letters, digits and dashes, at most 63, e.g. back-yard",
        )
    good = checked(said)
    return await scenes.add(db, name=name, **vars(good))


async def change_scene(db: db_utils.Database, scene: Scene, said: About) -> Scene:
    """Change what is said of a scene; raises Invalid, NotFound."""
    found = await scenes.change(db, scene.id, **vars(checked(said)))
    if found is None:
        raise NotFound(f"there is no scene {scene.name}")
    return found


async def move(
    db: db_utils.Database,
    camera: Camera,
    to: str,
    from_at: datetime,
    *,
    now: datetime,
    title: str = "",
) -> int:
    """Let a camera show another scene, made where there is none, from a moment on.

    A new scene takes place and time zone from the one the camera shows then. Returns how many
    frames changed their scene. Raises Invalid, Conflict.
    """
    if from_at > now:
        raise Invalid("a camera is moved now or earlier, not in the future")
    async with db_utils.transaction(db) as connection:
        before = await scenes.of_camera(connection, camera.id, from_at)
        scene = await scenes.by_name(connection, to)
        if scene is None:
            said = about(before)
            scene = await add_scene(
                connection,
                to,
                About(
                    title=title,
                    latitude=said.latitude,
                    longitude=said.longitude,
                    time_zone=said.time_zone,
                ),
            )
        elif scene.id == before.id:
            raise Conflict(f"camera {camera.name} showed {scene.name} then already")
        moved = await scenes.move(connection, camera.id, scene.id, from_at, most=MOST_MOVED)
        if moved is None:
            raise Conflict(f"camera {camera.name} is being removed")
        await _mend_films(connection, {before.id, scene.id}, from_at)
        return moved


async def unmove(db: db_utils.Database, camera: Camera, from_at: datetime) -> int:
    """Forget a move; raises NotFound, Conflict."""
    async with db_utils.transaction(db) as connection:
        forgotten = await scenes.of_camera(connection, camera.id, from_at)
        moved = await scenes.unmove(connection, camera.id, from_at, most=MOST_MOVED)
        if moved is None:
            raise NotFound(f"camera {camera.name} was not moved then")
        now = await scenes.of_camera(connection, camera.id, from_at)
        await _mend_films(connection, {forgotten.id, now.id}, from_at)
        return moved


async def _mend_films(connection: db_utils.Connection, shown: set[int], since: datetime) -> None:
    """Have the films of these scenes looked at again: frames left and joined them."""
    for film_id in await segments.showing(connection, sorted(shown), since):
        await films.replan(connection, film_id)


def check_tag(name: str, from_at: datetime | None, to_at: datetime | None) -> str:
    """A tag's name in canonical form; raises Invalid for what cannot be a tag."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 60 or not name.isprintable():
        raise Invalid("a tag's name has 1 to 60 characters")
    if from_at is None:
        raise Invalid("a tag begins at some time", hint="write it like 2026-05-01T06:00")
    if to_at is not None and to_at <= from_at:
        raise Invalid("the tag ends before it begins")
    return name


async def add_tag(
    db: db_utils.Database, scene: Scene, name: str, from_at: datetime | None, to_at: datetime | None
) -> Tag:
    """Add a tag; raises Invalid, Conflict."""
    name = check_tag(name, from_at, to_at)
    assert from_at is not None  # noqa: S101 - checked
    tag = await store.add_tag(db, scene.id, name=name, from_at=from_at, to_at=to_at, most=MOST_TAGS)
    if tag is None:
        raise Conflict(f"a scene has at most {MOST_TAGS} tags", hint="remove some")
    return tag
