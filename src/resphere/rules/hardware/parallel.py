"""Parallel ports."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Parallel
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import added, changed, initial_state, require_off
from resphere.rules.hardware.families import PARALLEL_PORTS

Key = ids.VcenterVmHardwareParallelPortId


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


def parallel_port_with(device: Parallel.Info, spec: Parallel.UpdateSpec) -> Parallel.Info:
    """The port with what ``spec`` changes."""
    return changed(
        device,
        backing=backing_info(spec.backing) if spec.backing else None,
        start_connected=spec.start_connected,
        allow_guest_control=spec.allow_guest_control,
    )


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
