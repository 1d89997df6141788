"""Files that come to content libraries, in update sessions."""

from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from datetime import timedelta
from functools import partial

import msgspec

from resphere.contract.errors import InvalidArgument, VapiError
from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.contract.generated.content_library_item import TransferStatus
from resphere.contract.mentions import nothing, told
from resphere.contract.model import ByteStream, LocalizableMessage
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.packages import Part, part_of
from resphere.inventory.content.sessions import PushedFile, Sender, UpdateSession, upload_token
from resphere.inventory.token_digests import token_digest
from resphere.libraries.digests import Digests
from resphere.libraries.files import LibraryFiles, has_item, room_told
from resphere.libraries.packages import Known, Wanted
from resphere.libraries.refusals import left, no_address, other_checksum, other_size, overtaken
from resphere.libraries.unpacking import unpack
from resphere.ovf.issues import BadPackage
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
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

log = logging.getLogger(__name__)

TELLING = timedelta(seconds=2)
"""How often it is noted how much has come."""
STEP_BYTES = 64 * 1024 * 1024
"""So much room is taken at a time for a file of which nobody knows how long it will be."""


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


class Receiving:
    """Takes in what comes: to addresses that sessions have given, and from where a worker fetches it."""

    def __init__(self, inventory: Replica, files: LibraryFiles) -> None:
        self._inventory = inventory
        self._files = files

    def destination(self, token: str) -> tuple[UpdateSession, PushedFile]:
        """The file that is sent to the address with that token.

        :raises NotFound: there is no such address.
        """
        for session in self._inventory.by(UpdateSession, "address", token_digest(token)).values():
            for file in session.files:
                good = hmac.compare_digest(upload_token(session, file), token)
                if good and not self._files.is_over(session) and has_item(self._inventory, session):
                    return session, file
        raise no_address()

    async def receive(
        self, session: UpdateSession, file: PushedFile, content: ByteStream, announced: int | None
    ) -> None:
        """Take in a file; ``announced``: it has no more bytes than that. One that is pulled has its receiver already.

        :raises InvalidArgument: it is not what its sender has said before.
        :raises UnableToAllocateResource: there is no room.
        :raises NotFound: the session is over.
        :raises NotAllowedInCurrentState: it ended meanwhile, or somebody has begun to send the same file.
        """
        sender = file.sender if file.is_pulled and file.sender is not None else self._files.new_sender()
        incoming = Incoming(session.id, file.name, file.number, sender)
        try:
            await self._begin(incoming, file, content.size_bytes, announced)
            coming = await self._take_in(incoming, file, content)
            try:
                await self._end(incoming, coming)
            except BaseException:
                await self._files.give_up(one.file for one in coming)
                raise
        except BadPackage as bad:
            messages = tuple(each.message for each in bad.issues)
            await self._refuse(incoming, {file.name: messages[0]})
            raise InvalidArgument(*messages) from bad
        except OtherContent as other:
            await self._refuse(incoming, other.faults)
            raise InvalidArgument(*other.faults.values()) from other
        except VapiError as error:
            await self.fail(incoming, error.messages[0] if error.messages else left())
            raise
        except Exception:
            await self.fail(incoming, left())
            raise
        finally:
            await content.close()

    async def did_not_come(self, session: UpdateSession, file: PushedFile, why: LocalizableMessage) -> None:
        """Note why nothing came of a file that its receiver has waited for."""
        if file.sender is not None:
            await self.fail(Incoming(session.id, file.name, file.number, file.sender), why)

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
            return tuple([await self._files.packages.look_into(each) for each in files])
        except BaseException:
            await self._files.give_up(files)
            raise

    def _item_of(self, incoming: Incoming) -> LibraryItem | None:
        session = self._inventory.get(UpdateSession, incoming.session)
        return None if session is None else self._inventory.get(LibraryItem, session.item)

    async def _receive(self, incoming: Incoming, file: PushedFile, content: ByteStream) -> LibraryFile:
        """Store what comes as one file."""
        digests = Digests(() if file.algorithm is None else (file.algorithm,))
        with room_told():
            pieces = self._measured(incoming, file, content)
            return await self._files.write(file.name, pieces, digests, partial(require_checksum, file))

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
            files.append(await self._files.write(name, pieces, Digests(()), settled=False))

        with room_told():
            async with aclosing(whole()) as stream:
                await unpack(file.name, stream, store)
        require_checksum(file, digests.result())
        await self._files.settle(files)
        await self._tell(incoming, size, size)

    async def _measured(self, incoming: Incoming, file: PushedFile, content: ByteStream) -> AsyncIterator[bytes]:
        """The pieces of what comes; room is taken for them before they are written, and told how far it is."""
        size, noted, taken = 0, self._files.now(), self._taken(incoming)
        async for piece in content:
            size += len(piece)
            if file.size_bytes is not None and size > file.size_bytes:
                raise other_size(size, file.size_bytes)
            if size > taken:
                taken = (size // STEP_BYTES + 1) * STEP_BYTES
            elif self._files.now() - noted < TELLING:
                yield piece
                continue
            noted = self._files.now()
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
            known = await self._files.packages.find_out(wanted, known, self._files.now())
        await self._files.give_up(one.file for one in coming)

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
            return msgspec.structs.replace(file, received=self._files.with_same_bytes(edit, file.received))

        return msgspec.structs.replace(session, files=tuple([shared(file) for file in session.files]))

    def _put_session(self, edit: Edit, old: UpdateSession, new: UpdateSession) -> None:
        self._admit(edit, old, new.taken_bytes - old.taken_bytes)
        edit.put(msgspec.structs.replace(new, expires=self._files.until()))

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
            edit.put(msgspec.structs.replace(failed_session, expires=self._files.until()))

        await self._inventory.change(plan)

    async def fail(self, incoming: Incoming, why: LocalizableMessage) -> None:
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
        if found is None or self._files.is_over(found[0]):
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


def require_checksum(file: PushedFile, made: Mapping[ItemFile.ChecksumAlgorithm, str]) -> None:
    """Refuse a file that is not the one that was announced.

    :raises InvalidArgument: it has another checksum.
    """
    if file.checksum is not None and file.algorithm is not None:
        found = made[file.algorithm]
        if not hmac.compare_digest(found, file.checksum.strip().lower().encode("ascii", "replace").decode()):
            raise other_checksum(file.algorithm, found, file.checksum)
