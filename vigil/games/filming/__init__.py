"""Films of games: ordered, planned tick by tick, drawn and encoded.

options.py (what may be asked for), scenery.py (rows of a game as what is drawn), kind.py (plans and
renders, as films want it), encode.py (raw pictures to a segment), ordering.py (a wish becomes a
film; the same wish the same film).
"""

from vigil.games.filming.kind import GAME as KIND
from vigil.games.filming.options import Wishes, parse
from vigil.games.filming.ordering import films_of, order

__all__ = ["KIND", "Wishes", "films_of", "order", "parse"]
