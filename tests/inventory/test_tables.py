"""The tables of the managed objects."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.contract.generated import ids, vcenter, vcenter_vm_hardware
from resphere.inventory.effects import Intent
from resphere.inventory.model import KINDS, Datastore, Folder, Host, ManagedObject, Network, Snapshot, VirtualMachine
from resphere.inventory.tables import TABLES, children_claims, datastore_name, name_claim
from resphere.replica.errors import BrokenReference, ConcurrentChange
from resphere.replica.replica import Replica
from resphere.replica.rows import Rows
from tests.inventory import samples
from tests.replica.worlds import check_indexes, contents, opened, put, run


def everything() -> list[ManagedObject]:
    vms = list(samples.virtual_machines(6))
    first = samples.snapshot("snapshot-50", "before", vms[0])
    return [*samples.skeleton(), *vms, first, samples.snapshot("snapshot-51", "before", vms[0], first.id)]


def test_every_kind_has_a_table() -> None:
    assert {table.cls.kind: table.cls for table in TABLES} == {**KINDS, Intent.kind: Intent}
    assert all(table.revises for table in TABLES if table.cls is not Intent)


def test_the_model_survives_storing(tmp_path: Path) -> None:
    async def test(one: Replica) -> None:
        objects = everything()
        await one.change(put(*objects))
        check_indexes(one, TABLES)
        async with opened(tmp_path / "store", tables=TABLES) as fresh:
            assert contents(fresh, TABLES) == contents(one, TABLES)
            assert {obj.id for obj in objects} == {id for table in TABLES for id in fresh.all(table.cls)}
            assert all(fresh.get(type(obj), obj.id) == obj for obj in objects)
            check_indexes(fresh, TABLES)

    run(test, tmp_path / "store", tables=TABLES)


def test_names_are_unique_among_siblings_of_all_kinds(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(*everything()))
        vm_folder = vcenter.Folder.Type.VIRTUAL_MACHINE
        with pytest.raises(ConcurrentChange, match=name_claim("group-v3", "web-00001")):
            await replica.change(put(samples.folder("group-v77", "web-00001", "group-v3", vm_folder)))
        await replica.change(put(samples.folder("group-v77", "prod", "group-v3", vm_folder)))
        await replica.change(put(samples.virtual_machine("vm-1", "web-00001", "group-v77")))
        with pytest.raises(BrokenReference, match="virtual_machine/vm-1 would refer by parent to folder/group-v77"):
            await replica.change(lambda edit: edit.delete(Folder, "group-v77"))

    run(test, tmp_path / "store", tables=TABLES)


def test_vms_by_what_they_use(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(*everything()))
        vm = samples.virtual_machine(
            "vm-1",
            "odd",
            "group-v3",
            disks={
                "2000": samples.disk(0, "[sample-ds-1] odd/odd.vmdk"),
                "2001": samples.disk(1, "[name [2]] odd/odd_1.vmdk"),
                "2002": samples.disk(2, "no path at all"),
            },
            nics={"4000": samples.nic(0, "network-17", "a"), "4001": samples.nic(1, "network-18", "b")},
        )
        await replica.change(put(vm))

        def found(index: str, key: str) -> set[str]:
            return set(replica.by(VirtualMachine, index, key))

        assert found("disk_datastore_name", "name [2]") == {"vm-1"}
        assert found("disk_datastore_name", "sample-ds-1") == set()
        assert found("network", "network-17") == {"vm-1", "vm-1001", "vm-1003", "vm-1005"}
        assert found("network", "network-18") == {"vm-1", "vm-1002", "vm-1004", "vm-1006"}
        assert found("datastore", "datastore-16") == {"vm-1002", "vm-1004", "vm-1006"}
        assert found("power_state", samples.POWERED_OFF) == found("power_state", "POWERED_OFF")
        assert found("host", "host-111") == {"vm-1002", "vm-1004", "vm-1006"}
        assert len(found("resource_pool", "resgroup-9")) == 7
        assert found("name", "odd") == {"vm-1"}
        assert len(found("parent", "group-v3")) == 7

    run(test, tmp_path / "store", tables=TABLES)


def test_nics_without_a_network(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        nic = samples.nic(0, "network-17", "a")
        backing = vcenter_vm_hardware.Ethernet.BackingInfo(
            type=vcenter_vm_hardware.Ethernet.BackingType.HOST_DEVICE, host_device="vmnic0"
        )
        nics = {ids.VcenterVmHardwareEthernetId("4000"): msgspec.structs.replace(nic, backing=backing)}
        await replica.change(put(*samples.skeleton(), samples.virtual_machine("vm-1", "odd", "group-v3", nics=nics)))
        assert replica.by(VirtualMachine, "network", "network-17") == {}

    run(test, tmp_path / "store", tables=TABLES)


def test_the_other_kinds_by_their_indexes(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(*everything()))
        assert set(replica.by(Host, "datastore", "datastore-15")) == {"host-11", "host-111"}
        assert set(replica.by(Host, "network", "network-18")) == {"host-11", "host-111"}
        assert set(replica.by(Host, "connection_state", "CONNECTED")) == {"host-11", "host-111"}
        assert set(replica.by(Folder, "type", "HOST")) == {"group-h3"}
        assert set(replica.by(Datastore, "type", "VMFS")) == {"datastore-15", "datastore-16"}
        assert set(replica.by(Network, "parent", "group-n3")) == {"network-17", "network-18"}
        assert set(replica.by(Snapshot, "parent", "vm-1001")) == {"snapshot-50", "snapshot-51"}

    run(test, tmp_path / "store", tables=TABLES)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("[ds 1] vm/vm.vmx", "ds 1"),
        ("[a]b] c] vm/vm.vmx", "a]b] c"),
        ("[] vm/vm.vmx", ""),
        ("[ds]", ""),
        ("ds] x", ""),
        ("", ""),
    ],
)
def test_datastore_names(path: str, name: str) -> None:
    assert datastore_name(path) == name


@given(name=st.text(), parent=st.sampled_from(["group-v1", "group-v12"]))
def test_a_name_claim_is_one_of_its_parents_only(name: str, parent: str) -> None:
    assert name_claim(parent, name).startswith(children_claims(parent))
    assert not name_claim(parent, name).startswith(children_claims("group-v1" if parent != "group-v1" else "group-v12"))


def test_all_vms_decode_to_themselves() -> None:
    rows: Rows[VirtualMachine] = Rows(next(table for table in TABLES if table.cls is VirtualMachine))
    for vm in samples.virtual_machines(20):
        assert rows.decode(vm.id, rows.encode(vm)) == vm
