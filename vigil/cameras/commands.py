"""More of ``vigil camera``: show, edit, test and move; and what all its commands share."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from vigil.auth import Identity
from vigil.cameras import adding, shown, store
from vigil.cameras.adding import Wanted
from vigil.cameras.looking import days
from vigil.cameras.looking import forms as moving
from vigil.cameras.model import Camera, Health
from vigil.cameras.scenes import store as scenes
from vigil.cameras.trying import asking
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import Invalid, NotFound

OPERATOR = Identity(name="command line", role="admin", csrf=None)
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


class Span(click.ParamType[float]):
    """A length of time: 10, 90s, 5m, 12h, 30d."""

    name = "TIME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds."""
        if isinstance(value, int | float):
            return float(value)
        number = value.rstrip("adhimnsw")
        try:
            return float(number) * _UNITS[value[len(number) :]]
        except (ValueError, KeyError):
            self.fail(f"{value!r} is no length of time; write it like 10s, 5m, 12h or 30d")


def as_path(url: str) -> str:
    """A path as it is meant from here; everything else unchanged."""
    path = Path(url).expanduser()
    words = adding.WORDS
    if "://" not in url and url not in words and (path.exists() or url.startswith(("./", "~"))):
        return str(path.resolve() if path.is_file() else path.absolute())
    return url


def option(text: str) -> tuple[str, Any]:
    """NAME=VALUE; true, false and numbers are such, everything else is text."""
    name, equals, value = text.partition("=")
    if not equals:
        return name, True
    if value in ("true", "false") or value.replace(".", "", 1).lstrip("-").isdigit():
        return name, msgspec.json.decode(value)
    return name, value


async def found(context: Context, name: str) -> Camera:
    """The camera of this name; raises NotFound."""
    camera = await store.by_name(context.pool, name)
    if camera is None:
        raise NotFound(f"there is no camera {name}", hint="vigil camera list")
    return camera


async def told(context: Context, camera: Camera) -> shown.CameraJson:
    """A camera as the API shows it to an admin."""
    now = context.clock.now()
    health = (await store.health(context.pool, camera.id)).get(camera.id, Health())
    scene = await scenes.of_camera(context.pool, camera.id, now)
    return shown.camera_json(camera, health, OPERATOR, now, scene.name)


@click.command("show")
@click.argument("name")
@json_option
@with_context
async def show(context: Context, name: str, as_json: bool) -> None:
    """All that is known of a camera. Its address is shown as it is, passwords included."""
    output(await told(context, await found(context, name)), as_json)


@click.command("edit")
@click.argument("name")
@click.option("--url", default=None, help="Its address.")
@click.option("--title", default=None, help="Name for people.")
@click.option("--kind", default=None, help="How it is read.")
@click.option("--notes", default=None)
@click.option("--interval", "interval_s", type=Span(), default=None, help="Time between frames.")
@click.option("--plan", default=None, help="JSON, see the API; {} is always.")
@click.option("--retention", "retention_s", type=Span(), default=None, help="Time frames are kept.")
@click.option("--max-bytes", "retention_bytes", type=int, default=None, help="0: no limit.")
@click.option("--max-frames", "retention_frames", type=int, default=None, help="0: no limit.")
@click.option("--rotation", type=int, default=None, help="0, 90, 180 or 270 degrees clockwise.")
@click.option("--crop", default=None, help="left,top,right,bottom from 0 to 1; or none.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether frames are taken.")
@click.option("--place", default=None, help="LATITUDE,LONGITUDE of the scene that it shows.")
@click.option("--time-zone", default=None, help="Of that scene, e.g. Europe/Berlin.")
@click.option("--option", "options", multiple=True, help="NAME=VALUE; those not named are dropped.")
@json_option
@with_context
async def edit(context: Context, name: str, as_json: bool, **given: Any) -> None:
    """Change a camera; what is not named stays as it is."""
    changes = {key: value for key, value in given.items() if value not in (None, ())}
    for limit in ("retention_bytes", "retention_frames"):
        if limit in changes:
            changes[limit] = changes[limit] or None
    if "url" in changes:
        changes["url"] = as_path(changes["url"])
    if "crop" in changes:
        none = changes["crop"] == "none"
        changes["crop"] = None if none else _numbers(changes["crop"], "the crop", 4)
    if "place" in changes:
        changes["latitude"], changes["longitude"] = _numbers(changes.pop("place"), "the place", 2)
    if "plan" in changes:
        try:
            changes["plan"] = msgspec.json.decode(changes["plan"], type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise Invalid(f"the plan is no JSON object: {error}") from None
    if "options" in changes:
        changes["options"] = dict(option(text) for text in changes["options"])
    if not changes:
        raise Invalid("nothing is to be changed", hint="vigil camera edit --help")
    camera = await adding.change(context.pool, await found(context, name), changes)
    if as_json:
        output(await told(context, camera), as_json)
    else:
        click.echo(f"changed camera {name}: {', '.join(sorted(changes))}")


@click.command("test")
@click.argument("url")
@click.option("--kind", default=None, help="Guessed from the URL.")
@click.option("--option", "options", multiple=True, help="NAME=VALUE.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture.")
@json_option
@with_context
async def test(
    context: Context,
    url: str,
    kind: str | None,
    options: tuple[str, ...],
    save: Path | None,
    as_json: bool,
) -> None:
    """Ask a camera for one picture; its size, its clock. URL: an address, or a camera's name."""
    camera = await store.by_name(context.pool, url) if adding.NAME.fullmatch(url) else None
    zone = "UTC"
    if camera is not None:
        scene = await scenes.of_camera(context.pool, camera.id, context.clock.now())
        zone = scene.time_zone
    else:
        wanted = Wanted(name="test", url=as_path(url), kind=kind)
        values = adding.checked(replace(wanted, options=dict(option(text) for text in options)))
        now = context.clock.now()
        camera = Camera(
            id=0, name="test", deleting_at=None, created_at=now, changed_at=now, **values
        )
    seen = await asking.ask(context, camera, days.zone(zone))
    if save:
        await asyncio.to_thread(save.write_bytes, seen.preview)
    row = {key: value for key, value in _fields(seen).items() if key != "preview"}
    if as_json:
        output(row, as_json)
        return
    click.echo(f"{seen.width} × {seen.height}, {seen.format}, {seen.bytes} bytes")
    click.echo(f"after {seen.took_s:.1f} s")
    if seen.camera_clock is None:
        click.echo("its clock: it says nothing")
    else:
        offset = seen.clock_offset_s or 0.0
        told = "ahead of" if offset > 0 else "behind"
        click.echo(f"its clock: {seen.camera_clock.isoformat()}, {abs(offset):.0f} s {told} ours")


@click.command("move")
@click.argument("name")
@click.argument("scene")
@click.option("--from", "since", default=None, help="Such as 2026-05-01T12:00; default: now.")
@click.option("--title", default="", help="Of a new scene.")
@json_option
@with_context
async def move(
    context: Context, name: str, scene: str, since: str | None, title: str, as_json: bool
) -> None:
    """Let a camera show another scene from a moment on; a scene that is new is made.

    Frames taken since then go with it. Times without a zone are meant where the camera was.
    """
    camera, now = await found(context, name), context.clock.now()
    before = await scenes.of_camera(context.pool, camera.id, now)
    from_at = days.parse_moment(since, days.zone(before.time_zone)) if since else now
    moved = await moving.move(context.pool, camera, scene, from_at, now=now, title=title)
    if as_json:
        output({"frames": moved, "camera": await told(context, camera)}, as_json)
    else:
        click.echo(f"camera {name} shows {scene} since {from_at.isoformat()}; {moved} frames moved")


COMMANDS = (show, edit, test, move)


def _numbers(text: str, what: str, number: int) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != number:
        raise Invalid(f"{what} is {number} numbers with commas between")
    return numbers


def _fields(seen: Any) -> dict[str, Any]:
    return {name: getattr(seen, name) for name in seen.__dataclass_fields__}
