"""The documents of VMware's content subscription protocol (VCSP), by which libraries are read over HTTP: ``lib.json``,
``items.json`` and an ``item.json`` for each item.

Fields and values are those that VMware's own ``make_vcsp_2018.py`` writes; addresses are relative to ``lib.json``. What
others write is read leniently: versions as text or numbers, further fields passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import msgspec

from resphere.contract.extensions.content_publications import CONTENT_FILE, ITEM_FILE, ITEMS_FILE
from resphere.contract.generated.content_library_item import File
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library

VERSION = "2"
URN = "urn:uuid:"
MOMENT = "%Y-%m-%dT%H:%MZ"
TYPES = {"ovf": "vcsp.ovf", "iso": "vcsp.iso"}
"""Of items: what those are called here, and there."""
OTHER_TYPE = "vcsp.other"
OTHER = "file"
"""What items are here whose type the protocol has no word for, as in vCenter's own user interface."""
TYPE = "itemType"
"""The property of an item that says which type it has where it is published, if the protocol has no word for that;
others pass it over."""
TEMPLATE = "vm-template"
"""What items are that have a machine in place of files: no published one is."""
GET = ("httpGet",)
CONTENT_DIGITS = 32


class Capabilities(msgspec.Struct, frozen=True, rename="camel"):
    """By which ways contents come and go."""

    transfer_in: tuple[str, ...] = GET
    transfer_out: tuple[str, ...] = GET


class LibraryDocument(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``lib.json``."""

    vcsp_version: str | int = VERSION
    version: str | int
    content_version: str | int | None = "1"
    name: str = ""
    id: str
    created: str | None = None
    capabilities: Capabilities = Capabilities()
    items_href: str


class FileDocument(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A file of an item. ``etag`` and ``generation_num`` change with its content, where who writes them knows."""

    name: str
    size: int
    etag: str | None = None
    generation_num: int | str | None = None
    hrefs: tuple[str, ...]


class ItemDocument(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An item, in ``items.json`` as in its own ``item.json``. ``files`` may be left out of the former."""

    created: str | None = None
    description: str | None = ""
    version: str | int
    content_version: str | int | None = None
    files: tuple[FileDocument, ...] | None = None
    id: str
    name: str
    properties: dict[str, str] | None = {}
    self_href: str | None = None
    type: str | None = OTHER_TYPE


class ItemsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``items.json``."""

    items: tuple[ItemDocument, ...]


def library_document(library: Library) -> LibraryDocument:
    """What subscribers read first."""
    return LibraryDocument(
        version=str(library.published_version),
        name=library.name,
        id=f"{URN}{library.id}",
        created=moment(library.created),
        items_href=ITEMS_FILE,
    )


def item_document(item: LibraryItem) -> ItemDocument:
    """An item as subscribers read it. Its version rises with each change of what is said of it or is in it."""
    return ItemDocument(
        created=moment(item.created),
        description=item.description,
        version=str(item.metadata_version + item.content_version - 1),
        content_version=str(item.content_version),
        files=tuple([file_document(item, file) for file in item.files]),
        id=f"{URN}{item.id}",
        name=item.name,
        self_href=ITEM_FILE.format(item=item.id),
        type=TYPES.get(item.type.casefold(), OTHER_TYPE),
        properties={} if item.type == OTHER or item.type.casefold() in TYPES else {TYPE: item.type},
    )


def file_document(item: LibraryItem, file: LibraryFile) -> FileDocument:
    """A file; its address is good for this content of it alone."""
    name = quote(file.name, safe="")
    return FileDocument(
        name=file.name,
        size=file.size_bytes,
        etag=file.digests[File.ChecksumAlgorithm.SHA256],
        generation_num=file.version,
        hrefs=(CONTENT_FILE.format(item=item.id, content=content_name(file), file_name=name),),
    )


def content_name(file: LibraryFile) -> str:
    """What stands in the address of a file for its content, so that nobody gets a part of one and a part of another."""
    return file.digests[File.ChecksumAlgorithm.SHA256][:CONTENT_DIGITS]


def is_published(item: LibraryItem) -> bool:
    """Whether subscribers get the item: templates have no files, and do not travel so."""
    return item.template is None


def item_documents(items: Iterable[LibraryItem]) -> list[ItemDocument]:
    """All items that subscribers get."""
    return [item_document(item) for item in items if is_published(item)]


def moment(time: datetime) -> str:
    """A moment as the protocol writes it, to the minute."""
    return time.astimezone(UTC).strftime(MOMENT)


def file_name_of(href: str) -> str:
    """The last part of an address, as a name."""
    return unquote(href.rpartition("/")[2])
