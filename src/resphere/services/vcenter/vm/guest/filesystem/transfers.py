"""``com.vmware.vcenter.vm.guest.filesystem.transfers`` and the addresses that it hands out."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import urlencode

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.guest_transfers import GuestTransfers
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Credentials
from resphere.contract.generated.vcenter_vm_guest_filesystem import Transfers
from resphere.contract.model import ByteStream, Secret
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.guest.operations_ready import ready, require_ready

GOOD_FOR = timedelta(minutes=10)
"""As long as a vCenter's."""


@implements(Transfers.create)
async def create(call: Call, vm: ids.VirtualMachineId, credentials: Credentials, spec: Transfers.CreateSpec) -> str:
    """An address to send a file of the guest to (PUT, where ``attributes`` are set) or to have it from (GET).

    It is good once, for 10 minutes, and as long as the VM runs where it does.

    :raises AlreadyExists: the file is there, and may not be overwritten.
    """
    found, _ = ready(call, vm, credentials)
    token = call.environment.random_bytes(24).hex()
    transfer = GuestTransfer(
        id=call.environment.random_bytes(8).hex(),
        machine=found.id,
        token_digest=digest(token),
        path=spec.path,
        attributes=spec.attributes,
        boot=0,
        host=found.host,
        expires=call.environment.now() + GOOD_FOR,
    )
    way = "From" if spec.attributes is None else "To"
    await call.run(
        f"GuestFileManager.initiateFileTransfer{way}Guest",
        found,
        lambda job: call.provider.guests.agree_on_transfer(job, transfer),
        guard=require_ready,
    )
    return f"{call.origin}/guestFile?{urlencode({'id': transfer.id, 'token': token})}"


@implements(GuestTransfers.download)
async def download(call: Call, id: str, token: Secret) -> ByteStream:
    """A file of a guest, to be had once from the address that a transfer was given.

    :raises NotFound: the address is not good, or no more.
    """
    transfer, vm = agreed(call, id, token, into_guest=False)
    return await call.run(
        "GuestFileManager.transferFromGuest",
        vm,
        lambda job: call.provider.guests.download(job, transfer),
        guard=require_ready,
    )


@implements(GuestTransfers.upload)
async def upload(call: Call, id: str, token: Secret, content: ByteStream) -> None:
    """Put a file into a guest, once, at the address that a transfer was given; ``content`` is the body as it is.

    :raises NotFound: the address is not good, or no more.
    :raises InvalidArgument: it is not of the size that was announced.
    """
    transfer, vm = agreed(call, id, token, into_guest=True)
    await call.run(
        "GuestFileManager.transferToGuest",
        vm,
        lambda job: call.provider.guests.upload(job, transfer, content),
        guard=require_ready,
    )


def agreed(call: Call, id: str, token: Secret, into_guest: bool) -> tuple[GuestTransfer, VirtualMachine]:
    """The transfer of an address, and its VM.

    :raises NotFound: there is none, or it is too old or goes the other way. Which of these is not told.
    """
    transfer = call.inventory.get(GuestTransfer, id)
    known = transfer is not None and hmac.compare_digest(transfer.token_digest, digest(token))
    vm = call.inventory.get(VirtualMachine, transfer.machine) if transfer is not None else None
    if transfer is None or not known or vm is None:
        raise not_agreed()
    if transfer.expires <= call.environment.now() or (transfer.attributes is not None) is not into_guest:
        raise not_agreed()
    return transfer, vm


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def not_agreed() -> NotFound:
    """The refusal of an address that is not good."""
    return NotFound(
        message("resphere.vm.guest.no_transfer", "This address of a guest file transfer is not good, or no more.")
    )
