"""Folders of managed objects, as govmomi writes them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TypeVar

import pytest

from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.importing.reading import Form, form_of, read_path
from resphere.importing.report import ImportFault, Report
from resphere.importing.writing.sheets import Inventory
from resphere.inventory.custom_attributes import CustomValue
from resphere.inventory.model import Cluster, Datastore, Host, ManagedObject, Network, ResourcePool, Snapshot
from resphere.inventory.model import VirtualMachine as Machine
from resphere.replica.table import Stored
from resphere.server.exports.file import file_parts, parse_file
from tests.clients.go import build, needs_govmomi

T = TypeVar("T", bound=ManagedObject)
PROGRAM = Path(__file__).parents[1] / "clients" / "govmomi_save" / "main.go"
needs_go, needs_library = needs_govmomi
TYPED = 'xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type'


def read(folder: Path, *, lax: bool = False) -> tuple[tuple[Stored, ...], Report]:
    report = Report(str(folder), lax=lax)
    return read_path(folder, Form.GOVC, report), report


def save(folder: Path, number: int, type: str, id: str, **properties: str) -> Path:
    """A file of an object, whose properties are XML."""
    sets = "".join(f"<propSet><name>{name}</name><val>{value}</val></propSet>" for name, value in properties.items())
    path = folder / f"{number:04}-{type}-{id}.xml"
    path.write_text(f'<ObjectContent><obj type="{type}">{id}</obj>{sets}</ObjectContent>', encoding="utf-8")
    return path


def small(folder: Path) -> None:
    """A datacenter with a host and a machine."""
    save(folder, 0, "Folder", "group-d1", name="Datacenters")
    save(folder, 1, "Datacenter", "datacenter-2", name="DC", parent="group-d1")
    save(folder, 2, "Folder", "group-v3", name="vm", parent="datacenter-2")
    save(folder, 3, "Folder", "group-h4", name="host", parent="datacenter-2")
    save(folder, 4, "ComputeResource", "domain-s8", name="esx", parent="group-h4")
    save(folder, 5, "HostSystem", "host-9", name="esx", parent="domain-s8")
    save(folder, 6, "ResourcePool", "resgroup-10", name="Resources", parent="domain-s8")
    save(folder, 7, "Folder", "group-v30", name="a%2fb", parent="group-v3")
    config = (
        "<guestId>rhel8_64Guest</guestId><version>vmx-19</version><firmware>efi</firmware>"
        "<files><vmPathName>[ds] web/web.vmx</vmPathName></files><hardware><numCPU>2</numCPU><memoryMB>4096</memoryMB>"
        f'<device {TYPED}="VirtualNVMEController"><key>31000</key><busNumber>0</busNumber></device>'
        f'<device {TYPED}="VirtualDisk"><key>32000</key><controllerKey>31000</controllerKey><unitNumber>0</unitNumber>'
        "<capacityInBytes>1073741824</capacityInBytes>"
        "<backing><fileName>[ds] web/web.vmdk</fileName></backing></device>"
        f'<device {TYPED}="VirtualSerialPort"><key>9000</key></device>'
        f'<device {TYPED}="VirtualVmxnet3"><key>4000</key><macAddress>00:50:56:AA:00:01</macAddress>'
        "<addressType>manual</addressType><backing><deviceName>VM%2fNet</deviceName></backing></device></hardware>"
    )
    save(
        folder,
        8,
        "VirtualMachine",
        "vm-20",
        name="web",
        parent="group-v30",
        config=config,
        guest="<disk><diskPath>/</diskPath><capacity>1000</capacity><freeSpace>400</freeSpace></disk>",
        runtime="<host>host-9</host><powerState>poweredOn</powerState><connectionState>connected</connectionState>",
    )
    save(folder, 9, "Datastore", "datastore-40", name="ds", parent="group-s5", summary="<type>NFS41</type>")


def only(documents: tuple[Stored, ...], kind: type[T]) -> T:
    (found,) = (item for item in documents if isinstance(item, kind))
    return found


def test_a_small_folder(tmp_path: Path) -> None:
    small(tmp_path)
    assert form_of(tmp_path) is Form.GOVC
    documents, report = read(tmp_path)
    vm, inventory = only(documents, Machine), Inventory(documents)
    assert (vm.id, vm.guest_OS.value, vm.power_state.value) == ("vm-20", "RHEL_8_64", "POWERED_ON")
    assert inventory.path(vm.parent) == "/DC/vm/a%2fb"
    assert vm.resource_pool == "resgroup-10"
    assert only(documents, Host).resource_pool == "resgroup-10"
    assert [disk.nvme and disk.nvme.unit for disk in vm.disks.values()] == [0]
    assert vm.guest is not None
    assert [(path, each.free_space) for path, each in vm.guest.filesystems.items()] == [("/", 400)]
    (nic,) = vm.nics.values()
    assert (nic.mac_address, nic.mac_type) == ("00:50:56:aa:00:01", Ethernet.MacAddressType.MANUAL)
    assert only(documents, Network).name == "VM/Net"
    assert only(documents, Datastore).type.value == "NFS41"
    assert any("neither disks" in remark.what for remark in report.leavings)


def test_faults_name_the_file(tmp_path: Path) -> None:
    small(tmp_path)
    (tmp_path / "0010-broken.xml").write_text("<ObjectContent>", encoding="utf-8")
    save(tmp_path, 11, "VirtualMachine", "vm-20", name="again")
    bomb = (
        '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><ObjectContent><obj type="Folder">&c;</obj></ObjectContent>'
    )
    (tmp_path / "0012-entities.xml").write_text(bomb, encoding="utf-8")
    (tmp_path / "0013-other.xml").write_text("<html/>", encoding="utf-8")
    with pytest.raises(ImportFault) as caught:
        read(tmp_path)
    text = "\n".join(caught.value.faults)
    assert "0010-broken.xml: is no XML" in text
    assert "0011-VirtualMachine-vm-20.xml: vm-20 is in 0008-VirtualMachine-vm-20.xml already" in text


def test_a_machine_on_a_host_that_is_not_there(tmp_path: Path) -> None:
    small(tmp_path)
    next(tmp_path.glob("*-host-9.xml")).unlink()
    with pytest.raises(ImportFault):
        read(tmp_path)
    assert only(read(tmp_path, lax=True)[0], Machine).name == "web"


def test_no_objects(tmp_path: Path) -> None:
    with pytest.raises(ImportFault, match="has 0 files of objects"):
        read(tmp_path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stored, ...]:
    folder = tmp_path_factory.mktemp("saved")
    program = build(PROGRAM, tmp_path_factory.mktemp("program"))
    subprocess.run([program, folder], check=True, timeout=60, capture_output=True)
    return read(folder)[0]


@needs_go
@needs_library
def test_everything_of_govmomi_is_there(saved: tuple[Stored, ...]) -> None:
    counts = {
        kind: sum(isinstance(item, kind) for item in saved)
        for kind in (Machine, Host, Cluster, ResourcePool, Snapshot, Network)
    }
    assert counts == {Machine: 8, Host: 6, Cluster: 2, ResourcePool: 6, Snapshot: 2, Network: 6}
    inventory = Inventory(saved)
    vm = next(item for item in inventory.of(Machine) if item.name == "DC1_C0_RP0_VM0")
    assert inventory.pool_path(vm.resource_pool) == "/DC1/DC1_C0/Resources"
    pools = {inventory.pool_path(item.id) for item in inventory.of(ResourcePool)}
    assert "/DC1/DC1_C0/Resources/DC1_C0_RP1" in pools
    assert inventory.path(vm.parent).startswith("/F0/DC1/vm")
    assert vm.vmx_path == "[LocalDS_0] DC1_C0_RP0_VM0/DC1_C0_RP0_VM0.vmx"


@needs_go
@needs_library
def test_snapshots_and_attributes(saved: tuple[Stored, ...]) -> None:
    first, second = Inventory(saved).of(Snapshot)
    assert (first.name, second.name, second.parent_snapshot) == ("first", "second", first.id)
    vm = next(item for item in saved if isinstance(item, Machine) and item.id == second.parent)
    assert vm.snapshot == second.id
    assert [item.value for item in saved if isinstance(item, CustomValue)] == ["team a"]


@needs_go
@needs_library
def test_it_is_an_inventory_file(saved: tuple[Stored, ...]) -> None:
    again = parse_file("".join(file_parts(saved)), "it")
    assert {(item.kind, item.id) for item in again} == {(item.kind, item.id) for item in saved}
