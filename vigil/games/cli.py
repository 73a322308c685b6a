"""``vigil game``: recorded games."""

from __future__ import annotations

from typing import BinaryIO, TextIO

import click

from vigil.clicontext import json_option, output, with_context
from vigil.context import Context
from vigil.errors import Conflict, NotFound, VigilError
from vigil.games import filming, forgetting, portable, recording, scan, store
from vigil.games.actions import actions
from vigil.games.asking import ask
from vigil.games.model import SITES, Game
from vigil.games.register import register

COLUMNS = ("id", "site", "number", "name", "state", "tick", "stars", "covered", "next_at", "error")


@click.group()
def game() -> None:
    """Recorded games of Neptune's Pride."""


@game.command()
@click.argument("number")
@click.option("--site", type=click.Choice(list(SITES)), help="Default: np, else np4.")
@click.option("--player", type=int, help="Number of the player whose key it is (np2stats only).")
@click.option("--key-file", type=click.File(), help="Holds the key; -: standard input.")
@json_option
@with_context
async def add(
    context: Context,
    number: str,
    site: str | None,
    player: int | None,
    key_file: TextIO | None,
    as_json: bool,
) -> None:
    """Record game NUMBER (or the address of its page), or give it a new key.

    The key of a player is asked for; it is never an argument, which others could read.
    """
    code = key_file.read() if key_file else click.prompt("API key", hide_input=True, err=True)
    done = await register(context, number, code, site, player)
    if as_json:
        output(await _row(context, done.game), as_json)
        return
    what = "is recorded from now on" if done.fresh or done.reopened else "is recorded already"
    key = "with a new key" if done.new_key and not done.fresh else "with this key"
    click.echo(f"game {done.game.id}, {done.game.name}, {what}, {key}")
    click.echo(f"{context.settings.site_url}/games/{done.game.id}")


@game.command("list")
@json_option
@with_context
async def list_command(context: Context, as_json: bool) -> None:
    """Games, those that are recorded first."""
    games, after = [], None
    while found := await store.page(context.pool, after=after, limit=500):
        games += found
        after = (not found[-1].open, found[-1].id)
    rows = [await _row(context, one) for one in games]
    output(rows, as_json, columns=COLUMNS, empty="no games yet: vigil game add NUMBER")


@game.command()
@click.argument("ids", nargs=-1, type=int)
@click.option("--dry-run", is_flag=True, help="Ask, and write nothing.")
@with_context
async def fetch(context: Context, ids: tuple[int, ...], dry_run: bool) -> None:
    """Ask for games now, all that are recorded or those with these IDS, and say what came.

    The scanner does so by itself. Exit status 1 when one did not answer.
    """
    games = [await _get(context, one) for one in ids] or await store.running(context.pool)
    failed = 0
    for one in games:
        try:
            click.echo(f"game {one.id}, {one.name}: {await _fetch(context, one, dry_run)}")
        except VigilError as error:
            click.echo(f"game {one.id}, {one.name}: {error}", err=True)
            failed += 1
    if not games:
        click.echo("no game is being recorded")
    if failed:
        raise SystemExit(1)


@game.command()
@click.argument("id", type=int)
@with_context
async def close(context: Context, id: int) -> None:
    """Stop recording game ID, and forget its keys. What was recorded stays."""
    found = await _get(context, id)
    _allowed(found, "close")
    await recording.end(context.pool, found, "finished", context.clock.now())
    click.echo(f"game {id}, {found.name}, is not recorded any more")


@game.command()
@click.argument("id", type=int)
@click.confirmation_option(prompt="Forget all that was recorded of this game?")
@with_context
async def remove(context: Context, id: int) -> None:
    """Forget game ID, which is not recorded any more, with all that was recorded of it."""
    found = await _get(context, id)
    _allowed(found, "delete")
    await forgetting.forget(context.pool, found)
    click.echo(f"game {id}, {found.name}, is forgotten")


@game.command("film")
@click.argument("id", type=int)
@click.argument("wishes", nargs=-1, metavar="[NAME=VALUE]...")
@json_option
@with_context
async def film_command(context: Context, id: int, wishes: tuple[str, ...], as_json: bool) -> None:
    """Make a film of game ID, or find the one that there is; a renderer does the work.

    \b
    size             720p, 1080p, 1440p, 4k, native or 1280x720      (1080p)
    smoothness       1 to 6: from large squares to every pixel       (6)
    stars            own, white, black, contrast                     (contrast)
    borders          none, black, white                              (black)
    palette          safe (for the colour-blind), bright             (safe)
    colour-3         of player 3: #ff8000
    names, legend, fleets    on, off                                 (off, on, off)
    caption          none, tick, date                                (date)
    fps              pictures a second                               (24)
    frames_per_tick  pictures that show the same tick                (1)
    from_tick, to_tick       (from the first; as long as the game runs, the film grows)
    title
    """
    asked = dict(wish.partition("=")[::2] for wish in wishes)
    film_id = await filming.order(context, id, filming.parse(asked))
    if as_json:
        output({"film": film_id}, as_json)
    else:
        click.echo(f"film {film_id}: {context.settings.site_url}/films/{film_id}")


@game.command("export")
@click.argument("id", type=int)
@click.argument("file", type=click.File("wb", lazy=True), default="-")
@with_context
async def export_command(context: Context, id: int, file: BinaryIO) -> None:
    """Write game ID, without keys, to FILE as JSON (default: standard output)."""
    data = await portable.export(context.pool, id)
    file.write(data)  # opened only now: a game that is not there leaves no file


@game.command("import")
@click.argument("file", type=click.File("rb"))
@json_option
@with_context
async def import_command(context: Context, file: BinaryIO, as_json: bool) -> None:
    """Bring a game that was exported to FILE (-: standard input)."""
    made = await portable.bring(context, file.read(portable.MOST_BYTES + 1))
    if as_json:
        output(await _row(context, made), as_json)
        return
    click.echo(f"game {made.id}, {made.name}, is here: {context.settings.site_url}/games/{made.id}")
    if made.state == "needs_key":
        click.echo(f"to go on recording it: vigil game add {made.number} --site {made.site}")


async def _fetch(context: Context, one: Game, dry_run: bool) -> str:
    """Ask for a game; a sentence on what came."""
    _allowed(one, "fetch")
    if dry_run:
        answers = await ask(context, one)
        if answers.seen is None:
            return f"no key is valid: {answers.error}"
        seen = answers.seen
        over = ", the game is over" if seen.game_over else ""
        return f"tick {seen.tick}, {len(seen.stars)} stars{over} (nothing was written)"
    await scan.fetch(context, one.id)
    after = await _get(context, one.id)
    if after.error:
        raise VigilError(after.error, hint=after.hint)
    return f"tick {one.tick} → {after.tick}, {after.state}"


def _allowed(one: Game, action: str) -> None:
    """Raise Conflict when this cannot be done now."""
    reason = actions(one, admin=True)[action]
    if reason is not None:
        raise Conflict(f"game {one.id}: {reason}")


async def _get(context: Context, game_id: int) -> Game:
    found = await store.get(context.pool, game_id)
    if found is None:
        raise NotFound(f"there is no game {game_id}", hint="vigil game list")
    return found


async def _row(context: Context, one: Game) -> dict[str, object]:
    covered = (await store.coverage(context.pool, [one.id]))[one.id]
    return {
        "id": one.id,
        "site": one.site,
        "number": one.number,
        "name": one.name,
        "state": one.state,
        "tick": one.tick,
        "stars": covered.stars,
        "players": covered.players,
        "recorded": covered.recorded,
        "missed": covered.missed,
        "covered": f"{covered.share:.0%}",
        "next_at": one.next_at,
        "error": one.error,
    }
