"""``com.vmware.vcenter.vm.library_item``: the library item that a VM was checked out from."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import LibraryItem
from resphere.inventory.content.templates import CheckOut
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(LibraryItem.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> LibraryItem.Info:
    """The library item that the VM is checked out from, if it is."""
    found = call.get(CheckOut, call.require(VirtualMachine, vm).id)
    return LibraryItem.Info(check_out=None if found is None else LibraryItem.CheckOutInfo(library_item=found.item))
