"""What is remembered, without what was blocked since: nobody blocks twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import db_utils
from vigil.sources.blocks import store as blocks_store
from vigil.sources.blocks.model import Blocks
from vigil.streams.history import store
from vigil.streams.history.model import Ended, Memory


async def live(
    db: db_utils.Database, source: str, external_id: str, now: datetime
) -> Memory | None:
    """What is remembered of a live stream; None unless it is live."""
    memory = await store.live(db, source, external_id, now)
    if memory is None or len(memory.titles) == 1:  # what is blocked is not live
        return memory
    return _without(memory, await blocks_store.current(db))


async def ended(db: db_utils.Database, source: str, external_id: str) -> Ended | None:
    """What is remembered of a stream that is over; None where it is blocked by now."""
    over = await store.ended(db, source, external_id)
    if over is None:
        return None
    blocks = await blocks_store.current(db)
    names = (over.channel_login, over.channel_id, over.channel_name)
    text = "\n".join((over.title, over.category, over.channel_name, over.channel_login))
    if blocks.of_channel(*names) or blocks.in_text(text.lower()):
        return None
    return replace(over, memory=_without(over.memory, blocks))


def _without(memory: Memory, blocks: Blocks) -> Memory:
    titles = (titled for titled in memory.titles if not blocks.in_text(titled.title.lower()))
    return replace(memory, titles=tuple(titles))
