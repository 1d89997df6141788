"""The publishers of libraries that others subscribe to: other servers by HTTP, and this one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from resphere.contract.errors import NotFound
from resphere.contract.extensions.content_publications import LIBRARY_PATH
from resphere.contract.model import ByteStream
from resphere.fetching.addresses import read_address
from resphere.fetching.errors import bad_answer, refused
from resphere.fetching.fetcher import Credentials, Fetcher, Wanted
from resphere.fetching.trust import Trust
from resphere.inventory.content.items import LibraryFile, LibraryItem, RemoteFile
from resphere.inventory.content.libraries import SUBSCRIBER, Library, Subscription
from resphere.libraries.vcsp import (
    OTHER,
    TEMPLATE,
    TYPE,
    TYPES,
    URN,
    FileDocument,
    ItemDocument,
    ItemsDocument,
    LibraryDocument,
    content_name,
    is_published,
    item_documents,
    library_document,
)
from resphere.replica.replica import Replica
from resphere.rules.content_names import (
    LONGEST_DESCRIPTION,
    LONGEST_ITEM_NAME,
    LONGEST_TYPE,
    is_file_name,
    is_unicode,
)
from resphere.rules.content_packages import MOST_FILES
from resphere.turns import in_turns

T = TypeVar("T")

LIBRARY_BYTES = 1 << 20
ITEM_BYTES = 4 << 20
ITEMS_BYTES = 128 << 20
"""So large may the documents be."""
MOST_ITEMS = 20_000
LONGEST_ID = 100
LARGEST_NUMBER = 2**53
HERE = "this server"
OWN = re.compile(re.escape(LIBRARY_PATH).replace(re.escape("{library}"), "([^/]+)"))
LOCAL_TYPES = {there: here for here, there in TYPES.items()}

Opened = AbstractAsyncContextManager[ByteStream]
OpenContent = Callable[[LibraryFile], Opened]


class PublishedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as it is published, in the words of this server; ``id`` is its own there."""

    id: str
    name: str
    description: str
    type: str
    version: str
    content_version: int
    metadata_version: int
    files: tuple[RemoteFile, ...]


class PublishedItems(msgspec.Struct, frozen=True):
    """All items of a library, and the ids of those that no library could have as they are told."""

    items: tuple[PublishedItem, ...]
    unusable: frozenset[str]


class Publisher(Protocol):
    """Whom a library gets its items from. Everything raises ``FetchError`` where it cannot be had."""

    async def library(self) -> LibraryDocument:
        """What it says of the library."""

    async def items(self, library: LibraryDocument) -> PublishedItems:
        """The items that it has."""

    def file(self, file: RemoteFile) -> Opened:
        """The bytes of a file."""


class HttpPublisher:
    """Another server, or a folder that any web server serves."""

    def __init__(self, fetcher: Fetcher, subscription: Subscription, password: str | None) -> None:
        self._fetcher = fetcher
        self._url = subscription.url
        self._trust = Trust(thumbprint=subscription.thumbprint, certificate=subscription.certificate)
        self._credentials = None if password is None else Credentials(SUBSCRIBER, password)

    async def library(self) -> LibraryDocument:
        """Read ``lib.json``."""
        return await self._document(self._url, LIBRARY_BYTES, LibraryDocument)

    async def items(self, library: LibraryDocument) -> PublishedItems:
        """Read ``items.json``, and the document of each item whose files it does not tell."""
        document = await self._document(self._resolved(library.items_href), ITEMS_BYTES, ItemsDocument)
        items: list[ItemDocument] = []
        for item in document.items[: MOST_ITEMS + 1]:
            if item.files is None and item.self_href is not None:
                address = self._resolved(item.self_href)
                items.append(await self._document(address, ITEM_BYTES, ItemDocument))
            else:
                items.append(item)
        return await published_items(items, self._where)

    @asynccontextmanager
    async def file(self, file: RemoteFile) -> AsyncIterator[ByteStream]:
        """Fetch a file, of just the size that was told."""
        wanted = self._wanted(self._resolved(file.href), max(file.size_bytes, 1))
        async with self._fetcher.fetch(wanted) as answer:
            yield answer

    @property
    def _where(self) -> str:
        return read_address(self._url).where

    def _wanted(self, address: str, most_bytes: int) -> Wanted:
        return Wanted(address, most_bytes, self._trust, self._credentials)

    def _resolved(self, href: str) -> str:
        """Where an address leads that a document has; never to another server, which was not subscribed to.

        :raises BadAnswer: it does.
        """
        first, found = read_address(self._url), read_address(urljoin(self._url, href))
        if (found.scheme, found.host, found.port) != (first.scheme, first.host, first.port):
            raise bad_answer(first.where, "it has an address of another server")
        return found.text

    async def _document(self, address: str, most_bytes: int, type: type[T]) -> T:
        async with self._fetcher.fetch(self._wanted(address, most_bytes)) as answer:
            pieces = [piece async for piece in answer]
        try:
            return await asyncio.to_thread(msgspec.json.decode, b"".join(pieces), type=type)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise bad_answer(self._where, f"{urlsplit(address).path} is no document of a published library") from None


class OwnPublisher:
    """This server, which needs nobody's leave to read its own libraries. ``verify`` tells whether a password is the one
    of a digest."""

    def __init__(
        self,
        inventory: Replica,
        open_content: OpenContent,
        verify: Callable[[str, str], bool],
        library: str,
        password: str | None,
    ) -> None:
        self._inventory = inventory
        self._open_content = open_content
        self._verify = verify
        self._library = library
        self._password = password

    async def library(self) -> LibraryDocument:
        """What is said of it to all subscribers."""
        found = self._inventory.get(Library, self._library)
        if found is None or not found.publishing.published:
            raise refused(HERE, 404)
        digest = found.publishing.password_digest
        if digest is not None:
            good = self._password is not None and await asyncio.to_thread(self._verify, self._password, digest)
            if not good:
                raise refused(HERE, 401)
        return library_document(found)

    async def items(self, library: LibraryDocument) -> PublishedItems:
        """Those that all subscribers get."""
        items: list[ItemDocument] = []
        present = tuple(self._inventory.by(LibraryItem, "library", self._library).values())
        async for piece in in_turns(present):
            items += item_documents(piece)
        return await published_items(items, HERE)

    @asynccontextmanager
    async def file(self, file: RemoteFile) -> AsyncIterator[ByteStream]:
        """Read a file."""
        id, content, _ = file.href.split("/", 2)
        item = self._inventory.get(LibraryItem, id)
        found = item.file(file.name) if item is not None and is_published(item) else None
        if found is None or content_name(found) != content:
            raise refused(HERE, 404)
        try:
            async with self._open_content(found) as stream:
                yield stream
        except NotFound:
            raise refused(HERE, 404) from None


def own_library(url: str) -> str | None:
    """The id of the library that is published at ``url``, if that is an address of a server such as this one."""
    try:
        found = OWN.fullmatch(urlsplit(url).path)
    except ValueError:
        return None
    return None if found is None else found[1]


async def published_items(documents: list[ItemDocument], where: str) -> PublishedItems:
    """What the documents of items mean.

    :raises BadAnswer: there are very many of them.
    """
    if len(documents) > MOST_ITEMS:
        raise bad_answer(where, f"there are more than {MOST_ITEMS} items")
    items: dict[str, PublishedItem] = {}
    unusable: set[str] = set()
    async for piece in in_turns(documents):
        for document in piece:
            id = document.id.removeprefix(URN)
            found = published_item(id, document)
            if found is None:
                unusable.add(id)
            else:
                items[id] = found
    return PublishedItems(tuple(items.values()), frozenset(unusable))


def published_item(id: str, document: ItemDocument) -> PublishedItem | None:
    """What the document of an item means; ``None``: no item could be so."""
    files = tuple([file for each in document.files or () if (file := remote_file(each)) is not None])
    names = {file.name for file in files}
    if not 0 < len(id) <= LONGEST_ID or not id.isprintable() or not document.name.strip():
        return None
    if len(names) != len(document.files or ()) or len(names) > MOST_FILES:
        return None
    version = number(document.version)
    content = version if document.content_version is None else number(document.content_version)
    return PublishedItem(
        id=id,
        name=storable(document.name, LONGEST_ITEM_NAME),
        description=storable(document.description or "", LONGEST_DESCRIPTION),
        type=LOCAL_TYPES.get(document.type or "") or free_type(document),
        version=str(document.version),
        content_version=content,
        # Of what a publisher counts, what is not a change of content is one of what is said.
        metadata_version=max(1, version - content + 1),
        files=files,
    )


def free_type(document: ItemDocument) -> str:
    """The type of an item for which the protocol has no word."""
    told = storable((document.properties or {}).get(TYPE, ""), LONGEST_TYPE)
    # Of those that mean something, packages and images have a word, and templates do not travel so.
    return OTHER if not told or told.casefold() in (*TYPES, TEMPLATE) else told


def remote_file(document: FileDocument) -> RemoteFile | None:
    """What the document of a file means; ``None``: no file could be so."""
    if not is_file_name(document.name) or not 0 <= document.size < LARGEST_NUMBER or not document.hrefs:
        return None
    generation = "" if document.generation_num is None else str(document.generation_num)
    return RemoteFile(
        name=document.name,
        size_bytes=document.size,
        href=document.hrefs[0],
        etag=document.etag or "",
        generation=generation,
    )


def storable(text: str, longest: int) -> str:
    """A text as it can be kept: of such a length, and without what no text has."""
    plain = text if is_unicode(text) else text.encode("utf-8", "replace").decode()
    return plain.replace("\0", "")[:longest]


def number(value: str | int) -> int:
    """A version, 1 where it is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 and int(text) > 0 else 1
