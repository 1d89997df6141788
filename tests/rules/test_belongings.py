"""What a clone gets of a machine's belongings, and what one that is registered again finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import DataSets, Power
from resphere.contract.generated.vcenter_vm_data_sets import Entries
from resphere.contract.generated.vcenter_vm_guest import Customization
from resphere.inventory.customization import GuestCustomization
from resphere.inventory.data_sets import DataSet, DataSetEntry
from resphere.inventory.guest import GuestContent, GuestSystem
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.customization import customized, host_name
from tests.support.customizations import STATIC, linux
from tests.support.guests import ready_vm, run_shell
from tests.support.world import World

Id = ids.VirtualMachineId


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def vm(world: World) -> Id:
    """A VM with something of everything."""
    vm = ready_vm(world)
    run_shell(world, vm, "echo " + "a" * 3000 + " > /srv/x; sleep 1h")
    for name, omit in (("kept", False), ("own", True)):
        spec = DataSets.CreateSpec(
            name=name,
            description="",
            host=DataSets.Access.READ_WRITE,
            guest=DataSets.Access.NONE,
            omit_from_snapshot_and_clone=omit,
        )
        made = world.call(DataSets.create, vm, spec)
        world.call(Entries.set, vm, made, ids.VcenterVmDataSetsEntryId("k"), name)
    return vm


def test_what_a_clone_gets(world: World, vm: Id) -> None:
    clone = world.call(vcenter.VM.clone, vcenter.VM.CloneSpec(source=vm, name="clone"))
    system, original = world.inventory.get(GuestSystem, clone), world.inventory.get(GuestSystem, vm)
    assert system is not None
    assert original is not None
    assert system.nodes == original.nodes
    assert (len(original.processes), system.processes) == (1, {})
    assert len(world.inventory.by(GuestContent, "machine", clone)) == 1
    assert [each.name for each in world.inventory.by(DataSet, "owner", clone).values()] == ["kept"]
    (entry,) = world.inventory.by(DataSetEntry, "data_set", f"{clone}/kept").values()
    assert entry.value == "kept"


def test_what_is_registered_again(world: World, vm: Id) -> None:
    world.call(Power.stop, vm)
    world.call(Customization.set, vm, Customization.SetSpec(spec=linux()))
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None
    world.call(vcenter.VM.unregister, vm)
    placement = vcenter.VM.RegisterPlacementSpec(
        folder=ids.FolderId(machine.parent or ""), host=machine.host, resource_pool=machine.resource_pool
    )
    spec = vcenter.VM.RegisterSpec(datastore_path=machine.vmx_path, name=machine.name, placement=placement)
    again = world.call(vcenter.VM.register, spec)
    for kind in (GuestSystem, GuestCustomization):
        assert set(world.inventory.all(kind)) == {again}
    assert {each.machine for each in world.inventory.all(GuestContent).values()} == {again}
    assert {each.machine for each in world.inventory.all(DataSet).values()} == {again}
    world.call(Power.start, again)
    assert world.call(Customization.get, again).status is Customization.Info.Status.SUCCEEDED


def test_customizing_changes_nothing_by_itself(world: World, vm: Id) -> None:
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None
    changed = customized(machine, linux(interfaces=(STATIC,)))
    assert changed.guest is not None
    assert changed.guest.ip_addresses[:2] == ("192.168.7.20", "fd00::20")
    assert host_name(machine, linux()) == "web.example.org"
    assert world.inventory.get(VirtualMachine, vm) == machine
