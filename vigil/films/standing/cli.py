"""`vigil film standing`: films that make themselves."""

from __future__ import annotations

from typing import Any

import click

from vigil import human
from vigil.cameras.looking import days
from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import Conflict, NotFound
from vigil.films.standing import forms, ordering, store
from vigil.films.standing.model import Standing
from vigil.films.standing.shown import StandingJson, edition_json, tell

COLUMNS = ("slug", "title", "every", "state", "newest", "next")
FILMS = ("film", "title", "state", "length", "file")
PLACES = ("page", "playlist", "file", "feed")


@click.group()
def standing() -> None:
    """Films that make themselves, each day, week or month."""


@standing.command()
@click.argument("camera")
@click.option(
    "--every",
    type=click.Choice(list(ordering.WORDS)),
    default="daily",
    show_default=True,
    help="A film of each day, week or month; rolling: one of always the last while.",
)
@click.option("--rolling", metavar="SPAN", help="How long the last while is (24h).")
@click.option("--length", metavar="SPAN", help="How long each film is to be: 60s, 1:30.")
@click.option("--speed", metavar="X", help="Real seconds in a second of film.")
@click.option("--fps", metavar="N", help="Pictures in a second of film (25).")
@click.option("--size", metavar="WxH", help="Pixels; like the camera, at most 1280 wide.")
@click.option("--daylight", is_flag=True, help="Only frames of daylight.")
@click.option("--stamp", is_flag=True, help="Write the time into the picture.")
@click.option("--more", metavar="JSON", help="Further choices, as the API takes films.")
@click.option("--title", help="Name for people.")
@click.option("--slug", help="Name in addresses, which stays.")
@click.option("--time-zone", metavar="ZONE", help="Where days begin; that of the scene.")
@click.option("--keep-films", metavar="N", help="Most films kept.")
@click.option("--keep-days", metavar="DAYS", help="How long a film is kept.")
@click.option("--announce/--quiet", default=True, help="Tell of each new film.")
@click.option("--past", type=int, metavar="N", help="Make films of the last N periods, too.")
@json_option
@with_context
async def add(
    context: Context, announce: bool, past: int | None, as_json: bool, **given: Any
) -> None:
    """Make a standing film of CAMERA."""
    fields = {name: value for name, value in given.items() if isinstance(value, str) and value}
    fields |= {name: "on" for name in ("daylight", "stamp") if given[name]}
    fields["announce"] = "on" if announce else ""
    made = await ordering.make(context, forms.asked(fields))
    if past is not None:
        await ordering.past(context.pool, made, past, context.clock.now())
        made = await _find(context, made.slug)
    shown = await tell(context, made, admin=True)
    if as_json:
        output(shown, as_json)
    else:
        click.echo(f"{made.slug} is {shown['state']}: {context.settings.site_url}{shown['page']}")


@standing.command("list")
@json_option
@with_context
async def list_standing(context: Context, as_json: bool) -> None:
    """Standing films, by title."""
    shown = [await tell(context, one, admin=True) for one in await store.page(context.pool)]
    empty = "no standing films yet: vigil film standing add CAMERA --length 60s"
    rows = [
        {**one, "newest": one["newest"]["title"] if one["newest"] else None, "next": _next(one)}
        for one in shown
    ]
    output(shown if as_json else rows, as_json, columns=COLUMNS, empty=empty)


@standing.command()
@click.argument("slug")
@json_option
@with_context
async def show(context: Context, slug: str, as_json: bool) -> None:
    """One of them, and its films, the latest first."""
    found = await _find(context, slug)
    shown = await tell(context, found, admin=True)
    films = [edition_json(one) for one in await store.editions(context.pool, found.id)]
    if as_json:
        output(shown | {"films": films}, as_json)
        return
    output(_said(shown, context.settings.site_url), as_json)
    click.echo()
    rows = [
        {
            **one,
            "length": human.span(one["duration_s"]),
            "file": human.size(one["file"]["bytes"]) if one["file"] else None,
        }
        for one in films
    ]
    output(rows, as_json, columns=FILMS, empty="no films yet")


def _next(one: StandingJson) -> str | None:
    if one["next_at"] is None:
        return None
    return f"{one['next_at'].astimezone(days.zone(one['time_zone'])):%Y-%m-%d %H:%M %Z}"


def _said(one: StandingJson, site: str) -> dict[str, Any]:
    """A standing film in some lines."""
    lines: dict[str, Any] = {name: one[name] for name in ("slug", "title", "state")}
    if one["error"]:
        lines["error"] = one["error"]
    rolling = one["rolling_s"]
    lines["every"] = one["every"] if rolling is None else f"the last {human.span(rolling)}"
    lines["zone"] = one["time_zone"]
    lines["film"] = one["film"]
    kept = [f"{one['keep_films']} films"] if one["keep_films"] else []
    kept += [f"each for {one['keep_days']:g} days"] if one["keep_days"] else []
    lines["kept"] = ", ".join(kept) or "for ever"
    lines["told"] = one["announce"]
    if one["next_at"]:
        lines["next"] = _next(one)
    if one["past"]:
        lines["past ones"] = f"{one['past']['done']} of {one['past']['total']} looked at"
    lines |= {name: f"{site}{one[name]}" for name in PLACES}  # type: ignore[literal-required]
    return lines


@standing.command()
@click.argument("slug")
@with_context
async def pause(context: Context, slug: str) -> None:
    """Make no more films until it is resumed."""
    await ordering.act(context, await _find(context, slug), "pause")


@standing.command()
@click.argument("slug")
@with_context
async def resume(context: Context, slug: str) -> None:
    """Go on with the film of now; missed ones stay missed."""
    await ordering.act(context, await _find(context, slug), "resume")


@standing.command()
@click.argument("slug")
@click.argument("number", type=int)
@with_context
async def past(context: Context, slug: str, number: int) -> None:
    """Make films of the last NUMBER periods, where frames are there."""
    found = await _find(context, slug)
    if found.past_at is not None:
        raise Conflict("past ones are being made")
    made = await ordering.past(context.pool, found, number, context.clock.now())
    click.echo(f"{made} past periods are looked at")


@standing.command()
@click.argument("slug")
@click.option("--films", is_flag=True, help="Delete the films that it made, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_context
async def remove(context: Context, slug: str, films: bool, yes: bool) -> None:
    """Delete a standing film; its films stay without --films."""
    found = await _find(context, slug)
    if not yes:
        what = "and all its films" if films else "but keep its films"
        click.confirm(f"Delete {found.title}, {what}?", abort=True)
    await ordering.remove(context, found, films_too=films)


async def _find(context: Context, slug: str) -> Standing:
    found = await store.by_slug(context.pool, slug)
    if found is None:
        there = ", ".join(one.slug for one in await store.page(context.pool))
        hint = f"there are: {there}" if there else "there is none yet"
        raise NotFound(f"there is no standing film {slug[:70]}", hint=hint)
    return found
