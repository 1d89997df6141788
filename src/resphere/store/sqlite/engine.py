"""The engine as the table of engines has it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from resphere.store.base import Store, StoreMissing
from resphere.store.sqlite.store import SqliteStore

FILE = "resphere.db"


class SqliteEngine:
    """Stores in a file of this machine: ``sqlite:resphere-data/resphere.db``."""

    form = "PATH"

    def place_in(self, data_dir: str) -> str:
        """A file in the data directory."""
        return str(Path(data_dir) / FILE)

    async def open(self, place: str, *, make: bool, log_rows_kept: int) -> Store:
        """Open it in a thread: others may be making it."""
        path = Path(place)
        if not make and not await asyncio.to_thread(path.exists):
            raise StoreMissing(f"there is no store at {path}")
        return await asyncio.to_thread(SqliteStore.open, path, log_rows_kept=log_rows_kept)


SQLITE = SqliteEngine()
