"""Published libraries as folders that any web server can serve (``persist_json_enabled``).

A folder has what is read at the address of the library, under the same names: ``lib.json``, ``items.json``, and for
each item its ``item.json`` and its files. Files are the contents themselves where those lie in a folder: no byte is
copied. All of it is derived, and written anew by one elected worker when it begins, and when a library has changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec

from resphere.contract.extensions.content_publications import ITEM_FILE, ITEMS_FILE, LIBRARY_FILE
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.libraries.vcsp import ItemDocument, ItemsDocument, content_name, item_document, library_document
from resphere.libraries.vcsp import is_published as is_told
from resphere.replica.replica import Replica
from resphere.store.base import Contents, StoreError
from resphere.turns import in_turns

log = logging.getLogger(__name__)

FOLDER = "published-libraries"
"""Below the data directory."""
LEASE = "library-documents"
"""What the worker holds that writes."""
PAUSE_SECONDS = 0.5
"""So long changes of a library are gathered."""
AGAIN_SECONDS = 30.0
"""After so long it is tried again to write what could not be written."""
UNFINISHED = ".part"


class PersistedLibraries:
    """Writes the folders of published libraries below ``folder``, where ``contents`` are their files."""

    def __init__(self, inventory: Replica, contents: Contents, folder: Path) -> None:
        self._inventory = inventory
        self._contents = contents
        self._folder = folder
        self._written: dict[Path, bytes] = {}
        """The digests of the documents that were written, so that only others are written again."""

    async def run(self) -> None:
        """Keep the folders as their libraries are, as long as this is not canceled."""
        woken = asyncio.Event()
        changed = set(await asyncio.to_thread(self._present)) | {
            id for id, library in self._inventory.all(Library).items() if is_persisted(library)
        }

        def heed(library: str | None) -> None:
            if library is not None:
                changed.add(library)
                woken.set()

        with ExitStack() as stack:
            stack.callback(self._inventory.subscribe(Library, lambda old, new: heed(changed_library(old, new))))
            stack.callback(self._inventory.subscribe(LibraryItem, lambda old, new: heed(self._library_of(old, new))))
            while True:
                woken.clear()
                await self._write_all(changed)
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_SECONDS):
                        await woken.wait()
                await asyncio.sleep(PAUSE_SECONDS)

    async def _write_all(self, changed: set[str]) -> None:
        for id in tuple(changed):
            changed.discard(id)
            try:
                await self.write(id)
            except (OSError, StoreError) as error:
                log.warning("the documents of the library %s were not written: %s", id, error)
                changed.add(id)

    async def write(self, id: str) -> None:
        """Have the folder of a library be as that is, or be no more.

        :raises OSError: it cannot be written.
        :raises StoreError: a file is not there any more, which the library has lost meanwhile.
        """
        library = self._inventory.get(Library, id)
        if library is None or not is_persisted(library):
            await asyncio.to_thread(self._remove, id)
            return
        # Of one moment, as the version says.
        items = [item for item in self._inventory.by(LibraryItem, "library", id).values() if is_told(item)]
        place, told = self.place_of(id), library_document(library)
        documents: dict[Path, bytes] = {}
        listed: list[ItemDocument] = []
        files: dict[Path, str] = {}
        async for piece in in_turns(items):
            for item in piece:
                document = item_document(item)
                listed.append(document)
                documents[place / ITEM_FILE.format(item=item.id)] = msgspec.json.encode(document)
                files |= {place / item.id / content_name(file) / file.name: file.content for file in item.files}
        present = await asyncio.to_thread(files_in, place)
        for path in [path for path in files if path not in present]:
            await self._contents.place(files[path], path)
        # Who reads in between is told of what is there, of before or of now.
        documents[place / ITEMS_FILE] = await asyncio.to_thread(msgspec.json.encode, ItemsDocument(items=tuple(listed)))
        documents[place / LIBRARY_FILE] = msgspec.json.encode(told)
        await asyncio.to_thread(self._put, documents)
        gone = present - files.keys() - documents.keys()
        await asyncio.to_thread(remove_all, gone, place)
        for path in gone:
            self._written.pop(path, None)

    def place_of(self, id: str) -> Path:
        """The folder of a library."""
        return self._folder / id

    def _library_of(self, old: LibraryItem | None, new: LibraryItem | None) -> str | None:
        """The library of an item that has changed, if it is persisted."""
        item = new if new is not None else old
        library = None if item is None else self._inventory.get(Library, item.library)
        return library.id if library is not None and is_persisted(library) else None

    def _present(self) -> list[str]:
        with suppress(FileNotFoundError):
            return [folder.name for folder in self._folder.iterdir()]
        return []

    def _put(self, documents: Mapping[Path, bytes]) -> None:
        for path, content in documents.items():
            digest = hashlib.sha256(content).digest()
            if self._written.get(path) == digest:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(path.name + UNFINISHED)
            unfinished.write_bytes(content)
            unfinished.replace(path)
            self._written[path] = digest

    def _remove(self, id: str) -> None:
        place = self.place_of(id)
        shutil.rmtree(place, ignore_errors=True)
        self._written = {path: digest for path, digest in self._written.items() if place not in path.parents}


def is_persisted(library: Library) -> bool:
    """Whether a library is to be there as a folder."""
    return library.publishing.published and library.publishing.persist_json


def changed_library(old: Library | None, new: Library | None) -> str | None:
    """The library that has changed, if it is or was persisted."""
    return next((each.id for each in (new, old) if each is not None and is_persisted(each)), None)


def files_in(folder: Path) -> set[Path]:
    """All files below a folder."""
    return {Path(place) / name for place, _, names in os.walk(folder) for name in names}


def remove_all(files: Iterable[Path], folder: Path) -> None:
    """Remove files below a folder, and the folders that are empty then."""
    for file in files:
        file.unlink(missing_ok=True)
        for parent in file.parents:
            if parent == folder:
                break
            try:
                parent.rmdir()
            except OSError:
                break  # something else is in it
