"""The store itself: see :class:`resphere.store.base.Store`."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from itertools import starmap
from typing import Final, TypeVar

import asyncpg
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
    Transaction,
)
from resphere.store.contents import FolderContents
from resphere.store.keys import KeyFiles
from resphere.store.latest import latest_of
from resphere.store.planning import check_form, check_text
from resphere.store.postgresql.line import Line
from resphere.store.postgresql.listening import Listening, channel_of
from resphere.store.postgresql.place import Place
from resphere.store.postgresql.processes import Beating, Processes
from resphere.store.postgresql.schema import one_row, prepare
from resphere.store.postgresql.writer import Writer
from resphere.store.this_process import THIS_PROCESS

T = TypeVar("T")

PATIENCE_TO_OPEN_SECONDS = 5.0
FETCHED_AT_ONCE = 5_000
NOTES_FORGOTTEN_AT_ONCE = 500
TABLES = ("documents", "claims", "log", "takings", "notes", "journal")

SNAPSHOT: Final = "repeatable_read"
"""Everything read within such a transaction is of one moment."""

# One statement, so that all it tells is of one moment; earlier changes of a document that is there are left out, as
# they would show a state that it has no longer.
_SELECT_CHANGES = """
    SELECT s.sequence, s.pruned_sequence, s.noted, s.processes, l.sequence, l.kind, l.id, d.body
    FROM state AS s
    LEFT JOIN log AS l ON l.sequence > $1 AND s.pruned_sequence <= $1
    LEFT JOIN documents AS d ON d.kind = l.kind AND d.id = l.id
    WHERE l.sequence IS NULL OR d.revision IS NULL OR d.revision = l.sequence
    ORDER BY l.sequence, l.ordinal
"""
_SELECT_NOTES = "SELECT id, at, body FROM notes WHERE sequence > $1 AND sequence <= $2 ORDER BY sequence, ordinal"
_SELECT_STATE = "SELECT sequence, processes FROM state"
_SELECT_DOCUMENTS = "SELECT kind, id, revision, body FROM documents"
_SELECT_DOCUMENT = f"{_SELECT_DOCUMENTS} WHERE kind = $1 AND id = $2"
_SELECT_JOURNAL = """
    SELECT s.journal_number, (SELECT min(number) FROM journal), j.number, j.body
    FROM state AS s LEFT JOIN (SELECT number, body FROM journal WHERE number > $1 ORDER BY number LIMIT $2) AS j ON true
    ORDER BY j.number
"""
# The latest stays: `number` goes on from it.
_TRIM_JOURNAL = """
    WITH ends AS (SELECT min(number) AS first, max(number) AS last, max(total_bytes) AS total FROM journal),
    kept AS (
        SELECT min(number) AS number FROM journal, ends
        WHERE number >= least(first + $3, last) OR (at >= $1 AND total_bytes > total - $2)
    ), gone AS (DELETE FROM journal USING kept WHERE journal.number < kept.number RETURNING 1)
    SELECT count(*) FROM gone
"""
_FORGET_NOTES = """
    WITH kept AS (SELECT min(sequence) AS sequence FROM notes WHERE at >= $1 AND sequence > $2),
    oldest AS (
        SELECT notes.sequence FROM notes, kept WHERE kept.sequence IS NULL OR notes.sequence < kept.sequence
        ORDER BY notes.sequence LIMIT $3
    ), gone AS (
        DELETE FROM notes WHERE sequence <= (SELECT max(sequence) FROM oldest) RETURNING 1
    )
    SELECT count(*) FROM gone
"""
_RESERVE = """
    INSERT INTO counters (name, next) VALUES ($1, 1 + $2::bigint)
    ON CONFLICT (name) DO UPDATE SET next = counters.next + $2::bigint
    RETURNING next
"""
_SELECT_CLAIMS = "SELECT claim, kind, id FROM claims"


class Caller(msgspec.Struct, frozen=True):
    """What those need who call from one event loop: a connection to read with, one to write, one to hear with."""

    reading: Line
    writing: Line
    hearing: Line
    writer: Writer
    listening: Listening


def _random_epoch() -> str:
    return secrets.token_hex(16)


class PostgresqlStore:
    """A :class:`~resphere.store.base.Store` in a schema of a PostgreSQL database.

    To be opened and used in one process: a server that forks opens it in each child. It may be used on several event
    loops, each of which closes it at its end. All methods raise :class:`StoreError` after :meth:`close`, and in a
    forked child. Where the database is away for a while, they wait.
    """

    def __init__(self, place: Place, epoch: str, log_rows_kept: int) -> None:
        """For :meth:`open` only."""
        self._place = place
        self._epoch = epoch
        self._log_rows_kept = log_rows_kept
        self._processes = Processes()
        self._callers: dict[asyncio.AbstractEventLoop, Caller] = {}
        self._process = THIS_PROCESS.pid
        self._closed = False

    @classmethod
    async def open(
        cls,
        place: Place,
        *,
        new_epoch: Callable[[], str] = _random_epoch,
        log_rows_kept: int = LOG_ROWS_KEPT,
        make: bool = True,
    ) -> PostgresqlStore:
        """Open the store; ``make``: it is made where it is missing.

        :raises StoreMissing: it is missing, and not to be made.
        :raises StoreError: the database cannot be used, or the store has a schema that this version does not know.
        """
        store = cls(place, "", log_rows_kept)
        try:
            store._epoch = await store._caller().reading.ask(
                lambda connection: prepare(connection, place, new_epoch if make else None),
                doing="open",
                patience_seconds=PATIENCE_TO_OPEN_SECONDS,
            )
        except BaseException:
            await store._caller().reading.close()
            raise
        return store

    @property
    def epoch(self) -> str:
        self._require_own_process()
        return self._epoch

    def version(self) -> None:
        self._require_open()

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        return self._caller().listening.add(wake)

    async def load(self) -> Snapshot:
        return await self._apart(self._read_all)

    async def document(self, kind: str, id: str) -> Document | None:
        row = await self._read(lambda connection: connection.fetchrow(_SELECT_DOCUMENT, kind, id))
        return None if row is None else Document(*row)

    async def changes_since(self, sequence: int) -> Changes:
        return await self._read(lambda connection: self._read_changes(connection, sequence))

    async def journal(self, after: int, most: int) -> Journal:
        rows = await self._read(lambda connection: connection.fetch(_SELECT_JOURNAL, after, most))
        last, first = rows[0][0], rows[0][1]
        return Journal(first or 0, last, tuple([(number, body) for *_, number, body in rows if number is not None]))

    async def trim_journal(self, before: int, most_bytes: int, most: int) -> int:
        gone: int = await self._read(lambda connection: connection.fetchval(_TRIM_JOURNAL, before, most_bytes, most))
        return gone

    async def forget_notes(self, before: int, through: int = 0) -> int:
        forgotten: int = await self._read(
            lambda connection: connection.fetchval(_FORGET_NOTES, before, through, NOTES_FORGOTTEN_AT_ONCE)
        )
        return forgotten

    async def reserve(self, counter: str, count: int) -> range:
        """See :meth:`Store.reserve`. Where the connection is lost meanwhile, numbers may be gone.

        :raises ValueError: ``count`` is below 1, or ``counter`` no valid name.
        """
        self._require_own_process()
        if count < 1:
            raise ValueError(f"cannot reserve {count} numbers")
        check_text(counter)
        end: int = await self._read(lambda connection: connection.fetchval(_RESERVE, counter, count))
        return range(end - count, end)

    async def commit(self, transaction: Transaction) -> int:
        self._require_open()
        check_form(transaction)
        return await self._caller().writer.commit(transaction)

    async def liveness(self, name: str) -> Liveness:
        """See :meth:`Store.liveness`: a row that says every second that the process is there."""
        liveness = Beating(name, self._caller().hearing, self._processes)
        await liveness.begin()
        return liveness

    async def contents(self, collection: str, liveness: Liveness) -> Contents:
        """See :meth:`Store.contents`: a folder of that name in the one that all servers share."""
        folder = self._place.needed_folder / collection
        try:
            return await asyncio.to_thread(FolderContents, folder, liveness.name, liveness.is_alive)
        except OSError as error:
            raise StoreError(f"cannot use the folder of {self._place.shown}: {error}") from error

    @property
    def keys(self) -> Keys:
        """See :attr:`Store.keys`: files in the folder that all servers share."""
        self._require_open()
        return KeyFiles(self._place.needed_folder, secrets.token_bytes)

    async def claims(self) -> tuple[Claim, ...]:
        return tuple(starmap(Claim, await self._apart(lambda connection: connection.fetch(_SELECT_CLAIMS))))

    async def compact(self) -> None:
        await self._apart(lambda connection: connection.execute(f"VACUUM (FULL) {', '.join(TABLES)}"))

    async def close(self) -> None:
        self._require_own_process()
        caller = self._callers.pop(asyncio.get_running_loop(), None)
        self._closed = True
        if caller is not None:
            await caller.listening.close()
            await caller.writer.close()
            for line in (caller.reading, caller.writing, caller.hearing):
                await line.close()

    async def _read_all(self, connection: asyncpg.Connection) -> Snapshot:
        async with connection.transaction(isolation=SNAPSHOT, readonly=True):
            sequence, processes = await one_row(connection, _SELECT_STATE)
            await self._processes.learn(connection, processes)
            documents: list[Document] = []
            cursor = await connection.cursor(_SELECT_DOCUMENTS)
            while rows := await cursor.fetch(FETCHED_AT_ONCE):
                documents += starmap(Document, rows)
            notes = tuple(starmap(Note, await connection.fetch(_SELECT_NOTES, 0, sequence)))
        return Snapshot(sequence, documents, notes)

    async def _read_changes(self, connection: asyncpg.Connection, sequence: int) -> Changes:
        rows = await connection.fetch(_SELECT_CHANGES, sequence)
        current, pruned, noted, processes = rows[0][:4]
        await self._processes.learn(connection, processes)
        if not pruned <= sequence <= current:
            return Changes(current, (), complete=False)
        if sequence == current:
            return Changes(current, ())
        changes = tuple([Change(*row[4:]) for row in rows if row[4] is not None])
        notes = await connection.fetch(_SELECT_NOTES, sequence, current) if noted > sequence else []
        return latest_of(Changes(current, changes, notes=tuple(starmap(Note, notes))))

    async def _read(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        return await self._caller().reading.ask(work)

    async def _apart(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """On a connection of its own, so that nobody waits for one."""
        self._require_open()
        line = Line(self._place)
        try:
            return await line.ask(work)
        finally:
            await line.close()

    def _require_open(self) -> None:
        self._require_own_process()
        if self._closed:
            raise StoreError(f"the store at {self._place.shown} is closed")

    def _require_own_process(self) -> None:
        if THIS_PROCESS.pid != self._process:
            raise StoreError(
                f"the store at {self._place.shown} was opened by process {self._process}; "
                "a forked one must open it anew"
            )

    def _caller(self) -> Caller:
        self._require_open()
        loop = asyncio.get_running_loop()
        caller = self._callers.get(loop)
        if caller is None:
            self._callers = {old: kept for old, kept in self._callers.items() if not old.is_closed()}
            caller = self._callers[loop] = self._new_caller()
        return caller

    def _new_caller(self) -> Caller:
        channel = channel_of(self._place)
        reading, writing, hearing = Line(self._place), Line(self._place), Line(self._place)
        name = secrets.token_hex(16)
        writer = Writer(writing, name, channel, self._log_rows_kept, lambda: self._processes.own)
        return Caller(reading, writing, hearing, writer, Listening(hearing, channel))
