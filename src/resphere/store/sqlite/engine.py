"""The engine as the table of engines has it."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path

from resphere.store.base import Store
from resphere.store.copies import Copy, Extent, Placing, Sizes
from resphere.store.engine import Engine
from resphere.store.one_server import one_server
from resphere.store.sqlite.copies import copying, placing, size_bytes, sizes
from resphere.store.sqlite.store import SqliteStore

FILE = "resphere.db"


class SqliteEngine:
    """Stores in a file of this machine: ``sqlite:resphere-data/resphere.db``."""

    def place_in(self, data_dir: str) -> str:
        """A file in the data directory."""
        return str(Path(data_dir) / FILE)

    def completed(self, place: str, data_dir: str) -> str:
        """It needs nothing besides."""
        return place

    def check(self, place: str) -> None:
        """Any path may be one."""

    def shown(self, place: str) -> str:
        """There is no secret in it."""
        return place

    def folder_of(self, place: str) -> Path | None:
        """Where the file lies."""
        return Path(place).parent

    async def size_bytes(self, place: str) -> int:
        """Of the file, and of the log beside it."""
        return await asyncio.to_thread(size_bytes, Path(place))

    def one_server(self, place: str) -> AbstractContextManager[None]:
        """By a lock beside the file."""
        path = Path(place)
        return one_server(path.with_name(f"{path.name}-server.lock"), f"the store {path}")

    async def is_served(self, place: str) -> bool:
        """Never: it takes one server."""
        return False

    async def open(self, place: str, *, make: bool, log_rows_kept: int) -> Store:
        """Open it in a thread: others may be making it."""
        return await asyncio.to_thread(SqliteStore.open, Path(place), log_rows_kept=log_rows_kept, make=make)

    def copying(self, place: str, folder: Path, extent: Extent) -> AbstractAsyncContextManager[Copy]:
        """See :meth:`Engine.copying`."""
        return copying(Path(place), folder, extent)

    def placing(self, place: str, extent: Extent, *, replace: bool) -> AbstractAsyncContextManager[Placing]:
        """See :meth:`Engine.placing`."""
        return placing(Path(place), extent, replace=replace)

    async def sizes(self, place: str, extent: Extent) -> Sizes:
        """See :meth:`Engine.sizes`."""
        return await asyncio.to_thread(sizes, Path(place), extent)


ENGINE: Engine = SqliteEngine()
