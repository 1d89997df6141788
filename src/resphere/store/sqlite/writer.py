"""The thread that writes: takes what callers handed in, commits it as one group, and gives each its answer.

While one group is flushed to disk the next one gathers, so the number of commits a second grows with the number of
callers. Groups of several processes follow one another through the writer's lock.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import cast

import msgspec

from resphere.store.base import StoreError, Transaction
from resphere.store.sqlite.bells import Bells
from resphere.store.sqlite.group import apply_transactions, take_numbers, trim_journal
from resphere.store.sqlite.notes import LatestNotes, forget_notes, prepare_noting
from resphere.store.sqlite.schema import WriterLock, connect

logger = logging.getLogger(__name__)

# Other processes wait while a group is written: it shall not grow without bound, but for what comes together.
MAXIMUM_GROUP = 1000


class Commit(msgspec.Struct, frozen=True):
    """A transaction, and the future that a caller of ``loop`` awaits."""

    transaction: Transaction
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[int]


class Reservation(msgspec.Struct, frozen=True):
    """Numbers of a counter, and the future that a caller of ``loop`` awaits."""

    counter: str
    count: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[range]


class Trimming(msgspec.Struct, frozen=True):
    """How the journal is to be trimmed, and the future that a caller of ``loop`` awaits."""

    before: int
    most_bytes: int
    most: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[int]


class Forgetting(msgspec.Struct, frozen=True):
    """Which notes are to be forgotten, and the future that a caller of ``loop`` awaits."""

    before: int
    through: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[int]


Job = Commit | Reservation | Trimming | Forgetting
Result = int | range | Exception


class Writer:
    """One writing connection with its thread. Everything public may be called from any thread."""

    def __init__(self, path: Path, log_rows_kept: int) -> None:
        """:raises sqlite3.Error: the file cannot be used. :raises OSError: nor can the lock's."""
        self._path = path
        self._log_rows_kept = log_rows_kept
        self._queue: queue.SimpleQueue[Sequence[Job] | None] = queue.SimpleQueue()
        self._latest_notes = LatestNotes()
        self._gate = threading.Lock()
        self._closed = False
        with ExitStack() as stack:
            self._lock = WriterLock(path)
            stack.callback(self._lock.close)
            self.bells = Bells(path, self._lock)
            stack.callback(self.bells.close)
            self._connection = connect(path)
            stack.callback(self._connection.close)
            prepare_noting(self._connection)
            self._resources = stack.pop_all()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def turn(self) -> int:
        """The number of the present writer's turn, of any process: see :class:`WriterLock`. Until :meth:`finish`."""
        return self._lock.turn

    def submit(self, jobs: Sequence[Job]) -> None:
        """Hand ``jobs`` in, which are written together; their futures get the results.

        :raises StoreError: the writer is closed.
        """
        with self._gate:
            self._require_open()
            self._queue.put(jobs)

    def require_open(self) -> None:
        """:raises StoreError: the writer is closed."""
        with self._gate:
            self._require_open()

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self._path} is closed")

    def finish(self) -> None:
        """Take nothing more; what was handed in is still done."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)

    def join(self) -> None:
        """Wait until all is done and the connection is closed."""
        self._thread.join()

    def _run(self) -> None:
        with self._resources:
            more = True
            while more:
                more = self._serve_group()

    def _serve_group(self) -> bool:
        """Wait for jobs and do them; false when there will be no more."""
        first = self._queue.get()
        if first is None:
            return False
        jobs: list[Job] = [*first]
        results: list[Result]
        more = True
        try:
            with self._lock.held():
                # Only now: while this process waited for its turn, more has come.
                more = self._gather(jobs)
                results = self._store(jobs)
        except Exception as error:
            # Whatever it was, the group is not stored, and its callers must hear it: the next one may succeed.
            if not isinstance(error, sqlite3.Error | OSError):
                logger.exception("unforeseen error while writing %s", self._path)
            results = [self._failure(error) for _ in jobs]
        _answer(jobs, results)
        if any(isinstance(result, int) for result in results):
            self.bells.ring()
        return more

    def _failure(self, error: Exception) -> StoreError:
        failure = StoreError(f"cannot write {self._path}: {error}")
        failure.__cause__ = error
        return failure

    def _gather(self, jobs: list[Job]) -> bool:
        while len(jobs) < MAXIMUM_GROUP:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return False
            jobs += more
        return True

    def _store(self, jobs: list[Job]) -> list[Result]:
        """Everything or, with an exception, nothing of ``jobs`` is on disk afterwards, but for refused transactions."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            transactions = [job.transaction for job in jobs if isinstance(job, Commit)]
            applied = (
                apply_transactions(connection, transactions, self._log_rows_kept, self._latest_notes)
                if transactions
                else None
            )
            outcomes = iter(applied.outcomes if applied is not None else ())
            results: list[Result] = [
                next(outcomes) if isinstance(job, Commit) else _do(connection, job) for job in jobs
            ]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if applied is not None and applied.plan.notes:
            self._latest_notes.written(applied.plan.notes, applied.noted_before)
        return results


def _do(connection: sqlite3.Connection, job: Reservation | Trimming | Forgetting) -> Result:
    if isinstance(job, Reservation):
        return take_numbers(connection, job.counter, job.count)
    if isinstance(job, Forgetting):
        return forget_notes(connection, job.before, job.through)
    return trim_journal(connection, job.before, job.most_bytes, job.most)


def _answer(jobs: list[Job], results: list[Result]) -> None:
    # One call a loop and not one a caller: each wakes the loop up.
    answers: dict[asyncio.AbstractEventLoop, list[tuple[Job, Result]]] = {}
    for job, result in zip(jobs, results, strict=True):
        answers.setdefault(job.loop, []).append((job, result))
    for loop, answered in answers.items():
        # The loop may have ended, and its callers with it.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, answered)


def _settle(answers: list[tuple[Job, Result]]) -> None:
    for job, result in answers:
        if job.future.done():
            continue  # its caller was cancelled
        if isinstance(result, Exception):
            job.future.set_exception(result)
        elif isinstance(job, Reservation):
            job.future.set_result(cast(range, result))
        else:
            job.future.set_result(cast(int, result))
