"""``com.vmware.vcenter.vm.guest.local_filesystem``: the guest's file systems."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import LocalFilesystem
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.tools import require_guest
from resphere.services.call import Call
from resphere.services.checks.guest_operations import guests_of
from resphere.services.registry import implements


@implements(LocalFilesystem.get)
async def get(call: Call, vm: ids.VirtualMachineId) -> dict[str, LocalFilesystem.Info]:
    """The file systems by mount point; sizes in bytes."""
    found = call.require(VirtualMachine, vm)
    require_guest(call.vcenter, found)
    return guests_of(call).filesystems(found)
