"""Files that go into simulated guests and come out, however large, piece by piece."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from resphere.contract.errors import ConcurrentChange, InvalidArgument, NotFound, message
from resphere.contract.generated.vcenter_vm_guest_filesystem import Transfers as Contract
from resphere.contract.model import ByteStream, WholeBytes
from resphere.inventory.effects import Received
from resphere.inventory.facts import Facts
from resphere.inventory.guest import DOCUMENT_BYTES, GuestSystem, GuestTransfer, digest_of
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Opened, Outdated
from resphere.providers.simulator.guest.faults import no_space
from resphere.providers.simulator.guest.files import SimulatedFiles
from resphere.providers.simulator.guest.systems import Systems
from resphere.providers.simulator.notes import Notes
from resphere.replica.replica import Replica
from resphere.store.base import ContentMissing, Contents, NoRoom

log = logging.getLogger(__name__)

Attributes = Contract.FileCreationAttributes


class Transfers:
    """Agreed upon first, then made once.

    The content of a large file is durable before the transaction that names it: what was acknowledged is there, and
    what no transaction came to name is deleted, at the latest at a worker's start (:meth:`clean_up`).
    """

    def __init__(self, inventory: Replica, contents: Contents, systems: Systems) -> None:
        self._inventory = inventory
        self._contents = contents
        self._systems = systems

    def agree(self, vm: VirtualMachine, transfer: GuestTransfer, now: datetime) -> Facts:
        """Store it, and the guest too: a transfer is good for one start of it."""
        notes = Notes(self._inventory)
        system, tree = self._systems.open(notes, vm, now)
        files = SimulatedFiles(tree)
        if transfer.attributes is None:
            files.sent(transfer.path)
        else:
            files.require_writable(transfer.path, transfer.attributes)
        notes.put(system)
        for old in self._inventory.by(GuestTransfer, "machine", vm.id).values():
            if old.expires <= now:
                notes.delete(GuestTransfer, old.id)
        notes.put(msgspec.structs.replace(transfer, boot=system.boot, host=vm.host))
        return notes.facts()

    async def open(self, vm: VirtualMachine, transfer: GuestTransfer, now: datetime) -> Opened:
        """The file as it is now, before the transfer is used up."""
        require_good(self._inventory.get(GuestTransfer, transfer.id), vm, self._systems.stored(vm))
        tree = self._systems.look(vm, now)
        node = SimulatedFiles(tree).sent(transfer.path)
        if node.file is not None:
            try:
                return Opened(stream=await self._contents.open(node.file), digest=node.file)
            except ContentMissing as error:
                raise Outdated from error
        data = tree.content(node)
        return Opened(stream=WholeBytes(data), digest=digest_of(data))

    def end_download(self, vm: VirtualMachine, transfer: GuestTransfer, digest: str, now: datetime) -> Facts:
        """Use the transfer up, if the file is still what was opened."""
        notes = Notes(self._inventory)
        system, tree = self._systems.open(notes, vm, now)
        use(notes, vm, system, transfer)
        # Whoever changes the guest meanwhile is seen.
        stored = self._inventory.get(GuestSystem, vm.id)
        if stored is not None:
            notes.rely_on(stored)
        node = SimulatedFiles(tree).sent(transfer.path)
        if digest != (node.file or digest_of(tree.content(node))):
            raise ConcurrentChange(
                message("resphere.vm.guest.file_changed", "The file {0} was changed meanwhile.", transfer.path)
            )
        return notes.facts()

    async def receive(
        self, vm: VirtualMachine, transfer: GuestTransfer, content: ByteStream, now: datetime
    ) -> Received:
        """Take in what is sent: durable where it is large."""
        attributes = attributes_of(transfer)
        try:
            self._refuse_early(vm, transfer, attributes, content, now)
            if attributes.size <= DOCUMENT_BYTES:
                return Received(data=b"".join([piece async for piece in announced(content, attributes.size)]))
            return Received(content=await self._receive(content, transfer.path, attributes.size))
        finally:
            await content.close()

    async def discard(self, received: Received) -> None:
        """Delete what no transaction came to name."""
        if received.content is not None:
            await self._systems.drop_unnamed(received.content)

    def end_upload(self, vm: VirtualMachine, transfer: GuestTransfer, received: Received, now: datetime) -> Facts:
        """The file is there, and the transfer used up."""
        notes, attributes = Notes(self._inventory), attributes_of(transfer)
        system, tree = self._systems.open(notes, vm, now)
        use(notes, vm, system, transfer)
        files = SimulatedFiles(tree)
        if received.content is not None:
            files.put_file(transfer.path, received.content, attributes)
        else:
            files.put(transfer.path, received.data or b"", attributes)
        self._systems.store(notes, system, tree)
        return notes.facts()

    async def clean_up(self) -> None:
        """Delete what uploads of workers that died have left."""
        # Whether their workers live is asked before what is named: a living one may be about to name its own.
        for file in await self._contents.left_behind():
            await self._systems.drop_unnamed(file)

    def _refuse_early(
        self,
        vm: VirtualMachine,
        transfer: GuestTransfer,
        attributes: Attributes,
        content: ByteStream,
        now: datetime,
    ) -> None:
        """Refuse before anything is sent what would be refused after."""
        require_good(self._inventory.get(GuestTransfer, transfer.id), vm, self._systems.stored(vm))
        if content.size_bytes not in (None, attributes.size):
            raise other_size(content.size_bytes, attributes.size)
        SimulatedFiles(self._systems.look(vm, now)).require_writable(transfer.path, attributes)

    async def _receive(self, content: ByteStream, path: str, size: int) -> str:
        """Store what comes; returns the name of it."""
        async with self._contents.write() as writing:
            try:
                async for piece in announced(content, size):
                    await writing.write(piece)
                await writing.finish()
            except NoRoom as error:
                log.warning("no room for a guest's file of %d bytes: %s", size, error)
                raise no_space(path) from error
        return writing.name


async def announced(content: ByteStream, size: int) -> AsyncIterator[bytes]:
    """The pieces of what was announced to have so many bytes.

    :raises InvalidArgument: it has more or fewer.
    """
    received = 0
    async for piece in content:
        received += len(piece)
        if received > size:
            raise other_size(received, size)
        yield piece
    if received < size:
        raise other_size(received, size)


def attributes_of(transfer: GuestTransfer) -> Attributes:
    """What the file of a transfer into the guest is to be.

    :raises NotFound: it is one out of the guest.
    """
    if transfer.attributes is None:
        raise not_good()
    return transfer.attributes


def use(notes: Notes, vm: VirtualMachine, system: GuestSystem, transfer: GuestTransfer) -> None:
    """Use the transfer up.

    :raises NotFound: it was, or is not good any more.
    """
    require_good(notes.get(GuestTransfer, transfer.id), vm, system)
    notes.delete(GuestTransfer, transfer.id)


def require_good(transfer: GuestTransfer | None, vm: VirtualMachine, system: GuestSystem) -> None:
    """Refuse a transfer that was used, or of another start or host."""
    if transfer is None or transfer.boot != system.boot or transfer.host != vm.host:
        raise not_good()


def not_good() -> NotFound:
    """The refusal of a transfer that cannot be made."""
    return NotFound(
        message(
            "resphere.vm.guest.no_transfer",
            "This address of a guest file transfer is not valid: it was used, is too old, or the virtual machine "
            "was powered off, suspended or moved.",
        )
    )


def other_size(size: int | None, expected: int) -> InvalidArgument:
    """The refusal of a body that is not what was announced."""
    return InvalidArgument(
        message("resphere.vm.guest.other_size", "body: has {0} bytes, and {1} were announced.", size, expected)
    )
