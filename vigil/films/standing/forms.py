"""The form of a standing film: plain fields to what is asked for, and back to fill it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from vigil.errors import Invalid
from vigil.films.asking import again, fields, orders
from vigil.films.asking.forms import PRISTINE
from vigil.films.options import Choice, Look
from vigil.films.standing.model import Standing
from vigil.films.standing.ordering import NOT_OURS, StandingOrder, parse
from vigil.films.standing.shown import DAY_S

PLAIN = ("camera", "scene", "length", "speed", "per_day", "fps", "size", "rolling", "format",
         "quality")  # fmt: skip
"""Fields of the form that are fields of an order."""
CHOSEN = tuple(sorted(fields.CHOSEN - {"every", "exclude"}))
"""Fields that say what goes in and how it looks, as the form of a film has them. ``every`` is
another thing here; what is picked out by hand is of one film."""
PACES = ("length", "speed", "per_day")
NUMBERS = ("speed", "per_day", "fps", "quality")
OURS = ("every", "slug", "title", "time_zone")
FIELDS = (*OURS, *PLAIN, *CHOSEN, "pace", "keep_films", "keep_days", "announce", "more")
"""Of several values of one field a comma stands between."""
USUAL = {"every": "daily", "announce": "on"}
"""Of the form for a new one, beside those of any film."""


def asked(given: Mapping[str, str]) -> StandingOrder:
    """What the fields ask for; raises Invalid, naming the field."""
    out = {pace for pace in PACES if "pace" in given and pace != given["pace"]}
    if given.get("camera"):
        out.add("scene")
    if given.get("every") != "rolling":
        out.add("rolling")
    film: dict[str, Any] = {
        name: given[name] for name in PLAIN if given.get(name) and name not in out
    }
    film |= {name: _number(film[name], name) for name in NUMBERS if name in film}
    film = {name: value for name, value in film.items() if value != _USUAL.get(name)}
    film = _joined(film | _chosen(given), _more(given.get("more", "")))
    body: dict[str, Any] = {name: given[name] for name in OURS if given.get(name)}
    body |= {"film": film, "announce": bool(given.get("announce"))}
    if given.get("keep_films"):
        body["keep_films"] = int(_number(given["keep_films"], "how many films are kept"))
    if given.get("keep_days"):
        body["keep_days"] = _number(given["keep_days"], "for how many days films are kept")
    return parse(body)


def filled(standing: Standing) -> dict[str, str]:
    """The fields of the form as a standing film has them."""
    found = film_fields(standing.wish) | {name: getattr(standing, name) for name in OURS}
    if standing.announce:
        found["announce"] = "on"
    if standing.keep_films is not None:
        found["keep_films"] = str(standing.keep_films)
    if standing.keep_s is not None:
        found["keep_days"] = f"{standing.keep_s / DAY_S:g}"
    return found


def film_fields(wish: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the form that make an order; what has no field of its own is in ``more``."""
    film: dict[str, Any] = {
        name: _plain(value) for name, value in wish.items() if name not in NOT_OURS
    }
    found = {name: str(film.pop(name)) for name in PLAIN if name in film}
    found["pace"] = next((pace for pace in PACES if pace in found), "every")
    choice, look = film.pop("choice", {}), film.pop("look", {})
    pairs = again.chosen(msgspec.convert(choice, Choice), msgspec.convert(look, Look))
    for name, value in pairs:
        if name in CHOSEN:
            found[name] = f"{found[name]},{value}" if name in found else value
    rest = {name: choice[name] for name in ("every", "exclude") if name in choice}
    film |= {"choice": rest} if rest else {}
    if film:
        found["more"] = msgspec.json.format(msgspec.json.encode(film), indent=2).decode()
    return found


_USUAL = {"format": "mp4", "quality": 2}
"""What the form says though nobody chose it."""


def _chosen(given: Mapping[str, str]) -> dict[str, Any]:
    """Parts of an order: what goes in and how it looks, as the fields say."""
    said = {
        name: [given[name]] for name in CHOSEN if given.get(name) not in (None, PRISTINE.get(name))
    }
    order = orders.as_json(fields.order(said | {"scene": ["any"], "range": ["on"]}))
    return {name: order[name] for name in ("choice", "look") if order.get(name)}


def _joined(film: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both; where both say something ``more`` counts."""
    found = dict(film)
    for name, value in more.items():
        there = found.get(name)
        if isinstance(there, dict) and isinstance(value, dict):
            value = _joined(there, value)
        found[name] = value
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    return f"{value:.12g}" if isinstance(value, float) else value


def _more(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(
            f"the further choices are no JSON object: {error}",
            hint='such as {"look": {"deflicker": 31}}',
        ) from None


def _number(given: Any, what: str) -> float:
    try:
        found = float(given)
        return int(found) if found.is_integer() else found
    except (TypeError, ValueError, OverflowError):
        raise Invalid(f"{what}: {str(given)[:40]} is not a number") from None
