"""``com.vmware.vcenter.vm.hardware.parallel``: parallel ports."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Parallel
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import (
    added,
    alter,
    changed,
    initial_state,
    reconfigure,
    remove,
    require_backing_changeable,
    require_off,
    set_connected,
)
from resphere.services.vcenter.vm.hardware.families import PARALLEL_PORTS

Key = ids.VcenterVmHardwareParallelPortId


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


def with_parallel(vm: VirtualMachine, spec: Parallel.CreateSpec) -> tuple[VirtualMachine, Key]:
    """``vm``, which is off, with a parallel port more, and its key."""
    require_off(vm, "add a parallel port")
    return added(
        vm,
        PARALLEL_PORTS,
        lambda current, number: Parallel.Info(
            label=f"Parallel port {number + 1}",
            backing=backing_info(spec.backing),
            state=initial_state(current, bool(spec.start_connected)),
            start_connected=bool(spec.start_connected),
            allow_guest_control=bool(spec.allow_guest_control),
        ),
    )


@implements(Parallel.update)
async def update(call: Call, vm: ids.VirtualMachineId, port: Key, spec: Parallel.UpdateSpec) -> None:
    """Change a parallel port; its backing only where it is not connected in a running VM."""

    def make(current: VirtualMachine, device: Parallel.Info) -> Parallel.Info:
        if spec.backing is not None:
            require_backing_changeable(current, device)
        return parallel_port_with(device, spec)

    await alter(call, vm, PARALLEL_PORTS, port, make)


def parallel_port_with(device: Parallel.Info, spec: Parallel.UpdateSpec) -> Parallel.Info:
    """The port with what ``spec`` changes."""
    return changed(
        device,
        backing=backing_info(spec.backing) if spec.backing else None,
        start_connected=spec.start_connected,
        allow_guest_control=spec.allow_guest_control,
    )


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


def backing_info(spec: Parallel.BackingSpec | None) -> Parallel.BackingInfo:
    """The backing that ``spec`` asks for; unset: whatever the host has."""
    if spec is None:
        return Parallel.BackingInfo(type=Parallel.BackingType.HOST_DEVICE, auto_detect=True, host_device="")
    automatic = spec.host_device is None if spec.type is Parallel.BackingType.HOST_DEVICE else None
    return Parallel.BackingInfo(
        type=spec.type,
        file=spec.file,
        host_device="" if automatic else spec.host_device,
        auto_detect=automatic,
    )
