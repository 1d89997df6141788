"""Contents of subscribed libraries that come when somebody needs them.

Whoever needs the content of an item that is not here asks for it, as for any sync, and waits: the one worker that syncs
fetches it, once, however many wait.
"""

from __future__ import annotations

import msgspec

from resphere.contract.errors import ResourceInaccessible, message
from resphere.contract.generated import ids
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.subscriptions import SyncRequest, is_coming
from resphere.libraries.syncing import LibrarySync
from resphere.replica.edit import Edit
from resphere.replica.noticing import noticing
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup
from resphere.turns import heard

LOOK_SECONDS = 30.0
"""How often it is looked whether there is still something to wait for, should nobody tell."""


async def bring(inventory: Replica, sync: LibrarySync, id: ids.ContentLibraryItemId) -> None:
    """Have all files of an item be here. An item that is no more, now or later, is for the caller to find out.

    Who is canceled stops no one else: what was asked for goes on.

    :raises ResourceInaccessible: they cannot be had.
    """
    if not is_wanting(inventory.get(LibraryItem, id)):
        return
    with noticing(inventory, SyncRequest, LibraryItem, Library) as woken:
        await inventory.change(lambda edit: ask_for(edit, sync, id))
        while is_wanting(inventory.get(LibraryItem, id)):
            woken.clear()
            require_coming(inventory, id)
            await heard(woken, LOOK_SECONDS)


def is_wanting(item: LibraryItem | None) -> bool:
    """Whether it is an item that lacks files."""
    return item is not None and not item.is_cached


def ask_for(edit: Edit, sync: LibrarySync, id: ids.ContentLibraryItemId) -> None:
    """Have the content of an item come, unless it is here, or is asked for already.

    :raises ResourceInaccessible: its library takes nothing now.
    """
    item = edit.get(LibraryItem, id)
    library = None if item is None else edit.get(Library, item.library)
    if item is None or item.is_cached or library is None:
        return
    require_open(item, library)
    if is_coming(edit, id):
        return
    sync.request(edit, library.id, id, with_content=True)
    if item.not_fetched is not None:
        edit.put(msgspec.structs.replace(item, not_fetched=None))


def require_coming(inventory: Lookup, id: str) -> None:
    """:raises ResourceInaccessible: nothing more comes of an item."""
    item = inventory.get(LibraryItem, id)
    library = None if item is None else inventory.get(Library, item.library)
    if item is None or library is None:
        return
    require_open(item, library)
    if not is_coming(inventory, id):
        raise not_fetched(item)


def require_open(item: LibraryItem, library: Library) -> None:
    """:raises ResourceInaccessible: the library takes nothing now."""
    if library.maintenance is not None or library.lost_datastore is not None or library.subscription is None:
        raise ResourceInaccessible(
            message(
                "resphere.content.not_cached",
                "The content of the library item {0} is not here, and the library {1} takes none now: it is in "
                "maintenance, or has lost its place.",
                item.name,
                library.name,
            )
        )


def not_fetched(item: LibraryItem) -> ResourceInaccessible:
    """The refusal where the content of an item was asked for and did not come."""
    why = item.not_fetched
    return ResourceInaccessible(
        message(
            "resphere.content.not_fetched",
            "The content of the library item {0} was not fetched from its publisher: {1}",
            item.name,
            "the sync was given up." if why is None else why.default_message,
        ),
        *(() if why is None else (why,)),
    )
