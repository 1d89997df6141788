"""Copies of a store in a database: its tables as files in the form of COPY, contents and keys as files.

The moment of a copy is one at which nobody commits: then the tables are held as they are by a snapshot, and every
content under a further name.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from resphere.store.base import Document, StoreError
from resphere.store.copies import CopiedFile, Extent, Sizes
from resphere.store.files import sync_folder, sync_tree
from resphere.store.held import contents_bytes, held_contents, holder_name, kept_keys
from resphere.store.keys import key_file
from resphere.store.postgresql.line import Line
from resphere.store.postgresql.place import Place
from resphere.store.postgresql.processes import COUNT_ALIVE, LEASE_SECONDS, Beating, Processes
from resphere.store.postgresql.schema import (
    FAILURES,
    SCHEMA_VERSION,
    TABLES,
    close,
    connect,
    has_store,
    make,
    one_row,
    prepare,
)

FORM = "copy.json"
"""What a copy says of itself."""
COPIED = ("documents", "claims", "counters", "journal", "notes")
FORMAT: Final = "binary"
UNFINISHED = "restoring"

_SELECT_STATE = "SELECT epoch, sequence, schema_version FROM state"
_SELECT_DOCUMENT = "SELECT kind, id, revision, body FROM documents WHERE kind = $1 AND id = $2"
_SELECT_LATEST = "SELECT * FROM journal ORDER BY number DESC LIMIT 1"
_SELECT_JOURNAL_BYTES = "SELECT coalesce(max(total_bytes) - min(total_bytes) + min(length(body)), 0) FROM journal"
_FORGET_JOURNAL = "DELETE FROM journal WHERE number < (SELECT max(number) FROM journal)"
_MARK = "UPDATE state SET restoring = true"
_INSERT_STATE = """
    INSERT INTO state (schema_version, epoch, sequence, noted, journal_number, journal_bytes)
    SELECT $1, $2, $3, (SELECT coalesce(max(sequence), 0) FROM notes), coalesce(max(number), 0),
        coalesce(max(total_bytes), 0)
    FROM journal
"""
# The log goes: who asks for what has changed since any earlier sequence must load afresh.
_GO_ON = "UPDATE state SET sequence = greatest(sequence, $1), pruned_sequence = greatest(sequence, $1)"
_SELECT_SIZE = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c WHERE relnamespace = to_regnamespace($1)"


class Form(msgspec.Struct, frozen=True):
    """Of what schema the files of a copy are, and where the store was."""

    schema: int
    epoch: str
    sequence: int


class DatabaseCopy:
    """A :class:`~resphere.store.copies.Copy`: ``connection`` holds the moment."""

    def __init__(self, connection: asyncpg.Connection, folder: Path, form: Form, files: tuple[CopiedFile, ...]) -> None:
        self.schema = form.schema
        self.epoch = form.epoch
        self.sequence = form.sequence
        self.files = files
        self._connection = connection
        self._folder = folder

    async def document(self, kind: str, id: str) -> Document | None:
        row = await self._connection.fetchrow(_SELECT_DOCUMENT, kind, id)
        return None if row is None else Document(*row)

    async def forget_journal(self) -> None:
        await self._connection.copy_from_query(_SELECT_LATEST, output=self._folder / "journal", format=FORMAT)


@asynccontextmanager
async def copying(place: Place, folder: Path, extent: Extent) -> AsyncIterator[DatabaseCopy]:
    """See :meth:`resphere.store.engine.Engine.copying`."""
    shared = place.needed_folder
    async with AsyncExitStack() as stack:
        with _told(place, "copy"):
            holder = await _connected(place, stack)
            await prepare(holder, place, None)
            connection = await _connected(place, stack)
            # As long as a copy takes, which is no harm to others.
            await connection.execute("SET idle_in_transaction_session_timeout = 0")
            # What is held is left behind for all who do not see that the holder lives.
            line = Line(place)
            stack.push_async_callback(line.close)
            sign = Beating(holder_name(), line, Processes())
            await sign.begin()
            stack.push_async_callback(sign.release)
            held = stack.enter_context(ExitStack())
            async with holder.transaction():
                await holder.execute("SELECT FROM state FOR UPDATE")
                await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                form = Form(*await _state(connection))
                contents = await asyncio.to_thread(held_contents, shared, extent, sign.name, sign.is_alive, held)
            (folder / FORM).write_bytes(msgspec.json.encode(form))
            for table in COPIED:
                await connection.copy_from_table(table, output=folder / table, format=FORMAT, timeout=None)
            files = [CopiedFile(name, folder / name) for name in (FORM, *COPIED)]
            copy = DatabaseCopy(connection, folder, form, (*files, *kept_keys(shared, extent), *contents))
        yield copy


async def _connected(place: Place, stack: AsyncExitStack) -> asyncpg.Connection:
    """A connection that is closed with the stack."""
    connection = await connect(place)
    stack.push_async_callback(close, connection)
    return connection


async def _state(connection: asyncpg.Connection) -> tuple[int, str, int]:
    epoch, sequence, schema = await one_row(connection, _SELECT_STATE)
    return schema, epoch, sequence


class DatabasePlacing:
    """A :class:`~resphere.store.copies.Placing`: the copy's files gather in the folder of contents."""

    def __init__(self, place: Place, extent: Extent, connection: asyncpg.Connection, *, replaces: bool) -> None:
        self.folder = place.needed_folder / UNFINISHED
        self.replaces = replaces
        self._place = place
        self._extent = extent
        self._connection = connection
        self._begun = False

    async def begin(self) -> None:
        with _told(self._place):
            form = await asyncio.to_thread(self._form)
            if form.schema > SCHEMA_VERSION:
                raise StoreError(
                    f"cannot restore into {self._place.shown}: the backup has schema {form.schema}, of a later "
                    f"release: this one knows {SCHEMA_VERSION}"
                )
            # It is all tried, and is seen by nobody before the end.
            transaction = self._connection.transaction()
            await transaction.start()
            await self._make(form)
            await transaction.rollback()
            await self._connection.execute(_MARK)
        self._begun = True

    async def finish(self, sequence: int, without: Collection[str], *, journal: bool = True) -> None:
        with _told(self._place):
            form = await asyncio.to_thread(self._form)
            await asyncio.to_thread(self._move)
            async with self._connection.transaction():
                await self._make(form)
                for kind in without:
                    await self._connection.execute("DELETE FROM documents WHERE kind = $1", kind)
                    await self._connection.execute("DELETE FROM claims WHERE kind = $1", kind)
                if not journal:
                    await self._connection.execute(_FORGET_JOURNAL)
                await self._connection.execute(_GO_ON, sequence)
            await asyncio.to_thread(shutil.rmtree, self.folder)

    def give_up(self) -> None:
        """Leave all as it was, where nothing of it has been given up."""
        if not self._begun:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _form(self) -> Form:
        missing = [name for name in (FORM, *COPIED) if not (self.folder / name).is_file()]
        if missing:
            raise StoreError(f"cannot restore into {self._place.shown}: the backup has no {missing[0]}")
        try:
            return msgspec.json.decode((self.folder / FORM).read_bytes(), type=Form)
        except msgspec.DecodeError as error:
            raise StoreError(f"cannot restore into {self._place.shown}: {FORM} in the backup is damaged") from error

    async def _make(self, form: Form) -> None:
        """A store with what the files have, in place of the one that is there."""
        await self._connection.execute(f'DROP SCHEMA "{self._place.schema}" CASCADE')
        await self._connection.execute(f'CREATE SCHEMA "{self._place.schema}"')
        await self._connection.execute(TABLES)
        for table in COPIED:
            await self._connection.copy_to_table(table, source=self.folder / table, format=FORMAT, timeout=None)
        await self._connection.execute(_INSERT_STATE, form.schema, form.epoch, form.sequence)

    def _move(self) -> None:
        sync_tree(self.folder)
        shared = self._place.needed_folder
        for collection in self._extent.collections:
            if (shared / collection).exists():
                shutil.rmtree(shared / collection)
            if (self.folder / collection).is_dir():
                shutil.copytree(self.folder / collection, shared / collection)
                sync_tree(shared / collection)
        for name in self._extent.keys:
            key_file(shared, name).unlink(missing_ok=True)
            if key_file(self.folder, name).exists():
                shutil.copy2(key_file(self.folder, name), key_file(shared, name))
        sync_folder(shared)


@asynccontextmanager
async def placing(place: Place, extent: Extent, *, replace: bool) -> AsyncIterator[DatabasePlacing]:
    """See :meth:`resphere.store.engine.Engine.placing`."""
    with _told(place):
        connection = await connect(place, alone=True)
    try:
        with _told(place):
            there = await has_store(connection, place)
            if there and not replace:
                raise StoreError(f"{place.shown} is there already; --replace puts the backup in its place")
            if not there:
                await make(connection, place, secrets.token_hex(16))
            room = DatabasePlacing(place, extent, connection, replaces=there)
            room.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if room.folder.exists():
                shutil.rmtree(room.folder)
            room.folder.mkdir(mode=0o700)
        try:
            yield room
        finally:
            room.give_up()
    finally:
        await close(connection)


async def sizes(place: Place, extent: Extent) -> Sizes:
    """How much the store takes."""
    with _told(place, "look at"):
        journal = await _ask(place, _SELECT_JOURNAL_BYTES)
        total = await size_bytes(place) + await asyncio.to_thread(contents_bytes, place.needed_folder, extent)
        return Sizes(journal, max(0, total - journal))


async def size_bytes(place: Place) -> int:
    """How much the tables take."""
    with _told(place, "look at"):
        return await _ask(place, _SELECT_SIZE, place.schema)


async def is_served(place: Place) -> bool:
    """Whether a process has just said that it is there."""
    with _told(place, "look at"):
        return await _ask(place, COUNT_ALIVE, LEASE_SECONDS) > 0


async def _ask(place: Place, statement: str, *arguments: object) -> int:
    """A number, on a connection of its own."""
    connection = await connect(place)
    try:
        return int(await connection.fetchval(statement, *arguments))
    finally:
        await close(connection)


@contextmanager
def _told(place: Place, doing: str = "restore into") -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        raise StoreError(f"cannot {doing} the store at {place.shown}: {error}") from error
