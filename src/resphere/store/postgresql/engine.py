"""The engine as the table of engines has it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from pathlib import Path

from resphere.store.base import Store
from resphere.store.copies import Copy, Extent, Placing, Sizes
from resphere.store.engine import Engine
from resphere.store.postgresql.copies import copying, is_served, placing, size_bytes, sizes
from resphere.store.postgresql.place import place_of, with_folder
from resphere.store.postgresql.store import PostgresqlStore


class PostgresqlEngine:
    """Stores in a database, for any number of servers: ``postgresql://resphere@db.example/resphere``."""

    def place_in(self, data_dir: str) -> str:
        """A database of this machine, with contents in the data directory."""
        return with_folder("//localhost/resphere", Path(data_dir))

    def completed(self, place: str, data_dir: str) -> str:
        """The same with a folder for contents and keys, where it names none."""
        return with_folder(place, Path(data_dir))

    def check(self, place: str) -> None:
        """:raises ValueError: it is no place."""
        place_of(place)

    def shown(self, place: str) -> str:
        """Without the password, and without what the database's client is told besides."""
        return f"//{place_of(place).shown}"

    def folder_of(self, place: str) -> Path | None:
        """Where contents lie; documents take room elsewhere."""
        return place_of(place).folder

    async def size_bytes(self, place: str) -> int:
        """What the tables take."""
        return await size_bytes(place_of(place))

    def one_server(self, place: str) -> AbstractContextManager[None]:
        """Any number may have it."""
        return nullcontext()

    async def is_served(self, place: str) -> bool:
        """By the signs of life."""
        return await is_served(place_of(place))

    async def open(self, place: str, *, make: bool, log_rows_kept: int) -> Store:
        """See :meth:`Engine.open`."""
        return await PostgresqlStore.open(place_of(place), log_rows_kept=log_rows_kept, make=make)

    def copying(self, place: str, folder: Path, extent: Extent) -> AbstractAsyncContextManager[Copy]:
        """See :meth:`Engine.copying`."""
        return copying(place_of(place), folder, extent)

    def placing(self, place: str, extent: Extent, *, replace: bool) -> AbstractAsyncContextManager[Placing]:
        """See :meth:`Engine.placing`."""
        return placing(place_of(place), extent, replace=replace)

    async def sizes(self, place: str, extent: Extent) -> Sizes:
        """See :meth:`Engine.sizes`."""
        return await sizes(place_of(place), extent)


ENGINE: Engine = PostgresqlEngine()
