"""``com.vmware.content.library.item.changes``: how the contents of items have changed."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import Changes
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.templates import ItemChange, change_id
from resphere.services.call import Call
from resphere.services.checks.content import require
from resphere.services.registry import implements

LONGEST_SHORT = 80
"""Of a message's first line, so many characters stand in lists."""


@implements(Changes.list, kept=True)
async def list_(call: Call, library_item: ids.ContentLibraryItemId) -> tuple[Changes.Summary, ...]:
    """The changes since the item was made, the first one first."""
    item = require(call, LibraryItem, library_item)
    changes = call.by(ItemChange, "item", item.id).values()
    return tuple(
        Changes.Summary(
            version=ids.ContentLibraryItemVersionId(str(change.version)),
            time=change.time,
            user=change.user,
            short_message=short(change.message),
        )
        for change in sorted(changes, key=lambda change: change.version)
    )


@implements(Changes.get, kept=True)
async def get(
    call: Call, library_item: ids.ContentLibraryItemId, version: ids.ContentLibraryItemVersionId
) -> Changes.Info:
    """One of them, with all of its message.

    :raises NotFound: there is no such item, or it has not changed so.
    """
    item = require(call, LibraryItem, library_item)
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 19 else 0
    found = call.get(ItemChange, change_id(item.id, number))
    if found is None:
        raise NotFound(
            message("resphere.content.no_change", "No change has made a version {0} of {1}.", version, item.name)
        )
    return Changes.Info(time=found.time, user=found.user, message=found.message)


def short(words: str | None) -> str | None:
    """The beginning of a message."""
    return None if words is None else words.partition("\n")[0][:LONGEST_SHORT]
