"""What is free on datastores follows from the VMs' files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

import msgspec
import pytest

from resphere.contract.generated import ids, vcenter
from resphere.inventory.effects import RegisterVm
from resphere.inventory.facts import NOTHING
from resphere.inventory.model import (
    KINDS,
    Datastore,
    DatastoreFile,
    Host,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.files import registered, unregister
from resphere.rules.settlement.effects import settle
from resphere.rules.settlement.settlement import Settlement
from resphere.rules.space import files_among, files_of, files_on, free_space, used_in
from resphere.server.wiring import WIRING
from tests.inventory import samples
from tests.replica.worlds import put, run
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


def test_files_of_no_vm_count(world: World) -> None:
    _, store = vm_on(world)
    before = free_space(world.inventory, store)
    file = DatastoreFile(id="file-9001", name="left/left.vmdk", parent=store.id, capacity=GIB)
    world.put(file)
    assert free_space(world.inventory, store) == before - GIB
    assert files_on(world.inventory, store.id)[f"[{store.name}] left/left.vmdk"] == GIB
    world.change(file, capacity=2 * GIB)
    assert free_space(world.inventory, store) == before - 2 * GIB


def test_an_unregistered_vm_takes_what_it_took(world: World) -> None:
    vm, store = vm_on(world)
    world.put(Snapshot(id="snapshot-9001", name="s", parent=vm.id, created_time=NOW, state=vm))
    files, before = dict(files_on(world.inventory, store.id)), free_space(world.inventory, store)

    def plan(edit: Edit) -> None:
        unregister(world.inventory, edit, vm)

    world.run(world.inventory.change(plan))
    assert world.inventory.get(VirtualMachine, vm.id) is None
    assert (free_space(world.inventory, store), files_on(world.inventory, store.id)) == (before, files)


def counted(inventory: Replica) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """What is used, and all files, as counting anew finds them."""
    files = files_among(obj for cls in KINDS.values() for obj in inventory.all(cls).values())
    return known(files.used), {id: sizes for id, sizes in files.sizes.items() if sizes}


def known(used: Mapping[str, int]) -> dict[str, int]:
    return {id: size for id, size in used.items() if size}


def random_step(random: Random, inventory: Replica, edit: Edit) -> None:
    """A change of anything that has files, or of where they lie."""
    vms = list(inventory.all(VirtualMachine).values())
    vm = random.choice(vms)
    store = random.choice(list(inventory.all(Datastore).values()))
    host = random.choice(list(inventory.all(Host).values()))
    disk = next(iter(vm.disks.values()), samples.disk(0, "[sample-ds-1] new/new.vmdk"))
    match random.randrange(10):
        case 0:
            larger = msgspec.structs.replace(disk, capacity=(disk.capacity or 0) + random.randrange(-3, 4))
            unmerged = {key: random.randrange(GIB) for key in random.sample(["2000", "2001"], random.randrange(3))}
            edit.put(msgspec.structs.replace(vm, disks={"2000": larger}, unmerged=unmerged))
        case 1:
            edit.put(msgspec.structs.replace(vm, disks={}))
        case 2:
            edit.put(msgspec.structs.replace(vm, host=host.id))
        case 3:
            made = samples.snapshot(edit.new_id("snapshot-"), "s", vm)
            edit.put(msgspec.structs.replace(made, takes_room=random.random() < 0.5))
        case 4:
            for snapshot in inventory.by(Snapshot, "parent", vm.id).values():
                edit.delete(Snapshot, snapshot.id)
        case 5:
            unregister(inventory, edit, vm)
        case 6:
            for files in inventory.all(UnregisteredVm).values():
                id = edit.new_id(VirtualMachine.id_prefix)
                snapshots = {snapshot.id: edit.new_id(Snapshot.id_prefix) for snapshot in files.snapshots}
                placed = {"name": files.id, "parent": "group-v3", "host": host.id}
                vm = registered(inventory, files, files.machine, id, snapshots, placed)
                effect = RegisterVm(vm=vm, files=files, snapshots=snapshots)
                settle(Settlement(inventory, edit, NOW), effect, NOTHING)
        case 7:
            stores = random.sample(["datastore-15", "datastore-16"], random.randrange(3))
            edit.put(msgspec.structs.replace(host, datastores=tuple(stores)))
        case 8:
            edit.put(msgspec.structs.replace(store, other_used=store.other_used + 1))
        case _:
            number = edit.new_id("")
            edit.put(DatastoreFile(id=f"file-{number}", name=f"{number}.vmdk", parent=store.id, capacity=GIB))


@pytest.mark.parametrize("seed", range(5))
def test_what_is_kept_up_to_date_is_what_counting_finds(tmp_path: Path, seed: int) -> None:
    random = Random(seed)

    async def test(one: Replica, other: Replica) -> None:
        await one.change(put(*samples.skeleton(), *samples.virtual_machines(12)))
        for _ in range(60):
            replica = random.choice((one, other))
            await replica.change(lambda edit, replica=replica: random_step(random, replica, edit))  # type: ignore[misc]
            for each in (one, other):
                await each.refresh()
                sizes = {id: dict(files_on(each, id)) for id in each.all(Datastore) if files_on(each, id)}
                assert (known(used_in(each)), sizes) == counted(each)

    run(test, tmp_path / "store.db", 2, tables=WIRING.tables, derived=WIRING.derived)
