"""What is free on datastores follows from the VMs' files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Datastore, Snapshot, VirtualMachine
from resphere.inventory.space import files_of, free_space, used_in
from tests.support.world import NOW, World

GIB = 1 << 30


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def vm_on(world: World) -> tuple[VirtualMachine, Datastore]:
    vm = next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.disks and vm.snapshot is None)
    store = world.inventory.get(Datastore, vm.datastore)
    assert store is not None
    return vm, store


def test_reads_show_what_disks_and_other_things_leave(world: World) -> None:
    _, store = vm_on(world)
    before = free_space(world.inventory, store)
    assert 0 < before < store.capacity
    store = world.change(store, other_used=GIB)
    assert world.call(vcenter.Datastore.get, ids.DatastoreId(store.id)).free_space == before - GIB
    listed = {each.datastore: each.free_space for each in world.call(vcenter.Datastore.list, None)}
    assert listed[ids.DatastoreId(store.id)] == before - GIB


def test_a_larger_disk_takes_more(world: World) -> None:
    vm, store = vm_on(world)
    before = free_space(world.inventory, store)
    key, disk = next(iter(vm.disks.items()))
    larger = msgspec.structs.replace(disk, capacity=(disk.capacity or 0) + GIB)
    world.change(vm, disks={**vm.disks, key: larger})
    assert free_space(world.inventory, store) == before - GIB


def test_a_file_counts_once_whoever_holds_it(world: World) -> None:
    vm, store = vm_on(world)
    before = free_space(world.inventory, store)
    world.put(Snapshot(id="snapshot-9001", name="s", parent=vm.id, created_time=NOW, state=vm))
    assert free_space(world.inventory, store) == before
    world.change(vm, detached_vmdks=files_of(vm))
    assert free_space(world.inventory, store) == before
    world.change(vm, disks={}, detached_vmdks={})
    assert free_space(world.inventory, store) == before, "the snapshot has the disks still"


def test_the_sum_is_made_once_for_a_revision(world: World) -> None:
    vm, _ = vm_on(world)
    assert used_in(world.inventory) is used_in(world.inventory)
    kept = used_in(world.inventory)
    world.change(vm, annotation="changed")
    assert used_in(world.inventory) is not kept
