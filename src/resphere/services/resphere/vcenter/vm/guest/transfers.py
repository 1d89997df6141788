"""``resphere.vcenter.vm.guest.transfers``: the addresses at which files go into guests and come out."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import partial

import msgspec

from resphere.contract.errors import ConcurrentChange, NotFound, message
from resphere.contract.extensions.guest_transfers import GuestTransfers
from resphere.contract.model import ByteStream, Secret
from resphere.inventory.effects import EndDownload, EndUpload
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.model import VirtualMachine
from resphere.inventory.token_digests import token_digest
from resphere.providers.base import Outdated
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.guest_operations import guests_of, require_ready
from resphere.services.registry import implements
from resphere.tasks.change import Decision

ATTEMPTS = 3
"""Of a download whose file is changed between its opening and the end of the transfer."""


@implements(GuestTransfers.download)
async def download(call: Call, id: str, token: Secret) -> ByteStream:
    """A file of a guest, to be had once from the address that a transfer was given.

    :raises NotFound: the address is not good, or no more.
    """
    transfer, vm = agreed(call, id, token, into_guest=False)
    for attempt in range(1, ATTEMPTS + 1):
        require_ready(call, vm)
        try:
            opened = await guests_of(call).open_download(vm, transfer)
        except Outdated:
            if attempt == ATTEMPTS:
                raise
            await call.unfiltered.refresh()
            continue
        effect = EndDownload(vm=vm, transfer=transfer, digest=opened.digest)
        try:
            await call.run(
                "GuestFileManager.transferFromGuest", vm, deciding(effect), guard=partial(require_ready, call)
            )
        except BaseException as error:
            await opened.stream.close()
            if not isinstance(error, ConcurrentChange) or attempt == ATTEMPTS:
                raise
        else:
            return opened.stream
    raise not_agreed()


@implements(GuestTransfers.upload)
async def upload(call: Call, id: str, token: Secret, content: ByteStream) -> None:
    """Put a file into a guest, once, at the address that a transfer was given; ``content`` is the body as it is.

    :raises NotFound: the address is not good, or no more.
    :raises InvalidArgument: it is not of the size that was announced.
    """
    transfer, vm = agreed(call, id, token, into_guest=True)
    require_ready(call, vm)
    guests = guests_of(call)
    received = await guests.receive(vm, transfer, content)
    effect = EndUpload(vm=vm, transfer=transfer, received=received)
    try:
        await call.run("GuestFileManager.transferToGuest", vm, deciding(effect), guard=partial(require_ready, call))
    except Exception:
        await guests.discard(received)
        raise


def deciding(effect: EndDownload | EndUpload) -> Callable[[Edit, VirtualMachine], Decision[None]]:
    """Decides on ``effect`` in the guest of the machine as it is then."""
    return lambda _, current: Decision(msgspec.structs.replace(effect, vm=current), None)


def agreed(call: Call, id: str, token: Secret, into_guest: bool) -> tuple[GuestTransfer, VirtualMachine]:
    """The transfer of an address, and its VM.

    :raises NotFound: there is none, or it is too old or goes the other way. Which of these is not told.
    """
    transfer = call.unfiltered.get(GuestTransfer, id)
    known = transfer is not None and hmac.compare_digest(transfer.token_digest, token_digest(token))
    vm = call.unfiltered.get(VirtualMachine, transfer.machine) if transfer is not None else None
    if transfer is None or not known or vm is None:
        raise not_agreed()
    if transfer.expires <= call.environment.now() or (transfer.attributes is not None) is not into_guest:
        raise not_agreed()
    return transfer, vm


def not_agreed() -> NotFound:
    """The refusal of an address that is not good."""
    return NotFound(
        message("resphere.vm.guest.no_transfer", "This address of a guest file transfer is not good, or no more.")
    )
