"""``com.vmware.vcenter.vm.hardware.cpu``: get and update."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Cpu
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.cpu import with_cpu
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import reconfigure


@implements(Cpu.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Cpu.Info:
    """The VM's CPUs."""
    return call.require(VirtualMachine, vm).cpu


@implements(Cpu.update)
async def update(call: Call, vm: ids.VirtualMachineId, spec: Cpu.UpdateSpec) -> None:
    """Change the CPUs; what may change while the VM runs is what hot add and hot remove allow.

    :raises InvalidArgument: the count is out of range, or no multiple of the cores per socket.
    :raises NotAllowedInCurrentState: the power state forbids it.
    """
    await reconfigure(call, vm, lambda current: (with_cpu(current, spec), None))
