"""``com.vmware.vcenter.vm.hardware.cdrom``: CD-ROM drives."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Cdrom
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.cdrom import Key, backing_info, require_changeable, require_image, with_cdrom
from resphere.rules.hardware.devices import (
    changed,
    require_backing_changeable,
)
from resphere.rules.hardware.families import CDROMS
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import alter, reconfigure, remove, set_connected

IDE, SATA = Cdrom.HostBusAdapterType.IDE, Cdrom.HostBusAdapterType.SATA


@implements(Cdrom.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Cdrom.Summary, ...]:
    """The VM's CD-ROM drives."""
    return tuple(Cdrom.Summary(cdrom=key) for key in CDROMS.keys(call.require(VirtualMachine, vm)))


@implements(Cdrom.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, cdrom: Key) -> Cdrom.Info:
    """One CD-ROM drive."""
    return CDROMS.require(call.require(VirtualMachine, vm), cdrom)


@implements(Cdrom.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Cdrom.CreateSpec) -> Key:
    """Add a CD-ROM drive; on SATA also to a running VM.

    :raises NotAllowedInCurrentState: the VM is suspended, or runs and the drive would be on IDE.
    :raises ResourceInUse: the place is taken.
    :raises UnableToAllocateResource: there is no free place.
    """
    return await reconfigure(call, vm, lambda current: with_cdrom(call.unfiltered, current, spec))


@implements(Cdrom.update)
async def update(call: Call, vm: ids.VirtualMachineId, cdrom: Key, spec: Cdrom.UpdateSpec) -> None:
    """Change a CD-ROM drive; its backing only where it is not connected in a running VM."""

    def make(current: VirtualMachine, device: Cdrom.Info) -> Cdrom.Info:
        if spec.backing is not None:
            require_backing_changeable(current, device)
            require_image(call.unfiltered, current, spec.backing)
        return changed(
            device,
            backing=backing_info(spec.backing) if spec.backing else None,
            start_connected=spec.start_connected,
            allow_guest_control=spec.allow_guest_control,
        )

    await alter(call, vm, CDROMS, cdrom, make)


@implements(Cdrom.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, cdrom: Key) -> None:
    """Remove a CD-ROM drive; on SATA also from a running VM."""

    def guard(current: VirtualMachine) -> None:
        require_changeable(current, CDROMS.require(current, cdrom).type is IDE, "remove a CD-ROM drive")

    await remove(call, vm, CDROMS, cdrom, guard)


@implements(Cdrom.connect)
async def connect(call: Call, vm: ids.VirtualMachineId, cdrom: Key) -> None:
    """Connect a CD-ROM drive of a running VM."""
    await set_connected(call, vm, CDROMS, cdrom, True)


@implements(Cdrom.disconnect)
async def disconnect(call: Call, vm: ids.VirtualMachineId, cdrom: Key) -> None:
    """Disconnect a CD-ROM drive of a running VM."""
    await set_connected(call, vm, CDROMS, cdrom, False)
