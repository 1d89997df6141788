"""What a machine's state forbids: class, status and message id, each operation in a state that it does not go with."""

from __future__ import annotations

from typing import Any

import pytest

from resphere.contract.errors import VapiError
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_guest import Power as GuestPower
from resphere.contract.generated.vcenter_vm_guest_filesystem import Directories, Files
from resphere.contract.generated.vcenter_vm_hardware import (
    Cdrom,
    ConnectionState,
    Disk,
    Ethernet,
    Floppy,
    Parallel,
    Serial,
)
from resphere.contract.generated.vcenter_vm_hardware_adapter import Nvme, Sata, Scsi
from resphere.contract.model import AnyOperation
from resphere.inventory.model import VirtualMachine
from tests.support.guests import ROOT
from tests.support.world import World

VM = vcenter.VM
Power = vcenter_vm.Power
Hardware = vcenter_vm.Hardware
State = Power.State
ON, OFF, SUSPENDED = State.POWERED_ON, State.POWERED_OFF, State.SUSPENDED
Id = ids.VirtualMachineId

NOT_ALLOWED = "NOT_ALLOWED_IN_CURRENT_STATE"
ALREADY = "ALREADY_IN_DESIRED_STATE"
HARDWARE = "resphere.vm.hardware.power_state"
OURS = "resphere.vm.power."
POWER = "com.vmware.api.vcenter.vm.power."
GUEST = "resphere.vm.guest.power_state"

# State, operation, the devices that its first argument is one of, the rest of its arguments, error, message.
Case = tuple[State, AnyOperation, str | None, tuple[Any, ...], str, str]
WRONG_STATE: tuple[Case, ...] = (
    (ON, VM.delete, None, (), NOT_ALLOWED, "resphere.vm.delete.power_state"),
    (ON, VM.unregister, None, (), NOT_ALLOWED, "resphere.vm.unregister.power_state"),
    (SUSPENDED, Cdrom.delete, "cdroms", (), NOT_ALLOWED, HARDWARE),
    (OFF, Cdrom.connect, "cdroms", (), NOT_ALLOWED, HARDWARE),
    (OFF, Cdrom.disconnect, "cdroms", (), NOT_ALLOWED, HARDWARE),
    (ON, Floppy.delete, "floppies", (), NOT_ALLOWED, HARDWARE),
    (OFF, Floppy.connect, "floppies", (), NOT_ALLOWED, HARDWARE),
    (OFF, Floppy.disconnect, "floppies", (), NOT_ALLOWED, HARDWARE),
    (ON, Serial.create, None, (Serial.CreateSpec(),), NOT_ALLOWED, HARDWARE),
    (OFF, Serial.disconnect, "serial_ports", (), NOT_ALLOWED, HARDWARE),
    (ON, Parallel.delete, "parallel_ports", (), NOT_ALLOWED, HARDWARE),
    (OFF, Parallel.connect, "parallel_ports", (), NOT_ALLOWED, HARDWARE),
    (OFF, Parallel.disconnect, "parallel_ports", (), NOT_ALLOWED, HARDWARE),
    (OFF, Ethernet.connect, "nics", (), NOT_ALLOWED, HARDWARE),
    (OFF, Ethernet.disconnect, "nics", (), NOT_ALLOWED, HARDWARE),
    (SUSPENDED, Sata.create, None, (Sata.CreateSpec(),), NOT_ALLOWED, HARDWARE),
    (SUSPENDED, Nvme.create, None, (Nvme.CreateSpec(),), NOT_ALLOWED, HARDWARE),
    (SUSPENDED, Scsi.create, None, (Scsi.CreateSpec(),), NOT_ALLOWED, HARDWARE),
    (ON, Scsi.update, "scsi_adapters", (Scsi.UpdateSpec(sharing=Scsi.Sharing.PHYSICAL),), NOT_ALLOWED, HARDWARE),
    (SUSPENDED, Disk.create, None, (Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec()),), NOT_ALLOWED, HARDWARE),
    (OFF, Power.reset, None, (), NOT_ALLOWED, OURS + "reset_not_allowed"),
    (OFF, Power.suspend, None, (), NOT_ALLOWED, OURS + "suspend_not_allowed"),
    (OFF, GuestPower.reboot, None, (), NOT_ALLOWED, OURS + "reset_not_allowed"),
    (OFF, GuestPower.shutdown, None, (), ALREADY, POWER + "already_powered_off"),
    (OFF, GuestPower.standby, None, (), NOT_ALLOWED, OURS + "suspend_not_allowed"),
    (OFF, Files.create_temporary, None, (ROOT, "a", "b", None), NOT_ALLOWED, GUEST),
    (OFF, Directories.create_temporary, None, (ROOT, "a", "b", None), NOT_ALLOWED, GUEST),
)


def equipped(world: World, state: State) -> VirtualMachine:
    """A machine in that state with a device of each kind."""
    vm = next(
        vm
        for vm in world.inventory.all(VirtualMachine).values()
        if not vm.template and vm.power_state is OFF and vm.nics and vm.disks and vm.scsi_adapters
    )
    id = Id(vm.id)
    devices: tuple[tuple[AnyOperation, Any], ...] = (
        (Cdrom.create, Cdrom.CreateSpec()),
        (Floppy.create, Floppy.CreateSpec()),
        (Serial.create, Serial.CreateSpec()),
        (Parallel.create, Parallel.CreateSpec()),
    )
    for create, spec in devices:
        world.call(create, id, spec)
    for operation in {OFF: (), ON: (Power.start,), SUSPENDED: (Power.start, Power.suspend)}[state]:
        world.call(operation, id)
    found = world.inventory.get(VirtualMachine, vm.id)
    assert found is not None
    assert found.power_state is state
    return found


@pytest.mark.parametrize("case", WRONG_STATE, ids=lambda case: f"{case[1].id} {case[0]}")
def test_wrong_power_state(world: World, case: Case) -> None:
    state, operation, devices, rest, error_type, message_id = case
    vm = equipped(world, state)
    before = dict(world.inventory.all(VirtualMachine))
    arguments = (next(iter(getattr(vm, devices))), *rest) if devices is not None else rest
    with pytest.raises(VapiError) as error:
        world.call(operation, Id(vm.id), *arguments)
    said = (error.value.error_type, error.value.api_status, error.value.messages[0].id)
    assert said == (error_type, 400, message_id)
    assert error.value.error_type.lower() in operation.errors
    assert dict(world.inventory.all(VirtualMachine)) == before


@pytest.mark.parametrize("device", [Cdrom, Floppy, Serial, Parallel, Ethernet], ids=lambda cls: cls.__name__)
def test_as_wished_already(world: World, device: Any) -> None:
    vm = equipped(world, ON)
    kept: dict[Any, dict[Any, Any]] = {
        Cdrom: vm.cdroms,
        Floppy: vm.floppies,
        Serial: vm.serial_ports,
        Parallel: vm.parallel_ports,
    }
    key, info = next(iter(kept.get(device, vm.nics).items()))
    both = [device.connect, device.disconnect]
    for operation in both[::-1] if info.state is ConnectionState.CONNECTED else both:
        world.call(operation, Id(vm.id), key)
        with pytest.raises(VapiError) as again:
            world.call(operation, Id(vm.id), key)
        said = (again.value.error_type, again.value.api_status, again.value.messages[0].id)
        assert said == (ALREADY, 400, "resphere.vm.hardware.already_in_state")


def test_an_image_on_no_datastore_of_the_host(world: World) -> None:
    vm = equipped(world, OFF)
    backing = Cdrom.BackingSpec(type=Cdrom.BackingType.ISO_FILE, iso_file="[nowhere] a.iso")
    with pytest.raises(VapiError) as error:
        world.call(Cdrom.create, Id(vm.id), Cdrom.CreateSpec(backing=backing))
    said = (error.value.error_type, error.value.api_status, error.value.messages[0].id)
    assert said == ("INVALID_ARGUMENT", 400, "resphere.vm.cdrom.iso_file")
