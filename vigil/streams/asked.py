"""What an address asks for: its parameters as a Filter, alike for pages, programs and feeds.

The names, defaults and limits of ``include``, ``exclude``, ``search_operator``, ``max_viewers`` and
``min_age`` are nobody.live's (https://github.com/jkingsman/Nobody.live).
"""

from __future__ import annotations

from urllib.parse import parse_qs

from vigil.errors import Invalid, TooLarge
from vigil.streams.model import MOST_VIEWERS, Filter

LONGEST_FILTER = 64
"""Characters of ``include`` and ``exclude`` together."""
OLDEST_MINUTES = 10 * 365 * 24 * 60
