"""``vigil token`` and ``vigil admin``: letting programs and people in."""

from __future__ import annotations

import click

from vigil import auth
from vigil.admin import store
from vigil.admin.model import LINK, TOKEN, link_address, message_text
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import NotFound
from vigil.site import store as site_store


@click.group()
def token() -> None:
    """Bearer tokens of programs."""


@token.command("add")
@click.argument("name")
@json_option
@with_context
async def add_command(context: Context, name: str, as_json: bool) -> None:
    """Make a token and print it, this once. NAME says what it is for."""
    secret = auth.new_secret(TOKEN)
    made = await store.add_token(context.pool, name, auth.hash_secret(secret))
    if as_json:
        output({"id": made.id, "name": made.name, "token": secret}, as_json)
        return
    click.echo(secret)
    click.echo("It is not kept and cannot be shown again. Use it as a header:", err=True)
    click.echo("  Authorization: Bearer <token>", err=True)


@token.command("list")
@json_option
@with_context
async def list_command(context: Context, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    output(await store.tokens(context.pool), as_json, empty="no tokens")


@token.command("revoke")
@click.argument("name")
@with_context
async def revoke_command(context: Context, name: str) -> None:
    """Make the token NAME worthless, at once and for ever."""
    if await store.revoke_token(context.pool, name=name) is None:
        raise NotFound(
            f"there is no good token {name!r}", hint="bin/vigil token list shows what there is"
        )
    click.echo(f"revoked {name}")


@click.group()
def admin() -> None:
    """Signing in."""


@admin.command("link")
@with_context
async def link_command(context: Context) -> None:
    """Print a link that signs one browser in, once, within a day."""
    secret = auth.new_secret(LINK)
    await store.add_link(context.pool, auth.hash_secret(secret))
    click.echo(link_address(context.settings, secret))


@admin.command("message")
@click.argument("text", required=False)
@with_context
async def message_command(context: Context, text: str | None) -> None:
    """Set the message of the day that every visitor reads; "" takes it away; without TEXT: show."""
    if text is None:
        click.echo(await site_store.message_of_the_day(context.pool) or "there is none")
        return
    written = message_text(text)
    await site_store.set_message_of_the_day(context.pool, written, "command line")
    click.echo("every visitor reads it now" if written else "there is none any more")


async def first_link(context: Context) -> str | None:
    """A one-time link for a new installation; ``None`` when somebody can come in already."""
    secret = auth.new_secret(LINK)
    made = await store.add_first_link(context.pool, auth.hash_secret(secret))
    return link_address(context.settings, secret) if made else None
