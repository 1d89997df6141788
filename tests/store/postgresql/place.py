"""Where the tests of all engines have stores of this one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.store.postgresql.database import Database, shared


def new_url(folder: Path, number: int) -> str:
    """The URL of a store that is not there yet."""
    own = folder / str(number)
    own.mkdir(exist_ok=True)
    return url_in(shared(), own)


def url_in(database: Database, folder: Path) -> str:
    """The URL of the store of a folder: in a schema of its own."""
    schema = f"s{hashlib.sha256(str(folder).encode()).hexdigest()[:20]}"
    return f"{database.dsn}?schema={schema}&folder={folder}"
