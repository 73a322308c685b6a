"""Several answers about one game, made one: a star known to any of the players is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vigil.games.model import SeenFleet, SeenStar, Snapshot


def merge(seen: Sequence[Snapshot]) -> Snapshot:
    """The answers of the latest tick among these as one.

    Of a star that several know, the word of one who has it in scanning range counts, then that of
    one who says whose it is, then the first.
    """
    latest = max(one.tick for one in seen)
    seen = [one for one in seen if one.tick == latest]
    first = seen[0]
    if len(seen) == 1:
        return first
    stars: dict[int, SeenStar] = {}
    fleets: dict[int, SeenFleet] = {}
    for one in seen:
        for star in one.stars:
            known = stars.get(star.id)
            stars[star.id] = star if known is None else _better(known, star)
        for fleet in one.fleets:
            if fleet.id not in fleets or fleets[fleet.id].ships < 0:
                fleets[fleet.id] = fleet
    players = {who.uid: who for one in reversed(seen) for who in one.players}
    totals = {had.player_uid: had for one in reversed(seen) for had in one.totals}
    return replace(
        first,
        game_over=any(one.game_over for one in seen),
        players=tuple(players[uid] for uid in sorted(players)),
        totals=tuple(totals[uid] for uid in sorted(totals)),
        stars=tuple(stars[star_id] for star_id in sorted(stars)),
        fleets=tuple(fleets[fleet_id] for fleet_id in sorted(fleets)),
    )


def _better(known: SeenStar, other: SeenStar) -> SeenStar:
    """Two words on one star; its place and name are as they were first said."""
    if (other.visible, other.owner is not None) <= (known.visible, known.owner is not None):
        return known
    owner = known.owner if other.owner is None else other.owner
    name = known.name or other.name
    return replace(known, name=name, owner=owner, visible=known.visible or other.visible)
