"""An inventory that was exported as a workbook and imported again is the same, as far as the form holds it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.generated.vcenter_vm import GuestOS
from resphere.importing.guests import display_text, guest_of
from resphere.importing.writing.workbook import LONGEST_TEXT, not_held, sheets_of, write_workbook
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue, value_id
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.replica.table import Stored
from tests.support.belongings import belongings
from tests.support.examples import examples
from tests.support.workbooks import read

NOT_HELD: dict[type[ManagedObject], tuple[str, ...]] = {
    VirtualMachine: ("snapshot", "floppies", "serial_ports", "parallel_ports", "boot_devices"),
    Host: (),
    Cluster: (),
    ResourcePool: (),
    Datastore: (),
    Network: (),
}
"""Fields that the form does not have; where objects are is compared by path."""


def normal(documents: Iterable[Stored]) -> dict[str, Any]:
    """What a workbook holds of an inventory, in plain values."""
    objects = {item.id: item for item in documents if isinstance(item, ManagedObject)}

    def path(id: str | None) -> str:
        item = objects.get(id or "")
        return f"{path(item.parent)}/{item.name}" if item is not None and item.parent is not None else ""

    found: dict[str, Any] = {}
    for item in objects.values():
        if type(item) not in NOT_HELD:
            continue
        fields = msgspec.to_builtins(item)
        for name in (*NOT_HELD[type(item)], "parent"):
            fields.pop(name, None)
        if isinstance(item, VirtualMachine) and item.guest is not None:
            systems = {path: (each.capacity, each.free_space) for path, each in item.guest.filesystems.items()}
            fields["guest"] = [item.guest.host_name, item.guest.full_name, sorted(item.guest.ip_addresses), systems]
        for name in ("datastores", "networks"):
            if name in fields:
                fields[name] = sorted(fields[name])
        found[item.id] = (path(item.parent), fields)
    snapshots = sorted((item for item in objects.values() if isinstance(item, Snapshot)), key=lambda s: s.created_time)
    for vm in [item for item in objects.values() if isinstance(item, VirtualMachine)]:
        found[f"{vm.id} snapshots"] = [
            (each.name, each.description, each.created_time.replace(microsecond=0), each.memory, each.quiesced)
            for each in snapshots
            if each.parent == vm.id
        ]
    found["datacenters"] = sorted(path(item.id) for item in objects.values() if isinstance(item, Datacenter))
    names = {item.id: item.name for item in documents if isinstance(item, CustomAttribute)}
    machines = [item for item in documents if isinstance(item, CustomValue)]
    found["custom"] = sorted((item.object, names[item.attribute], item.value) for item in machines)
    return found


def again(documents: Iterable[Stored]) -> tuple[Stored, ...]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        assert write_workbook(path, sheets_of(documents)) == 0
        return read(path)[0]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("sizes", [Sizes(), Sizes(datacenters=3, clusters=4, hosts=14, vms=120)])
def test_generated_inventories(seed: int, sizes: Sizes) -> None:
    documents = generate(sizes, seed)
    assert normal(again(documents)) == normal(documents)


OBJECTS = generate(Sizes(datacenters=1, clusters=1, hosts=2, vms=3), 5)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60).filter(
    lambda text: not text.isspace()
)
NAMES = TEXT.filter(lambda text: "\r" not in text)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    names=st.lists(NAMES, min_size=5, max_size=5, unique=True),
    annotation=st.one_of(
        st.just(""), TEXT, st.sampled_from(["=1+1", "http://a", "_x0041_", "007", "True", "-1", "'a"])
    ),
    guest=st.sampled_from(list(GuestOS)),
    value=TEXT,
)
def test_any_texts(names: list[str], annotation: str, guest: GuestOS, value: str) -> None:
    vm, datacenter, cluster, folder = (
        next(item for item in OBJECTS if isinstance(item, kind))
        for kind in (VirtualMachine, Datacenter, Cluster, VirtualMachine)
    )
    changed = {
        vm.id: msgspec.structs.replace(vm, name=names[0], annotation=annotation, guest_OS=guest),
        datacenter.id: msgspec.structs.replace(datacenter, name=names[1]),
        cluster.id: msgspec.structs.replace(cluster, name=names[2]),
        folder.parent: msgspec.structs.replace(
            next(item for item in OBJECTS if item.id == folder.parent), name=f"Folder {names[3]}"
        ),
    }
    attribute = CustomAttribute(id="9001", name="Cost centre", type="VirtualMachine")
    documents: list[Stored] = [changed.get(item.id, item) for item in OBJECTS]
    documents += [attribute, CustomValue(id=value_id(vm.id, "9001"), object=vm.id, attribute="9001", value=value)]
    before, after = normal(documents), normal(again(documents))
    for found in (before, after):
        found[vm.id][1].pop("guest", None)  # it follows from the system, where Tools are told
        found[vm.id][1].pop("tools", None)
        found[vm.id][1].pop("scsi_adapters", None)
    assert after == before


def test_every_guest_system_has_a_text() -> None:
    for guest in GuestOS:
        assert guest_of(display_text(guest)) is guest


def test_what_is_not_held_is_named() -> None:
    documents = (*OBJECTS, *belongings(OBJECTS))
    words = " ".join(not_held(documents))
    for kind in ("tag (", "tag_category (", "storage_policy (", "datastore_file ("):
        if any(each.kind == kind[:-2] for each in documents):
            assert kind in words
    assert not_held(OBJECTS) == not_held(())


def test_texts_that_are_too_long_for_a_cell(tmp_path: Path) -> None:
    long = [
        msgspec.structs.replace(item, annotation="x" * (LONGEST_TEXT + 1)) if isinstance(item, VirtualMachine) else item
        for item in OBJECTS
    ]
    assert write_workbook(tmp_path / "long.xlsx", sheets_of(long)) == 3


def test_others_read_it(tmp_path: Path) -> None:
    write_workbook(tmp_path / "book.xlsx", sheets_of(OBJECTS))
    workbook = openpyxl.load_workbook(tmp_path / "book.xlsx", read_only=True)
    assert workbook.sheetnames[0] == "vInfo"
    headers = [cell.value for cell in next(workbook["vInfo"].rows)]
    assert headers[:3] == ["VM", "Powerstate", "Template"]
    assert headers[-1] == "VM UUID"
    workbook.close()
