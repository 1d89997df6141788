"""``com.vmware.vcenter.vm.hardware.disk``: list and get."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Disk
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.families import DISKS


@implements(Disk.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Disk.Summary, ...]:
    """The VM's disks."""
    return tuple(Disk.Summary(disk=key) for key in DISKS.keys(call.require(VirtualMachine, vm)))


@implements(Disk.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, disk: ids.VcenterVmHardwareDiskId) -> Disk.Info:
    """One disk; its capacity in bytes."""
    return DISKS.require(call.require(VirtualMachine, vm), disk)
