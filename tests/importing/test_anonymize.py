"""Nothing of the original is left, and what had the same name has the same one again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.importing.anonymizing.documents import anonymized
from resphere.importing.anonymizing.replacing import Originals, Replacements
from resphere.importing.report import Report
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue
from resphere.inventory.model import Datacenter, Folder, Host, ManagedObject, Network, Snapshot, VirtualMachine
from resphere.inventory.tagging import Attachment, Category, Tag
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.replica.table import Stored
from resphere.server.exports.file import file_parts, parse_file
from tests.support.belongings import belongings
from tests.support.examples import examples
from tests.support.workbooks import book, by_openpyxl, read

OBJECTS = generate(Sizes(datacenters=2, clusters=2, hosts=6, vms=24), 3)
ALL = (*OBJECTS, *belongings(OBJECTS))
SEED = b"seed"
STRUCTURE = {"vm", "host", "datastore", "network", "Resources", "Datacenters"}


def text_of(documents: Iterable[Stored]) -> str:
    return "".join(part for part in file_parts(documents) if not part.startswith("#"))


def originals(documents: Iterable[Stored]) -> Iterator[str]:
    """Every text of the documents that tells whose they are."""
    for item in documents:
        if isinstance(item, ManagedObject | Category | Tag | CustomAttribute):
            yield item.name
        yield from (getattr(item, field, "") or "" for field in ("description", "annotation", "url"))
        if isinstance(item, CustomValue):
            yield item.value
        if isinstance(item, Host):
            yield from (item.host_uuid, item.management_ip, item.hardware.serial_number)
            yield from (nic.mac_address for nic in item.physical_nics)
        if isinstance(item, Network):
            yield item.distributed_switch_uuid or ""
        if isinstance(item, Category | Tag):
            yield item.id
        for vm in (item.state if isinstance(item, Snapshot) else item,):
            if isinstance(vm, VirtualMachine):
                yield from (vm.name, vm.annotation, vm.bios_uuid, vm.instance_uuid, vm.vmx_path)
                yield from (nic.mac_address or "" for nic in vm.nics.values())
                yield from (disk.backing.vmdk_file or "" for disk in vm.disks.values())
                yield from (drive.backing.iso_file or "" for drive in vm.cdroms.values())
                yield from (port.backing.network_location or "" for port in vm.serial_ports.values())
                if vm.guest is not None:
                    yield from (vm.guest.host_name, *vm.guest.ip_addresses)


def leaks(text: str, strings: Iterable[str]) -> list[str]:
    """Which strings are in a text: as a whole value, or anywhere where they are no common short word."""
    values = {value.strip("'\"") for value in re.split(r"[\n]|: |- ", text)}
    return [
        string
        for string in {*strings} - STRUCTURE - {"", "null"}
        if string in values or (len(string) > 5 and string in text)
    ]


def test_nothing_of_the_original_is_left() -> None:
    report = Report("it")
    made = anonymized(ALL, SEED, report)
    assert leaks(text_of(made), originals(ALL)) == []
    assert any("customization" in remark.what for remark in report.leavings)
    # The check finds what it shall find.
    assert len(leaks(text_of(OBJECTS), originals(OBJECTS))) > 50


def test_nothing_of_a_workbook_is_left(tmp_path: Path) -> None:
    documents, report = read(by_openpyxl(tmp_path / "book.xlsx", book()))
    text = text_of(anonymized(documents, SEED, report))
    cells = {str(cell) for rows in book().values() for row in rows for cell in row.values() if isinstance(cell, str)}
    told = {
        "poweredOn",
        "poweredOff",
        "connected",
        "persistent",
        "assigned",
        "manual",
        "custom",
        "high",
        "never",
        "NFS",
        "VMFS",
    }
    told |= {
        cell
        for cell in cells
        if re.match(r"(Hard disk|Network adapter|CD/DVD|SCSI|Intel|Dell|PowerEdge|Red Hat|VMware)", cell)
    }
    told |= {
        cell
        for cell in cells
        if re.match(r"(vm|host|group|resgroup|domain|datastore|dvportgroup|dvs)-?[a-z]?[0-9]+\Z", cell)
    }
    told |= {cell for cell in cells if re.match(r"[0-9]+\Z|20[0-9]{2}/|intel-", cell)}
    assert leaks(text, cells - told) == []
    shown = str(report.as_json(places=False)) + "\n".join(report.lines(places=False))
    assert leaks(shown, cells - told - {"green", "before", "running"}) == []


def test_it_is_sound_and_a_file() -> None:
    made = anonymized(ALL, SEED, Report("it"))
    assert {(each.kind, each.id) for each in parse_file(text_of(made), "it")} == {(each.kind, each.id) for each in made}
    kept = (Category, Tag, Attachment, CustomAttribute, CustomValue)
    for kind in kept:
        assert sum(isinstance(each, kind) for each in made) == sum(isinstance(each, kind) for each in ALL)


def test_sizes_and_states_stay() -> None:
    made = {item.id: item for item in anonymized(OBJECTS, SEED, Report("it"))}
    for item in OBJECTS:
        other = made[item.id]
        if isinstance(item, VirtualMachine):
            assert isinstance(other, VirtualMachine)
            assert (other.cpu, other.memory, other.power_state) == (item.cpu, item.memory, item.power_state)
            assert [disk.capacity for disk in other.disks.values()] == [disk.capacity for disk in item.disks.values()]
            assert len(other.name) == len(item.name)


def test_groups_stay_groups() -> None:
    def groups(documents: Iterable[Stored]) -> list[int]:
        names = [item.name for item in documents if isinstance(item, VirtualMachine)]
        return sorted(Counter(re.sub(r"[0-9]+\Z", "", name) for name in names).values())

    assert groups(anonymized(OBJECTS, SEED, Report("it"))) == groups(OBJECTS)


def test_networks_stay_networks() -> None:
    before = [item.guest.ip_addresses for item in OBJECTS if isinstance(item, VirtualMachine) and item.guest]
    made = anonymized(OBJECTS, SEED, Report("it"))
    after = [item.guest.ip_addresses for item in made if isinstance(item, VirtualMachine) and item.guest]

    def shape(lists: Iterable[tuple[str, ...]]) -> list[int]:
        addresses = [each for found in lists for each in found]
        widths = ((each, 24 if ip_address(each).version == 4 else 64) for each in addresses)
        return sorted(Counter(str(ip_network(f"{each}/{width}", strict=False)) for each, width in widths).values())

    assert shape(after) == shape(before)


def test_the_seed_decides() -> None:
    one, again, other = (text_of(anonymized(OBJECTS, seed, Report("it"))) for seed in (SEED, SEED, b"other"))
    assert one == again != other
    # And not the order in which documents come.
    assert text_of(anonymized(reversed(OBJECTS), SEED, Report("it"))) == one


def test_structure_stays() -> None:
    made = {item.id: item for item in anonymized(OBJECTS, SEED, Report("it"))}
    for item in OBJECTS:
        if isinstance(item, Datacenter):
            for id in (item.vm_folder, item.host_folder, item.datastore_folder, item.network_folder):
                folder = made[id]
                assert isinstance(folder, Folder)
                assert folder.name in STRUCTURE


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@settings(max_examples=examples(50))
@given(st.lists(NAMES, min_size=1, max_size=30, unique=True))
def test_other_names_of_any_kind(names: list[str]) -> None:
    found = Originals()
    for name in names:
        found.name(name)
    by = Replacements(SEED, found)
    made = [by.name(name) for name in names]
    assert made == [by.name(name) for name in names]
    for name, other in zip(names, made, strict=True):
        if re.search(r"[^\W\d_]", name):
            assert other not in names
        assert len(other) <= 80


@settings(max_examples=examples(50))
@given(st.lists(st.ip_addresses().map(str), min_size=1, max_size=30, unique=True))
def test_other_addresses(addresses: list[str]) -> None:
    found = Originals()
    for address in addresses:
        found.address(address)
    by = Replacements(SEED, found)
    made = [by.address(address) for address in addresses]
    assert len({*made}) == len(addresses)
    assert not {*made} & {*addresses}


@pytest.mark.parametrize("vm", [item for item in OBJECTS if isinstance(item, VirtualMachine)][:3])
def test_paths_follow_names(vm: VirtualMachine) -> None:
    made = {item.id: item for item in anonymized(OBJECTS, SEED, Report("it"))}
    other: Any = made[vm.id]
    assert other.vmx_path.endswith(f"/{other.name}.vmx") == vm.vmx_path.endswith(f"/{vm.name}.vmx")
    assert msgspec.structs.replace(other, name="").name == ""
