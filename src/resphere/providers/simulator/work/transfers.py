"""Files that go into simulated guests and come out, however large, piece by piece."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Callable

import msgspec

from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.generated.vcenter_vm_guest_filesystem import Transfers as Contract
from resphere.contract.model import ByteStream, WholeBytes
from resphere.inventory.guest import DOCUMENT_BYTES, GuestSystem, GuestTransfer
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Job
from resphere.providers.simulator.guest.faults import no_space
from resphere.providers.simulator.guest.files import SimulatedFiles
from resphere.providers.simulator.guest.systems import Systems, complete
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.store.contents import Contents, Reading

log = logging.getLogger(__name__)

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
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

    async def agree(self, job: Job[VirtualMachine], transfer: GuestTransfer) -> None:
        """Store it, and the guest too: a transfer is good for one start of it."""

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            system, tree = self._systems.open(edit, vm, job.now())
            files = SimulatedFiles(tree)
            if transfer.attributes is None:
                files.sent(transfer.path)
            else:
                files.require_writable(transfer.path, transfer.attributes)
            edit.put(system)
            for old in list(self._inventory.by(GuestTransfer, "machine", vm.id).values()):
                if old.expires <= job.now():
                    edit.delete(GuestTransfer, old.id)
            edit.put(msgspec.structs.replace(transfer, boot=system.boot, host=vm.host))

        await job.complete(plan)

    async def download(self, job: Job[VirtualMachine], transfer: GuestTransfer) -> ByteStream:
        """The file as it is now. It is opened before the transfer is used up."""
        opened: list[Reading] = []

        def plan(edit: Edit, vm: VirtualMachine) -> ByteStream:
            close(opened)
            system, tree = self._systems.open(edit, vm, job.now())
            use(edit, vm, system, transfer)
            node = SimulatedFiles(tree).sent(transfer.path)
            if node.file is None:
                return WholeBytes(tree.content(node))
            opened.append(self._contents.open(node.file))
            return opened[-1]

        try:
            return await complete(job, plan)
        except BaseException:
            close(opened)
            raise

    async def upload(self, job: Job[VirtualMachine], transfer: GuestTransfer, content: ByteStream) -> None:
        """The file is there, and the transfer used up, in one transaction."""
        attributes = transfer.attributes
        assert attributes is not None
        try:
            self._refuse_early(job, transfer, attributes, content)
            if attributes.size <= DOCUMENT_BYTES:
                data = b"".join([piece async for piece in announced(content, attributes.size)])
                await self._put(job, transfer, lambda files: files.put(transfer.path, data, attributes))
                return
            file = await self._receive(content, transfer.path, attributes.size)
        finally:
            await content.close()
        try:
            await self._put(job, transfer, lambda files: files.put_file(transfer.path, file, attributes))
        except Exception:
            self._systems.drop_unnamed(file)
            raise

    async def clean_up(self) -> None:
        """Delete what uploads of workers that died have left."""
        # Whether their workers live is asked before what is named: a living one may be about to name its own.
        for file in await asyncio.to_thread(self._contents.left_behind):
            self._systems.drop_unnamed(file)

    def _refuse_early(
        self, job: Job[VirtualMachine], transfer: GuestTransfer, attributes: Attributes, content: ByteStream
    ) -> None:
        """Refuse before anything is sent what would be refused after."""
        vm = job.target
        require_good(self._inventory.get(GuestTransfer, transfer.id), vm, self._systems.stored(vm))
        if content.size_bytes not in (None, attributes.size):
            raise other_size(content.size_bytes, attributes.size)
        SimulatedFiles(self._systems.look(vm, job.now())).require_writable(transfer.path, attributes)

    async def _receive(self, content: ByteStream, path: str, size: int) -> str:
        """Store what comes; returns the name of it."""
        async with self._contents.write() as writing:
            try:
                async for piece in announced(content, size):
                    await writing.write(piece)
                await writing.finish()
            except OSError as error:
                if error.errno not in FULL:
                    raise
                log.warning("no room for a guest's file of %d bytes in %s: %s", size, self._contents.folder, error)
                raise no_space(path) from error
        return writing.name

    async def _put(
        self, job: Job[VirtualMachine], transfer: GuestTransfer, act: Callable[[SimulatedFiles], None]
    ) -> None:
        def plan(edit: Edit, vm: VirtualMachine) -> None:
            system, tree = self._systems.open(edit, vm, job.now())
            use(edit, vm, system, transfer)
            act(SimulatedFiles(tree))
            self._systems.store(edit, system, tree)

        await job.complete(plan)


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


def use(edit: Edit, vm: VirtualMachine, system: GuestSystem, transfer: GuestTransfer) -> None:
    """Use the transfer up.

    :raises NotFound: it was, or is not good any more.
    """
    require_good(edit.get(GuestTransfer, transfer.id), vm, system)
    edit.delete(GuestTransfer, transfer.id)


def require_good(transfer: GuestTransfer | None, vm: VirtualMachine, system: GuestSystem) -> None:
    """Refuse a transfer that was used, or of another start or host."""
    if transfer is None or transfer.boot != system.boot or transfer.host != vm.host:
        raise NotFound(
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


def close(opened: list[Reading]) -> None:
    """Let go of files that were opened in vain."""
    while opened:
        opened.pop().file.close()
