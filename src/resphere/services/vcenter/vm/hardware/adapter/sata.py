"""``com.vmware.vcenter.vm.hardware.adapter.sata``: SATA adapters."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware_adapter import Sata
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.adapters import any_for_first
from resphere.rules.hardware.addresses import Bus
from resphere.rules.hardware.families import SATA_ADAPTERS
from resphere.rules.hardware.sata import Key, with_sata_adapter
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.adapter.buses import remove_adapter
from resphere.services.vcenter.vm.hardware.devices import reconfigure


@implements(Sata.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Sata.Summary, ...]:
    """The VM's SATA adapters."""
    return tuple(Sata.Summary(adapter=key) for key in SATA_ADAPTERS.keys(call.require(VirtualMachine, vm)))


@implements(Sata.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, adapter: Key) -> Sata.Info:
    """One SATA adapter."""
    return SATA_ADAPTERS.require(call.require(VirtualMachine, vm), adapter)


@implements(Sata.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Sata.CreateSpec) -> Key:
    """Add a SATA adapter, also to a running VM."""

    def change(current: VirtualMachine) -> tuple[VirtualMachine, Key]:
        bus = any_for_first(current, SATA_ADAPTERS, spec.bus)
        return with_sata_adapter(current, msgspec.structs.replace(spec, bus=bus))

    return await reconfigure(call, vm, change)


@implements(Sata.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, adapter: Key) -> None:
    """Remove an adapter that no disk uses; CD-ROM drives get a plain one in its place."""
    await remove_adapter(call, vm, SATA_ADAPTERS, adapter, Bus.SATA, lambda device: device.bus)
