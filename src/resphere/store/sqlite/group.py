"""Applies a group of transactions to the SQLite file, in a handful of statements whatever the size of the group.

Each statement lets go of the interpreter, and getting it back from a busy event loop can take a millisecond: so keys go
in as one JSON array, bodies as one blob that the statement cuts up, and answers come out as one row. Measured beside a
busy loop, three to five times the commits of a statement for each document.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterator, Sequence

import msgspec

from resphere.store.base import Conflict, Entry, Transaction
from resphere.store.planning import (
    TAKINGS_FORGOTTEN_EVERY,
    TAKINGS_KEPT,
    Facts,
    GroupState,
    Key,
    Outcome,
    needed_for,
)
from resphere.store.sqlite.notes import LatestNotes, write_noted

# SQLite takes at most 1 GB in one value; in portions an import also needs less memory at once.
PORTION_BYTES = 16 * 1024 * 1024


_SELECT_STATE = "SELECT sequence, log_rows, noted FROM state"
_UPDATE_STATE = "UPDATE state SET sequence = ?, log_rows = log_rows + ?"

_SELECT_REVISIONS = """
    SELECT json_group_array(json_array(k.key, d.revision))
    FROM json_each(?) AS k
    CROSS JOIN documents AS d ON d.kind = json_extract(k.value, '$[0]') AND d.id = json_extract(k.value, '$[1]')
"""

_SELECT_CLAIMS = """
    SELECT json_group_array(json_array(claim, kind, id)) FROM (
        SELECT c.claim, c.kind, c.id FROM json_each(?) AS k CROSS JOIN claims AS c ON c.claim = k.value
        UNION
        SELECT c.claim, c.kind, c.id FROM json_each(?) AS k CROSS JOIN claims AS c
            ON c.kind = json_extract(k.value, '$[0]') AND c.id = json_extract(k.value, '$[1]')
    )
"""

_SELECT_CLAIMS_FROM = "SELECT claim FROM claims WHERE claim >= ? ORDER BY claim"

_UPSERT_DOCUMENTS = """
    INSERT INTO documents (kind, id, revision, body)
    SELECT
        json_extract(value, '$[0]'),
        json_extract(value, '$[1]'),
        json_extract(value, '$[2]'),
        substr(?, json_extract(value, '$[3]'), json_extract(value, '$[4]'))
    FROM json_each(?) WHERE true
    ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, body = excluded.body
"""

_DELETE_DOCUMENTS = """
    DELETE FROM documents WHERE number IN (
        SELECT d.number FROM json_each(?) AS k
        CROSS JOIN documents AS d ON d.kind = json_extract(k.value, '$[0]') AND d.id = json_extract(k.value, '$[1]')
    )
"""

_INSERT_LOG = """
    INSERT INTO log (sequence, ordinal, kind, id)
    SELECT json_extract(value, '$[0]'), key, json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)
"""

_DELETE_CLAIMS = "DELETE FROM claims WHERE claim IN (SELECT value FROM json_each(?))"

_INSERT_CLAIMS = """
    INSERT INTO claims (claim, kind, id)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)
"""

_SELECT_COUNTER = "SELECT next FROM counters WHERE name = ?"
_UPSERT_COUNTER = (
    "INSERT INTO counters (name, next) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next = excluded.next"
)

_SELECT_TAKINGS = "SELECT json_group_array(json_array(sequence, name, amount)) FROM takings WHERE sequence > ?"
_INSERT_TAKINGS = """
    INSERT INTO takings (sequence, name, amount)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)
"""
_DELETE_TAKINGS = "DELETE FROM takings WHERE sequence <= ?"

ENTRIES_OF_ROW = 200
"""So many entries a row of the journal has at most: whoever reads some of them reads all."""

# What is numbered last is never deleted, so numbers go on where they were.
_INSERT_ENTRIES = """
    INSERT INTO journal (number, at, total_bytes, body, sizes)
    SELECT
        coalesce(max(number), 0) + ?,
        ?,
        coalesce((SELECT total_bytes FROM journal ORDER BY number DESC LIMIT 1), 0) + ?,
        ?,
        ?
    FROM journal
"""
_SELECT_LAST_ROW = (
    "SELECT number, total_bytes, (SELECT min(number) FROM journal) FROM journal ORDER BY number DESC LIMIT 1"
)
# The first that is to be kept, of the oldest ones: what follows is not looked at.
_SELECT_KEPT_ROW = """
    SELECT number FROM journal WHERE number >= ? OR (at >= ? AND total_bytes > ?) ORDER BY number LIMIT 1
"""
_COUNT_ENTRIES = "SELECT coalesce(sum(coalesce(json_array_length(sizes), 1)), 0) FROM journal WHERE number < ?"
_DELETE_ENTRIES = "DELETE FROM journal WHERE number < ?"

_SELECT_LAST_SURPLUS = "SELECT sequence FROM log ORDER BY sequence, ordinal LIMIT 1 OFFSET ?"
_DELETE_LOG = "DELETE FROM log WHERE sequence <= ?"
_UPDATE_PRUNED = "UPDATE state SET log_rows = log_rows - ?, pruned_sequence = ?"


class Applied(msgspec.Struct, frozen=True):
    """How each transaction of a group went, and what is known of its notes once the group is durable: of those of an
    earlier one, ``noted_before`` was the last."""

    outcomes: list[int | Conflict]
    plan: GroupState
    noted_before: int


def apply_transactions(
    connection: sqlite3.Connection, transactions: Sequence[Transaction], log_rows_kept: int, latest_notes: LatestNotes
) -> Applied:
    """Write what ``transactions`` arrive at, within the SQLite transaction that is open, and say how each went.

    The log is cut when it is a twentieth longer than ``log_rows_kept``: in batches, as each has its price.

    :raises sqlite3.Error: the caller rolls back, and none of them is stored.
    """
    sequence, log_rows, noted = connection.execute(_SELECT_STATE).fetchone()
    plan = GroupState(_facts(connection, transactions, sequence, noted, latest_notes), sequence)
    outcomes: list[int | Conflict] = []
    for transaction in transactions:
        try:
            outcomes.append(plan.add(transaction))
        except Conflict as conflict:
            outcomes.append(conflict)
    if plan.sequence > sequence:
        _write(connection, plan, noted)
        if plan.taken:
            _keep_takings(connection, plan, sequence)
        if plan.entries:
            _append(connection, plan.entries)
        if log_rows + len(plan.documents) > log_rows_kept + log_rows_kept // 20:
            _prune(connection, log_rows + len(plan.documents) - log_rows_kept)
    return Applied(outcomes, plan, noted)


def take_numbers(connection: sqlite3.Connection, counter: str, count: int) -> range:
    """Take ``count`` numbers of ``counter`` within the SQLite transaction that is open."""
    row = connection.execute(_SELECT_COUNTER, (counter,)).fetchone()
    first = 1 if row is None else int(row[0])
    connection.execute(_UPSERT_COUNTER, (counter, first + count))
    return range(first, first + count)


def trim_journal(connection: sqlite3.Connection, before: int, most_bytes: int, most: int) -> int:
    """Forget old entries of the journal within the SQLite transaction that is open; how many."""
    row = connection.execute(_SELECT_LAST_ROW).fetchone()
    if row is None:
        return 0
    last, total, first = row
    # One row at least, whatever it has.
    end = min(first + most, last)
    (kept,) = connection.execute(_SELECT_KEPT_ROW, (end, before, total - most_bytes)).fetchone()
    (forgotten,) = connection.execute(_COUNT_ENTRIES, (kept,)).fetchone()
    connection.execute(_DELETE_ENTRIES, (kept,))
    return int(forgotten)


def entries_of_row(last: int, body: bytes, sizes: str | None) -> Iterator[tuple[int, bytes]]:
    """The entries of a row of the journal, with their numbers; ``last`` is that of the last of them."""
    if sizes is None:
        yield last, body
        return
    lengths = msgspec.json.decode(sizes, type=list[int])
    begin, number = 0, last - len(lengths)
    for length in lengths:
        number += 1
        yield number, body[begin : begin + length]
        begin += length


def _append(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    for first in range(0, len(entries), ENTRIES_OF_ROW):
        some = entries[first : first + ENTRIES_OF_ROW]
        body = b"".join([entry.body for entry in some])
        sizes = _json([len(entry.body) for entry in some])
        connection.execute(_INSERT_ENTRIES, (len(some), max([entry.at for entry in some]), len(body), body, sizes))


def _facts(
    connection: sqlite3.Connection,
    transactions: Sequence[Transaction],
    sequence: int,
    noted: int,
    latest_notes: LatestNotes,
) -> Facts:
    needed = needed_for(transactions)
    noted_since = min([noted, *[transaction.noted_since for transaction in transactions if transaction.notes]])
    return Facts(
        revisions=_select_revisions(connection, needed.keys),
        holders=_select_holders(connection, needed.claims, needed.rewritten) if needed.rewritten else {},
        stored_claim=lambda prefix, besides: _stored_claim(connection, prefix, besides),
        taken=_select_takings(connection, needed.since) if needed.since is not None and needed.since < sequence else [],
        forgotten=sequence - TAKINGS_KEPT,
        noted=latest_notes.since(connection, noted_since, noted),
    )


def _select_revisions(connection: sqlite3.Connection, keys: list[Key]) -> dict[Key, int]:
    (found,) = connection.execute(_SELECT_REVISIONS, (_json(keys),)).fetchone()
    return {keys[index]: revision for index, revision in msgspec.json.decode(found, type=list[tuple[int, int]])}


def _select_holders(connection: sqlite3.Connection, claims: list[str], keys: list[Key]) -> dict[str, Key]:
    (found,) = connection.execute(_SELECT_CLAIMS, (_json(claims), _json(keys))).fetchone()
    return {claim: (kind, id) for claim, kind, id in msgspec.json.decode(found, type=list[tuple[str, str, str]])}


def _select_takings(connection: sqlite3.Connection, since: int) -> list[tuple[int, str, int]]:
    (found,) = connection.execute(_SELECT_TAKINGS, (since,)).fetchone()
    return msgspec.json.decode(found, type=list[tuple[int, str, int]])


def _keep_takings(connection: sqlite3.Connection, plan: GroupState, before: int) -> None:
    connection.execute(_INSERT_TAKINGS, (_json(plan.taken),))
    if plan.sequence // TAKINGS_FORGOTTEN_EVERY > before // TAKINGS_FORGOTTEN_EVERY:
        connection.execute(_DELETE_TAKINGS, (plan.sequence - TAKINGS_KEPT,))


def _stored_claim(connection: sqlite3.Connection, prefix: str, besides: Container[str]) -> str | None:
    # In the order of their code points, all claims that begin with the prefix follow it directly.
    cursor = connection.execute(_SELECT_CLAIMS_FROM, (prefix,))
    try:
        for (claim,) in cursor:
            if not claim.startswith(prefix):
                return None
            if claim not in besides:
                return str(claim)
        return None
    finally:
        cursor.close()


def _write(connection: sqlite3.Connection, plan: GroupState, noted: int) -> None:
    gone = [key for key, outcome in plan.documents.items() if outcome.body is None]
    for rows, bodies in _portions(plan.documents):
        connection.execute(_UPSERT_DOCUMENTS, (bodies, _json(rows)))
    if gone:
        connection.execute(_DELETE_DOCUMENTS, (_json(gone),))
    lost, gained = plan.moved_claims()
    if lost:
        connection.execute(_DELETE_CLAIMS, (_json(lost),))
    if gained:
        connection.execute(_INSERT_CLAIMS, (_json(gained),))
    log = [(outcome.revision, *key) for key, outcome in plan.documents.items()]
    if log:
        connection.execute(_INSERT_LOG, (_json(log),))
    if plan.notes:
        write_noted(connection, plan.sequence, len(log), plan.notes, noted)
    else:
        connection.execute(_UPDATE_STATE, (plan.sequence, len(log)))


def _portions(
    documents: dict[Key, Outcome],
) -> Iterator[tuple[list[tuple[str, str, int, int, int]], bytes]]:
    """``(kind, id, revision, offset, length)`` of the bodies that stand one after another in a blob; offsets from 1."""
    # A byte that nobody takes goes first: SQLite holds an empty blob for NULL when it cuts it up.
    rows: list[tuple[str, str, int, int, int]] = []
    bodies: list[bytes] = [b"\0"]
    size = 1
    for (kind, id), outcome in documents.items():
        if outcome.body is None:
            continue
        rows.append((kind, id, outcome.revision, size + 1, len(outcome.body)))
        bodies.append(outcome.body)
        size += len(outcome.body)
        if size >= PORTION_BYTES:
            yield rows, b"".join(bodies)
            rows, bodies, size = [], [b"\0"], 1
    if rows:
        yield rows, b"".join(bodies)


def _prune(connection: sqlite3.Connection, surplus: int) -> None:
    (last,) = connection.execute(_SELECT_LAST_SURPLUS, (surplus - 1,)).fetchone()
    removed = connection.execute(_DELETE_LOG, (last,)).rowcount
    connection.execute(_UPDATE_PRUNED, (removed, last))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
