"""``com.vmware.vcenter.vm.hardware.adapter.nvme``: NVMe adapters."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.adapters import any_for_first
from resphere.rules.hardware.addresses import Bus
from resphere.rules.hardware.families import NVME_ADAPTERS
from resphere.rules.hardware.nvme import Key, with_nvme_adapter
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.adapter.buses import remove_adapter
from resphere.services.vcenter.vm.hardware.devices import reconfigure


@implements(Nvme.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Nvme.Summary, ...]:
    """The VM's NVMe adapters."""
    return tuple(Nvme.Summary(adapter=key) for key in NVME_ADAPTERS.keys(call.require(VirtualMachine, vm)))


@implements(Nvme.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, adapter: Key) -> Nvme.Info:
    """One NVMe adapter."""
    return NVME_ADAPTERS.require(call.require(VirtualMachine, vm), adapter)


@implements(Nvme.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Nvme.CreateSpec) -> Key:
    """Add an NVMe adapter, also to a running VM."""

    def change(current: VirtualMachine) -> tuple[VirtualMachine, Key]:
        bus = any_for_first(current, NVME_ADAPTERS, spec.bus)
        return with_nvme_adapter(current, msgspec.structs.replace(spec, bus=bus))

    return await reconfigure(call, vm, change)


@implements(Nvme.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, adapter: Key) -> None:
    """Remove an adapter that no disk uses."""
    await remove_adapter(call, vm, NVME_ADAPTERS, adapter, Bus.NVME, lambda device: device.bus)
