"""``com.vmware.vcenter.vm.hardware.adapter.scsi``: SCSI adapters."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.adapters import any_for_first
from resphere.rules.hardware.addresses import Bus
from resphere.rules.hardware.devices import changed, require_off
from resphere.rules.hardware.families import SCSI_ADAPTERS
from resphere.rules.hardware.scsi import Key, with_scsi_adapter
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.adapter.buses import remove_adapter
from resphere.services.vcenter.vm.hardware.devices import alter, reconfigure


@implements(Scsi.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Scsi.Summary, ...]:
    """The VM's SCSI adapters."""
    return tuple(Scsi.Summary(adapter=key) for key in SCSI_ADAPTERS.keys(call.require(VirtualMachine, vm)))


@implements(Scsi.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, adapter: Key) -> Scsi.Info:
    """One SCSI adapter."""
    return SCSI_ADAPTERS.require(call.require(VirtualMachine, vm), adapter)


@implements(Scsi.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Scsi.CreateSpec) -> Key:
    """Add a SCSI adapter, also to a running VM; unset: of the type the VM has already, or the guest's usual one."""

    def change(current: VirtualMachine) -> tuple[VirtualMachine, Key]:
        bus = any_for_first(current, SCSI_ADAPTERS, spec.bus)
        return with_scsi_adapter(current, msgspec.structs.replace(spec, bus=bus))

    return await reconfigure(call, vm, change)


@implements(Scsi.update)
async def update(call: Call, vm: ids.VirtualMachineId, adapter: Key, spec: Scsi.UpdateSpec) -> None:
    """Change the sharing of an adapter of a VM that is off."""

    def make(current: VirtualMachine, device: Scsi.Info) -> Scsi.Info:
        if spec.sharing is not None:
            require_off(current, "change the sharing of a SCSI adapter")
        return changed(device, sharing=spec.sharing)

    await alter(call, vm, SCSI_ADAPTERS, adapter, make)


@implements(Scsi.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, adapter: Key) -> None:
    """Remove an adapter that no disk uses."""
    await remove_adapter(call, vm, SCSI_ADAPTERS, adapter, Bus.SCSI, lambda device: device.scsi.bus)
