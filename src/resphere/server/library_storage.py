"""Where the contents of libraries lie: beside the store, or in a bucket where settings say so."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from resphere.inventory.installation import ONLY, Installation, LibraryStorage
from resphere.replica.errors import UnreadableDocument
from resphere.replica.replica import Replica
from resphere.server.forms.record import HasDocuments
from resphere.server.settings import Settings
from resphere.store.base import Contents, Liveness, Store, StoreError
from resphere.store.buckets.location import BucketLocation, location_of

if TYPE_CHECKING:
    from resphere.store.buckets.contents import BucketContents

LIBRARY_FILES = "library-files"
"""The contents of files in content libraries."""


class Noted(msgspec.Struct, frozen=True):
    """What of an installation is asked here, of whichever form it is."""

    library_storage: LibraryStorage | None = None


FLAG = "--library-storage"
NEEDED = "botocore"


async def open_library_contents(
    settings: Settings, store: Store, liveness: Liveness, stack: AsyncExitStack
) -> Contents:
    """The contents of libraries, until ``stack`` ends.

    :raises ValueError: there is no library that speaks to the bucket.
    :raises StoreError: they cannot be opened.
    """
    location = settings.library_bucket
    if location is None:
        return await store.contents(LIBRARY_FILES, liveness)
    return await _open(location, liveness, settings.max_library_file_bytes, stack)


async def keep_library_storage(settings: Settings, store: Store, replica: Replica) -> None:
    """See that the contents of libraries are where they were, or have all been copied to where they shall be.

    :raises ValueError: there is no library that speaks to the bucket.
    :raises StoreError: the bucket cannot be reached, belongs to another server, or lacks contents.
    """
    installation = replica.get(Installation, ONLY)
    assert installation is not None
    before, now = installation.library_storage, storage_of(settings)
    if before is None and now is None:
        return
    async with AsyncExitStack() as stack:
        liveness = await store.liveness(f"{os.getpid()}-{secrets.token_hex(4)}")
        stack.push_async_callback(liveness.release)
        with _told():
            await _keep(settings, store, liveness, before, now, stack)
    if before != now:
        await replica.change(lambda edit: edit.put(replace(installation, library_storage=now)))


async def _keep(
    settings: Settings,
    store: Store,
    liveness: Liveness,
    before: LibraryStorage | None,
    now: LibraryStorage | None,
    stack: AsyncExitStack,
) -> None:
    contents = await open_library_contents(settings, store, liveness, stack)
    if before is not None and now is not None and (before.url, before.endpoint) == (now.url, now.endpoint):
        await _opening().require_of(contents, store.epoch)
        return
    holder = None if now is None else await _opening().holder_of(contents)
    if holder is not None and holder != store.epoch:
        await _opening().require_of(contents, store.epoch)
    # One bucket may be had by several URLs of its service.
    if before is None or now is None or before.url != now.url or holder is None:
        await _require_all(await _before(before, store, liveness, stack), contents, before, now)
    if now is not None:
        await _opening().claim_for(contents, store.epoch)


async def _before(before: LibraryStorage | None, store: Store, liveness: Liveness, stack: AsyncExitStack) -> Contents:
    if before is None:
        return await store.contents(LIBRARY_FILES, liveness)
    return await _open(location_of(before.url, before.endpoint, before.region), liveness, 0, stack)


async def _require_all(old: Contents, new: Contents, before: LibraryStorage | None, now: LibraryStorage | None) -> None:
    """See that whatever is in the old place is in the new one.

    :raises StoreError: something is missing.
    """
    there = await new.sizes()
    missing = sorted(name for name, size in (await old.sizes()).items() if there.get(name) != size)
    if missing:
        raise StoreError(
            f"{words(now)} lacks {len(missing):,} of the files of content libraries, such as {missing[0]}, that are in "
            f"{words(before)}: copy them, while no server runs, or start with the storage of before"
        )


def storage_of(settings: Settings) -> LibraryStorage | None:
    """The storage that settings name."""
    location = settings.library_bucket
    if location is None:
        return None
    return LibraryStorage(url=str(location), endpoint=location.endpoint, region=location.region)


async def storage_in(store: HasDocuments) -> LibraryStorage | None:
    """The storage that a store, or a copy of one, says; ``None``: contents are beside it.

    :raises StoreError: what says so cannot be read.
    """
    document = await store.document(Installation.kind, ONLY)
    if document is None:
        return None
    try:
        return msgspec.json.decode(document.body, type=Noted).library_storage
    except msgspec.MsgspecError as error:
        raise UnreadableDocument(document.kind, document.id, str(error)) from error


def words(storage: LibraryStorage | None) -> str:
    """What a storage is called for people."""
    if storage is None:
        return f"the folder {LIBRARY_FILES} beside the store"
    return storage.url if storage.endpoint is None else f"{storage.url} at {storage.endpoint}"


async def _open(location: BucketLocation, liveness: Liveness, most_bytes: int, stack: AsyncExitStack) -> BucketContents:
    opened: BucketContents = await _opening().open_bucket(location, liveness.name, liveness.is_alive, most_bytes)
    stack.callback(opened.close)
    return opened


def _opening() -> Any:
    """The module that opens buckets: it needs a library that nobody else has to install.

    :raises ValueError: there is none.
    """
    try:
        return import_module("resphere.store.buckets.opening")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != NEEDED:
            raise
        raise ValueError(f"{FLAG} needs {NEEDED}: pip install 'resphere[s3]'") from None


@contextmanager
def _told() -> Iterator[None]:
    """Say of which flag a refusal is."""
    try:
        yield
    except StoreError as error:
        raise StoreError(f"{FLAG}: {error}") from None
