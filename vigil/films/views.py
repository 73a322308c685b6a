"""Pages and JSON of films: a table of what the room answers."""

from __future__ import annotations

from sanic import Blueprint

from vigil.films import making, playing, showing, taking

bp = Blueprint("films")
making.register(bp)
showing.register(bp)
playing.register(bp)
taking.register(bp)
