"""The tables, their making, and how a connection is opened.

Names are compared by code points (``COLLATE "C"``), whatever the database's own order is: the claims that begin with a
prefix then stand side by side.
"""

from __future__ import annotations

from collections.abc import Callable

import asyncpg

from resphere.store.base import StoreError, StoreMissing
from resphere.store.postgresql.place import Place

SCHEMA_VERSION = 1

CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0
"""What takes longer has no answer any more: the connection is given up."""
HELD_SECONDS = 5.0
"""Who holds everybody up for so long, as a process that was stopped in the middle of a group, is cut off."""

FAILURES = (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Whatever may come of asking a database."""

# Of the row of `state` the writers take turns. `noted` is the sequence of the last transaction with notes, `processes`
# rises whenever a process comes or is found dead.
TABLES = """
    CREATE TABLE state (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        schema_version integer NOT NULL,
        epoch text NOT NULL,
        sequence bigint NOT NULL DEFAULT 0,
        pruned_sequence bigint NOT NULL DEFAULT 0,
        log_rows bigint NOT NULL DEFAULT 0,
        noted bigint NOT NULL DEFAULT 0,
        journal_number bigint NOT NULL DEFAULT 0,
        journal_bytes bigint NOT NULL DEFAULT 0,
        processes bigint NOT NULL DEFAULT 0,
        restoring boolean NOT NULL DEFAULT false
    );
    CREATE TABLE documents (
        kind text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        revision bigint NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (kind, id)
    ) WITH (fillfactor = 70);
    CREATE TABLE claims (
        claim text COLLATE "C" PRIMARY KEY,
        kind text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL
    );
    CREATE INDEX claims_of_document ON claims (kind, id);
    CREATE TABLE log (
        sequence bigint NOT NULL,
        ordinal integer NOT NULL,
        kind text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        PRIMARY KEY (sequence, ordinal)
    );
    CREATE TABLE takings (
        sequence bigint NOT NULL,
        name text COLLATE "C" NOT NULL,
        amount bigint NOT NULL,
        PRIMARY KEY (sequence, name)
    );
    CREATE TABLE notes (
        sequence bigint NOT NULL,
        id text COLLATE "C" NOT NULL,
        ordinal integer NOT NULL,
        at bigint NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (sequence, ordinal)
    );
    CREATE INDEX notes_by_id ON notes (id, sequence);
    CREATE TABLE journal (
        number bigint PRIMARY KEY,
        at bigint NOT NULL,
        total_bytes bigint NOT NULL,
        body bytea NOT NULL
    );
    CREATE TABLE counters (name text COLLATE "C" PRIMARY KEY, next bigint NOT NULL);
    CREATE TABLE processes (
        name text COLLATE "C" PRIMARY KEY,
        seen timestamptz NOT NULL,
        dead boolean NOT NULL DEFAULT false
    );
    CREATE TABLE writers (name text PRIMARY KEY, number bigint NOT NULL, seen timestamptz NOT NULL);
"""

_MAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('making ' || $1, 0))"
_USE = "SELECT pg_try_advisory_lock_shared(hashtextextended('using ' || $1, 0))"
_USE_ALONE = "SELECT pg_try_advisory_lock(hashtextextended('using ' || $1, 0))"
_HAS_STATE = "SELECT to_regclass($1) IS NOT NULL"
_SELECT_VERSION = "SELECT schema_version, epoch, restoring FROM state"
_INSERT_STATE = "INSERT INTO state (schema_version, epoch) VALUES ($1, $2)"


async def connect(place: Place, *, alone: bool = False) -> asyncpg.Connection:
    """A new connection, whose names are those of the store's schema, and whose commits are on disk when they return.
    As long as it lasts nobody has the store ``alone``.

    :raises StoreError: somebody has it alone, or is not to be alone.
    :raises OSError: the database is not there.
    :raises asyncpg.PostgresError: it lets nobody in.
    :raises asyncio.TimeoutError: it does not answer.
    """
    connection = await asyncpg.connect(
        place.dsn,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        server_settings={
            "search_path": place.schema,
            "application_name": "resphere",
            "idle_in_transaction_session_timeout": str(round(HELD_SECONDS * 1000)),
            # A plan for any sizes at all would be made anew with each of the first calls, and chosen by them.
            "plan_cache_mode": "force_generic_plan",
        },
    )
    try:
        if connection.get_settings().server_encoding != "UTF8":
            raise StoreError(f"the database of {place.shown} has no names in UTF-8: make it with ENCODING 'UTF8'")
        if await connection.fetchval("SELECT current_setting('synchronous_commit')") in ("off", "local"):
            await connection.execute("SET synchronous_commit = on")
        if not await connection.fetchval(_USE_ALONE if alone else _USE, place.schema):
            if alone:
                raise StoreError(f"the store at {place.shown} is in use")
            raise StoreError(f"the store at {place.shown} cannot be used: a restore into it is under way")
    except BaseException:
        connection.terminate()
        raise
    return connection


async def has_store(connection: asyncpg.Connection, place: Place) -> bool:
    """Whether there is a store."""
    return bool(await connection.fetchval(_HAS_STATE, f"{place.schema}.state"))


async def make(connection: asyncpg.Connection, place: Place, epoch: str) -> None:
    """Make the store, unless somebody else just has."""
    async with connection.transaction():
        await connection.execute(_MAKE_TURN, place.schema)
        if not await has_store(connection, place):
            await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{place.schema}"')
            await connection.execute(TABLES)
            await connection.execute(_INSERT_STATE, SCHEMA_VERSION, epoch)


async def prepare(connection: asyncpg.Connection, place: Place, new_epoch: Callable[[], str] | None) -> str:
    """See that the store can be used, and return its epoch; without ``new_epoch`` none is made.

    :raises StoreMissing: there is none, and none is to be made.
    :raises StoreError: its schema is of a later release, or a restore into it was not finished.
    """
    if not await has_store(connection, place):
        if new_epoch is None:
            raise StoreMissing(f"there is no store at {place.shown}")
        await make(connection, place, new_epoch())
    version, epoch, restoring = await one_row(connection, _SELECT_VERSION)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the store at {place.shown} has schema {version}, of a later release: this one knows {SCHEMA_VERSION}"
        )
    if restoring:
        raise StoreError(
            f"the store at {place.shown} cannot be used: a restore into it was not finished; "
            "run resphere restore again, with --replace"
        )
    return str(epoch)


async def one_row(connection: asyncpg.Connection, statement: str, *arguments: object) -> asyncpg.Record:
    """The row of a statement that always has one."""
    row = await connection.fetchrow(statement, *arguments)
    if row is None:
        raise StoreError("the store in the database has no state: it was not made by this server")
    return row


async def close(connection: asyncpg.Connection) -> None:
    """Close it in order, or at once where its server does not answer."""
    try:
        await connection.close(timeout=CONNECT_SECONDS)
    except FAILURES:
        connection.terminate()


def is_lost(error: BaseException) -> bool:
    """Whether a connection has come to its end, and not what was asked of it."""
    return isinstance(
        error,
        OSError
        | TimeoutError
        | asyncpg.InterfaceError
        | asyncpg.PostgresConnectionError
        | asyncpg.AdminShutdownError
        | asyncpg.CrashShutdownError
        | asyncpg.CannotConnectNowError
        | asyncpg.IdleInTransactionSessionTimeoutError
        # As when the server has said goodbye before anything was asked.
        | asyncpg.InternalClientError
        | asyncpg.TooManyConnectionsError,
    )
