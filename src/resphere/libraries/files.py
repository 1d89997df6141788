"""The files of content libraries: stored, read and given up, and how long sessions go on."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta

import msgspec

from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.contract.model import ByteStream
from resphere.inventory.content.items import LibraryFile, LibraryItem, is_leaving, stored_name
from resphere.inventory.content.sessions import DownloadSession, Sender, UpdateSession
from resphere.inventory.content.subscriptions import is_coming
from resphere.inventory.contents import DIGEST, ContentPart
from resphere.inventory.model import DatastoreFile, VirtualMachine
from resphere.libraries.digests import Algorithm, Digests
from resphere.libraries.naming import is_named, on_letting_go
from resphere.libraries.packages import PackageContents
from resphere.libraries.refusals import no_address, no_room
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup
from resphere.store.base import ContentMissing, Contents, NoRoom, Writing
from resphere.uuids import new_uuid

log = logging.getLogger(__name__)

GOOD_FOR = timedelta(minutes=5)
"""As long as a vCenter's session is, after what happened last in it."""


class LibraryFiles:
    """The bytes of libraries, as a worker has them; ``worker`` is its name, ``is_alive`` tells which others run.

    What is stored is durable before the transaction that names it, and what no transaction has come to name is deleted:
    by who stored it, or, where that has died, by the next :class:`~resphere.libraries.cleaning.Cleaning` of any worker.
    """

    def __init__(
        self,
        inventory: Replica,
        contents: Contents,
        worker: str,
        is_alive: Callable[[str], bool],
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._inventory = inventory
        self._contents = contents
        self.packages = PackageContents(contents)
        self._worker = worker
        self._is_alive = is_alive
        self._now = now
        self._random_bytes = random_bytes
        on_letting_go(inventory, self.drop)

    # --- sessions ----------------------------------------------------------------------------------------------------

    def is_over(self, session: UpdateSession | DownloadSession) -> bool:
        """Whether nothing has happened in the session for so long that it is no more, though it is still stored.

        As long as something comes it goes on.
        """
        if session.expires > self._now():
            return False
        if isinstance(session, DownloadSession):
            return not (session.is_waiting and is_coming(self._inventory, session.item))
        return not any(self._is_alive(sender.worker) for sender in session.senders)

    def until(self) -> datetime:
        """When a session ends in which something has just happened."""
        return self._now() + GOOD_FOR

    def now(self) -> datetime:
        """The present moment."""
        return self._now()

    def new_sender(self) -> Sender:
        """Somebody of this worker who receives a file."""
        return Sender(self._worker, self._random_bytes(8).hex())

    def receives(self, sender: Sender | None) -> bool:
        """Whether it is somebody of this worker."""
        return sender is not None and sender.worker == self._worker

    def is_gone(self, sender: Sender | None) -> bool:
        """Whether it is somebody of a worker that runs no more."""
        return sender is not None and not self._is_alive(sender.worker)

    # --- in ----------------------------------------------------------------------------------------------------------

    async def write(
        self,
        name: str,
        pieces: AsyncIterator[bytes],
        digests: Digests,
        check: Callable[[Mapping[Algorithm, str]], None] = lambda _: None,
        *,
        settled: bool = True,
    ) -> LibraryFile:
        """Store a file, unless ``check`` refuses its digests: durably, or to be ``settled`` with others."""
        async with self._contents.write(digests.update) as writing:
            async for piece in pieces:
                await writing.write(piece)
            await writing.finish(settled=settled, check=lambda: check(digests.result()))
            return self._stored(name, writing, digests.result())

    def _stored(self, name: str, writing: Writing, digests: dict[ItemFile.ChecksumAlgorithm, str]) -> LibraryFile:
        uuid = new_uuid(self._random_bytes)
        return LibraryFile(
            name=name,
            size_bytes=writing.size_bytes,
            content=writing.name,
            stored_name=stored_name(name, uuid),
            digests=digests,
        )

    async def make(self, name: str, pieces: Iterable[bytes]) -> LibraryFile:
        """Store a file that is made here, durably. Where no transaction comes to name it, :meth:`give_up` it.

        :raises UnableToAllocateResource: there is no room.
        """
        # Manifests of packages tell digests of any of these.
        digests = Digests((ItemFile.ChecksumAlgorithm.SHA512,))
        with room_told():
            async with self._contents.write(digests.update) as writing:
                for piece in pieces:
                    await writing.write(piece)
                await writing.finish()
                return self._stored(name, writing, digests.result())

    async def keep(self, name: str, pieces: AsyncIterator[bytes]) -> LibraryFile:
        """Store a file that comes for no session, durably. Where no transaction comes to name it, :meth:`give_up` it.

        :raises UnableToAllocateResource: there is no room.
        """
        with room_told():
            return await self.write(name, pieces, Digests(()))

    async def settle(self, files: Iterable[LibraryFile]) -> None:
        """Make durable what was written to be settled with others.

        :raises UnableToAllocateResource: there is no room.
        """
        with room_told():
            await self._contents.settle([each.content for each in files])

    def with_same_bytes(self, edit: Edit, received: LibraryFile) -> LibraryFile:
        """The file, of the bytes of an item, a disk or an image where these are the same: its own are named by
        nothing then."""
        item = next(iter(self._inventory.by(LibraryItem, DIGEST, received.sha256).values()), None)
        if item is not None:
            edit.rely_on(item)
            content = next(file.content for file in item.files if file.sha256 == received.sha256)
            return msgspec.structs.replace(received, content=content)
        vm = next(iter(self._inventory.by(VirtualMachine, DIGEST, received.sha256).values()), None)
        if vm is not None:
            edit.rely_on(vm)
            parts = (part for disk in vm.disk_contents.values() for part in disk.parts)
            content = next(part.content for part in parts if part.sha256 == received.sha256)
            return msgspec.structs.replace(received, content=content)
        file = next(iter(self._inventory.by(DatastoreFile, DIGEST, received.sha256).values()), None)
        if file is not None and file.content is not None:
            edit.rely_on(file)
            content = next(part.content for part in file.content.parts if part.sha256 == received.sha256)
            return msgspec.structs.replace(received, content=content)
        return received

    def of_disk(self, name: str, part: ContentPart) -> LibraryFile:
        """A file with the bytes that a disk has: none is copied. It is good as long as something names them."""
        return LibraryFile(
            name=name,
            size_bytes=part.size_bytes,
            content=part.content,
            stored_name=stored_name(name, new_uuid(self._random_bytes)),
            digests={Algorithm.SHA256: part.sha256},
        )

    async def give_up(self, files: Iterable[LibraryFile]) -> None:
        """Delete those of the files that nothing has come to name."""
        await self._inventory.refresh()
        for file in files:
            self.drop(file.content)

    # --- out ---------------------------------------------------------------------------------------------------------

    async def content(self, file: LibraryFile) -> ByteStream:
        """All bytes of a file.

        :raises ContentMissing: it was deleted meanwhile.
        """
        return await self._contents.open(file.content)

    async def open_content(self, file: LibraryFile, first_byte: int, size_bytes: int) -> ByteStream:
        """So many bytes of a file, from that one on. What is open can be read to its end, whatever becomes of the file.

        :raises NotFound: it is no more.
        """
        try:
            return await self._contents.open(file.content, first_byte, size_bytes)
        except ContentMissing:
            raise no_address() from None

    @asynccontextmanager
    async def opened(self, file: LibraryFile) -> AsyncIterator[ByteStream]:
        """All bytes of a file that no session reads, within the block.

        :raises NotFound: it is no more.
        """
        stream = await self.open_content(file, 0, file.size_bytes)
        try:
            yield stream
        finally:
            await stream.close()

    async def read(self, file: LibraryFile) -> bytes:
        """All of a file that is known to be small."""
        return await self._contents.read(file.content)

    async def digest(self, file: LibraryFile, algorithm: ItemFile.ChecksumAlgorithm) -> str:
        """The digest of a file, in hexadecimal digits.

        :raises ContentMissing: it was deleted meanwhile.
        """
        return file.digests.get(algorithm) or await self.packages.digest(file, algorithm)

    # --- away --------------------------------------------------------------------------------------------------------

    async def left_behind(self) -> list[str]:
        """The names of contents that workers have left which have died."""
        return await self._contents.left_behind()

    def drop(self, name: str) -> None:
        """Delete a content unless something names it."""
        if not is_named(self._inventory, name):
            self._contents.delete(name)


def has_item(among: Lookup, session: UpdateSession | DownloadSession) -> bool:
    """Whether the item of a session does not go with a library that was deleted."""
    item = among.get(LibraryItem, session.item)
    return item is not None and not is_leaving(among, item)


@contextmanager
def room_told() -> Iterator[None]:
    """:raises UnableToAllocateResource: there is no room for what is written."""
    try:
        yield
    except NoRoom as error:
        log.warning("no room for a file of a content library: %s", error)
        raise no_room() from error
