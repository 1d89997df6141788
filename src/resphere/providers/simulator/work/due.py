"""What goes on in guests by itself, and is brought about when it is due: by whichever worker is first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Protocol, TypeAlias, TypeVar

from resphere.replica.replica import Replica
from resphere.replica.table import Stored
from resphere.turns import heard

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""After a failure of the store."""

TOGETHER = 100
"""How many are finished in one change."""
GATHERED_SECONDS = 0.05
"""So much later than the first is due they are finished: with it what is due by then."""


class Coming(Stored, Protocol):
    """What stands in the store until it is ``due``; ``None``: it is not waited for."""

    @property
    def due(self) -> datetime | None: ...


S = TypeVar("S", bound=Coming)
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
        self._sooner = asyncio.Event()
        """Something is due before what is waited for."""
        self._first: datetime | None = None

        def hear(_old: S | None, new: S | None) -> None:
            # Whatever else comes or goes is seen when the first is due: all that wait need not be gone through for it.
            if new is not None and new.due is not None and (self._first is None or new.due < self._first):
                self._sooner.set()

        inventory.subscribe(cls, hear)

    async def run(self) -> None:
        """Finish each when it is due, until canceled."""
        while True:
            self._sooner.clear()
            try:
                await self.finish_due()
            except Exception:
                log.exception("a %s could not be finished, and will be tried again", self._kind)
                await asyncio.sleep(RETRY_SECONDS)
            await heard(self._sooner, self._seconds_left())

    async def finish_due(self) -> None:
        """Finish those whose time has come."""
        now = self._now()
        due = [machine for moment, machine in self._waiting() if moment <= now]
        for first in range(0, len(due), TOGETHER):
            await self._finish(due[first : first + TOGETHER])

    def _seconds_left(self) -> float | None:
        """How long nothing is to be finished; ``None`` where nothing is waited for."""
        self._first = min((moment for moment, _ in self._waiting()), default=None)
        if self._first is None:
            return None
        return max(0.0, (self._first - self._now()).total_seconds()) + GATHERED_SECONDS
