"""What the command line takes of an order; the same fields as the form's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from vigil.films.asking import fields
from vigil.films.asking.orders import FORMATS, Order

_OPTIONS = (
    click.argument("cameras", nargs=-1, metavar="CAMERA..."),
    click.option("--scene", multiple=True, help="A scene by name; several share the picture."),
    click.option("--from", "from_", metavar="WHEN",
                 help='ISO 8601, "2h" ago, "today", or "first". Default: now.'),
    click.option("--to", metavar="WHEN", help="The same, or ahead: +1h. Default: for ever."),
    click.option("--last", metavar="SPAN", help="Short for --from SPAN --to now: 1h, 30d."),
    click.option("--rolling", metavar="SPAN", help="Always the last so long: 24h."),
    click.option("--length", metavar="TIME", help="How long the film is to be: 60s, 1:30."),
    click.option("--speed", type=float, help="Real seconds in a second of film."),
    click.option("--per-day", type=int, metavar="N", help="Frames of each day; 1: at noon."),
    click.option("--every", is_flag=True, help="Every frame, which is the default."),
    click.option("--fps", type=float, help="Pictures in a second of film (25)."),
    click.option("--size", metavar="WxH", help="Pixels; like the frames, at most 1280 wide."),
    click.option("--format", type=click.Choice(list(FORMATS)), help="What the file is (mp4)."),
    click.option("--quality", type=click.IntRange(0, 4), help="0 small to 4 fine (2)."),
    click.option("--title", help="Name for people."),
    click.option("--tag", "tags", multiple=True, help="Only while the scene has this tag."),
    click.option("--daylight", is_flag=True, help="Only while the sun is up."),
    click.option("--hours", metavar="SPANS", help="Only at these times: 06:00-20:00."),
    click.option("--weekdays", metavar="DAYS", help="Only on these: mon-fri,sun."),
    click.option("--skip", metavar="WHAT", help="Leave out: dark,blurred,frozen,foreign."),
    click.option("--daily-clock", metavar="TIME", help="One frame a day, closest to this time."),
    click.option("--daily-sun", metavar="DEGREES", help="One a day, by the height of the sun."),
    click.option("--stamp", is_flag=True, help="Write the time into the picture."),
    click.option("--card", metavar="TEXT", help="A title card at the beginning."),
    click.option("--deflicker", is_flag=True, help="Even out the brightness."),
    click.option("--stabilise", is_flag=True, help="Even out the position."),
    click.option("--set", "more", multiple=True, metavar="NAME=VALUE",
                 help="Any other field of the form: crop=10,0,90,100, fade=days, gaps=hold."),
)  # fmt: skip


def order_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that takes an order; they come as ``order(given)`` takes them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def order(given: dict[str, Any]) -> Order:
    """The order of options; raises Invalid, or UsageError for what cannot be read at all."""
    found: dict[str, list[str]] = {}
    for name, value in given.items():
        if value is None or value is False or value == ():
            continue
        values = value if isinstance(value, tuple) else ("on",) if value is True else (str(value),)
        field = {"cameras": "camera", "from_": "from"}.get(name, name)
        if field != "more":
            found[field] = [str(one) for one in values]
    for one in given["more"]:
        name, sign, value = one.partition("=")
        if not sign:
            raise click.UsageError(f"--set takes NAME=VALUE, not {one}")
        found.setdefault(name.strip().replace("-", "_"), []).append(value)
    return fields.order(found)
