"""``com.vmware.vcenter.vm.hardware.parallel``: parallel ports."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Parallel
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import require_backing_changeable, require_off
from resphere.rules.hardware.families import PARALLEL_PORTS
from resphere.rules.hardware.parallel import Key, parallel_port_with, with_parallel
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import alter, reconfigure, remove, set_connected


@implements(Parallel.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Parallel.Summary, ...]:
    """The VM's parallel ports."""
    return tuple(Parallel.Summary(port=key) for key in PARALLEL_PORTS.keys(call.require(VirtualMachine, vm)))


@implements(Parallel.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, port: Key) -> Parallel.Info:
    """One parallel port."""
    return PARALLEL_PORTS.require(call.require(VirtualMachine, vm), port)


@implements(Parallel.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Parallel.CreateSpec) -> Key:
    """Add a parallel port to a VM that is off, and return its key."""
    return await reconfigure(call, vm, lambda current: with_parallel(current, spec))


@implements(Parallel.update)
async def update(call: Call, vm: ids.VirtualMachineId, port: Key, spec: Parallel.UpdateSpec) -> None:
    """Change a parallel port; its backing only where it is not connected in a running VM."""

    def make(current: VirtualMachine, device: Parallel.Info) -> Parallel.Info:
        if spec.backing is not None:
            require_backing_changeable(current, device)
        return parallel_port_with(device, spec)

    await alter(call, vm, PARALLEL_PORTS, port, make)


@implements(Parallel.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, port: Key) -> None:
    """Remove a parallel port of a VM that is off."""
    await remove(call, vm, PARALLEL_PORTS, port, lambda current: require_off(current, "remove a parallel port"))


@implements(Parallel.connect)
async def connect(call: Call, vm: ids.VirtualMachineId, port: Key) -> None:
    """Connect a parallel port of a running VM."""
    await set_connected(call, vm, PARALLEL_PORTS, port, True)


@implements(Parallel.disconnect)
async def disconnect(call: Call, vm: ids.VirtualMachineId, port: Key) -> None:
    """Disconnect a parallel port of a running VM."""
    await set_connected(call, vm, PARALLEL_PORTS, port, False)
