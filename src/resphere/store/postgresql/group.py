"""Applies a group of transactions to the database: what it depends on is read at once, and what it arrives at written
at once, while nobody else writes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

import asyncpg
import msgspec

from resphere.store.base import Conflict, Entry, Note, Transaction
from resphere.store.planning import TAKINGS_FORGOTTEN_EVERY, TAKINGS_KEPT, Facts, GroupState, Key, needed_for
from resphere.store.postgresql.schema import one_row

PORTION = 2_000
"""So many documents go to the database at a time."""
PORTION_BYTES = 16 * 1024 * 1024
LAST_CODE_POINT = chr(0x10FFFF)
BEFORE_SURROGATES, AFTER_SURROGATES = chr(0xD7FF), chr(0xE000)

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT FROM state FOR UPDATE"
"""The turn to write: each further statement sees all that was written before."""
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"

_SELECT_STATE = """
    SELECT sequence, log_rows, noted, journal_number, journal_bytes,
        NOT EXISTS (SELECT FROM processes WHERE name = $1 AND dead)
    FROM state
"""
_SELECT_REVISIONS = """
    SELECT kind, id, revision FROM unnest($1::text[], $2::text[]) AS k (kind, id) JOIN documents USING (kind, id)
"""
_SELECT_HOLDERS = """
    SELECT claim, kind, id FROM claims WHERE claim = ANY ($1::text[])
    UNION
    SELECT claim, kind, id FROM unnest($2::text[], $3::text[]) AS k (kind, id) JOIN claims USING (kind, id)
"""
_SELECT_CLAIMS = (
    "SELECT claim FROM claims WHERE claim >= $1 AND ($2::text IS NULL OR claim < $2) ORDER BY claim LIMIT $3"
)
_SELECT_TAKINGS = "SELECT sequence, name, amount FROM takings WHERE sequence > $1"
_SELECT_NOTED = "SELECT id, max(sequence) AS sequence FROM notes WHERE id = ANY ($1::text[]) GROUP BY id"

_UPSERT_DOCUMENTS = """
    INSERT INTO documents (kind, id, revision, body)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[])
    ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, body = excluded.body
"""
_DELETE_DOCUMENTS = """
    DELETE FROM documents USING unnest($1::text[], $2::text[]) AS k (kind, id)
    WHERE documents.kind = k.kind AND documents.id = k.id
"""
_DELETE_CLAIMS = "DELETE FROM claims WHERE claim = ANY ($1::text[])"
_INSERT_CLAIMS = "INSERT INTO claims (claim, kind, id) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])"
_INSERT_LOG = """
    INSERT INTO log (sequence, kind, id, ordinal)
    SELECT sequence, kind, id, ordinal - 1
    FROM unnest($1::bigint[], $2::text[], $3::text[]) WITH ORDINALITY AS l (sequence, kind, id, ordinal)
"""
_INSERT_TAKINGS = (
    "INSERT INTO takings (sequence, name, amount) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])"
)
_DELETE_TAKINGS = "DELETE FROM takings WHERE sequence <= $1"
_INSERT_NOTES = """
    INSERT INTO notes (sequence, id, at, body, ordinal)
    SELECT sequence, id, at, body, ordinal
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bytea[])
        WITH ORDINALITY AS n (sequence, id, at, body, ordinal)
"""
_INSERT_ENTRIES = """
    INSERT INTO journal (number, at, total_bytes, body)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])
"""
# All that a group ends with; who listens is told when it is committed.
_UPDATE_STATE = """
    WITH writer AS (
        INSERT INTO writers (name, number, seen) VALUES ($1, $2, now())
        ON CONFLICT (name) DO UPDATE SET number = excluded.number, seen = excluded.seen
    ), told AS (SELECT pg_notify($8, ''))
    UPDATE state SET sequence = $3, log_rows = log_rows + $4, noted = $5, journal_number = $6, journal_bytes = $7
    FROM told
"""
_SELECT_LAST_SURPLUS = "SELECT sequence FROM log ORDER BY sequence, ordinal LIMIT 1 OFFSET $1"
_DELETE_LOG = "WITH gone AS (DELETE FROM log WHERE sequence <= $1 RETURNING 1) SELECT count(*) FROM gone"
_UPDATE_PRUNED = "UPDATE state SET log_rows = log_rows - $1, pruned_sequence = $2"


class Dead(Exception):
    """Others have taken this process for dead, and may do its work: it must not write any more."""


class Writing(msgspec.Struct, frozen=True):
    """Who writes a group: ``writer`` is the name of the writer, ``number`` that of the group, ``process`` the name
    that the process is alive under, if it has one."""

    writer: str
    number: int
    process: str | None
    channel: str
    log_rows_kept: int


async def apply_transactions(
    connection: asyncpg.Connection, transactions: Sequence[Transaction], writing: Writing
) -> list[int | Conflict]:
    """Write what ``transactions`` arrive at, within the transaction that :data:`BEGIN` has opened, and say how each
    went.

    The log is cut when it is a twentieth longer than ``log_rows_kept``: in batches, as each has its price.

    :raises Dead: the process must not write.
    :raises asyncpg.PostgresError: the caller rolls back, and none of them is stored.
    """
    row = await one_row(connection, _SELECT_STATE, writing.process or "")
    sequence, log_rows, noted, journal_number, journal_bytes, alive = row
    if not alive:
        raise Dead
    plan = GroupState(await _facts(connection, transactions, sequence), sequence)
    outcomes: list[int | Conflict] = []
    for transaction in transactions:
        try:
            outcomes.append(plan.add(transaction))
        except Conflict as conflict:
            outcomes.append(conflict)
    if plan.sequence == sequence:
        return outcomes
    await _write(connection, plan)
    if plan.taken:
        await _keep_takings(connection, plan, sequence)
    if plan.entries:
        journal_bytes = await _append(connection, plan.entries, journal_number, journal_bytes)
    if plan.notes:
        noted = plan.notes[-1][0]
        await _note(connection, plan.notes)
    await connection.execute(
        _UPDATE_STATE,
        writing.writer,
        writing.number,
        plan.sequence,
        len(plan.documents),
        noted,
        journal_number + len(plan.entries),
        journal_bytes,
        writing.channel,
    )
    surplus = log_rows + len(plan.documents) - writing.log_rows_kept
    if surplus > writing.log_rows_kept // 20:
        await _prune(connection, surplus)
    return outcomes


async def _facts(connection: asyncpg.Connection, transactions: Sequence[Transaction], sequence: int) -> Facts:
    needed = needed_for(transactions)
    notes = [note.id for transaction in transactions for note in transaction.notes]
    holders = await _holders(connection, needed.claims, needed.rewritten) if needed.rewritten else {}
    prefixes = {prefix for transaction in transactions for prefix in transaction.vacant}
    # Of those that a plan knows there are so many at most: one more is one that it does not know.
    most = len(holders) + len(needed.claims) + 1
    beginning = {prefix: await _beginning(connection, prefix, most) for prefix in prefixes}
    return Facts(
        revisions=await _revisions(connection, needed.keys) if needed.keys else {},
        holders=holders,
        stored_claim=lambda prefix, besides: _first_besides(beginning[prefix], besides),
        taken=await _takings(connection, needed.since) if needed.since is not None and needed.since < sequence else [],
        forgotten=sequence - TAKINGS_KEPT,
        noted=await _noted(connection, notes) if notes else {},
    )


async def _revisions(connection: asyncpg.Connection, keys: Iterable[Key]) -> dict[Key, int]:
    rows = await connection.fetch(_SELECT_REVISIONS, *_columns(keys, 2))
    return {(kind, id): revision for kind, id, revision in rows}


async def _holders(connection: asyncpg.Connection, claims: Iterable[str], keys: Iterable[Key]) -> dict[str, Key]:
    rows = await connection.fetch(_SELECT_HOLDERS, list(claims), *_columns(keys, 2))
    return {claim: (kind, id) for claim, kind, id in rows}


async def _takings(connection: asyncpg.Connection, since: int) -> list[tuple[int, str, int]]:
    return [(sequence, name, amount) for sequence, name, amount in await connection.fetch(_SELECT_TAKINGS, since)]


async def _noted(connection: asyncpg.Connection, ids: list[str]) -> dict[str, int]:
    return {row["id"]: row["sequence"] for row in await connection.fetch(_SELECT_NOTED, ids)}


async def _beginning(connection: asyncpg.Connection, prefix: str, most: int) -> list[str]:
    """The first claims that begin with a prefix."""
    return [claim for (claim,) in await connection.fetch(_SELECT_CLAIMS, prefix, after_all(prefix), most)]


def after_all(prefix: str) -> str | None:
    """The least text that follows all those that begin with a prefix, in the order of code points; ``None``: there is
    none."""
    stem = prefix.rstrip(LAST_CODE_POINT)
    if not stem:
        return None
    last = AFTER_SURROGATES if stem[-1] == BEFORE_SURROGATES else chr(ord(stem[-1]) + 1)
    return stem[:-1] + last


def _first_besides(claims: Iterable[str], besides: Container[str]) -> str | None:
    return next((claim for claim in claims if claim not in besides), None)


async def _write(connection: asyncpg.Connection, plan: GroupState) -> None:
    gone: list[Key] = []
    rows: list[tuple[str, str, int, bytes]] = []
    size = 0
    for (kind, id), outcome in plan.documents.items():
        if outcome.body is None:
            gone.append((kind, id))
            continue
        rows.append((kind, id, outcome.revision, outcome.body))
        size += len(outcome.body)
        if len(rows) == PORTION or size > PORTION_BYTES:
            await connection.execute(_UPSERT_DOCUMENTS, *_columns(rows, 4))
            rows, size = [], 0
    if rows:
        await connection.execute(_UPSERT_DOCUMENTS, *_columns(rows, 4))
    if gone:
        await connection.execute(_DELETE_DOCUMENTS, *_columns(gone, 2))
    lost, gained = plan.moved_claims()
    if lost:
        await connection.execute(_DELETE_CLAIMS, lost)
    if gained:
        await connection.execute(_INSERT_CLAIMS, *_columns(gained, 3))
    log = [(outcome.revision, *key) for key, outcome in plan.documents.items()]
    if log:
        await connection.execute(_INSERT_LOG, *_columns(log, 3))


async def _keep_takings(connection: asyncpg.Connection, plan: GroupState, before: int) -> None:
    await connection.execute(_INSERT_TAKINGS, *_columns(plan.taken, 3))
    if plan.sequence // TAKINGS_FORGOTTEN_EVERY > before // TAKINGS_FORGOTTEN_EVERY:
        await connection.execute(_DELETE_TAKINGS, plan.sequence - TAKINGS_KEPT)


async def _append(connection: asyncpg.Connection, entries: Sequence[Entry], number: int, total_bytes: int) -> int:
    """Add to the journal; how many bytes were ever added."""
    rows: list[tuple[int, int, int, bytes]] = []
    for entry in entries:
        number += 1
        total_bytes += len(entry.body)
        rows.append((number, entry.at, total_bytes, entry.body))
    await connection.execute(_INSERT_ENTRIES, *_columns(rows, 4))
    return total_bytes


async def _note(connection: asyncpg.Connection, notes: Iterable[tuple[int, Note]]) -> None:
    rows = [(sequence, note.id, note.at, note.body) for sequence, note in notes]
    await connection.execute(_INSERT_NOTES, *_columns(rows, 4))


async def _prune(connection: asyncpg.Connection, surplus: int) -> None:
    last = await connection.fetchval(_SELECT_LAST_SURPLUS, surplus - 1)
    removed = await connection.fetchval(_DELETE_LOG, last)
    await connection.execute(_UPDATE_PRUNED, removed, last)


def _columns(rows: Iterable[tuple[object, ...]], count: int) -> list[list[object]]:
    """The columns of some rows: statements take one array for each."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(count)]
