"""One connection to the database, which is made when it is needed, and made anew when it was lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from resphere.store.base import StoreError
from resphere.store.postgresql.place import Place
from resphere.store.postgresql.schema import FAILURES, close, connect, is_lost

T = TypeVar("T")

PATIENCE_SECONDS = 20.0
"""For so long a database that is away is asked again: it may be restarting."""
PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0

log = logging.getLogger(__name__)


class Line:
    """A connection of one event loop, for one who asks at a time; others wait for their turn."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None

    async def ask(
        self,
        work: Callable[[asyncpg.Connection], Awaitable[T]],
        *,
        doing: str = "read",
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> T:
        """Do ``work``, which may be done twice, on the connection; where that is lost, once more on another.

        :raises StoreError: the database is away for too long, or refuses.
        """
        deadline, pause = asyncio.get_running_loop().time() + patience_seconds, PAUSE_SECONDS
        while True:
            try:
                async with self._turn:
                    return await self._once(work)
            except FAILURES as error:
                if not is_lost(error) or asyncio.get_running_loop().time() + pause > deadline:
                    raise self.failure(doing, error) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _once(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        try:
            return await work(await self.connected())
        except BaseException as error:
            # Of a caller that is cancelled an answer may be on its way still.
            if is_lost(error) or isinstance(error, asyncio.CancelledError):
                self.drop()
            raise

    async def connected(self) -> asyncpg.Connection:
        """The connection, opened if there is none."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._place)
        return self._connection

    def drop(self) -> None:
        """Give the connection up at once."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    def failure(self, doing: str, error: BaseException) -> StoreError:
        """What callers are told."""
        return StoreError(f"cannot {doing} the store at {self._place.shown}: {str(error) or type(error).__name__}")

    async def close(self) -> None:
        """Close it, when it is nobody's turn."""
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                await close(connection)
