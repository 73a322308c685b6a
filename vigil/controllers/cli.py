"""``vigil controller``: let machines bring frames."""

from __future__ import annotations

import click

from vigil import auth
from vigil.cameras import store as cameras
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.controllers import store
from vigil.controllers.model import PUSH, new_code
from vigil.errors import Conflict, NotFound


@click.group()
def controller() -> None:
    """Machines that bring frames, and cameras that push theirs."""


@controller.command("list")
@json_option
@with_context
async def list_command(context: Context, as_json: bool) -> None:
    """Every controller, its cameras and what waits in its spool."""
    columns = ("name", "version", "cameras", "report", "clock_offset_s", "seen_at")
    found = await store.controllers(context.pool)
    output(found, as_json, columns=columns, empty="no controllers yet: vigil controller code")


@controller.command("code")
@json_option
@with_context
async def code_command(context: Context, as_json: bool) -> None:
    """Print a code with which one controller registers within an hour."""
    code = new_code()
    await store.add_code(context.pool, auth.hash_secret(code))
    if as_json:
        output({"code": code}, as_json)
        return
    click.echo(code)
    click.echo("On the machine with the camera, within an hour:", err=True)
    click.echo(f"  bin/vigil agent register {context.settings.site_url} {code}", err=True)


@controller.command("remove")
@click.argument("name")
@with_context
async def remove_command(context: Context, name: str) -> None:
    """Make the token of the controller NAME worthless; its cameras and frames stay."""
    if not await store.remove(context.pool, name):
        raise NotFound(f"there is no controller {name}", hint="vigil controller list")
    click.echo(f"controller {name} is removed")


@controller.command("token")
@click.argument("camera")
@json_option
@with_context
async def token_command(context: Context, camera: str, as_json: bool) -> None:
    """Print a new token with which the frames of CAMERA (of kind push) are brought."""
    found = await cameras.by_name(context.pool, camera)
    if found is None:
        raise NotFound(f"there is no camera {camera}", hint="vigil camera add NAME push")
    if found.kind != "push":
        raise Conflict(f"{camera} is a camera that Vigil asks itself", hint="add one of kind push")
    secret = auth.new_secret(PUSH)
    await store.set_push_token(context.pool, found.id, auth.hash_secret(secret))
    if as_json:
        output({"camera": camera, "token": secret}, as_json)
        return
    click.echo(secret)
    click.echo("It is not kept and cannot be shown again.", err=True)
