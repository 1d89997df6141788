"""What subscribers of published libraries notice changes by."""

from __future__ import annotations

import msgspec

from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


def count_item_changes(_: Replica, edit: Edit, before: LibraryItem | None, after: LibraryItem | None) -> None:
    """Have the version of a published library rise with each change of an item. A rule of every change of items."""
    item = after or before
    library = None if item is None else edit.get(Library, item.library)
    if library is not None and library.publishing.published:
        edit.put(msgspec.structs.replace(library, item_changes=library.item_changes + 1))
