"""Which blob store is this database's: said by a file in the store, the mark (vigil/storage.py).

An unmounted disk leaves an empty folder, in which what is new would be lost from sight and what
is old seem lost. So the database has an id for its store (table ``blob_store``), and the store has
it, too. The mark is written once by itself, by whichever process starts first: into a store of
which the database knows nothing yet, or into one that has what the database knows. From then on a
store without it is not used, until it is back or a person says that this is the one (``adopt``).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

import db_utils
from vigil.errors import Conflict, Unavailable
from vigil.storage import Storage

SETTLE_S = 10.0
"""Seconds that a start waits for a store that does not answer."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found where the store should be."""

    id: str
    """Of the store that the database knows."""
    mark: Literal["ours", "another", "none"]
    wanted: int
    """Blobs that were looked for; the database says that there are these."""
    there: int
    """How many of them are."""

    @property
    def is_plainly_it(self) -> bool:
        """Whether it has no mark and what there should be is there, most of it at least."""
        return self.mark == "none" and 2 * self.there >= self.wanted


async def settle(db: db_utils.Database, storage: Storage) -> bool:
    """Tie a store to the database, and mark it where that has not been done and it plainly is it.

    Returns whether it has been marked. One that does not answer is tied all the same; whoever comes
    later marks it.
    """
    id, marked = await _known(db)
    storage.belongs_to(id)
    if marked:
        return True
    try:
        async with asyncio.timeout(SETTLE_S):
            found = await look(db, storage)
            if found.is_plainly_it:
                await storage.put_mark(found.id)
    except (Unavailable, TimeoutError):
        return False
    if found.is_plainly_it or found.mark == "ours":
        await _note(db)
        return True
    return False


async def look(db: db_utils.Database, storage: Storage) -> Found:
    """Look at the place where the store should be; raises Unavailable."""
    id, _ = await _known(db)
    keys = [one["blob"] for one in await db.fetch("SELECT blob FROM blob_samples")]
    plain = storage.unbound()
    mark = await plain.mark()
    heads = await asyncio.gather(*(plain.head(key) for key in keys))
    return Found(
        id=id,
        mark="none" if mark is None else "ours" if mark == id else "another",
        wanted=len(keys),
        there=sum(head is not None for head in heads),
    )


async def adopt(db: db_utils.Database, storage: Storage, *, force: bool = False) -> Found:
    """Mark the place as this database's store, as a person says so; returns what was there before.

    Raises Conflict where that would lose something, unless ``force``.
    """
    found = await look(db, storage)
    if found.mark == "another" and not force:
        raise Conflict(
            "this is the blob store of another database",
            hint="with --force it becomes this one's, and `bin/vigil check` removes what is only"
            " the other's",
        )
    if 2 * found.there < found.wanted and not force:
        raise Conflict(
            f"of {found.wanted} blobs that the database knows {found.there} are there",
            hint="is the disk mounted, and are the blobs copied? With --force it begins with what"
            " is there, and `bin/vigil check` takes leave of the rest",
        )
    await storage.put_mark(found.id)
    await _note(db)
    return found


async def _known(db: db_utils.Database) -> tuple[str, bool]:
    """The id of the store, and whether it was marked, here or elsewhere."""
    (row,) = await db.fetch("SELECT id, marked_at FROM blob_store")
    return str(row["id"]), row["marked_at"] is not None


async def _note(db: db_utils.Database) -> None:
    await db.execute("UPDATE blob_store SET marked_at = now() WHERE marked_at IS NULL")
