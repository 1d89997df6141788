"""What a package says to its guest: kept with the machine, read in the guest, and told to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from resphere.contract.errors import NotFound
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_guest import Processes
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.contract.generated.vcenter_vm_hardware import Cdrom
from resphere.contract.generated.vcenter_vm_tools import Installer
from resphere.inventory.guest import GuestSystem
from resphere.inventory.model import Snapshot, UnregisteredVm, VirtualMachine
from resphere.inventory.vapp import VappConfiguration
from resphere.providers.simulator.guest.files import SimulatedFiles
from resphere.replica.edit import Edit
from resphere.services.vcenter.ovf.library_item.parameters import Property, PropertyParams
from tests.ovf.packages import NAMESPACES, item
from tests.ovf.test_environment import OE, SCHEMA
from tests.services.content.libraries import add_item, add_library, fetch, put_named_files
from tests.services.vcenter.ovf.packages import target
from tests.support.guests import ADMINISTRATOR, ROOT, run_shell
from tests.support.world import World

Vm = ids.VirtualMachineId
SECRET = "open-sesame-17"
DISC = "/media/cdrom/ovf-env.xml"


def descriptor(transports: str, guest: str) -> bytes:
    """A machine with properties."""
    hardware = item(1, 6, "ResourceSubType=lsilogic") + item(
        2, 17, "AddressOnParent=0", "HostResource=ovf:/disk/d1", "Parent=1"
    )
    nic = item(3, 10, "ResourceSubType=VmxNet3", "Connection=lan")
    return (
        f'<Envelope {NAMESPACES}><References><File ovf:id="f1" ovf:href="disk.vmdk"/></References>'
        '<DiskSection><Info/><Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="17179869184"/></DiskSection>'
        '<NetworkSection><Info/><Network ovf:name="lan"/></NetworkSection>'
        '<VirtualSystem ovf:id="vm"><Info/>'
        '<OperatingSystemSection ovf:id="96" vmw:osType="' + guest + '"><Info/></OperatingSystemSection>'
        f'<VirtualHardwareSection ovf:transport="{transports}"><Info/>{hardware}{nic}</VirtualHardwareSection>'
        '<ProductSection ovf:class="web"><Info/><Product>Web</Product>'
        '<Property ovf:key="size" ovf:type="uint8" ovf:value="4" ovf:userConfigurable="true"/>'
        '<Property ovf:key="motto" ovf:type="string" ovf:value="a &lt; b"/>'
        '<Property ovf:key="password" ovf:type="string" ovf:password="true" ovf:userConfigurable="true"/>'
        "</ProductSection></VirtualSystem></Envelope>"
    ).encode()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def deploy(world: World, transports: str, guest: str = "debian12_64Guest") -> VirtualMachine:
    package = add_item(world, add_library(world), type="ovf")
    put_named_files(world, package, {"web.ovf": descriptor(transports, guest), "disk.vmdk": b"a disk"})
    values = (Property(id="web.size", value="7"), Property(id="web.password", value=SECRET))
    given: Any = msgspec.to_builtins(PropertyParams(type="PropertyParams", properties=values))
    spec = Ovf.ResourcePoolDeploymentSpec(name="web", additional_parameters=(given,))
    result = world.call(Ovf.deploy, None, package, target(world), spec)
    assert result.resource_id is not None, result.error
    return world.inventory.all(VirtualMachine)[result.resource_id.id]


def read(world: World, vm: str, path: str) -> str:
    """A file of the guest."""
    found = world.environment.provider.capabilities.guests.files(  # type: ignore[union-attr]
        world.inventory.all(VirtualMachine)[vm], world.environment.now()
    )
    assert isinstance(found, SimulatedFiles)
    return found.tree.content(found.tree.file(path)[1]).decode()


def told(document: str) -> dict[str | None, str | None]:
    """The properties in an environment."""
    root = etree.fromstring(document.strip().encode())
    SCHEMA.assertValid(root)
    return {each.get(f"{OE}key"): each.get(f"{OE}value") for each in root.iter(f"{OE}Property")}


EXPECTED = {"web.size": "7", "web.motto": "a < b", "web.password": SECRET}


def test_a_variable_that_tools_hand_out(world: World) -> None:
    vm = Vm(deploy(world, "com.vmware.guestInfo").id)
    world.call(Power.start, vm)
    assert run_shell(world, vm, 'vmware-rpctool "info-get guestinfo.ovfEnv" > /tmp/env') == 0
    document = read(world, vm, "/tmp/env")
    assert told(document) == EXPECTED
    assert f'vCenterId="{vm}"' in document
    [nic] = world.inventory.all(VirtualMachine)[vm].nics.values()
    assert f'mac="{nic.mac_address}"' in document
    assert run_shell(world, vm, 'vmtoolsd --cmd "info-get guestinfo.ovfEnv" > /tmp/again') == 0
    assert read(world, vm, "/tmp/again") == document
    assert run_shell(world, vm, "vmware-rpctool info-get guestinfo.other > /tmp/other") == 1
    assert run_shell(world, vm, "vmware-rpctool info-set guestinfo.other x") != 0
    with pytest.raises(NotFound):
        world.call(Files.get, vm, ROOT, DISC)


def test_a_disc(world: World) -> None:
    vm = Vm(deploy(world, "iso").id)
    world.call(Power.start, vm)
    assert world.call(Files.get, vm, ROOT, DISC).size == len(read(world, vm, DISC).encode())
    assert told(read(world, vm, DISC)) == EXPECTED
    assert run_shell(world, vm, "vmtoolsd --cmd info-get\\ guestinfo.ovfEnv") == 1
    # It is no file of the guest's disk: nobody changes it, and it is not stored.
    assert run_shell(world, vm, f"rm -f {DISC}") != 0
    assert run_shell(world, vm, f"cp {DISC} /root/env.xml") == 0
    [system] = world.inventory.by(GuestSystem, "machine", vm).values()
    assert "root/env.xml" in system.nodes
    assert not [key for key in system.nodes if key.startswith("media")]


def test_on_windows(world: World) -> None:
    vm = Vm(deploy(world, "iso com.vmware.guestInfo", "windows2019srvNext_64Guest").id)
    tools = '"C:\\Program Files\\VMware\\VMware Tools\\vmtoolsd.exe"'
    # Windows brings no Tools along.
    world.call(Cdrom.create, vm, Cdrom.CreateSpec())
    world.call(Power.start, vm)
    world.call(Installer.connect, vm)
    for line, code in (
        (f'{tools} --cmd "info-get guestinfo.ovfEnv" > C:\\Temp\\env', 0),
        ("copy D:\\ovf-env.xml C:\\Temp\\disc", 0),
        (f'{tools} --cmd "info-get guestinfo.other" > C:\\Temp\\other', 1),
        ("del D:\\ovf-env.xml", 1),
    ):
        spec = Processes.CreateSpec(path="C:\\Windows\\System32\\cmd.exe", arguments=f"/c {line}")
        pid = world.call(Processes.create, vm, ADMINISTRATOR, spec)
        assert world.call(Processes.get, vm, ADMINISTRATOR, pid).exit_code == code, line
    assert told(read(world, vm, "C:\\Temp\\env")) == told(read(world, vm, "C:\\Temp\\disc")) == EXPECTED


def test_a_package_without_a_transport(world: World) -> None:
    vm = Vm(deploy(world, "").id)
    world.call(Power.start, vm)
    assert run_shell(world, vm, "vmware-rpctool info-get guestinfo.ovfEnv") == 1
    assert world.inventory.all(VappConfiguration)[vm].values == EXPECTED


def test_it_goes_with_its_machine(world: World) -> None:
    vm = deploy(world, "com.vmware.guestInfo iso")
    kept = world.inventory.all(VappConfiguration)[vm.id]
    assert kept.transports == ("com.vmware.guestInfo", "iso")
    place: Any = {"folder": vm.parent, "resource_pool": vm.resource_pool}
    spec = vcenter.VM.CloneSpec(
        source=Vm(vm.id), name="clone", placement=msgspec.convert(place, vcenter.VM.ClonePlacementSpec)
    )
    clone = world.call(vcenter.VM.clone, spec)
    assert world.inventory.all(VappConfiguration)[clone] == msgspec.structs.replace(kept, id=clone, machine=clone)
    snapshot = take(world, Vm(vm.id))
    assert world.inventory.all(VappConfiguration)[snapshot] == msgspec.structs.replace(kept, id=snapshot)
    world.call(vcenter.VM.unregister, Vm(vm.id))
    assert world.inventory.all(UnregisteredVm)
    host: Any = {**place, "host": vm.host}
    again = world.call(
        vcenter.VM.register,
        vcenter.VM.RegisterSpec(
            datastore_path=vm.vmx_path, placement=msgspec.convert(host, vcenter.VM.RegisterPlacementSpec)
        ),
    )
    [brought_back] = world.inventory.by(Snapshot, "parent", again)
    for owner in (again, brought_back):
        assert world.inventory.all(VappConfiguration)[owner].values == EXPECTED
    assert len(world.inventory.all(VappConfiguration)) == 3
    for each in (clone, again):
        world.call(vcenter.VM.delete, Vm(each))
    assert not world.inventory.all(VappConfiguration)


def take(world: World, vm: Vm) -> Any:
    """The id of a new snapshot."""
    return world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="before"))


def test_a_snapshot_brings_it_back(world: World) -> None:
    vm = deploy(world, "com.vmware.guestInfo")
    kept = world.inventory.all(VappConfiguration)[vm.id]
    first = take(world, Vm(vm.id))
    world.put(msgspec.structs.replace(kept, values={**kept.values, "web.size": "9"}))
    second = take(world, Vm(vm.id))
    for snapshot, size in ((first, "7"), (second, "9"), (first, "7")):
        world.call(VmSnapshots.revert, Vm(vm.id), snapshot)
        assert world.inventory.all(VappConfiguration)[vm.id].values["web.size"] == size
    world.call(VmSnapshots.delete, Vm(vm.id), second, None, None)
    assert set(world.inventory.all(VappConfiguration)) == {vm.id, first}


def test_a_snapshot_of_before_there_was_any(world: World) -> None:
    vm = deploy(world, "com.vmware.guestInfo")
    kept = world.inventory.all(VappConfiguration)[vm.id]
    first = take(world, Vm(vm.id))

    def without(edit: Edit) -> None:
        edit.delete(VappConfiguration, first)

    world.run(world.inventory.change(without))
    assert set(world.inventory.all(VappConfiguration)) == {kept.id}
    world.call(VmSnapshots.revert, Vm(vm.id), first)
    assert not world.inventory.all(VappConfiguration)


def test_a_password_is_told_in_no_package_and_sealed_in_the_store(world: World, tmp_path: Path) -> None:
    vm = deploy(world, "com.vmware.guestInfo")
    library = add_library(world, name="captures")
    result = world.call(
        Ovf.create,
        None,
        Ovf.DeployableIdentity(type="VirtualMachine", id=vm.id),
        Ovf.CreateTarget(library_id=library),
        Ovf.CreateSpec(name="gold"),
    )
    assert result.ovf_library_item_id is not None, result.error
    text = fetch(world, result.ovf_library_item_id, "gold.ovf").decode()
    assert SECRET not in text
    assert 'ovf:key="size"' in text
    assert 'ovf:value="7"' in text
    assert 'ovf:transport="com.vmware.guestInfo"' in text
    stored = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert stored
    assert not [path for path in stored if SECRET.encode() in path.read_bytes()]
