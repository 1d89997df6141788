"""Notes in a SQLite file: those of a group are one row, written and read by the statements that a group takes anyway.

Each statement lets go of the interpreter, and that costs more than what it does: so a group's notes are written along
with its sequence, by a trigger of the writer's connection, read along with it, and looked up in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import msgspec

from resphere.store.base import Note

FORGOTTEN_AT_ONCE = 500
"""So many, and no further row: what is written meanwhile waits for it."""
AT_HAND = 20_000
"""So many ids are known without a look at the file."""

WRITE_STATE = """
    CREATE TEMP VIEW noting AS
    SELECT 0 AS sequence, 0 AS log_rows, 0 AS at, 0 AS before, x'' AS body
"""
WRITE_NOTES = """
    CREATE TEMP TRIGGER note INSTEAD OF INSERT ON noting BEGIN
        UPDATE state SET sequence = NEW.sequence, log_rows = log_rows + NEW.log_rows, noted = NEW.sequence;
        INSERT INTO notes (number, at, before, body) VALUES (NEW.sequence, NEW.at, NEW.before, NEW.body);
    END
"""
_WRITE = "INSERT INTO noting (sequence, log_rows, at, before, body) VALUES (?, ?, ?, ?, ?)"
_SELECT_AFTER = "SELECT body FROM notes WHERE number > ? ORDER BY number"
_SELECT_OLDEST = "SELECT number, at, body FROM notes ORDER BY number"
_DELETE = "DELETE FROM notes WHERE number <= ?"

Noted = tuple[int, Note]
"""A note, with the sequence of its transaction."""
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Noted])


class LatestNotes:
    """Which ids were noted of late, as the writer of a process knows it: by what it has written itself, and else by a
    look at the file."""

    def __init__(self) -> None:
        self._after = -1
        """All is known that was noted after this sequence, up to ``_through``."""
        self._through = -1
        self._sequences: dict[str, int] = {}

    def since(self, connection: sqlite3.Connection, since: int, through: int) -> Mapping[str, int]:
        """The sequences of the latest notes, by their ids: of all that were noted after ``since``, and others.

        ``through`` is when anything was noted last.
        """
        if since >= through:
            return {}
        if since < self._after or through < self._through or self._through < 0:
            self._sequences = {}
            self._after = self._through = since
        if self._through < through:
            self._sequences |= {note.id: sequence for sequence, note in notes_after(connection, self._through)}
            self._through = through
        return self._sequences

    def written(self, notes: Sequence[Noted], before: int) -> None:
        """These are durable, the first after ``before``."""
        if before != self._through or len(self._sequences) > AT_HAND:
            self._sequences = {}
            self._after = before
        self._sequences |= {note.id: sequence for sequence, note in notes}
        self._through = notes[-1][0]


def prepare_noting(connection: sqlite3.Connection) -> None:
    """Have :func:`write_noted` be possible on a connection."""
    connection.execute(WRITE_STATE)
    connection.execute(WRITE_NOTES)


def write_noted(
    connection: sqlite3.Connection, sequence: int, log_rows: int, notes: Sequence[Noted], before: int
) -> None:
    """Write what a group notes, with its sequence and how many rows the log has more; ``before``: when anything was
    noted before."""
    at = max([note.at for _, note in notes])
    connection.execute(_WRITE, (sequence, log_rows, at, before, _ENCODER.encode(notes)))


def notes_of_row(body: bytes, sequence: int) -> tuple[Note, ...]:
    """The notes of a row of transactions after a sequence."""
    return tuple([note for at, note in _DECODER.decode(body) if at > sequence])


def notes_after(connection: sqlite3.Connection, sequence: int) -> Iterator[Noted]:
    """The notes of transactions after a sequence."""
    with closing(connection.execute(_SELECT_AFTER, (sequence,))) as rows:
        for (body,) in rows:
            for noted in _DECODER.decode(body):
                if noted[0] > sequence:
                    yield noted


def forget_notes(connection: sqlite3.Connection, before: int, through: int) -> int:
    """Forget the oldest notes within the SQLite transaction that is open; how many."""
    last, forgotten = 0, 0
    with closing(connection.execute(_SELECT_OLDEST)) as rows:
        for number, at, body in rows:
            if forgotten >= FORGOTTEN_AT_ONCE or (at >= before and number > through):
                break
            last, forgotten = number, forgotten + len(_DECODER.decode(body))
    if forgotten:
        connection.execute(_DELETE, (last,))
    return forgotten
