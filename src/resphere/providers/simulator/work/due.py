"""What goes on in guests by itself, and is brought about when it is due: by whichever worker is first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TypeAlias, TypeVar

from resphere.replica.replica import Replica
from resphere.replica.table import Stored
from resphere.turns import heard

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""After a failure of the store."""

TOGETHER = 100
"""How many are finished in one change."""

S = TypeVar("S", bound=Stored)
Waiting: TypeAlias = Callable[[], Iterable[tuple[datetime, str]]]
"""When something is due, and of which machine."""


class Due:
    """Finishes what stands in the store until its moment has come, so that it outlives every worker.

    ``finish`` takes the ids of machines, and looks once more, in its own change, what is still to be done: another may
    have been faster.
    """

    def __init__(
        self,
        inventory: Replica,
        now: Callable[[], datetime],
        cls: type[S],
        waiting: Waiting,
        finish: Callable[[list[str]], Awaitable[None]],
    ) -> None:
        self._now = now
        self._waiting = waiting
        self._finish = finish
        self._kind = cls.kind
        self._changed = asyncio.Event()

        def hear(_old: S | None, _new: S | None) -> None:
            self._changed.set()

        inventory.subscribe(cls, hear)

    async def run(self) -> None:
        """Finish each when it is due, until canceled."""
        while True:
            self._changed.clear()
            try:
                await self.finish_due()
            except Exception:
                log.exception("a %s could not be finished, and will be tried again", self._kind)
                await asyncio.sleep(RETRY_SECONDS)
            await heard(self._changed, self._seconds_left())

    async def finish_due(self) -> None:
        """Finish those whose time has come."""
        due = [machine for moment, machine in self._waiting() if moment <= self._now()]
        for first in range(0, len(due), TOGETHER):
            await self._finish(due[first : first + TOGETHER])

    def _seconds_left(self) -> float | None:
        """How long nothing is due; ``None`` where nothing is waited for."""
        first = min(self._waiting(), default=None)
        return None if first is None else max(0.0, (first[0] - self._now()).total_seconds())
