"""What every handler of the room begins with: which film is meant, and who asks."""

from __future__ import annotations

from sanic import Request

from vigil import auth, responses
from vigil.errors import NotFound
from vigil.films import store
from vigil.films.model import Film

LONGEST_ID = 1 << 63


async def film(request: Request, film_id: int) -> Film:
    """The film; raises NotFound."""
    found = None
    if 0 < film_id < LONGEST_ID:
        found = await store.get(responses.context(request).pool, film_id)
    if found is None:
        raise NotFound(f"there is no film {film_id}", hint="it may have been deleted")
    return found


async def is_admin(request: Request) -> bool:
    """Whether an admin asks."""
    return await auth.identify(request) is not None
