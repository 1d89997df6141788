"""Has calls wait until something is changed, without a turn and without a thread: one look for all of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from resphere.replica.replica import Replica

LOOK_SECONDS = 0.1
MOST_WAITING = 1000
"""So many calls wait in a worker."""
MOST_OF_USER = 100


class Waiting:
    """The calls of one worker that wait. It looks what others have committed as long as there are any."""

    def __init__(self, replica: Replica, longest_seconds: int) -> None:
        self._replica = replica
        self._longest_seconds = longest_seconds
        self._of: Counter[str] = Counter()
        self._all = 0
        self._stopping = False
        self._changed: asyncio.Future[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """How many wait."""
        return self._all

    def seconds(self, wanted: int) -> int:
        """How long a call waits that would like to wait so long."""
        return min(wanted, self._longest_seconds)

    def has_room(self, user: str) -> bool:
        """Whether another call of the user's may wait."""
        return not self._stopping and self._all < MOST_WAITING and self._of[user] < MOST_OF_USER

    async def until(
        self, is_so: Callable[[], bool], user: str, seconds: float, gone: Callable[[], Awaitable[None]]
    ) -> None:
        """Wait until ``is_so``, which is asked after each change, or ``gone`` returns, or the time is over, or the
        worker stops."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        leaving = asyncio.ensure_future(gone())
        self._of[user] += 1
        self._all += 1
        try:
            while not (is_so() or self._stopping or leaving.done()) and (left := end - loop.time()) > 0:
                await asyncio.wait((leaving, self._change()), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._all -= 1
            self._of[user] -= 1
            if not self._of[user]:
                del self._of[user]
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    def stop(self) -> None:
        """Let all go on, and none wait any more."""
        self._stopping = True
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    async def close(self) -> None:
        """Stop, and stop looking."""
        self.stop()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _change(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        if self._changed is None or self._changed.done():
            self._changed = loop.create_future()
        if self._looking is None or self._looking.done():
            self._looking = loop.create_task(self._look())
        return self._changed

    async def _look(self) -> None:
        seen = self._replica.sequence
        while self._all:
            await self._replica.refresh()
            if self._replica.sequence != seen:
                seen = self._replica.sequence
                if self._changed is not None and not self._changed.done():
                    self._changed.set_result(None)
            await asyncio.sleep(LOOK_SECONDS)
