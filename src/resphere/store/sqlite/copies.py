"""Copies of a store in a SQLite file: the database by SQLite's own online copy, contents and keys as files.

The moment of a copy is one at which no other process commits: then the database is held as it is, and every content in
the folders under a further name. All that a document names is there at that moment, as contents are durable before the
transaction that names them, and deleted after the one that names them no more. What is copied afterwards keeps nobody
waiting.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

import msgspec

from resphere.store.base import Document, StoreError, StoreMissing
from resphere.store.copies import CopiedFile, Extent, Sizes
from resphere.store.files import sync_folder, sync_tree
from resphere.store.held import contents_bytes, held_contents, holder_name, kept_keys
from resphere.store.keys import key_file
from resphere.store.liveness import LockedFile
from resphere.store.sqlite.schema import WriterLock, connect, read_document, require_known_schema
from resphere.store.sqlite.use import WORKERS, Use, sole_use, unfinished

DATABASE = "database.db"
"""What the database is called in a copy, whatever the file was called."""

_SELECT_STATE = "SELECT epoch, sequence FROM state"
# The log goes: who asks for what has changed since any earlier sequence must load afresh.
_GO_ON = "UPDATE state SET sequence = max(sequence, ?), pruned_sequence = max(sequence, ?), log_rows = 0"
_FORGET = "DELETE FROM log"
_FORGET_JOURNAL = "DELETE FROM journal WHERE number < (SELECT max(number) FROM journal)"
_SELECT_JOURNAL_BYTES = "SELECT coalesce(max(total_bytes) - min(total_bytes), 0) FROM journal"


class SqliteCopy(msgspec.Struct, frozen=True):
    """A :class:`~resphere.store.copies.Copy`, with its database at ``path``."""

    path: Path
    schema: int
    epoch: str
    sequence: int
    files: tuple[CopiedFile, ...]

    async def document(self, kind: str, id: str) -> Document | None:
        return await asyncio.to_thread(self._document, kind, id)

    def _document(self, kind: str, id: str) -> Document | None:
        with closing(_open_copy(self.path, "ro")) as connection:
            return read_document(connection, kind, id)

    async def forget_journal(self) -> None:
        await asyncio.to_thread(self._forget_journal)

    def _forget_journal(self) -> None:
        with _told(f"cannot copy {self.path}"), closing(_open_copy(self.path, "rw")) as connection:
            connection.execute("PRAGMA journal_mode = OFF").close()
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_FORGET_JOURNAL)
            # What was deleted lies in free pages until then.
            connection.execute("VACUUM")


@asynccontextmanager
async def copying(path: Path, folder: Path, extent: Extent) -> AsyncIterator[SqliteCopy]:
    """See :meth:`resphere.store.engine.Engine.copying`."""
    with ExitStack() as stack:
        with _told(f"cannot copy {path}"):
            copy = await asyncio.to_thread(_copy, path, folder, extent, stack)
        yield copy


def _copy(path: Path, folder: Path, extent: Extent, stack: ExitStack) -> SqliteCopy:
    """Copy the database into ``folder``; ``stack`` gives up what is held of the rest."""
    if not path.exists() and not unfinished(path).exists():
        raise StoreMissing(f"there is no store at {path}")
    stack.callback(Use(path).close)
    sign = LockedFile(path.parent / WORKERS, holder_name())
    stack.callback(sign.end)
    with closing(connect(path)) as connection:
        schema = require_known_schema(connection, path)
        with closing(WriterLock(path)) as lock, lock.held():
            connection.execute("BEGIN")
            epoch, sequence = connection.execute(_SELECT_STATE).fetchone()
            held = held_contents(path.parent, extent, sign.name, sign.is_alive, stack)
        _copy_database(connection, folder / DATABASE)
        connection.execute("COMMIT")
    files = (CopiedFile(DATABASE, folder / DATABASE), *kept_keys(path.parent, extent), *held)
    return SqliteCopy(folder / DATABASE, schema, epoch, sequence, files)


def _copy_database(connection: sqlite3.Connection, to: Path) -> None:
    os.close(os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(_open_copy(to, "rw")) as target:
        # Nothing of it need last, nor be whole, before it is in an archive.
        target.execute("PRAGMA journal_mode = OFF").close()
        target.execute("PRAGMA synchronous = OFF")
        connection.backup(target)


def _open_copy(path: Path, mode: str) -> sqlite3.Connection:
    """A connection to a database that nobody else has open; no files come to lie beside it where it is read only."""
    immutable = "&immutable=1" if mode == "ro" else ""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}{immutable}", uri=True, isolation_level=None, check_same_thread=False
    )


class SqlitePlacing:
    """A :class:`~resphere.store.copies.Placing`: the copy's files gather in a folder beside the database."""

    def __init__(self, path: Path, extent: Extent) -> None:
        self.folder = unfinished(path)
        self.replaces = path.exists() or unfinished(path).exists()
        self._path = path
        self._extent = extent
        self._begun = False

    async def begin(self) -> None:
        await asyncio.to_thread(self._check)
        self._begun = True

    async def finish(self, sequence: int, without: Collection[str], *, journal: bool = True) -> None:
        await asyncio.to_thread(self._finish, sequence, without, journal)

    def _check(self) -> None:
        with _told(f"cannot restore {self._path}"), closing(self._opened()) as connection:
            require_known_schema(connection, f"cannot restore {self._path}: the database in the backup")
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(1)")]
            if found != ["ok"]:
                raise StoreError(f"cannot restore {self._path}: the database in the backup is damaged: {found[0]}")

    def _finish(self, sequence: int, without: Collection[str], journal: bool) -> None:
        with _told(f"cannot restore {self._path}"):
            with closing(self._opened()) as connection:
                self._change(connection, sequence, without, journal)
            sync_tree(self.folder)
            self._clear()
            for collection in self._extent.collections:
                if (self.folder / collection).is_dir():
                    (self.folder / collection).rename(self._path.parent / collection)
            for name in self._extent.keys:
                if key_file(self.folder, name).exists():
                    key_file(self.folder, name).rename(key_file(self._path.parent, name))
            (self.folder / DATABASE).rename(self._path)
            sync_folder(self._path.parent)
            shutil.rmtree(self.folder)
            sync_folder(self._path.parent)

    def _opened(self) -> sqlite3.Connection:
        path = self.folder / DATABASE
        if not path.exists():
            raise StoreError(f"cannot restore {self._path}: the backup has no database")
        return _open_copy(path, "rw")

    def _change(self, connection: sqlite3.Connection, sequence: int, without: Collection[str], journal: bool) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for kind in without:
            connection.execute("DELETE FROM documents WHERE kind = ?", (kind,))
            connection.execute("DELETE FROM claims WHERE kind = ?", (kind,))
        if not journal:
            connection.execute(_FORGET_JOURNAL)
        connection.execute(_FORGET)
        connection.execute(_GO_ON, (sequence, sequence))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def _clear(self) -> None:
        """Delete the store that is there."""
        for end in ("-wal", "-shm", ""):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        for collection in self._extent.collections:
            if (self._path.parent / collection).exists():
                shutil.rmtree(self._path.parent / collection)
        for name in self._extent.keys:
            key_file(self._path.parent, name).unlink(missing_ok=True)

    def give_up(self) -> None:
        """Leave all as it was, where nothing of it has been given up."""
        if not self._begun:
            shutil.rmtree(self.folder, ignore_errors=True)


@asynccontextmanager
async def placing(path: Path, extent: Extent, *, replace: bool) -> AsyncIterator[SqlitePlacing]:
    """See :meth:`resphere.store.engine.Engine.placing`."""
    with ExitStack() as stack:
        with _told(f"cannot restore {path}"):
            placing = await asyncio.to_thread(_begin, path, extent, replace, stack)
        yield placing


def _begin(path: Path, extent: Extent, replace: bool, stack: ExitStack) -> SqlitePlacing:
    """Make the folder whose presence says that a restore goes on; ``stack`` gives up what can be."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stack.enter_context(sole_use(path))
    placing = SqlitePlacing(path, extent)
    if placing.replaces and not replace:
        raise StoreError(f"{path} is there already; --replace puts the backup in its place")
    if placing.folder.exists():
        shutil.rmtree(placing.folder)
    stack.callback(placing.give_up)
    placing.folder.mkdir(mode=0o700)
    sync_folder(path.parent)
    return placing


def sizes(path: Path, extent: Extent) -> Sizes:
    """How much the store takes."""
    with _told(f"cannot look at {path}"):
        with closing(connect(path)) as connection:
            (journal,) = connection.execute(_SELECT_JOURNAL_BYTES).fetchone()
        total = size_bytes(path) + contents_bytes(path.parent, extent)
    return Sizes(int(journal), max(0, total - int(journal)))


def size_bytes(path: Path) -> int:
    """How much the file of a store takes, with the log beside it."""
    with _told(f"cannot look at {path}"):
        return sum(file.stat().st_size for end in ("", "-wal") if (file := path.with_name(path.name + end)).is_file())


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{what}: {error}") from error
