"""``com.vmware.vcenter.vm.guest.filesystem.transfers`` and the addresses that it hands out."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from urllib.parse import urlencode

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Credentials
from resphere.contract.generated.vcenter_vm_guest_filesystem import Transfers
from resphere.inventory.effects import AgreeOnTransfer
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.token_digests import token_digest
from resphere.services.call import Call
from resphere.services.checks.guest_operations import ready, require_ready
from resphere.services.registry import implements
from resphere.tasks.change import Decision

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
        token_digest=token_digest(token),
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
        lambda _, current: Decision(AgreeOnTransfer(vm=current, transfer=transfer), None),
        guard=partial(require_ready, call),
    )
    return f"{call.origin}/guestFile?{urlencode({'id': transfer.id, 'token': token})}"
