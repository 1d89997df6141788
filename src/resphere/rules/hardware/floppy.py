"""Floppy drives."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Floppy
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import added, initial_state, require_off
from resphere.rules.hardware.families import FLOPPIES

Key = ids.VcenterVmHardwareFloppyId


def with_floppy(vm: VirtualMachine, spec: Floppy.CreateSpec) -> tuple[VirtualMachine, Key]:
    """``vm``, which is off, with a floppy drive more, and its key."""
    require_off(vm, "add a floppy drive")
    return added(
        vm,
        FLOPPIES,
        lambda current, number: Floppy.Info(
            label=f"Floppy drive {number + 1}",
            backing=backing_info(spec.backing),
            state=initial_state(current, bool(spec.start_connected)),
            start_connected=bool(spec.start_connected),
            allow_guest_control=bool(spec.allow_guest_control),
        ),
    )


def backing_info(spec: Floppy.BackingSpec | None) -> Floppy.BackingInfo:
    """The backing that ``spec`` asks for; unset: whatever the host has."""
    if spec is None:
        return Floppy.BackingInfo(type=Floppy.BackingType.HOST_DEVICE, auto_detect=True, host_device="")
    automatic = spec.host_device is None if spec.type is Floppy.BackingType.HOST_DEVICE else None
    return Floppy.BackingInfo(
        type=spec.type,
        image_file=spec.image_file,
        host_device="" if automatic else spec.host_device,
        auto_detect=automatic,
    )
