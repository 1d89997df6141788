"""Where the tests of all engines have stores of this one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.store.postgresql.database import USER, address


def new_url(folder: Path, number: int) -> str:
    """The URL of a store that is not there yet: a schema of its own in one database."""
    own = folder / str(number)
    own.mkdir(exist_ok=True)
    schema = f"s{hashlib.sha256(str(own).encode()).hexdigest()[:20]}"
    return f"postgresql://{USER}@{address()}/{USER}?schema={schema}&folder={own}"
