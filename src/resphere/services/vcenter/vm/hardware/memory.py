"""``com.vmware.vcenter.vm.hardware.memory``: get and update; sizes in MiB."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Memory
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.memory import with_memory
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import reconfigure


@implements(Memory.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Memory.Info:
    """The VM's memory."""
    return call.require(VirtualMachine, vm).memory


@implements(Memory.update)
async def update(call: Call, vm: ids.VirtualMachineId, spec: Memory.UpdateSpec) -> None:
    """Change the memory; while the VM runs it can only grow, where hot add is enabled, by its steps to its limit.

    :raises InvalidArgument: the size is out of range.
    :raises NotAllowedInCurrentState: the power state forbids it.
    """
    await reconfigure(call, vm, lambda current: (with_memory(current, spec), None))
