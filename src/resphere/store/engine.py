"""What an engine is: it opens stores, and copies them whole."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Protocol

from resphere.store.base import Store
from resphere.store.copies import Copy, Extent, Placing, Sizes


class Engine(Protocol):
    """One way to keep stores, by the scheme of their URLs; the rest of the URL is the ``place``."""

    def place_in(self, data_dir: str) -> str:
        """The place of the store that belongs to a data directory."""

    def completed(self, place: str, data_dir: str) -> str:
        """The same place, with what it needs besides, where that is not named, in a data directory.

        :raises ValueError: it is no place.
        """

    def check(self, place: str) -> None:
        """:raises ValueError: it is no place."""

    def shown(self, place: str) -> str:
        """The place as logs and messages may show it: without any password."""

    def folder_of(self, place: str) -> Path | None:
        """The folder that the store takes room in; ``None`` where that is on another machine."""

    async def size_bytes(self, place: str) -> int:
        """How much the store takes there at the moment, without its contents.

        :raises StoreError: nobody can tell.
        """

    def one_server(self, place: str) -> AbstractContextManager[None]:
        """See :func:`resphere.store.engines.one_server_on`."""

    async def is_served(self, place: str) -> bool:
        """See :func:`resphere.store.engines.is_served`."""

    async def open(self, place: str, *, make: bool, log_rows_kept: int) -> Store:
        """See :func:`resphere.store.engines.open_store`."""

    def copying(self, place: str, folder: Path, extent: Extent) -> AbstractAsyncContextManager[Copy]:
        """A copy of the store, which others may use and write meanwhile: all that was acknowledged before is in it,
        and every content that a document of it names. ``folder`` is empty and takes what has to be written for it.

        :raises StoreMissing: there is none.
        :raises StoreError: it cannot be read.
        """

    def placing(self, place: str, extent: Extent, *, replace: bool) -> AbstractAsyncContextManager[Placing]:
        """Room for a copy; ``replace``: in place of the store that is there.

        Whoever is killed within leaves a place that nobody can open, but for another that replaces it.

        :raises StoreError: there is a store already, or somebody has it open.
        """

    async def sizes(self, place: str, extent: Extent) -> Sizes:
        """How much the store takes.

        :raises StoreError: it cannot be read.
        """
