"""Files of library items by where they lie on a datastore."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.model import Datastore
from resphere.replica.table import Lookup

SCHEME = "ds"


def on_datastore(uri: str) -> bool:
    """Whether an address is one on a datastore."""
    return uri.strip().lower().startswith(f"{SCHEME}:")


def place_of(library: Library, item: LibraryItem, file: LibraryFile) -> str:
    """Where a file lies below the storage of its library."""
    return f"{library.folder}/{item.id}/{file.stored_name}"


def file_at(among: Lookup, uri: str) -> tuple[LibraryItem, LibraryFile] | None:
    """The file that lies at a ``ds://`` address, as item storage tells them, and its item."""
    split = urlsplit(uri.strip())
    parts = [unquote(part) for part in split.path.split("/") if part]
    if split.scheme != SCHEME or split.netloc or len(parts) < 3:
        return None
    item = among.get(LibraryItem, parts[-2])
    library = None if item is None else among.get(Library, item.library)
    if item is None or library is None or library.datastore is None:
        return None
    datastore = among.get(Datastore, library.datastore)
    if datastore is None or [part for part in urlsplit(datastore.url).path.split("/") if part] != parts[:-3]:
        return None
    found = "/".join(parts[-3:])
    return next(((item, file) for file in item.files if place_of(library, item, file) == found), None)
