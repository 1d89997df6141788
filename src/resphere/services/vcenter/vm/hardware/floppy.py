"""``com.vmware.vcenter.vm.hardware.floppy``: floppy drives."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Floppy
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import changed, require_backing_changeable, require_off
from resphere.rules.hardware.families import FLOPPIES
from resphere.rules.hardware.floppy import Key, backing_info, with_floppy
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import alter, reconfigure, remove, set_connected


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
