from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from resphere.contract.generated.vcenter_vm import Tools
from resphere.contract.model import ErrorValue
from resphere.inventory.contents import ContentPart, DiskContent
from resphere.inventory.model import Folder, ManagedObject, VirtualMachine
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.inventory_file import (
    InventoryFileError,
    inventory_parts,
    parse_inventory,
    write_inventory,
)
from resphere.providers.simulator.sizes import Sizes
from tests.support.examples import examples

SMALL = """\
datacenters:
- name: DC01
clusters:
- name: C1
hosts:
- name: esx-01
  cluster: C1
virtual_machines:
- name: web
  guest_OS: UBUNTU_64
"""


@pytest.mark.parametrize("sizes", [Sizes(), Sizes(datacenters=2, clusters=3, hosts=9, vms=150), Sizes(vms=0)])
def test_what_is_written_is_read_back_object_for_object(sizes: Sizes) -> None:
    objects = generate(sizes, 11)
    assert parse_inventory(write_inventory(objects), "file") == objects


@settings(max_examples=examples(20))
@given(st.integers(0, 2**32), st.integers(0, 25))
def test_any_generated_inventory_round_trips(seed: int, vms: int) -> None:
    objects = generate(Sizes(clusters=1, hosts=2, vms=vms), seed)
    assert parse_inventory(write_inventory(objects), "file") == objects


@settings(max_examples=examples(200))
@given(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=80), st.text())
def test_any_text_round_trips(name: str, annotation: str) -> None:
    objects = generate(Sizes(clusters=0, hosts=1, vms=1), 1)
    changed = [
        replace(item, name=name, annotation=annotation) if isinstance(item, VirtualMachine) else item
        for item in objects
    ]
    assert parse_inventory(write_inventory(changed), "file") == tuple(changed)


@pytest.mark.parametrize(
    "name", ["null", "~", "yes", "007", "8.0", "12:30:45", "- a", "#", "'", '"', "a: b", " ", "*x"]
)
def test_names_that_yaml_would_take_for_something_else_stay_text(name: str) -> None:
    objects = [
        replace(item, name=name) if isinstance(item, Folder) and item.name == "Templates" else item
        for item in generate(Sizes(), 1)
    ]
    assert parse_inventory(write_inventory(objects), "file") == tuple(objects)


def test_the_order_of_objects_does_not_count() -> None:
    objects = generate(Sizes(), 2)
    assert write_inventory(reversed(objects)) == write_inventory(objects)
    assert "".join(inventory_parts(objects)) == write_inventory(objects)


def test_a_recorded_error_is_kept() -> None:
    error = ErrorValue(error_type="NOT_FOUND", messages=(), data={"path": "[a] b/c.iso"})

    def failed(vm: VirtualMachine) -> VirtualMachine:
        tools = replace(vm.tools, error=error, upgrade_policy=Tools.UpgradePolicy.UPGRADE_AT_POWER_CYCLE)
        return replace(vm, tools=tools, clean_power_off=False)

    objects = tuple(failed(item) if isinstance(item, VirtualMachine) else item for item in generate(Sizes(), 2))
    assert parse_inventory(write_inventory(objects), "file") == objects


def test_a_full_entry_is_taken_as_it_stands() -> None:
    def bare(item: ManagedObject) -> ManagedObject:
        return replace(item, nics={}, disks={}, snapshot=None) if isinstance(item, VirtualMachine) else item

    objects = tuple(bare(item) for item in generate(Sizes(), 2))
    assert parse_inventory(write_inventory(objects), "file") == objects


FULL = write_inventory(generate(Sizes(datacenters=1, clusters=1, hosts=2, vms=3), 1))
FIRST_VM = next(line for line in FULL.splitlines() if line.startswith("- id: vm-"))


def refusal(text: str) -> str:
    with pytest.raises(InventoryFileError) as caught:
        parse_inventory(text, "inv.yaml")
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "inv.yaml: the file must hold a mapping of lists; allowed are datacenters, folders, clusters, hosts"),
        ("- a", "inv.yaml: the file must hold a mapping of lists"),
        ("a: [", "inv.yaml:2: this is not YAML: "),
        ("a: 1\n---\nb: 2\n", "inv.yaml:2: a second document begins; one is allowed"),
        ("hosts: *a\n", "inv.yaml:1: *a stands for nothing: no &a before it"),
        ("? [a]\n: b\n", "inv.yaml:1: a key must be text"),
        ("hosts: []\nhosts: []\n", "inv.yaml:2: the key hosts stands there twice"),
        ("a: " + "[" * 70 + "]" * 70, "inv.yaml:1: values lie more than 60 deep in one another"),
        ("vms: []\n", "inv.yaml: vms: is no section of an inventory; allowed are datacenters, folders, clusters"),
        ("hosts: a\n", "inv.yaml: hosts: must be a list of mappings"),
        ("hosts:\n- a\n", "inv.yaml:2: hosts[0]: must be a mapping; allowed are id, name, parent, connection_state"),
        ("datacenters:\n- id: datacenter-2\n", "inv.yaml:2: datacenters[0].name: must be set"),
        ("datacenters:\n- name: [a]\n", "inv.yaml:2: datacenters[0].name: must be text"),
    ],
)
def test_what_is_no_inventory_is_refused(text: str, message: str) -> None:
    assert message in refusal(text)


def with_vm(lines: str) -> str:
    return SMALL + "".join(f"  {line}\n" for line in lines.splitlines())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            with_vm("gest: x"),
            "inv.yaml:9: virtual_machines[0].gest: is no field here; allowed are id, name, parent, gue",
        ),
        (
            SMALL.replace("UBUNTU_64", "UBUNTU_46"),
            "virtual_machines[0].guest_OS: 'UBUNTU_46' is no value of this field; one of 210 values is allowed",
        ),
        (SMALL.replace("  guest_OS: UBUNTU_64\n", ""), "virtual_machines[0].guest_OS: must be set, such as UBUNTU_64"),
        (with_vm("host: esx-02"), "[0].host: 'esx-02' is neither id, path nor name of a host; did you mean esx-01?"),
        (with_vm("host: host-99"), "[0].host: 'host-99' is neither id, path nor name of a host"),
        (
            with_vm("parent: /DC01/vm/Prod"),
            "[0].parent: /DC01/vm/Prod does not exist: there is no Prod that is a folder",
        ),
        (with_vm("parent: /DC02/vm"), "[0].parent: /DC02/vm does not exist: there is no DC02 in /"),
        (with_vm("parent: /DC01/host/C1"), "there is no C1 that is a folder or datacenter in /DC01/host"),
        (
            with_vm("power_state: ON"),
            "power_state: 'ON' is no value of this field; allowed are POWERED_OFF, POWERED_ON",
        ),
        (with_vm("template: maybe"), "virtual_machines[0].template: must be true or false, not 'maybe'"),
        (with_vm("cpu: {count: two}"), "virtual_machines[0].cpu.count: must be a whole number, not 'two'"),
        (
            with_vm("cpu: {cores: 2}"),
            "[0].cpu.cores: is no field here; allowed are count, cores_per_socket, hot_add_en",
        ),
        (
            with_vm("cpu: {count: 1" + "0" * 30 + "}"),
            "cpu.count: must be from -9223372036854775807 to 922337203685477580",
        ),
        (
            SMALL + f"datastores:\n- name: a\n  capacity: {10**30}\n",
            "datastores[0].capacity: must be from -9223372036854",
        ),
        (with_vm("cpu: 2"), "virtual_machines[0].cpu: must be a mapping, not '2'; allowed are count, cores_per_socket"),
        (with_vm("annotation: [a]"), "virtual_machines[0].annotation: must be text, not a list"),
        (with_vm("boot_devices: {}"), "virtual_machines[0].boot_devices: must be a list, not a mapping"),
        (
            with_vm("boot_devices: [{type: USB}]"),
            "boot_devices[0].type: 'USB' is no value of this field; allowed are CDR",
        ),
        (with_vm("cdroms: a"), "virtual_machines[0].cdroms: must be a mapping, not 'a'"),
        (with_vm("cdroms: {'16000': {label: a}}"), "virtual_machines[0].cdroms.16000.type: must be set"),
        (with_vm("boot: {type: EFI, efi_legacy_boot: x}"), "boot.efi_legacy_boot: must be true or false, not 'x'"),
        (
            with_vm("disks: [{capacity: 40 GB}]"),
            "disks[0].capacity: must be a number of bytes, or a size such as 40 GiB",
        ),
        (
            with_vm("disks: [{size: 1}]"),
            "virtual_machines[0].disks[0].size: is no field here; allowed are capacity and d",
        ),
        (with_vm("disks: [40]"), "virtual_machines[0].disks[0]: must be a mapping; allowed are capacity and datastore"),
        (with_vm("disks: [{datastore: x}]"), "disks[0].datastore: 'x' is neither id, path nor name of a datastore"),
        (with_vm("nics: [{network: x}]"), "nics[0].network: 'x' is neither id, path nor name of a network"),
        (with_vm("nics: [{ip_addresses: 10.0.0.1}]"), "virtual_machines[0].nics[0].ip_addresses: must be a list"),
        (with_vm("memory: {size_MiB: 1}"), "memory.size_MiB: must be a multiple of 4, from 4 on, not 1"),
        (with_vm("snapshot: gone"), "snapshot: 'gone' is neither id, path nor name of a snapshot"),
        (SMALL + "- name: web\n  guest_OS: OTHER\n", "inv.yaml:11: virtual_machines[1].name: vm-"),
        (
            with_vm("disks: [" + ", ".join(["{capacity: 1 GiB}"] * 4) + "]").replace("UBUNTU_64", "WIN_XP_PRO"),
            "inv.yaml:9: virtual_machines[0]: 3 disks at most have a place on IDE, not 4",
        ),
        (
            SMALL.replace("  cluster: C1\n", "  cluster: C2\n"),
            "hosts[0].cluster: 'C2' is neither id, path nor name of a c",
        ),
        (
            SMALL.replace("cluster: C1", "boot_time: noon"),
            "boot_time: must be a time with its zone, such as 2025-03-03T",
        ),
        (SMALL.replace("cluster: C1", "datastores: x"), "inv.yaml:6: hosts[0].datastores: must be a list, not 'x'"),
        (SMALL.replace("cluster: C1", "datastores: [[x]]"), "inv.yaml:6: hosts[0].datastores[0]: must be text"),
        (
            SMALL.replace("cluster: C1", "networks: [x]"),
            "hosts[0].networks[0]: 'x' is neither id, path nor name of a ne",
        ),
        (SMALL.replace("cluster: C1", "datastores: []"), "datastore: must be set: esx-01 has no datastore mounted"),
        (SMALL + "hosts2: 1\n", "inv.yaml: hosts2: is no section of an inventory"),
        (
            SMALL + "datastores:\n- name: a\n  capacity: 1 GiB\n",
            " bytes of disks and 0 of other_used), not 1073741824",
        ),
        (
            SMALL + "resource_pools:\n- name: a\n",
            "resource_pools[0].parent: must be set: id, path or name of a resource",
        ),
        (
            SMALL + "folders:\n- {name: a, parent: b}\n- {name: b, parent: a}\n",
            "parent: goes round in a circle: group-",
        ),
        (
            SMALL + "snapshots:\n- {name: a, parent: db}\n",
            "snapshots[0].parent: 'db' is neither id, path nor name of a v",
        ),
        (
            SMALL + "- {name: a, id: vm-web, guest_OS: OTHER}\n",
            "virtual_machines[1].id: must be vm- and a number, such as",
        ),
        (
            SMALL.replace("- name: DC01\n", "- name: DC01\n- name: DC02\n"),
            "clusters[0].parent: must be set, or datacenter: there is not exactly one datacenter (DC01, DC02)",
        ),
        ("virtual_machines:\n- {name: a, guest_OS: OTHER}\n", "there is not exactly one datacenter (none)"),
        (
            "datacenters:\n- name: D\nvirtual_machines:\n- {name: a, guest_OS: OTHER}\n",
            "virtual_machines[0].host: must be set: there is no host in /D to put it on",
        ),
        (
            SMALL
            + "folders:\n- {name: x, parent: /DC01/vm}\n- {name: x, parent: /DC01/host}\n- {name: y, parent: x}\n",
            "folders[2].parent: 2 objects are named x (/DC01/vm/x, /DC01/host/x): give the id or the path",
        ),
        (
            FULL.replace(FIRST_VM, "- id: host-999"),
            "virtual_machines[0].id: must be vm- and a number",
        ),
        (FULL.replace("\n  host: host-", "\n  host: group-v3 # host-", 1), "group-v3 is a folder, and must be a host"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(text: str, message: str) -> None:
    assert message in refusal(text)


def test_duplicate_ids_are_refused() -> None:
    text = SMALL.replace("- name: esx-01", "- name: esx-01\n  id: host-7\n- name: esx-02\n  id: host-7")
    assert "inv.yaml:8: hosts[1].id: host-7 is the id of esx-01 already" in refusal(text)


def test_all_faults_are_told_at_once_the_first_twenty_in_the_message() -> None:
    text = "datacenters:\n" + "".join(f"- name: D{number}\n  x: y\n" for number in range(30))
    with pytest.raises(InventoryFileError) as caught:
        parse_inventory(text, "inv.yaml")
    assert len(caught.value.faults) == 30
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "... and 10 more"


def test_anchors_and_comments_are_understood() -> None:
    text = SMALL.replace("UBUNTU_64", "&os UBUNTU_64  # an anchor") + "- name: web2\n  guest_OS: *os\n"
    vms = [item for item in parse_inventory(text, "file") if isinstance(item, VirtualMachine)]
    assert vms[0].guest_OS is vms[1].guest_OS


def test_disks_are_empty_in_a_file() -> None:
    part = ContentPart(content="w.1", size_bytes=1, sha256="1")
    objects = generate(Sizes(vms=5), 1)
    vm = next(each for each in objects if isinstance(each, VirtualMachine) and each.disks)
    full = replace(vm, disk_contents=dict.fromkeys(vm.disks, DiskContent(parts=(part,), capacity=1 << 20)))
    written = write_inventory(objects)
    assert write_inventory([full if each is vm else each for each in objects]) == written
    with pytest.raises(InventoryFileError, match="says what disks hold: those of a file are empty"):
        parse_inventory(f"{SMALL}  disk_contents: {{'2000': {{parts: [], capacity: 1}}}}\n", "file")
