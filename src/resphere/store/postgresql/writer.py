"""Commits what the callers of one event loop hand in: as one group, while the next one gathers.

Whether a group is stored is known even where the connection is lost in the middle of its commit: each group has a
number, which is written with it and looked up afterwards.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable

import asyncpg
import msgspec

from resphere.store.base import Conflict, StoreError, Transaction
from resphere.store.postgresql.group import BEGIN, COMMIT, ROLLBACK, Dead, Writing, apply_transactions
from resphere.store.postgresql.line import LONGEST_PAUSE_SECONDS, PATIENCE_SECONDS, PAUSE_SECONDS, Line
from resphere.store.postgresql.schema import FAILURES, is_lost

logger = logging.getLogger(__name__)

MAXIMUM_GROUP = 1_000
"""Others wait while a group is written: it shall not grow without bound."""

_SELECT_WRITTEN = "SELECT number FROM writers WHERE name = $1"
_DELETE_WRITER = "DELETE FROM writers WHERE name = $1 OR seen < now() - interval '1 day'"


TAKEN_FOR_DEAD = "this process was not heard of for so long that others have taken its place: it writes no more"


class Commit(msgspec.Struct, frozen=True):
    """A transaction, and the future that its caller awaits."""

    transaction: Transaction
    future: asyncio.Future[int]


class Writer:
    """The writer of one event loop, called ``name``, which nobody else ever is.

    ``process`` tells the name that the process is alive under.
    """

    def __init__(
        self, line: Line, name: str, channel: str, log_rows_kept: int, process: Callable[[], str | None]
    ) -> None:
        self._line = line
        self._name = name
        self._channel = channel
        self._log_rows_kept = log_rows_kept
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: list[Commit] = []
        self._task: asyncio.Task[None] | None = None

    async def commit(self, transaction: Transaction) -> int:
        """See :meth:`resphere.store.base.Store.commit`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._waiting.append(Commit(transaction, future))
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await future

    async def close(self) -> None:
        """Finish what was handed in."""
        while self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await self._line.ask(lambda connection: connection.execute(_DELETE_WRITER, self._name), doing="leave")

    async def _run(self) -> None:
        try:
            # What comes in the same turn of the loop goes along.
            await asyncio.sleep(0)
            while self._waiting:
                group, self._waiting = self._waiting[:MAXIMUM_GROUP], self._waiting[MAXIMUM_GROUP:]
                await self._serve(group)
        finally:
            self._task = None

    async def _serve(self, group: list[Commit]) -> None:
        results: list[int | Conflict] | StoreError
        try:
            results = await self._store(tuple(each.transaction for each in group))
        except StoreError as error:
            results = error
        except Exception as error:
            # Whatever it was, the group's callers must hear it: the next one may succeed.
            logger.exception("unforeseen error while writing")
            results = self._line.failure("write", error)
            results.__cause__ = error
        for position, each in enumerate(group):
            if each.future.done():
                continue  # its caller was cancelled
            result = results if isinstance(results, StoreError) else results[position]
            if isinstance(result, int):
                each.future.set_result(result)
            else:
                each.future.set_exception(result)

    async def _store(self, transactions: tuple[Transaction, ...]) -> list[int | Conflict]:
        """Everything or, with an exception, nothing of the group is durable afterwards, but for what was refused."""
        loop = asyncio.get_running_loop()
        writing = Writing(self._name, next(self._numbers), self._process(), self._channel, self._log_rows_kept)
        deadline, pause = loop.time() + PATIENCE_SECONDS, PAUSE_SECONDS
        attempt = Attempt()
        while True:
            try:
                return await self._attempt(transactions, writing, attempt)
            except Dead:
                raise StoreError(TAKEN_FOR_DEAD) from None
            except FAILURES as error:
                self._line.drop()
                if not is_lost(error) and not is_passing(error):
                    raise self._line.failure("write", error) from error
                if loop.time() + pause > deadline:
                    if attempt.outcomes is not None:
                        raise self._line.failure("learn whether a change was stored by", error) from error
                    raise self._line.failure("write", error) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _attempt(
        self, transactions: tuple[Transaction, ...], writing: Writing, attempt: Attempt
    ) -> list[int | Conflict]:
        connection = await self._line.connected()
        await connection.execute(BEGIN)
        try:
            # Whoever wrote before has let go of the state, whether that is stored or not.
            if attempt.outcomes is not None:
                if await connection.fetchval(_SELECT_WRITTEN, writing.writer) == writing.number:
                    await connection.execute(ROLLBACK)
                    return attempt.outcomes
                attempt.outcomes = None
            outcomes = await apply_transactions(connection, transactions, writing)
        except Dead:
            await connection.execute(ROLLBACK)
            raise
        attempt.outcomes = outcomes
        await connection.execute(COMMIT)
        return outcomes


class Attempt:
    """What is known of a group whose commit has had no answer: ``outcomes`` are those it has if it is stored."""

    def __init__(self) -> None:
        self.outcomes: list[int | Conflict] | None = None


def is_passing(error: BaseException) -> bool:
    """Whether it may well go at the next attempt, as nothing was wrong with the group."""
    return isinstance(
        error,
        asyncpg.DeadlockDetectedError | asyncpg.SerializationError | asyncpg.LockNotAvailableError,
    )
