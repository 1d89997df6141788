"""``resphere.content.publications``: published libraries, as their subscribers read them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.content_publications import ContentPublications
from resphere.contract.model import Part
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.libraries.vcsp import (
    ItemDocument,
    ItemsDocument,
    content_name,
    is_published,
    item_document,
    item_documents,
    library_document,
)
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.resphere.content.transfers import ranged
from resphere.turns import in_turns

PIECE_BYTES = 256 * 1024


@implements(ContentPublications.library)
async def library(call: Call, library: str) -> Part:
    """What a published library is called, which version it has, and where its items are listed.

    :raises NotFound: there is no such library, or it is not published.
    """
    return document(library_document(require_published(call, library)))


@implements(ContentPublications.items)
async def items(call: Call, library: str) -> Part:
    """The items of a published library with their files.

    :raises NotFound: there is no such library, or it is not published.
    """
    found = require_published(call, library)
    documents: list[ItemDocument] = []
    # Of one moment: those that change meanwhile are told as they were, with addresses that are good no more.
    present = tuple(call.unfiltered.by(LibraryItem, "library", found.id).values())
    async for piece in in_turns(present):
        documents += item_documents(piece)
    content = await asyncio.to_thread(msgspec.json.encode, ItemsDocument(items=tuple(documents)))
    return written(content)


@implements(ContentPublications.item)
async def item(call: Call, library: str, item: str) -> Part:
    """An item of a published library with its files.

    :raises NotFound: there is none.
    """
    return document(item_document(require_item(call, library, item)))


@implements(ContentPublications.file)
async def file(
    call: Call, library: str, item: str, content: str, file_name: str, range: str | None, if_range: str | None
) -> Part:
    """A file of a published library, or of a range the part.

    :raises NotFound: there is none, or it has another content by now.
    :raises InvalidArgument: the file ends before the range begins (416).
    """
    found = require_item(call, library, item).file(file_name)
    if found is None or content_name(found) != content:
        raise not_published()
    contents = call.environment.library_files
    return await ranged(found, range, if_range, lambda first, size: contents.open_content(found, first, size))


class Written(msgspec.Struct, frozen=True):
    """A document as a stream: however many items it has, it goes out piece by piece."""

    content: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces."""
        for at in range(0, len(self.content), PIECE_BYTES):
            yield self.content[at : at + PIECE_BYTES]

    async def close(self) -> None:
        """Nothing holds anything."""


def document(value: msgspec.Struct) -> Part:
    """A small document."""
    return written(msgspec.json.encode(value))


def written(content: bytes) -> Part:
    """What is written already."""
    return Part(Written(content), 200, ())


def require_published(call: Call, id: str) -> Library:
    """A library that is published.

    :raises NotFound: there is none of that id; which others there are is not told.
    """
    found = call.unfiltered.get(Library, id)
    if found is None or not found.publishing.published:
        raise not_published()
    return found


def require_item(call: Call, library: str, id: str) -> LibraryItem:
    """An item of a published library.

    :raises NotFound: there is none.
    """
    found = call.unfiltered.get(LibraryItem, id)
    if found is None or found.library != require_published(call, library).id or not is_published(found):
        raise not_published()
    return found


def not_published() -> NotFound:
    """The refusal of an address at which nothing is published."""
    return NotFound(message("resphere.content.nothing_published", "Nothing is published at this address, or no more."))
