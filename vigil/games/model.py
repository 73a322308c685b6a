"""Recorded games: what was seen of them, as changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

NOBODY = -1
"""Owner of a star that is nobody's."""
UNKNOWN = -2
"""Owner of a star at a tick when it had not been seen yet."""

SITES = {
    "np": "Neptune's Pride 2",
    "np4": "Neptune's Pride 4",
    "np2stats": "NP2 statistics",
}
"""Where games are recorded from, for a person."""

REASONS = {
    "down": "Vigil did not look: it was not running",
    "site": "the game's site did not answer",
    "network": "our own network was down",
    "answer": "the game's site sent something that is no state of this game",
    "key": "no key was valid",
    "missing": "the game's site did not know the game",
    "turn": "the game went on by several ticks at once",
    "fast": "the ticks passed more quickly than the site is asked",
}
"""Why ticks are missing, for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """A game that is or was recorded. Columns: see migrations/0029_games.sql."""

    id: int
    site: str
    number: str
    name: str
    version: int
    tick: int | None
    tick_rate_s: int
    production_rate: int
    started: bool
    paused: bool
    game_over: bool
    turn_based: bool
    start_at: datetime | None
    total_stars: int
    stars_for_victory: int
    state: str
    """``running``, ``needs_key``, ``finished`` or ``gone``."""
    error: str | None
    hint: str | None
    trouble: str | None
    failures: int
    missing: int
    closed_at: datetime | None
    next_at: datetime | None
    scanned_at: datetime | None
    seen_at: datetime | None
    created_at: datetime
    changed_at: datetime

    @property
    def open(self) -> bool:
        """Whether it is still recorded, or would be with a new key."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Player:
    """Who plays."""

    uid: int
    alias: str
    """Empty where unknown."""
    colour: str | None = None
    """As the site sent it."""
    shape: str | None = None
    """Of its stars, as the site sent it."""


@dataclass(frozen=True, slots=True)
class Star:
    """A star; it never moves."""

    id: int
    name: str
    """Empty where unknown."""
    x: float
    """In the game's own units, to the right."""
    y: float
    """The same, down."""
    first_tick: int
    """When it was first seen."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a player has, from a tick on."""

    tick: int
    player_uid: int
    stars: int
    ships: int
    economy: int
    industry: int
    science: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A star that changed hands."""

    tick: int
    star_id: int
    star_name: str
    from_uid: int
    to_uid: int


@dataclass(frozen=True, slots=True)
class Span:
    """Ticks recorded one after the other."""

    from_tick: int
    to_tick: int
    from_at: datetime
    to_at: datetime

    def at(self, tick: int) -> datetime:
        """About when a tick of the span was recorded."""
        if self.to_tick == self.from_tick:
            return self.to_at
        share = (tick - self.from_tick) / (self.to_tick - self.from_tick)
        return self.from_at + timedelta(seconds=share * (self.to_at - self.from_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Gap:
    """Ticks that were missed, both ends included; ``reason`` is a word of REASONS."""

    from_tick: int
    to_tick: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of a game was recorded."""

    first_tick: int | None = None
    last_tick: int | None = None
    recorded: int = 0
    """Ticks."""
    missed: int = 0
    """Ticks between the first and the last that were not recorded."""
    players: int = 0
    stars: int = 0

    @property
    def share(self) -> float:
        """Recorded ticks of all between the first and the last; 0 to 1."""
        whole = self.recorded + self.missed
        return self.recorded / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Fleets:
    """The fleets that were seen, from a tick on; the arrays go together."""

    tick: int
    ids: NDArray[np.int32]
    owners: NDArray[np.int32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    ships: NDArray[np.int32]
    """-1 where unknown."""


@dataclass(frozen=True, eq=False)
class History:
    """Whose each star was, from the first recorded tick to the last."""

    stars: tuple[Star, ...]
    """In the order of their ids."""
    players: tuple[Player, ...]
    """In the order of their uids."""
    ticks: NDArray[np.int32]
    """Of the changes; they are sorted by (tick, star)."""
    changed: NDArray[np.int32]
    """Which star changed: its place in ``stars``, not its id."""
    owners: NDArray[np.int32]
    """Whose it is from that tick on; NOBODY or a player's uid."""
    first_tick: int
    last_tick: int
    index: dict[int, int] = field(init=False, repr=False)
    """Id of a star → its place in ``stars``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {star.id: n for n, star in enumerate(self.stars)})

    def at(self, tick: int) -> NDArray[np.int32]:
        """Whose each star is at a tick, in the order of ``stars``; UNKNOWN before it was seen."""
        owners = np.full(len(self.stars), UNKNOWN, np.int32)
        upto = int(np.searchsorted(self.ticks, tick, "right"))
        owners[self.changed[:upto]] = self.owners[:upto]  # later ones overwrite earlier ones
        return owners


@dataclass(frozen=True, slots=True)
class SeenStar:
    """A star as one answer has it."""

    id: int
    name: str
    x: float
    y: float
    owner: int | None
    """NOBODY, a player's uid, or ``None`` where the answer does not say."""
    visible: bool = True
    """Whether a player who was asked has it in scanning range."""


@dataclass(frozen=True, slots=True)
class SeenFleet:
    """A fleet as one answer has it."""

    id: int
    owner: int
    x: float
    y: float
    ships: int
    """-1 where the answer does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of a game at one tick, as an answer has it, or several answers together."""

    version: int
    name: str
    tick: int
    fragment: float = 0.0
    """How much of the tick has passed, 0 to 1."""
    tick_rate_s: int = 0
    production_rate: int = 0
    started: bool = True
    paused: bool = False
    game_over: bool = False
    turn_based: bool = False
    start_at: datetime | None = None
    total_stars: int = 0
    stars_for_victory: int = 0
    player_uid: int | None = None
    """Whose key it was."""
    players: tuple[Player, ...] = ()
    totals: tuple[Totals, ...] = ()
    stars: tuple[SeenStar, ...] = ()
    """By id."""
    fleets: tuple[SeenFleet, ...] = ()
    """By id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All of a game that another recorder tells: whose each star was when."""

    name: str
    game_over: bool
    stars: tuple[SeenStar, ...]
    """By id; their owners stand in ``owners``."""
    owners: tuple[tuple[int, int, int], ...]
    """(tick, star, player), sorted."""

    @property
    def tick(self) -> int:
        """The last tick it tells of."""
        return max((tick for tick, _, _ in self.owners), default=0)
