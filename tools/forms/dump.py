"""A store's database as SQL text: small, and a document is a line that can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

MARKS = ("application_id", "user_version")
ORDER = "ORDER BY 1, 2"


def dumped(database: Path) -> str:
    """The whole of a database that nobody writes."""
    with closing(sqlite3.connect(database)) as connection:
        return "".join(f"{line};\n" for line in _lines(connection))


def load(text: str, database: Path) -> None:
    """Make the database of a text."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for statement in text.split(";\n"):
            connection.execute(statement)
        connection.execute("COMMIT")


def bodies(database: Path, kind: str) -> list[bytes]:
    """The documents of a kind, as they lie there."""
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT body FROM documents WHERE kind = ? ORDER BY number", (kind,)).fetchall()
    return [body for (body,) in found]


def overwrite(database: Path, kind: str, body: str) -> None:
    """Put ``body`` in the place of every document of a kind."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE documents SET body = CAST(? AS BLOB) WHERE kind = ?", (body, kind))
        connection.commit()


def _lines(connection: sqlite3.Connection) -> Iterator[str]:
    for mark in MARKS:
        (number,) = connection.execute(f"PRAGMA {mark}").fetchone()
        yield f"PRAGMA {mark} = {number}"
    made = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    for type, name, sql in made:
        yield " ".join(str(sql).split())
        if type == "table":
            for row in connection.execute(f"SELECT * FROM {name} {ORDER if name != 'state' else ''}"):
                yield f"INSERT INTO {name} VALUES ({', '.join(map(_literal, row))})"


def _literal(value: object) -> str:
    if isinstance(value, bytes):
        try:
            return f"CAST({_literal(value.decode())} AS BLOB)"
        except UnicodeDecodeError:
            return f"x'{value.hex()}'"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
