"""Questions of one turn of the event loop, asked together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LARGEST = 64
AT_ONCE = 2
"""Batches under way; what is asked meanwhile waits and makes the next one larger."""


class Batch(Generic[K, V]):
    """Gathers questions, and asks each only once however many wait for it.

    Args:
        ask: answers many; what it leaves out is unknown.
        largest: questions at most in one go.
    """

    def __init__(
        self, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], largest: int = LARGEST
    ) -> None:
        self._ask = ask
        self._largest = largest
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._called = False

    def get(self, question: K) -> asyncio.Future[V | None]:
        """The answer, None where there is none; raises what ``ask`` raised.

        A future of its own for each who asks, since a coroutine would cost more than the asking.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[V | None] = loop.create_future()
        self._waiting.setdefault(question, []).append(answer)
        if not self._called and len(self._running) < AT_ONCE:
            self._called = True
            loop.call_soon(self._begin)
        return answer

    async def close(self) -> None:
        """Stop asking."""
        for answers in self._waiting.values():
            for answer in answers:
                answer.cancel()
        self._waiting.clear()
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _begin(self) -> None:
        self._called = False
        while self._waiting and len(self._running) < AT_ONCE:
            questions = list(islice(self._waiting, self._largest))
            taken = {question: self._waiting.pop(question) for question in questions}
            task = asyncio.create_task(self._run(taken))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._begin()

    async def _run(self, taken: dict[K, list[asyncio.Future[V | None]]]) -> None:
        waiting = [answer for answers in taken.values() for answer in answers]
        try:
            found = await self._ask(list(taken))
        except Exception as error:
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
        except BaseException:
            for answer in waiting:
                answer.cancel()
            raise
        else:
            for question, answers in taken.items():
                for answer in answers:
                    if not answer.done():  # whoever asked may have left
                        answer.set_result(found.get(question))
