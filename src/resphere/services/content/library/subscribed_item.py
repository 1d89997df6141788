"""``com.vmware.content.library.subscribed_item``: the items of subscribed libraries."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidElementConfiguration, message
from resphere.contract.generated import ids
from resphere.contract.generated.content_library import SubscribedItem
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.replica.edit import Edit
from resphere.rules.content_names import is_descriptor
from resphere.services.call import Call
from resphere.services.checks.content import require, require_changeable, require_subscribed
from resphere.services.registry import implements


@implements(SubscribedItem.sync)
async def sync(
    call: Call,
    library_item_id: ids.ContentLibraryItemId,
    force_sync_content: bool,
    sync_optional_files: bool | None,
) -> None:
    """Have the item take what is new; that goes on behind. ``force_sync_content``: its content too, where the library
    takes that on demand. No file is optional here.

    :raises NotAllowedInCurrentState: the library is in maintenance, or has lost its place.
    """

    def plan(edit: Edit) -> None:
        item = require(edit, LibraryItem, library_item_id)
        library = require(edit, Library, item.library)
        require_subscribed(library)
        require_changeable(library)
        call.environment.library_sync.request(edit, library.id, item.id, with_content=force_sync_content)

    await call.settle(plan)


@implements(SubscribedItem.evict)
async def evict(call: Call, library_item_id: ids.ContentLibraryItemId) -> None:
    """Give the room of the item's content back, which can be had again on demand.

    :raises InvalidElementConfiguration: the library takes contents at once.
    :raises NotAllowedInCurrentState: it is in maintenance, or has lost its place.
    """

    def plan(edit: Edit) -> None:
        item = require(edit, LibraryItem, library_item_id)
        library = require(edit, Library, item.library)
        if not require_subscribed(library).on_demand:
            raise InvalidElementConfiguration(
                message(
                    "resphere.content.not_on_demand", "The library {0} does not take contents on demand.", library.name
                )
            )
        require_changeable(library)
        edit.rely_on(library)
        edit.put(without_contents(item))

    await call.settle(plan)


def without_contents(item: LibraryItem) -> LibraryItem:
    """The item with nothing but what describes it."""
    return msgspec.structs.replace(item, files=tuple(file for file in item.files if is_descriptor(file.name)))
