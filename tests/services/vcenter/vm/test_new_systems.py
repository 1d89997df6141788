"""Where the systems of new virtual machines come from: an image in a drive, or a disk that has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import ServiceUnavailable, VapiError
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import GuestOS, Power, Tools
from resphere.contract.generated.vcenter_vm_guest import Customization, Identity
from resphere.contract.generated.vcenter_vm_guest_networking import Interfaces
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk, Ethernet, Floppy, Parallel, Serial
from resphere.contract.generated.vcenter_vm_hardware_boot import Device
from resphere.inventory.model import VirtualMachine
from resphere.rules.machines.guest_os_ids import vim_guest_id
from tests.inventory import samples
from tests.support.customizations import linux
from tests.support.world import World

VM = vcenter.VM
Status = Tools.VersionStatus
STORE = ids.DatastoreId("datastore-15")
PLACE = VM.PlacementSpec(
    folder=ids.FolderId("group-v3"),
    cluster=ids.ClusterComputeResourceId("domain-c8"),
    datastore=STORE,
)
NIC = Ethernet.CreateSpec(
    backing=Ethernet.BackingSpec(type=Ethernet.BackingType.STANDARD_PORTGROUP, network=ids.NetworkId("network-17")),
    start_connected=True,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, samples.skeleton()) as world:
        yield world


def image(world: World, start_connected: bool = True) -> Cdrom.CreateSpec:
    [store] = world.call(vcenter.Datastore.list, vcenter.Datastore.FilterSpec(datastores=frozenset([STORE])))
    backing = Cdrom.BackingSpec(type=Cdrom.BackingType.ISO_FILE, iso_file=f"[{store.name}] install.iso")
    return Cdrom.CreateSpec(type=Cdrom.HostBusAdapterType.SATA, backing=backing, start_connected=start_connected)


def new(world: World, **fields: Any) -> ids.VirtualMachineId:
    given = {"guest_OS": GuestOS.RHEL_8_64, "name": "web", "placement": PLACE, "nics": (NIC,), **fields}
    return world.call(VM.create, VM.CreateSpec(**given))


def started(world: World, **fields: Any) -> ids.VirtualMachineId:
    vm = new(world, **fields)
    world.call(Power.start, vm)
    return vm


def addresses(world: World, vm: ids.VirtualMachineId) -> list[int]:
    """How many addresses each NIC of the guest has."""
    interfaces = world.call(Interfaces.list, vm)
    return [len(each.ip.ip_addresses) if each.ip is not None else 0 for each in interfaces]


@pytest.mark.parametrize("guest_OS", [GuestOS.RHEL_8_64, GuestOS.OTHER_LINUX_64])
def test_a_system_comes_from_the_image_in_the_drive(world: World, guest_OS: GuestOS) -> None:
    vm = new(world, cdroms=(image(world),), guest_OS=guest_OS)
    assert world.call(Tools.get, vm).version_status is Status.NOT_INSTALLED
    world.call(Power.start, vm)
    tools = world.call(Tools.get, vm)
    assert (tools.run_state, tools.version_status) == (Tools.RunState.RUNNING, Status.UNMANAGED)
    assert tools.install_type is Tools.ToolsInstallType.OPEN_VM_TOOLS
    identity = world.call(Identity.get, vm)
    assert identity.host_name == "web"
    assert identity.full_name.id == f"vmsg.guestos.{vim_guest_id(guest_OS)}.label"
    assert identity.ip_address is not None
    assert addresses(world, vm) == [1]


def test_a_system_comes_from_the_network(world: World) -> None:
    order = (Device.EntryCreateSpec(type=Device.Type.ETHERNET), Device.EntryCreateSpec(type=Device.Type.DISK))
    vm = started(world, boot_devices=order)
    assert world.call(Tools.get, vm).run_state is Tools.RunState.RUNNING
    other = started(world, name="other", boot_devices=order[::-1])
    assert world.call(Tools.get, other).run_state is Tools.RunState.NOT_RUNNING


def test_it_stays_on_the_disk(world: World) -> None:
    vm = started(world, cdroms=(image(world),))
    world.call(Power.stop, vm)
    [drive] = world.call(Cdrom.list, vm)
    world.call(Cdrom.delete, vm, drive.cdrom)
    world.call(Power.start, vm)
    assert world.call(Tools.get, vm).run_state is Tools.RunState.RUNNING


def test_no_image_no_disk_and_a_system_without_tools_of_its_own(world: World) -> None:
    apart: tuple[dict[str, Any], ...] = (
        {},
        {"cdroms": (image(world, start_connected=False),)},
        {"cdroms": (image(world),), "disks": ()},
        {"cdroms": (image(world),), "guest_OS": GuestOS.WINDOWS_SERVER_2019},
    )
    for number, fields in enumerate(apart):
        vm = started(world, name=f"vm-{number}", **fields)
        assert world.call(Tools.get, vm).run_state is Tools.RunState.NOT_RUNNING, fields
        with pytest.raises(ServiceUnavailable):
            world.call(Identity.get, vm)


def test_a_disk_of_a_vm_that_is_not_registered_has_a_system(world: World) -> None:
    first = new(world, name="first")
    [disk] = world.call(Disk.list, first)
    path = world.call(Disk.get, first, disk.disk).backing.vmdk_file
    world.call(VM.unregister, first)
    backing = Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path)
    vm = new(world, name="second", disks=(Disk.CreateSpec(backing=backing),))
    assert world.call(Tools.get, vm).version_status is Status.UNMANAGED
    world.call(Power.start, vm)
    assert world.call(Tools.get, vm).run_state is Tools.RunState.RUNNING


@pytest.mark.parametrize("guest_OS", [GuestOS.RHEL_8_64, GuestOS.WINDOWS_SERVER_2019])
def test_who_has_tools_can_be_customized_whether_started_or_not(world: World, guest_OS: GuestOS) -> None:
    """What Tools say of themselves and what customization takes agree: on a new disk, an old one, and a clone."""
    first = new(world, name="first", guest_OS=guest_OS)
    [disk] = world.call(Disk.list, first)
    path = world.call(Disk.get, first, disk.disk).backing.vmdk_file
    world.call(Disk.delete, first, disk.disk)
    backing = Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path)
    on_old = new(world, name="second", disks=(Disk.CreateSpec(backing=backing),), guest_OS=guest_OS)
    clone = world.call(VM.clone, VM.CloneSpec(source=on_old, name="third"))
    for vm in (first, on_old, clone):
        has_tools = world.call(Tools.get, vm).version_status is not Status.NOT_INSTALLED
        assert customizes(world, vm) is has_tools, vm
    assert customizes(world, on_old) is (guest_OS is GuestOS.RHEL_8_64)


def customizes(world: World, vm: ids.VirtualMachineId) -> bool:
    """Whether the VM, which is off, takes a customization."""
    try:
        world.call(Customization.set, vm, Customization.SetSpec(spec=linux()))
    except VapiError as refusal:
        return refusal.messages[0].id != "vmsg.UncustomizableGuest.summary"
    return True


def test_a_disk_that_was_there_has_a_system(world: World) -> None:
    first = new(world, name="first")
    [disk] = world.call(Disk.list, first)
    path = world.call(Disk.get, first, disk.disk).backing.vmdk_file
    world.call(Disk.delete, first, disk.disk)
    backing = Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=path)
    vm = started(world, name="second", disks=(Disk.CreateSpec(backing=backing),))
    assert world.call(Tools.get, vm).run_state is Tools.RunState.RUNNING
    assert addresses(world, vm) == [1]


def test_new_nics_get_an_address(world: World) -> None:
    vm = started(world, cdroms=(image(world),))
    world.call(Ethernet.create, vm, NIC)
    assert addresses(world, vm) == [1, 1]
    world.call(Power.stop, vm)
    world.call(Ethernet.create, vm, NIC)
    world.call(Power.start, vm)
    assert addresses(world, vm) == [1, 1, 1]


def slots(world: World, vm: ids.VirtualMachineId) -> list[int | None]:
    """Where the VM's adapters and NICs sit on the PCI bus."""
    info = world.call(VM.get, vm)
    devices: tuple[Mapping[Any, Any] | None, ...] = (info.scsi_adapters, info.sata_adapters, info.nics)
    return [device.pci_slot_number for group in devices for device in (group or {}).values()]


def test_places_on_the_bus_come_with_the_first_start(world: World) -> None:
    vm = new(world, cdroms=(image(world),))
    assert slots(world, vm) == [None, None, None]
    asked = world.call(Ethernet.create, vm, msgspec.structs.replace(NIC, pci_slot_number=4))
    assert world.call(Ethernet.get, vm, asked).pci_slot_number == 4
    world.call(Power.start, vm)
    given = slots(world, vm)
    assert None not in given
    assert len(set(given)) == 4
    added = world.call(Ethernet.create, vm, NIC)
    assert world.call(Ethernet.get, vm, added).pci_slot_number not in (None, *given)


def test_drives_and_ports_that_take_what_the_host_has(world: World) -> None:
    vm = new(world)
    floppy = world.call(Floppy.get, vm, world.call(Floppy.create, vm, Floppy.CreateSpec()))
    serial = world.call(Serial.get, vm, world.call(Serial.create, vm, Serial.CreateSpec()))
    parallel = world.call(Parallel.get, vm, world.call(Parallel.create, vm, Parallel.CreateSpec()))
    for backing in (floppy.backing, serial.backing, parallel.backing):
        assert (backing.auto_detect, backing.host_device) == (True, "")


def test_tools_that_have_reported_nothing(world: World) -> None:
    vm = started(world, cdroms=(image(world),))
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None
    world.change(machine, guest=None)
    with pytest.raises(ServiceUnavailable) as refused:
        world.call(Identity.get, vm)
    assert refused.value.messages[0].id == "com.vmware.api.vcenter.vm.guest.information_not_available"
