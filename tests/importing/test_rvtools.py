"""What is read of RVTools' workbooks, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from resphere.contract.generated.vcenter import ResourcePool as ApiResourcePool
from resphere.contract.generated.vcenter_vm import GuestOS, Power, Tools
from resphere.contract.generated.vcenter_vm_hardware import Boot, ConnectionState, Ethernet
from resphere.importing.writing.sheets import Inventory
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue
from resphere.inventory.model import (
    Cluster,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.replica.table import Stored
from resphere.server.exports.file import file_parts, parse_file
from tests.support import workbooks
from tests.support.workbooks import book, by_csv, by_openpyxl, by_xlsxwriter, by_zip, read

T = TypeVar("T", bound=ManagedObject)
MIB = 1 << 20


def named(documents: tuple[Stored, ...], kind: type[T], name: str) -> T:
    return next(item for item in documents if isinstance(item, kind) and item.name == name)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stored, ...]:
    return read(by_openpyxl(tmp_path_factory.mktemp("book") / "book.xlsx", book()))[0]


def test_machines(documents: tuple[Stored, ...]) -> None:
    web = named(documents, VirtualMachine, "web-01")
    assert (web.id, web.instance_uuid) == ("vm-401", "50030001-aaaa-4bbb-8ccc-ddddeeeeffff")
    assert web.bios_uuid == "42030001-1111-4222-8333-444455556666"
    assert (web.guest_OS, web.power_state, web.template) == (GuestOS.RHEL_8_64, Power.State.POWERED_ON, False)
    assert (web.cpu.count, web.cpu.cores_per_socket, web.cpu.hot_add_enabled) == (4, 2, True)
    assert (web.memory.size_MiB, web.boot.type, web.hardware.version.value) == (8192, Boot.Type.EFI, "VMX_19")
    assert (web.annotation, web.vmx_path) == ("Owned by team 1", "[san 1] web-01/web-01.vmx")
    disks = [(disk.label, disk.scsi and disk.scsi.unit, disk.capacity) for disk in web.disks.values()]
    assert disks == [("Hard disk 1", 0, 40960 * MIB), ("Hard disk 2", 1, 20480 * MIB)]
    nic = web.nics[next(iter(web.nics))]
    assert (nic.type, nic.mac_type) == (Ethernet.EmulationType.VMXNET3, Ethernet.MacAddressType.ASSIGNED)
    assert (nic.mac_address, nic.state) == ("00:50:56:80:00:00", ConnectionState.CONNECTED)
    assert web.guest is not None
    assert web.guest.ip_addresses == ("10.20.0.1", "fe80::1", "fd00::5")
    assert [(path, each.free_space) for path, each in web.guest.filesystems.items()] == [("/", 30_000 * MIB)]
    assert (web.tools.version, web.tools.version_status) == ("11.3.0", Tools.VersionStatus.SUPPORTED_OLD)
    base = named(documents, VirtualMachine, "w2019-base")
    assert (base.template, base.power_state, base.guest_OS) == (
        True,
        Power.State.POWERED_OFF,
        GuestOS.WINDOWS_9_SERVER_64,
    )


def test_where_machines_are(documents: tuple[Stored, ...]) -> None:
    inventory = Inventory(documents)
    web, lab = named(documents, VirtualMachine, "web-01"), named(documents, VirtualMachine, "lab")
    assert (web.parent, inventory.path(web.parent)) == ("group-v310", "/Rhein/vm/Prod/Web")
    assert (web.host, web.resource_pool, web.datastore) == ("host-201", "resgroup-150", "datastore-501")
    assert inventory.pool_path(web.resource_pool) == "/Rhein/Alpha/Resources/Gold"
    assert inventory.path(lab.parent) == "/Rhein/vm"
    host = named(documents, Host, "esx9.corp.test")
    assert (lab.host, lab.resource_pool) == (host.id, host.resource_pool)
    assert isinstance(inventory.get(Folder, host.parent), Folder)


def test_snapshots_in_order(documents: tuple[Stored, ...]) -> None:
    web = named(documents, VirtualMachine, "web-01")
    first, second = named(documents, Snapshot, "first"), named(documents, Snapshot, "second")
    assert (first.parent_snapshot, second.parent_snapshot, web.snapshot) == (None, first.id, second.id)
    assert (first.memory, second.memory) == (False, True)
    assert first.created_time == datetime(2024, 7, 1, 16, 14, 28, tzinfo=UTC)


def test_what_machines_run_on(documents: tuple[Stored, ...]) -> None:
    host = named(documents, Host, "esx1.corp.test")
    assert (host.id, host.version, host.build) == ("host-201", "7.0.3", "21930508")
    assert (host.hardware.cpu_cores, host.hardware.cpu_threads, host.hardware.memory_size_MiB) == (64, 128, 524288)
    alpha, beta = named(documents, Cluster, "Alpha"), named(documents, Cluster, "Beta")
    assert (alpha.id, alpha.ha_enabled, alpha.drs_enabled, beta.ha_enabled) == ("domain-c101", True, True, False)
    assert alpha.evc_mode is not None
    assert (alpha.evc_mode.key, beta.evc_mode) == ("intel-cascadelake", None)
    gold = named(documents, ResourcePool, "Gold")
    assert gold.cpu_allocation.shares == ApiResourcePool.SharesInfo(
        level=ApiResourcePool.SharesInfo.Level.CUSTOM, shares=12000
    )
    assert (gold.memory_allocation.limit, gold.memory_allocation.expandable_reservation) == (65536, False)


def test_datastores_and_networks(documents: tuple[Stored, ...]) -> None:
    san, local = named(documents, Datastore, "san 1"), named(documents, Datastore, "local9")
    # Two machines of 60 GiB each; the rest of what is in use are other things.
    assert (san.capacity, san.other_used) == (
        4194304 * MIB,
        (1048576 - 2 * 61440) * MIB - 2 * 61440 * MIB // 16 - 8192 * MIB,
    )
    assert (san.multiple_host_access, local.multiple_host_access, local.type.value) == (True, False, "NFS")
    # Disks count in full: the datastore is as large as what is on it.
    assert local.capacity == 61440 * MIB
    vlan = named(documents, Network, "VLAN 20")
    assert (vlan.id, vlan.vlan, vlan.distributed_switch) == ("dvportgroup-62", 20, "dvs-61")
    assert vlan.id in named(documents, Host, "esx9.corp.test").networks
    assert any(item.uplink for item in documents if isinstance(item, Network))


def test_custom_attributes(documents: tuple[Stored, ...]) -> None:
    (attribute,) = (item for item in documents if isinstance(item, CustomAttribute))
    values = {item.object: item.value for item in documents if isinstance(item, CustomValue)}
    assert (attribute.name, attribute.type) == ("Cost centre", "VirtualMachine")
    assert values == {"vm-401": "CC-1", "vm-402": "CC-2", "vm-403": "CC-3"}


@pytest.mark.parametrize(("write", "name"), [(by_xlsxwriter, "book.xlsx"), (by_csv, "book"), (by_zip, "book.zip")])
def test_whoever_wrote_it(
    write: Callable[[Path, Any], Path], name: str, documents: tuple[Stored, ...], tmp_path: Path
) -> None:
    assert read(write(tmp_path / name, book()))[0] == documents


def test_it_becomes_an_inventory_file(documents: tuple[Stored, ...]) -> None:
    again = parse_file("".join(file_parts(documents)), "it")
    assert {(item.kind, item.id): item for item in again} == {(item.kind, item.id): item for item in documents}


def test_names_of_old_releases(tmp_path: Path, documents: tuple[Stored, ...]) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    for name, rows in book().items():
        text = workbooks.csv_text(rows, name, ";").replace("MiB", "MB").replace("CostCentre", "Cost centre")
        text = text.replace("vInfoCostcentre", "Cost centre").replace("40960", '"40,960"').replace("8192", "8.192")
        (folder / f"tab{name}.csv").write_bytes(text.encode("utf-16"))
    assert read(folder)[0] == documents


def test_vinfo_alone(tmp_path: Path) -> None:
    documents, report = read(by_openpyxl(tmp_path / "one.xlsx", {"vInfo": book()["vInfo"]}))
    web = named(documents, VirtualMachine, "web-01")
    assert [disk.capacity for disk in web.disks.values()] == [30720 * MIB, 30720 * MIB]
    assert len(web.nics) == 1
    assert named(documents, Host, "esx1.corp.test").datastores
    guesses = " ".join(remark.what for remark in report.guesses)
    for word in ("vDisk", "vNetwork", "vHost", "datastores"):
        assert word in guesses


def test_names_alone(tmp_path: Path) -> None:
    rows = [{"VM": "a", "Powerstate": "poweredOff"}, {"VM": "b", "Powerstate": "poweredOn"}]
    documents, _ = read(by_openpyxl(tmp_path / "names.xlsx", {"vInfo": rows}))
    assert {item.name for item in documents if isinstance(item, VirtualMachine)} == {"a", "b"}


def test_the_report_tells_every_column(tmp_path: Path) -> None:
    content = {**book(), "vHealth": [{"Name": "x", "Message": "y"}], "Notes": [{"a": 1, "b": 2}]}
    _, report = read(by_openpyxl(tmp_path / "book.xlsx", content))
    plain = report.as_json()
    info = next(each for each in plain["sheets"] if each["sheet"] == "vInfo")
    assert "Heartbeat" in info["left"]
    assert {"VM", "Memory", "(custom) Cost centre", "Folder ID"} <= {*info["taken"]}
    disk = next(each for each in plain["sheets"] if each["sheet"] == "vDisk")
    assert disk["left"] == ["Raw", "Disk Mode", "Thin"] or disk["left"] == ["Disk Mode", "Thin"]
    assert plain["made"]["virtual_machine"] == 3
    left = {each["what"]: each["count"] for each in plain["left"]}
    assert left["sheets that are not of RVTools"] == 1
    grown = next(each for each in plain["guessed"] if "as large as the disks" in each["what"])
    assert grown["places"] == ["vDatastore row 3, column Capacity MiB"]
    assert any("vInfo: 3 rows" in line for line in report.lines())


def test_machines_that_are_special(tmp_path: Path) -> None:
    content = book()
    vcls = workbooks.machine(7, "vCLS-1", CPUs=1, Memory=128, **{"Folder": "/Rhein/vm/vCLS", "Folder ID": "group-v77"})
    placeholder = workbooks.machine(8, "web-01", **{"SRM Placeholder": True, "Powerstate": "poweredOff"})
    placeholder.update({"Folder": "/Rhein/vm/Recovery", "Folder ID": "group-v78", "Path": "[san 1] srm/web-01.vmx"})
    orphan = workbooks.machine(9, "orphan", **{"Connection state": "orphaned", "Path": "[san 1] orphan/orphan.vmx"})
    unknown = workbooks.machine(10, "unknown", **{"Connection state": "inaccessible", "CPUs": None, "Memory": None})
    content["vInfo"] += [vcls, placeholder, orphan, unknown]
    documents, report = read(by_openpyxl(tmp_path / "book.xlsx", content))
    names = sorted(item.name for item in documents if isinstance(item, VirtualMachine))
    assert names == ["lab", "orphan", "vCLS-1", "w2019-base", "web-01", "web-01"]
    left = {remark.what: remark.count for remark in report.leavings}
    assert left["machines that vCenter itself knows no hardware of"] == 1
    assert left["that machines are placeholders: they are taken as others are"] == 1
    assert left["connection states of machines: they are connected as their hosts are"] == 1


def test_guest_systems_that_nobody_knows(tmp_path: Path) -> None:
    content = book()
    content["vInfo"][0]["OS according to the configuration file"] = "Red Hat Enterprise Linux 47 (64-bit)"
    documents, report = read(by_openpyxl(tmp_path / "book.xlsx", content))
    assert named(documents, VirtualMachine, "web-01").guest_OS is GuestOS.RHEL_9_64
    guess = next(remark for remark in report.guesses if "texts that are not known" in remark.what)
    assert guess.places == ("vInfo row 2, column OS according to the configuration file",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2024/07/01 16:14:28", False),
        ("2024-07-01 16:14:28", False),
        ("01.07.2024 16:14:28", False),
        ("07/01/2024 16:14:28", True),
        ("07/01/2024 04:14:28 PM", True),
    ],
)
def test_dates_of_locales(text: str, told: bool, tmp_path: Path) -> None:
    content = book()
    content["vSnapshot"][0]["Date / time"] = text
    documents, report = read(by_csv(tmp_path / "book", content))
    assert named(documents, Snapshot, "first").created_time == datetime(2024, 7, 1, 16, 14, 28, tzinfo=UTC)
    assert any("month/day" in remark.what for remark in report.guesses) is told


@pytest.mark.parametrize(
    ("text", "size"), [("16,384", 16384), ("16.384", 16384), ("16 384", 16384), ("16'384", 16384), ("16384.0", 16384)]
)
def test_numbers_of_locales(text: str, size: int, tmp_path: Path) -> None:
    content = book()
    content["vInfo"][0]["Memory"] = text
    documents, _ = read(by_csv(tmp_path / "book", content))
    assert named(documents, VirtualMachine, "web-01").memory.size_MiB == size
