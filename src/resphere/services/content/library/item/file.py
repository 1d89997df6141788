"""``com.vmware.content.library.item.file``: the files of items."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import File
from resphere.inventory.content.items import LibraryItem
from resphere.services.call import Call
from resphere.services.checks.content import require, require_file
from resphere.services.checks.content_items import file_info, file_infos
from resphere.services.registry import implements


@implements(File.list, kept=True)
async def list_files(call: Call, library_item_id: ids.ContentLibraryItemId) -> tuple[File.Info, ...]:
    """All files of an item."""
    return file_infos(require(call, LibraryItem, library_item_id))


@implements(File.get, kept=True)
async def get(call: Call, library_item_id: ids.ContentLibraryItemId, name: str) -> File.Info:
    """One of them."""
    item = require(call, LibraryItem, library_item_id)
    infos = (info for info in file_infos(item) if info.name == name)
    return next(infos, None) or file_info(require_file(item, name))
