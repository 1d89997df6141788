"""The embedded store: one SQLite file, shared by all processes of one machine.

What is read on the way of a request is read in place, in microseconds; much at once is read in a thread with a
connection of its own. Writes go through :class:`Writer`'s thread. So the event loop waits for nobody who has the file.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import starmap
from pathlib import Path
from typing import TypeVar

import msgspec

from resphere.store.base import (
    LOG_ROWS_KEPT,
    Change,
    Changes,
    Claim,
    Contents,
    Document,
    Journal,
    Keys,
    Liveness,
    Note,
    Snapshot,
    StoreError,
    StoreMissing,
    Transaction,
)
from resphere.store.contents import FolderContents
from resphere.store.keys import KeyFiles
from resphere.store.latest import latest_of
from resphere.store.liveness import LockedFile
from resphere.store.planning import check_form, check_text
from resphere.store.sqlite.gathering import Gathering
from resphere.store.sqlite.group import entries_of_row
from resphere.store.sqlite.lending import Lender
from resphere.store.sqlite.notes import notes_after, notes_of_row
from resphere.store.sqlite.schema import connect, prepare_database, read_document
from resphere.store.sqlite.use import WORKERS, Use, unfinished
from resphere.store.sqlite.writer import Commit, Forgetting, Job, Reservation, Trimming, Writer
from resphere.store.this_process import THIS_PROCESS

T = TypeVar("T")

CHANGES_IN_PLACE = 1_000
"""So many take about 3 ms to read; more are read in a thread."""
NO_TURN = -1

_SELECT_STATE = """
    SELECT sequence, pruned_sequence, noted, before, body FROM state
    LEFT JOIN notes ON number = noted AND noted > ?
"""
_SELECT_DOCUMENTS = "SELECT kind, id, revision, body FROM documents"
_SELECT_JOURNAL = "SELECT number, body, sizes FROM journal WHERE number > ? ORDER BY number"
_SELECT_JOURNAL_ENDS = """
    SELECT
        coalesce((SELECT number - coalesce(json_array_length(sizes), 1) + 1 FROM journal ORDER BY number LIMIT 1), 0),
        coalesce((SELECT max(number) FROM journal), 0)
"""
_SELECT_CLAIMS = "SELECT claim, kind, id FROM claims"

# Earlier changes of a document that is there are left out, as they would show a state that it has no longer.
_SELECT_CHANGES = """
    SELECT l.sequence, l.kind, l.id, d.body
    FROM log AS l LEFT JOIN documents AS d ON d.kind = l.kind AND d.id = l.id
    WHERE l.sequence > ? AND (d.revision IS NULL OR d.revision = l.sequence)
    ORDER BY l.sequence, l.ordinal
    LIMIT ?
"""
NO_LIMIT = -1


class Callers(msgspec.Struct, frozen=True):
    """What those need who call from one event loop."""

    lender: Lender
    gathering: Gathering


def _random_epoch() -> str:
    return secrets.token_hex(16)


class SqliteStore:
    """A :class:`~resphere.store.base.Store` in a SQLite file.

    To be opened and used in one process: a server that forks opens it in each child. It may be used on several event
    loops. All methods raise :class:`StoreError` after :meth:`close`, and in a forked child.
    """

    def __init__(self, path: Path, epoch: str, reader: sqlite3.Connection, writer: Writer, use: Use) -> None:
        """For :meth:`open` only."""
        self._path = path
        self._epoch = epoch
        self._reader = reader
        self._reader_lock = threading.Lock()
        self._writer = writer
        self._use = use
        self._callers: dict[asyncio.AbstractEventLoop, Callers] = {}
        self._process = THIS_PROCESS.pid
        self._closed = False
        self._seen = NO_TURN, 0
        """A turn of the writers', and what SQLite said of its version when that was their last, and over."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        new_epoch: Callable[[], str] = _random_epoch,
        log_rows_kept: int = LOG_ROWS_KEPT,
        make: bool = True,
    ) -> SqliteStore:
        """Open the store in the file ``path``, readable by its owner only.

        ``make``: it is made where it is missing, and its schema brought up where it is an earlier one.
        ``log_rows_kept``: the change log reaches back at least so many changes of documents.

        :raises StoreMissing: it is missing, and not to be made.
        :raises StoreError: the file cannot be used, is no store, or has a schema that this version does not know.
        """
        if not make and not path.exists() and not unfinished(path).exists():
            raise StoreMissing(f"there is no store at {path}")
        try:
            with ExitStack() as stack:
                use = Use(path)
                stack.callback(use.close)
                prepare_database(path, new_epoch if make else None)
                reader = connect(path)
                stack.callback(reader.close)
                reader.execute("PRAGMA query_only = ON")
                (epoch,) = reader.execute("SELECT epoch FROM state").fetchone()
                writer = Writer(path, log_rows_kept)
                stack.pop_all()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot open {path}: {error}") from error
        return cls(path, epoch, reader, writer, use)

    @property
    def epoch(self) -> str:
        self._require_own_process()
        return self._epoch

    def version(self) -> int:
        self._require_open()
        seen, version = self._seen
        if self._writer.turn == seen:
            return version
        with self._reader_lock:
            self._require_open()
            # Taken before SQLite is asked: whatever is committed after that is written in a later turn.
            turn = self._writer.turn
            try:
                version = int(self._reader.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.Error as error:
                raise self._unreadable(error) from error
            if turn % 2 == 0:
                self._seen = turn, version
            return version

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        self._require_open()
        return self._writer.bells.hang(wake)

    async def load(self) -> Snapshot:
        return await self._apart(_read_all)

    async def document(self, kind: str, id: str) -> Document | None:
        with self._reading() as connection:
            return read_document(connection, kind, id)

    async def changes_since(self, sequence: int) -> Changes:
        with self._reading() as connection:
            log = _read_log(connection, sequence, CHANGES_IN_PLACE + 1)
        if len(log.changes) > CHANGES_IN_PLACE:
            log = await self._apart(lambda connection: _read_log(connection, sequence, NO_LIMIT))
        return latest_of(log)

    async def journal(self, after: int, most: int) -> Journal:
        with self._reading() as connection, _snapshot(connection):
            first, last = connection.execute(_SELECT_JOURNAL_ENDS).fetchone()
            entries = _read_journal(connection, after, most) if after < last else ()
            return Journal(first, last, tuple(entries))

    async def trim_journal(self, before: int, most_bytes: int, most: int) -> int:
        self._require_own_process()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        return await self._written(Trimming(before, most_bytes, most, loop, future), future)

    async def forget_notes(self, before: int, through: int = 0) -> int:
        self._require_own_process()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        return await self._written(Forgetting(before, through, loop, future), future)

    async def reserve(self, counter: str, count: int) -> range:
        """See :meth:`Store.reserve`.

        :raises ValueError: ``count`` is below 1, or ``counter`` no valid name.
        """
        self._require_own_process()
        if count < 1:
            raise ValueError(f"cannot reserve {count} numbers")
        check_text(counter)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[range] = loop.create_future()
        return await self._written(Reservation(counter, count, loop, future), future)

    async def commit(self, transaction: Transaction) -> int:
        self._require_own_process()
        check_form(transaction)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        return await self._written(Commit(transaction, loop, future), future)

    async def liveness(self, name: str) -> Liveness:
        """See :meth:`Store.liveness`: a file in ``workers`` beside the database."""
        with self._file_errors():
            return await asyncio.to_thread(LockedFile, self._path.parent / WORKERS, name)

    async def contents(self, collection: str, liveness: Liveness) -> Contents:
        """See :meth:`Store.contents`: a folder of that name beside the database."""
        folder = self._path.parent / collection
        with self._file_errors():
            return await asyncio.to_thread(FolderContents, folder, liveness.name, liveness.is_alive)

    @property
    def keys(self) -> Keys:
        """See :attr:`Store.keys`: files beside the database."""
        self._require_open()
        return KeyFiles(self._path.parent, secrets.token_bytes)

    async def claims(self) -> tuple[Claim, ...]:
        return await self._apart(_read_claims)

    async def compact(self) -> None:
        self._require_open()
        await asyncio.to_thread(self._compact)

    def _compact(self) -> None:
        try:
            connection = connect(self._path)
            try:
                connection.execute("VACUUM")
                # What was written over is in the log of writes still, until that is emptied.
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StoreError(f"cannot compact {self._path}: {error}") from error

    async def close(self) -> None:
        self._require_own_process()
        with self._reader_lock:
            if not self._closed:
                self._closed = True
                self._reader.close()
        self._callers_of(asyncio.get_running_loop()).gathering.hand_over()
        self._writer.finish()
        await asyncio.to_thread(self._writer.join)
        self._use.close()

    async def _written(self, job: Job, future: asyncio.Future[T]) -> T:
        """What the writer's thread makes of ``job``."""
        self._writer.require_open()
        callers = self._callers_of(job.loop)
        callers.gathering.add(job)
        with callers.lender:
            return await future

    async def _apart(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Read in a thread, so that neither the event loop waits nor others for the connection."""
        self._require_open()
        with self._callers_of(asyncio.get_running_loop()).lender:
            return await asyncio.to_thread(self._read_apart, read)

    def _read_apart(self, read: Callable[[sqlite3.Connection], T]) -> T:
        with self._as_store_errors():
            connection = connect(self._path)
            try:
                connection.execute("PRAGMA query_only = ON")
                return read(connection)
            finally:
                connection.close()

    def _require_open(self) -> None:
        self._require_own_process()
        if self._closed:
            raise StoreError(f"{self._path} is closed")

    def _require_own_process(self) -> None:
        if THIS_PROCESS.pid != self._process:
            raise StoreError(f"{self._path} was opened by process {self._process}; a forked one must open it anew")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._reader_lock:
            self._require_open()
            with self._as_store_errors():
                yield self._reader

    @contextmanager
    def _as_store_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: sqlite3.Error) -> StoreError:
        return StoreError(f"cannot read {self._path}: {error}")

    @contextmanager
    def _file_errors(self) -> Iterator[None]:
        self._require_open()
        try:
            yield
        except OSError as error:
            raise StoreError(f"cannot use the folder of {self._path}: {error}") from error

    def _callers_of(self, loop: asyncio.AbstractEventLoop) -> Callers:
        callers = self._callers.get(loop)
        if callers is None:
            self._callers = {old: kept for old, kept in self._callers.items() if not old.is_closed()}
            callers = self._callers[loop] = Callers(Lender(loop), Gathering(loop, self._writer.submit))
        return callers


def _read_all(connection: sqlite3.Connection) -> Snapshot:
    with _snapshot(connection):
        (sequence,) = connection.execute("SELECT sequence FROM state").fetchone()
        documents = tuple(starmap(Document, connection.execute(_SELECT_DOCUMENTS)))
        return Snapshot(sequence, documents, read_notes(connection, 0))


def read_notes(connection: sqlite3.Connection, after: int) -> tuple[Note, ...]:
    """All that was noted after a sequence."""
    return tuple([note for _, note in notes_after(connection, after)])


def _read_journal(connection: sqlite3.Connection, after: int, most: int) -> list[tuple[int, bytes]]:
    """The first entries after a number; what follows them is not read."""
    entries: list[tuple[int, bytes]] = []
    with closing(connection.execute(_SELECT_JOURNAL, (after,))) as rows:
        for row in rows:
            if len(entries) >= most:
                break
            entries += [entry for entry in entries_of_row(*row) if entry[0] > after]
    return entries[:most]


def _read_claims(connection: sqlite3.Connection) -> tuple[Claim, ...]:
    return tuple(starmap(Claim, connection.execute(_SELECT_CLAIMS)))


def _read_log(connection: sqlite3.Connection, sequence: int, most: int) -> Changes:
    """The first ``most`` changes after ``sequence``; of documents that are gone, earlier ones come along."""
    with _snapshot(connection):
        current, pruned, noted, noted_before, body = connection.execute(_SELECT_STATE, (sequence,)).fetchone()
        if not pruned <= sequence <= current:
            return Changes(current, (), complete=False)
        if sequence == current:
            return Changes(current, ())
        changes = tuple(starmap(Change, connection.execute(_SELECT_CHANGES, (sequence, most))))
        notes: tuple[Note, ...] = ()
        if noted > sequence:
            # There is mostly one row, or none any more.
            several = body is None or noted_before > sequence
            notes = read_notes(connection, sequence) if several else notes_of_row(body, sequence)
        return Changes(current, changes, notes=notes)


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything read within is of one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:  # some errors have ended it
            connection.execute("COMMIT")
