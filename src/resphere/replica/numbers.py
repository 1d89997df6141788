"""The numbers of new ids, which a worker takes of the store in stock."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Iterable

from resphere.store.base import Store

COUNTER = "object"
FIRST_NUMBER = 1001  # below stand the fixed ids, such as group-d1
NUMBERS_TAKEN = 256
"""So many at a time: each taking costs a commit."""
NUMBERS_READY = 32
"""A worker that makes objects has so many before a change begins: nearly all changes do with them."""

# Longer ones, which no counter reaches, are no obstacle.
_NUMBER = re.compile(r"(?<!\d)\d{1,15}$")


class TooFewNumbers(Exception):
    """A plan needs more numbers than there are; it runs again when there are."""


class Numbers:
    """What this worker has taken and not yet given out. A number that was given out never comes back."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stock: deque[int] = deque()
        self._ready = 0
        self._taking = asyncio.Lock()

    def next(self) -> int:
        """The next number.

        :raises TooFewNumbers: there is none.
        """
        if not self._stock:
            raise TooFewNumbers
        return self._stock.popleft()

    def suffice(self, count: int) -> bool:
        """Whether there are so many."""
        return len(self._stock) >= count

    def are_ready(self, count: int) -> bool:
        """Whether :meth:`provide` has nothing to do."""
        return self.suffice(max(count, self._ready))

    async def provide(self, count: int) -> None:
        """Have ``count`` numbers and, once any were needed, some in any case. Others may take them meanwhile."""
        async with self._taking:
            missing = max(count, self._ready) - len(self._stock)
            if missing > 0:
                taken = await self._store.reserve(COUNTER, max(missing, NUMBERS_TAKEN))
                self._ready = NUMBERS_READY
                self._stock += range(taken.start + FIRST_NUMBER - 1, taken.stop + FIRST_NUMBER - 1)

    async def pass_over(self, ids: Iterable[str]) -> None:
        """Have no number from now on be that of one of ``ids``, nor be below."""
        numbers = (_NUMBER.search(id) for id in ids)
        highest = max((int(number[0]) for number in numbers if number), default=0)
        async with self._taking:
            reached = (await self._store.reserve(COUNTER, 1))[0] + FIRST_NUMBER - 1
            if highest > reached:
                await self._store.reserve(COUNTER, highest - reached)
            self._stock.clear()
