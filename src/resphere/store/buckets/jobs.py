"""Calls that wait, in threads of their own: those that hash passwords and write to disks are not kept busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from typing import Any, TypeVar

T = TypeVar("T")


class Line:
    """Calls that are made one after another, whatever thread makes them.

    What was begun is carried out, also where whoever waits for it is cancelled; what is put behind it comes after that.
    """

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._last: Future[Any] | None = None

    def put(self, work: Callable[[], T]) -> Future[T]:
        """Have ``work`` done."""
        before = self._last

        def run() -> T:
            # What comes before has a thread by now, or is done: it was handed over first.
            if before is not None:
                wait([before])
            return work()

        future = self._threads.submit(run)
        self._last = future
        return future

    async def do(self, work: Callable[[], T]) -> T:
        """Have ``work`` done; returns what it returns, raises what it raises."""
        return await ended(self.put(work))


async def ended(future: Future[T]) -> T:
    """Wait for a call; whoever is cancelled meanwhile does not call it off."""
    waiting = asyncio.wrap_future(future)
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        waiting.add_done_callback(_pass_over)
        raise


def _pass_over(future: asyncio.Future[Any]) -> None:
    """Nobody waits for the outcome any more."""
    if not future.cancelled():
        future.exception()
