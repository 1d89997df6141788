"""The files of content libraries: taken in from those who send them, given out to those who fetch them."""

from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

import msgspec

from resphere.contract.errors import InvalidArgument, VapiError
from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.contract.generated.content_library_item import TransferStatus
from resphere.contract.mentions import nothing, told
from resphere.contract.model import ByteStream, LocalizableMessage
from resphere.inventory.content.items import LibraryFile, LibraryItem, is_leaving, stored_name
from resphere.inventory.content.libraries import LeavingLibrary, Library
from resphere.inventory.content.packages import Part, part_of
from resphere.inventory.content.sessions import (
    DownloadSession,
    EndpointType,
    PushedFile,
    Sender,
    UpdateSession,
    download_token,
    upload_token,
)
from resphere.inventory.content.subscriptions import is_coming
from resphere.inventory.contents import DIGEST, ContentPart
from resphere.inventory.model import VirtualMachine
from resphere.inventory.token_digests import token_digest
from resphere.libraries.digests import Algorithm, Digests
from resphere.libraries.naming import is_named, on_letting_go
from resphere.libraries.packages import Known, PackageContents, Wanted
from resphere.libraries.refusals import left, no_address, no_room, other_checksum, other_size, overtaken
from resphere.libraries.unpacking import unpack
from resphere.ovf.issues import BadPackage
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup
from resphere.rules.admission import admit
from resphere.rules.content_packages import (
    Coming,
    depending_on,
    digests_lacking,
    failed,
    is_kept,
    mismatches,
    refused,
    signature_of,
    signed_by,
    with_come,
    with_digests,
)
from resphere.store.base import ContentMissing, Contents, NoRoom, Writing
from resphere.turns import PIECE, in_turns
from resphere.uuids import new_uuid

log = logging.getLogger(__name__)

GOOD_FOR = timedelta(minutes=5)
"""As long as a vCenter's session is, after what happened last in it."""
TELLING = timedelta(seconds=2)
"""How often it is noted how much has come."""
STEP_BYTES = 64 * 1024 * 1024
"""So much room is taken at a time for a file of which nobody knows how long it will be."""
ITEMS_AT_A_TIME = 100
"""So many items of a deleted library are deleted in one transaction."""


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """A file that is being sent, by the transfer of that ``sender``."""

    session: str
    name: str
    number: int
    sender: Sender


class OtherContent(Exception):
    """Files of a package are other ones than its manifest tells of: ``faults`` say of each what is wrong."""

    def __init__(self, faults: Mapping[str, LocalizableMessage]) -> None:
        self.faults = faults
        super().__init__(", ".join(faults))


class LibraryFiles:
    """What a worker does with the bytes of libraries; ``worker`` is its name, ``is_alive`` tells which others run.

    What comes is durable before the transaction that names it, and what no transaction has come to name is deleted: by
    who received it, or, where that has died, by the next :meth:`clean_up` of any worker.
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
        self._packages = PackageContents(contents)
        self._worker = worker
        self._is_alive = is_alive
        self._now = now
        self._random_bytes = random_bytes
        on_letting_go(inventory, self._drop)

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

    # --- in ----------------------------------------------------------------------------------------------------------

    def destination(self, token: str) -> tuple[UpdateSession, PushedFile]:
        """The file that is sent to the address with that token.

        :raises NotFound: there is no such address.
        """
        for session in self._inventory.by(UpdateSession, "address", token_digest(token)).values():
            for file in session.files:
                good = hmac.compare_digest(upload_token(session, file), token)
                if good and not self.is_over(session) and has_item(self._inventory, session):
                    return session, file
        raise no_address()

    def new_sender(self) -> Sender:
        """Somebody of this worker who receives a file."""
        return Sender(self._worker, self._random_bytes(8).hex())

    def receives(self, sender: Sender | None) -> bool:
        """Whether it is somebody of this worker."""
        return sender is not None and sender.worker == self._worker

    def is_gone(self, sender: Sender | None) -> bool:
        """Whether it is somebody of a worker that runs no more."""
        return sender is not None and not self._is_alive(sender.worker)

    async def receive(
        self, session: UpdateSession, file: PushedFile, content: ByteStream, announced: int | None
    ) -> None:
        """Take in a file; ``announced``: it has no more bytes than that. One that is pulled has its receiver already.

        :raises InvalidArgument: it is not what its sender has said before.
        :raises UnableToAllocateResource: there is no room.
        :raises NotFound: the session is over.
        :raises NotAllowedInCurrentState: it ended meanwhile, or somebody has begun to send the same file.
        """
        sender = file.sender if file.is_pulled and file.sender is not None else self.new_sender()
        incoming = Incoming(session.id, file.name, file.number, sender)
        try:
            await self._begin(incoming, file, content.size_bytes, announced)
            coming = await self._take_in(incoming, file, content)
            try:
                await self._end(incoming, coming)
            except BaseException:
                await self.give_up(one.file for one in coming)
                raise
        except BadPackage as bad:
            messages = tuple(each.message for each in bad.issues)
            await self._refuse(incoming, {file.name: messages[0]})
            raise InvalidArgument(*messages) from bad
        except OtherContent as other:
            await self._refuse(incoming, other.faults)
            raise InvalidArgument(*other.faults.values()) from other
        except VapiError as error:
            await self._fail(incoming, error.messages[0] if error.messages else left())
            raise
        except Exception:
            await self._fail(incoming, left())
            raise
        finally:
            await content.close()

    async def _begin(self, incoming: Incoming, file: PushedFile, exact: int | None, announced: int | None) -> None:
        """Note that the file comes, with as much room as it will need, as far as that is known."""
        if exact is not None and file.size_bytes not in (None, exact):
            raise other_size(exact, file.size_bytes or 0)
        known = next((size for size in (exact, file.size_bytes, announced) if size is not None), None)

        def begin(session: UpdateSession, current: PushedFile) -> UpdateSession:
            begun = msgspec.structs.replace(
                failed(current, None),
                status=TransferStatus.TRANSFERRING,
                sender=incoming.sender,
                taken_bytes=STEP_BYTES if known is None else known,
            )
            return session.without_files(depending_on(session, file.name)).with_file(begun)

        await self._change(incoming, begin, mine=False)

    async def _take_in(self, incoming: Incoming, file: PushedFile, content: ByteStream) -> tuple[Coming, ...]:
        """Store what comes, durably: the file, or those of a package's archive, with what they say of each other."""
        item = self._item_of(incoming)
        if item is None or not item.is_package:
            return (Coming(await self._receive(incoming, file, content)),)
        files: list[LibraryFile] = []
        try:
            if part_of(file.name) is Part.ARCHIVE:
                await self._unpack(incoming, file, content, files)
            else:
                files.append(await self._receive(incoming, file, content))
            return tuple([await self._packages.look_into(each) for each in files])
        except BaseException:
            await self.give_up(files)
            raise

    def _item_of(self, incoming: Incoming) -> LibraryItem | None:
        session = self._inventory.get(UpdateSession, incoming.session)
        return None if session is None else self._inventory.get(LibraryItem, session.item)

    async def _receive(self, incoming: Incoming, file: PushedFile, content: ByteStream) -> LibraryFile:
        """Store what comes as one file."""
        digests = Digests(() if file.algorithm is None else (file.algorithm,))
        with room_told():
            pieces = self._measured(incoming, file, content)
            return await self._write(file.name, pieces, digests, partial(require_checksum, file))

    async def _unpack(
        self, incoming: Incoming, file: PushedFile, content: ByteStream, files: list[LibraryFile]
    ) -> None:
        """Store the files of an archive, each of which is put down in ``files`` once it is there."""
        digests = Digests(() if file.algorithm is None else (file.algorithm,), always=())
        size = 0

        async def whole() -> AsyncGenerator[bytes, None]:
            nonlocal size
            async for piece in self._measured(incoming, file, content):
                size += len(piece)
                digests.update(piece)
                yield piece

        async def store(name: str, pieces: AsyncIterator[bytes]) -> None:
            files.append(await self._write(name, pieces, Digests(()), settled=False))

        with room_told():
            async with aclosing(whole()) as stream:
                await unpack(file.name, stream, store)
        require_checksum(file, digests.result())
        with room_told():
            await self._contents.settle([each.content for each in files])
        await self._tell(incoming, size, size)

    async def _write(
        self,
        name: str,
        pieces: AsyncIterator[bytes],
        digests: Digests,
        check: Callable[[Mapping[Algorithm, str]], None] = lambda _: None,
        *,
        settled: bool = True,
    ) -> LibraryFile:
        """Store a file, unless ``check`` refuses its digests: durably, or to be ``settled`` with others."""
        async with self._contents.write() as writing:
            async for piece in pieces:
                await digests.take(piece)
                await writing.write(piece)
            made = await digests.all_taken()
            check(made)
            await writing.finish(settled=settled)
            return self._stored(name, writing, made)

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
            async with self._contents.write() as writing:
                for piece in pieces:
                    digests.update(piece)
                    await writing.write(piece)
                await writing.finish()
                return self._stored(name, writing, digests.result())

    async def keep(self, name: str, pieces: AsyncIterator[bytes]) -> LibraryFile:
        """Store a file that comes for no session, durably. Where no transaction comes to name it, :meth:`give_up` it.

        :raises UnableToAllocateResource: there is no room.
        """
        with room_told():
            return await self._write(name, pieces, Digests(()))

    def with_same_bytes(self, edit: Edit, file: LibraryFile) -> LibraryFile:
        """The file, of the same bytes where these are there already: nothing comes to name its own then."""
        return self._same(edit, file)

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
            self._drop(file.content)

    async def did_not_come(self, session: UpdateSession, file: PushedFile, why: LocalizableMessage) -> None:
        """Note why nothing came of a file that its receiver has waited for."""
        if file.sender is not None:
            await self._fail(Incoming(session.id, file.name, file.number, file.sender), why)

    async def digest(self, file: LibraryFile, algorithm: ItemFile.ChecksumAlgorithm) -> str:
        """The digest of a file, in hexadecimal digits.

        :raises ContentMissing: it was deleted meanwhile.
        """
        return file.digests.get(algorithm) or await self._packages.digest(file, algorithm)

    async def content(self, file: LibraryFile) -> ByteStream:
        """All bytes of a file.

        :raises ContentMissing: it was deleted meanwhile.
        """
        return await self._contents.open(file.content)

    async def _measured(self, incoming: Incoming, file: PushedFile, content: ByteStream) -> AsyncIterator[bytes]:
        """The pieces of what comes; room is taken for them before they are written, and told how far it is."""
        size, noted, taken = 0, self._now(), self._taken(incoming)
        async for piece in content:
            size += len(piece)
            if file.size_bytes is not None and size > file.size_bytes:
                raise other_size(size, file.size_bytes)
            if size > taken:
                taken = (size // STEP_BYTES + 1) * STEP_BYTES
            elif self._now() - noted < TELLING:
                yield piece
                continue
            noted = self._now()
            await self._tell(incoming, size, taken)
            yield piece
        if file.size_bytes is not None and size < file.size_bytes:
            raise other_size(size, file.size_bytes)

    def _taken(self, incoming: Incoming) -> int:
        session = self._inventory.get(UpdateSession, incoming.session)
        file = None if session is None else session.file(incoming.name)
        return 0 if file is None else file.taken_bytes

    async def _tell(self, incoming: Incoming, transferred: int, taken: int) -> None:
        await self._change(
            incoming,
            lambda session, current: session.with_file(
                msgspec.structs.replace(current, transferred_bytes=transferred, taken_bytes=taken)
            ),
        )

    async def _end(self, incoming: Incoming, coming: tuple[Coming, ...]) -> None:
        """Note that the file has come. Where the same bytes are there already, those are kept, and what came goes.

        :raises BadPackage: a certificate is not one of the manifest.
        :raises OtherContent: files of a package are other ones than its manifest tells of.
        """
        known = Known()
        while (wanted := await self._put(incoming, coming, known)) is not None:
            known = await self._packages.find_out(wanted, known, self._now())
        await self.give_up(one.file for one in coming)

    async def _put(self, incoming: Incoming, coming: tuple[Coming, ...], known: Known) -> Wanted | None:
        """The same, unless more must be known for that: this is returned."""

        def plan(edit: Edit) -> Wanted | None:
            session, file = self._mine(edit, incoming)
            item = edit.get(LibraryItem, session.item)
            if item is None:
                raise overtaken()
            is_archive = item.is_package and part_of(file.name) is Part.ARCHIVE
            new = with_come(session, item, file, coming, is_archive=is_archive)
            if item.is_package:
                signature = known.signature or session.signature
                new = msgspec.structs.replace(with_digests(new, known.digests), signature=signature)
                signed = signed_by(new)
                unsigned = signed if signed is not None and signature_of(new) is None else None
                lacking = tuple(digests_lacking(new))
                if unsigned or lacking:
                    return Wanted(unsigned, lacking)
                faults = mismatches(item, new)
                if faults:
                    raise OtherContent(faults)
            self._put_session(edit, session, self._shared(edit, item, new, coming))
            return None

        return await self._inventory.change(plan)

    def _shared(
        self, edit: Edit, item: LibraryItem, session: UpdateSession, coming: tuple[Coming, ...]
    ) -> UpdateSession:
        """The session, in which those files that have come and whose bytes are there already name these."""
        come = {one.file.content for one in coming}

        def shared(file: PushedFile) -> PushedFile:
            if file.received is None or file.received.content not in come or not is_kept(item, file.name):
                return file
            return msgspec.structs.replace(file, received=self._same(edit, file.received))

        return msgspec.structs.replace(session, files=tuple([shared(file) for file in session.files]))

    def _same(self, edit: Edit, received: LibraryFile) -> LibraryFile:
        """The file, of bytes that an item or a disk has; else of its own."""
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
        return received

    def _put_session(self, edit: Edit, old: UpdateSession, new: UpdateSession) -> None:
        self._admit(edit, old, new.taken_bytes - old.taken_bytes)
        edit.put(msgspec.structs.replace(new, expires=self.until()))

    async def _refuse(self, incoming: Incoming, faults: Mapping[str, LocalizableMessage]) -> None:
        """Have the session fail whose package cannot be used, unless somebody sends the file anew by now."""

        def plan(edit: Edit) -> None:
            session = edit.get(UpdateSession, incoming.session)
            file = None if session is None else session.file(incoming.name)
            if session is None or not session.is_active or file is None or file.sender != incoming.sender:
                return
            # What came in an archive is no file of the session before all is well.
            known = {name: why for name, why in faults.items() if session.file(name) is not None}
            failed_session = refused(session, known or {incoming.name: next(iter(faults.values()))})
            edit.put(msgspec.structs.replace(failed_session, expires=self.until()))

        await self._inventory.change(plan)

    async def _fail(self, incoming: Incoming, why: LocalizableMessage) -> None:
        """Note that the file did not come, if nobody else sends it by now, and give its room back."""
        # Who reads of it later may know of fewer objects than who is refused now.
        plain = told(why, nothing)

        def plan(edit: Edit) -> None:
            session = edit.get(UpdateSession, incoming.session)
            file = None if session is None else session.file(incoming.name)
            if session is None or file is None or file.number != incoming.number:
                return
            # What was refused before it began takes nothing away that has come.
            unbegun = file.sender is None and file.received is None
            if file.sender == incoming.sender or unbegun:
                edit.put(session.with_file(failed(file, plain)))

        await self._inventory.change(plan)

    async def _change(
        self,
        incoming: Incoming,
        changed: Callable[[UpdateSession, PushedFile], UpdateSession],
        *,
        mine: bool = True,
    ) -> None:
        """Change what is known of a file that comes; ``mine``: only while nobody else has begun to send it."""

        def plan(edit: Edit) -> None:
            session, file = self._mine(edit, incoming) if mine else self._addressed(edit, incoming)
            self._put_session(edit, session, changed(session, file))

        await self._inventory.change(plan)

    def _mine(self, edit: Edit, incoming: Incoming) -> tuple[UpdateSession, PushedFile]:
        """The file while nobody else has begun to send it.

        :raises NotAllowedInCurrentState: somebody has, or the session is over.
        """
        found = self._current(edit, incoming)
        if found is None or found[1].sender != incoming.sender:
            raise overtaken()
        return found

    def _addressed(self, edit: Edit, incoming: Incoming) -> tuple[UpdateSession, PushedFile]:
        """The file as its address means it.

        :raises NotFound: the address is not good, or no more.
        """
        found = self._current(edit, incoming)
        if found is None or self.is_over(found[0]):
            raise no_address()
        return found

    def _current(self, edit: Edit, incoming: Incoming) -> tuple[UpdateSession, PushedFile] | None:
        """The file as it is now, while it may come."""
        session = edit.get(UpdateSession, incoming.session)
        file = None if session is None else session.file(incoming.name)
        if session is None or not session.is_active or file is None or file.number != incoming.number:
            return None
        return (session, file) if has_item(edit, session) else None

    def _admit(self, edit: Edit, session: UpdateSession, more: int) -> None:
        item = edit.get(LibraryItem, session.item)
        library = None if item is None else edit.get(Library, item.library)
        if library is not None and library.datastore is not None and more > 0:
            admit(self._inventory, edit, {library.datastore: more})
            # Where it lies must stay.
            edit.rely_on(library)

    # --- out ---------------------------------------------------------------------------------------------------------

    def source(self, token: str) -> tuple[DownloadSession, LibraryFile]:
        """The file that is fetched from the address with that token.

        :raises NotFound: there is no such address.
        """
        for session in self._inventory.by(DownloadSession, "address", token_digest(token)).values():
            for name, endpoint in session.prepared.items():
                file = session.file(name)
                good = hmac.compare_digest(download_token(session, name), token)
                good = good and not self.is_over(session) and has_item(self._inventory, session)
                if good and file is not None and endpoint is EndpointType.HTTPS:
                    return session, file
        raise no_address()

    async def open(self, session: DownloadSession, file: LibraryFile, first_byte: int, size_bytes: int) -> ByteStream:
        """So many bytes of a file, from that one on."""
        await self._prolong(session.id)
        return Outgoing(self, session.id, await self._contents.open(file.content, first_byte, size_bytes))

    async def open_content(self, file: LibraryFile, first_byte: int, size_bytes: int) -> ByteStream:
        """The same of a file that no session reads. What is open can be read to its end, whatever becomes of the file.

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

    async def prolong(self, session: str, since: datetime) -> datetime:
        """Have a session go on in which something was fetched, if it was not noted for long; returns when it was."""
        if self._now() - since < TELLING:
            return since
        await self._prolong(session)
        return self._now()

    def now(self) -> datetime:
        """The present moment."""
        return self._now()

    async def _prolong(self, id: str) -> None:
        def plan(edit: Edit) -> None:
            session = edit.get(DownloadSession, id)
            if session is not None and session.is_active:
                edit.put(msgspec.structs.replace(session, expires=self.until()))

        await self._inventory.change(plan)

    # --- away --------------------------------------------------------------------------------------------------------

    async def clean_up(self) -> None:
        """Delete sessions in which nothing happens any more, and what workers that died have left."""
        # Whether their workers live is asked before what is named: a living one may be about to name its own.
        left_behind = await self._contents.left_behind()
        await self._inventory.refresh()
        await self._delete_over(UpdateSession)
        await self._delete_over(DownloadSession)
        await self._give_up_orphans()
        for library in tuple(self._inventory.all(LeavingLibrary)):
            await self.delete_items_of(library)
        # After this nobody comes to name what nothing names: its maker is dead.
        await self._inventory.refresh()
        async for names in in_turns(left_behind):
            for name in names:
                self._drop(name)

    async def delete_items_of(self, library: str) -> None:
        """Delete what is left of a deleted library: some of its items at a time, so that nobody waits long."""

        def plan(edit: Edit) -> bool:
            if edit.get(LeavingLibrary, library) is None:
                return False  # others were faster
            items = tuple(islice(self._inventory.by(LibraryItem, "library", library), ITEMS_AT_A_TIME))
            for item in items:
                edit.delete(LibraryItem, item)
            if not items:
                edit.delete(LeavingLibrary, library)
            return bool(items)

        while await self._inventory.change(plan):
            pass

    async def _delete_over(self, cls: type[UpdateSession] | type[DownloadSession]) -> None:
        def plan(edit: Edit) -> bool:
            over = (id for id, session in self._inventory.all(cls).items() if self.is_over(session))
            some = tuple(islice(over, PIECE))
            for id in some:
                edit.delete(cls, id)
            return len(some) == PIECE

        while await self._inventory.change(plan):
            pass

    async def _give_up_orphans(self) -> None:
        """Files whose receivers died are to be sent again; those that are pulled are fetched by others."""
        for session in list(self._inventory.all(UpdateSession).values()):
            for file in session.files:
                if file.sender is not None and not file.is_pulled and self.is_gone(file.sender):
                    await self._fail(Incoming(session.id, file.name, file.number, file.sender), left())

    def _drop(self, name: str) -> None:
        """Delete a content unless something names it."""
        if not is_named(self._inventory, name):
            self._contents.delete(name)


class Outgoing(msgspec.Struct, frozen=True):
    """A stream to somebody who fetches a file: while it goes on, so does the session."""

    files: LibraryFiles
    session: str
    content: ByteStream

    @property
    def size_bytes(self) -> int | None:
        return self.content.size_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces."""
        since = self.files.now()
        async for piece in self.content:
            since = await self.files.prolong(self.session, since)
            yield piece

    async def close(self) -> None:
        await self.content.close()


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


def require_checksum(file: PushedFile, made: Mapping[ItemFile.ChecksumAlgorithm, str]) -> None:
    """Refuse a file that is not the one that was announced.

    :raises InvalidArgument: it has another checksum.
    """
    if file.checksum is not None and file.algorithm is not None:
        found = made[file.algorithm]
        if not hmac.compare_digest(found, file.checksum.strip().lower().encode("ascii", "replace").decode()):
            raise other_checksum(file.algorithm, found, file.checksum)
