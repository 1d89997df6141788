"""``com.vmware.content.library.item.storage``: where the files of items lie."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import Storage
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.services.call import Call
from resphere.services.checks.content import require, require_file
from resphere.services.checks.content_items import checksum_of, storage_uris
from resphere.services.checks.content_libraries import backing_of
from resphere.services.registry import implements


@implements(Storage.list, kept=True)
async def list_storage(call: Call, library_item_id: ids.ContentLibraryItemId) -> tuple[Storage.Info, ...]:
    """Where all files of an item lie."""
    item = require(call, LibraryItem, library_item_id)
    return tuple(info(call, item, file) for file in item.files)


@implements(Storage.get, kept=True)
async def get(call: Call, library_item_id: ids.ContentLibraryItemId, file_name: str) -> tuple[Storage.Info, ...]:
    """Where one of them lies: in one place."""
    item = require(call, LibraryItem, library_item_id)
    return (info(call, item, require_file(item, file_name)),)


def info(call: Call, item: LibraryItem, file: LibraryFile) -> Storage.Info:
    """Where a file lies."""
    library = require(call, Library, item.library)
    return Storage.Info(
        storage_backing=backing_of(library),
        storage_uris=storage_uris(call, library, item, file),
        checksum_info=checksum_of(file),
        name=file.name,
        size=file.size_bytes,
        cached=True,
        version=str(file.version),
    )
