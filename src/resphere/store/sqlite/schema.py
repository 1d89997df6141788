"""The SQLite file: its tables, its making, and how a connection to it is opened."""

from __future__ import annotations

import fcntl
import mmap
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from resphere.store.base import Document, StoreError
from resphere.store.keys import SUFFIX as KEY_SUFFIX

APPLICATION_ID = 0x52535048  # "RSPH"
SCHEMA_VERSION = 4
OLDEST_SCHEMA_VERSION = 1

# Another process may hold the file for as long as it recovers or checkpoints it.
BUSY_TIMEOUT_SECONDS = 30.0
TURN, LISTENERS = 0, 1
"""The words that all processes share."""
SHARED_BYTES = 16

TAKINGS = """
    takings (
        sequence INTEGER NOT NULL,
        name TEXT NOT NULL,
        amount INTEGER NOT NULL,
        PRIMARY KEY (sequence, name)
    ) WITHOUT ROWID
"""
# A row has entries that were added together: `number` is that of the last of them, `at` the latest of their times,
# `body` all of them, and `sizes` how long each is, as a JSON array; NULL: as earlier releases wrote it, one entry.
# The latest row always stays: it says which number is next. `total_bytes` are those of its body and all before it.
JOURNAL = """
    journal (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, total_bytes INTEGER NOT NULL, body BLOB NOT NULL)
"""
# A row has the notes that were written together, in MessagePack, each with the sequence of its transaction: `number`
# is that of the last transaction of the group, `at` the latest of the notes' times, `before` the `number` of the row
# before it. `state.noted` is that of the last row, so that whoever reads what is new gets it along.
NOTES = """
    notes (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, before INTEGER NOT NULL, body BLOB NOT NULL)
"""
NOTED = "ALTER TABLE state ADD COLUMN noted INTEGER NOT NULL DEFAULT 0"
SIZES = "ALTER TABLE journal ADD COLUMN sizes TEXT"
# `documents` has a number as its key and not (kind, id): measured, rows of 2 KB in a tree by (kind, id) spill into
# overflow pages, and updates take twice as long.
# `log` has no bodies: a change is read from the document as it is now. A row outlives the document it names.
TABLES = (
    """
    CREATE TABLE state (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        epoch TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        log_rows INTEGER NOT NULL,
        pruned_sequence INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE documents (
        number INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (kind, id)
    )
    """,
    """
    CREATE TABLE log (
        sequence INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (sequence, ordinal)
    ) WITHOUT ROWID
    """,
    "CREATE TABLE claims (claim TEXT PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX claims_by_document ON claims (kind, id)",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
    f"CREATE TABLE {TAKINGS}",
    f"CREATE TABLE {JOURNAL}",
    SIZES,
    f"CREATE TABLE {NOTES}",
    NOTED,
)
STEPS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        # Some releases that wrote schema 1 had this table already.
        2: (f"CREATE TABLE IF NOT EXISTS {TAKINGS}",),
        3: (f"CREATE TABLE {JOURNAL}",),
        4: (SIZES, f"CREATE TABLE {NOTES}", NOTED),
    }
)
"""What makes each schema of the one before. Releases that know schema 1 only mind neither takings nor the form of
documents, those that know schema 2 write no journal, and those that know schema 3 take a row of it for one entry and
know nothing of notes: so they must not open a later one."""


class WriterLock:
    """The lock that one writer of all processes holds at a time, in a file beside the database.

    SQLite's own lock is asked for again and again with sleeps between; this one wakes the next in line.

    The file's first eight bytes, which all processes map, number the writers' turns: odd while one writes (or was
    killed while it did), even when nobody does. So readers see for a fraction of a microsecond that nothing can have
    been committed, where SQLite takes five. The next eight are others whenever there is somebody new to be told of
    commits. They say nothing that must last: a machine that starts again starts anew.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(f"{database.name}-writer.lock")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(self._descriptor).st_size < SHARED_BYTES:
                self._write_zeros()
            self._memory = mmap.mmap(self._descriptor, SHARED_BYTES)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._words = memoryview(self._memory).cast("Q")  # read and written in one go, unlike with `struct`

    def _write_zeros(self) -> None:
        """Written and not merely promised: on a full disk, whoever writes where a mapped file has a hole is killed."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            size_bytes = os.fstat(self._descriptor).st_size
            if size_bytes < SHARED_BYTES:
                os.pwrite(self._descriptor, bytes(SHARED_BYTES - size_bytes), size_bytes)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    @property
    def turn(self) -> int:
        """The number of the turn: where it is even and the same as before, nobody has written in between."""
        return self._words[TURN]

    @property
    def listeners(self) -> int:
        """Another number than before where somebody new is to be told of commits, and may be where nobody is."""
        return self._words[LISTENERS]

    @listeners.setter
    def listeners(self, number: int) -> None:
        self._words[LISTENERS] = number

    @contextmanager
    def held(self) -> Iterator[None]:
        """A turn of one's own."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            writing = self._words[TURN] = self._words[TURN] | 1
            try:
                yield
            finally:
                self._words[TURN] = writing + 1
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        self._words.release()
        self._memory.close()
        os.close(self._descriptor)


def prepare_database(path: Path, new_epoch: Callable[[], str] | None) -> None:
    """See that there is a database that this version can use: make one where there is none yet, bring one of an
    earlier schema up; ``None``: do neither.

    ``new_epoch`` is called only if it is made. Several processes may call this at once.

    :raises StoreError: it is not a store, of another schema, or has lost what was in it.
    :raises sqlite3.Error: SQLite cannot use the file.
    :raises OSError: the file cannot be made.
    """
    with ExitStack() as stack:
        lock = WriterLock(path)
        stack.callback(lock.close)
        stack.enter_context(lock.held())
        if not path.exists() or path.stat().st_size == 0:
            # Before SQLite sees it, which deletes the log of an empty file.
            _require_never_filled(path)
        if new_epoch is not None:
            _create_file(path)
        connection = _connect(path)
        stack.callback(connection.close)
        if new_epoch is None:
            if require_known_schema(connection, path) != SCHEMA_VERSION:
                raise StoreError(
                    f"{path} was written by an earlier release; resphere serve brings it to the present one"
                )
        elif not _is_empty(connection):
            _bring_up(connection, require_known_schema(connection, path))
        else:
            _require_never_filled(path)
            _configure(connection, path)
            _create_tables(connection, new_epoch())


def _require_never_filled(path: Path) -> None:
    """Refuse an empty database beside keys: they are made when its tables are on disk, so it has lost them.

    :raises StoreError: says what can be done.
    """
    key = next(path.parent.glob(f"*{KEY_SUFFIX}"), None)
    if key is not None:
        state = "empty" if path.exists() else "missing"
        raise StoreError(
            f"{path} is {state}, but {key.name} beside it shows that there was a store: "
            f"put a copy of it in its place, or delete {key.name} to begin anew"
        )


def connect(path: Path) -> sqlite3.Connection:
    """A connection to an existing database that flushes to disk at each commit.

    Transactions are begun and ended by statements. Usable from any thread, by one at a time.

    :raises StoreError: the file system cannot hold it.
    :raises sqlite3.Error: SQLite cannot use the file.
    """
    connection = _connect(path)
    try:
        _configure(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    """A connection that has not touched the file: it may be somebody else's."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if journal != "wal":
        raise StoreError(f"{path} must be on a local file system: this one has no memory that processes can share")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone leaves the data in the drive's cache
    connection.execute("PRAGMA cache_size = -16000")  # KiB
    # A checkpoint stops the writer for some 15 ms: one each 16 MiB of log instead of 4.
    connection.execute("PRAGMA wal_autocheckpoint = 4000").close()
    connection.execute("PRAGMA journal_size_limit = 67108864").close()
    # Some builds overwrite what is deleted; only where that writes no page more.
    connection.execute("PRAGMA secure_delete = FAST").close()


def _create_file(path: Path) -> None:
    """Make an empty file that only its owner may read, and make the directory entry durable.

    An existing file is not even opened: closing it would drop the locks that SQLite holds on it in this process.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _is_empty(connection: sqlite3.Connection) -> bool:
    # Also what a process leaves that is killed between making the file and its tables.
    return _number(connection, "SELECT count(*) FROM sqlite_master") == 0 and _marks(connection) == (0, 0)


def _create_tables(connection: sqlite3.Connection, epoch: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(
        "INSERT INTO state (only_row, epoch, sequence, log_rows, pruned_sequence) VALUES (1, ?, 0, 0, 0)", (epoch,)
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _bring_up(connection: sqlite3.Connection, version: int) -> None:
    if version == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    for number in range(version + 1, SCHEMA_VERSION + 1):
        for statement in STEPS[number]:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def require_known_schema(connection: sqlite3.Connection, place: Path | str) -> int:
    """The schema of the store, which is this version's own or an earlier one.

    :raises StoreError: it is no store, or of a newer schema.
    """
    application, version = _marks(connection)
    if application != APPLICATION_ID:
        raise StoreError(f"{place} is a database, but not one of resphere")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{place} was made by a newer resphere: it has schema {version}, this one knows up to {SCHEMA_VERSION}"
        )
    if version < OLDEST_SCHEMA_VERSION:
        raise StoreError(f"{place} has the unknown schema {version}")
    return version


def read_document(connection: sqlite3.Connection, kind: str, id: str) -> Document | None:
    """One document."""
    row = connection.execute(
        "SELECT kind, id, revision, body FROM documents WHERE kind = ? AND id = ?", (kind, id)
    ).fetchone()
    return None if row is None else Document(*row)


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    return _number(connection, "PRAGMA application_id"), _number(connection, "PRAGMA user_version")


def _number(connection: sqlite3.Connection, statement: str) -> int:
    (value,) = connection.execute(statement).fetchone()
    return int(value)
