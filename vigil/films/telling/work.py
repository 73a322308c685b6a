"""The chore that tells of films."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import db_utils
from vigil.context import Context
from vigil.films import store as films
from vigil.films.telling import store
from vigil.films.telling.store import News
from vigil.loop import Target
from vigil.notifications import store as notifications

LOOK_S = 2.0


async def targets(context: Context) -> Sequence[Target]:
    """The chore."""

    async def run() -> float:
        await tell(context)
        return LOOK_S

    return [Target(key="films:telling", name="films: who is told", run_once=run, retry_max_s=30)]


async def tell(context: Context) -> None:
    """Write an event of each film that is done or has failed since, once."""
    now = context.clock.now()
    for news in await store.news(context.pool):
        note = store.note_done if news.done else store.note_failed
        async with db_utils.transaction(context.pool) as connection:
            if not await note(connection, news.film_id, now) or not news.wanted:
                continue
            await notifications.add(
                connection,
                "film.done" if news.done else "film.failed",
                films.subject(news.film_id),
                f"{news.title} is done" if news.done else f"{news.title} failed: {news.error}",
                _details(news, context.settings.site_url),
                at=now,
            )


def _details(news: News, site: str) -> dict[str, Any]:
    found: dict[str, Any] = {"film": news.film_id, "title": news.title}
    if news.done and news.file_blob is not None:
        end = news.file_blob.rpartition(".")[2]
        found["file"] = f"{site}/api/v1/films/{news.film_id}/film.{end}"
        found["bytes"] = news.file_bytes
    if news.standing is not None:
        found["standing"] = news.standing
        found["feed"] = f"{site}/films/standing/{news.standing}/feed.xml"
    return found
