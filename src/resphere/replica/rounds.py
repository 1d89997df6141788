"""Work that many ask for at once, done in rounds: one after another, each for all who asked before it began."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Rounds:
    """The rounds of ``work``, on one event loop.

    Where none is under way the caller does the work itself, so work that need not wait costs no turn of the loop.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._under_way = False
        self._following: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Return at the end of a round that began after this call; raises what that raised."""
        if self._under_way:
            # What is under way may have looked before the caller asked.
            if self._following is None:
                self._following = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._following)
            return
        self._under_way = True
        try:
            await self._work()
        finally:
            self._go_on()

    def _go_on(self) -> None:
        """Begin the next round, in a task of its own: none of those who wait for it may be cancelled for all."""
        waiting, self._following = self._following, None
        if waiting is None:
            self._under_way = False
        else:
            self._task = asyncio.get_running_loop().create_task(self._serve(waiting))

    async def _serve(self, waiting: asyncio.Future[None]) -> None:
        try:
            await self._work()
        except asyncio.CancelledError:
            waiting.cancel()
            raise
        except Exception as error:
            waiting.set_exception(error)
            waiting.exception()  # they may all have been cancelled: it is nobody's then, and no defect
        else:
            waiting.set_result(None)
        finally:
            self._go_on()
