"""What of content libraries is no more: sessions that are over, items of deleted libraries, and what nothing names."""

from __future__ import annotations

from itertools import islice

from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import LeavingLibrary
from resphere.inventory.content.sessions import DownloadSession, UpdateSession
from resphere.libraries.files import LibraryFiles
from resphere.libraries.receiving import Incoming, Receiving
from resphere.libraries.refusals import left
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.turns import PIECE, in_turns

ITEMS_AT_A_TIME = 100
"""So many items of a deleted library are deleted in one transaction."""


class Cleaning:
    """Deletes what is over, and what workers that died have left."""

    def __init__(self, inventory: Replica, files: LibraryFiles, receiving: Receiving) -> None:
        self._inventory = inventory
        self._files = files
        self._receiving = receiving

    async def clean_up(self) -> None:
        """Delete sessions in which nothing happens any more, and what workers that died have left."""
        # Whether their workers live is asked before what is named: a living one may be about to name its own.
        left_behind = await self._files.left_behind()
        await self._inventory.refresh()
        await self._delete_over(UpdateSession)
        await self._delete_over(DownloadSession)
        await self._give_up_orphans()
        for library in tuple(self._inventory.all(LeavingLibrary)):
            await self.delete_items_of(library)
        # After this nobody comes to name what nothing names: its maker is dead.
        await self._inventory.refresh()
        async for names in in_turns(left_behind):
            for name in names:
                self._files.drop(name)

    async def delete_items_of(self, library: str) -> None:
        """Delete what is left of a deleted library: some of its items at a time, so that nobody waits long."""

        def plan(edit: Edit) -> bool:
            if edit.get(LeavingLibrary, library) is None:
                return False  # others were faster
            items = tuple(islice(self._inventory.by(LibraryItem, "library", library), ITEMS_AT_A_TIME))
            for item in items:
                edit.delete(LibraryItem, item)
            if not items:
                edit.delete(LeavingLibrary, library)
            return bool(items)

        while await self._inventory.change(plan):
            pass

    async def _delete_over(self, cls: type[UpdateSession] | type[DownloadSession]) -> None:
        def plan(edit: Edit) -> bool:
            over = (id for id, session in self._inventory.all(cls).items() if self._files.is_over(session))
            some = tuple(islice(over, PIECE))
            for id in some:
                edit.delete(cls, id)
            return len(some) == PIECE

        while await self._inventory.change(plan):
            pass

    async def _give_up_orphans(self) -> None:
        """Files whose receivers died are to be sent again; those that are pulled are fetched by others."""
        for session in list(self._inventory.all(UpdateSession).values()):
            for file in session.files:
                if file.sender is not None and not file.is_pulled and self._files.is_gone(file.sender):
                    await self._receiving.fail(Incoming(session.id, file.name, file.number, file.sender), left())
