"""``com.vmware.vcenter.vm.hardware.floppy``: floppy drives."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Floppy
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
from resphere.services.vcenter.vm.hardware.families import FLOPPIES

Key = ids.VcenterVmHardwareFloppyId


@implements(Floppy.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Floppy.Summary, ...]:
    """The VM's floppy drives."""
    return tuple(Floppy.Summary(floppy=key) for key in FLOPPIES.keys(call.require(VirtualMachine, vm)))


@implements(Floppy.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, floppy: Key) -> Floppy.Info:
    """One floppy drive."""
    return FLOPPIES.require(call.require(VirtualMachine, vm), floppy)


@implements(Floppy.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Floppy.CreateSpec) -> Key:
    """Add a floppy drive to a VM that is off, and return its key."""
    return await reconfigure(call, vm, lambda current: with_floppy(current, spec))


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


@implements(Floppy.update)
async def update(call: Call, vm: ids.VirtualMachineId, floppy: Key, spec: Floppy.UpdateSpec) -> None:
    """Change a floppy drive; its backing only where it is not connected in a running VM."""

    def make(current: VirtualMachine, device: Floppy.Info) -> Floppy.Info:
        if spec.backing is not None:
            require_backing_changeable(current, device)
        return changed(
            device,
            backing=backing_info(spec.backing) if spec.backing else None,
            start_connected=spec.start_connected,
            allow_guest_control=spec.allow_guest_control,
        )

    await alter(call, vm, FLOPPIES, floppy, make)


@implements(Floppy.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, floppy: Key) -> None:
    """Remove a floppy drive of a VM that is off."""
    await remove(call, vm, FLOPPIES, floppy, lambda current: require_off(current, "remove a floppy drive"))


@implements(Floppy.connect)
async def connect(call: Call, vm: ids.VirtualMachineId, floppy: Key) -> None:
    """Connect a floppy drive of a running VM."""
    await set_connected(call, vm, FLOPPIES, floppy, True)


@implements(Floppy.disconnect)
async def disconnect(call: Call, vm: ids.VirtualMachineId, floppy: Key) -> None:
    """Disconnect a floppy drive of a running VM."""
    await set_connected(call, vm, FLOPPIES, floppy, False)


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
