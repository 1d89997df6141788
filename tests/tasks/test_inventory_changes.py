"""A provider in front of a vCenter of its own: it hears what changes in the inventory alone, and tells what others do
there behind our back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import AlreadyExists, ResourceBusy, ResourceInUse, VapiError, message
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import Machines
from resphere.contract.generated import ids
from resphere.contract.generated.cis_task import Status
from resphere.contract.generated.vcenter import VM, ResourcePool
from resphere.contract.generated.vcenter_cluster import EvcMode
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_guest import Customization
from resphere.inventory.effects import Intent
from resphere.inventory.facts import NOTHING, Facts
from resphere.inventory.model import Cluster, Datacenter, Folder, Host, VirtualMachine
from resphere.inventory.model import ResourcePool as Pool
from resphere.inventory.storage_policies import StoragePolicy
from resphere.providers.base import ChangedObject, Inventory, Work
from resphere.tasks.observing import Observations
from resphere.tasks.record import Task
from tests.services.vcenter.building import first, found
from tests.support.customizations import STATIC, linux
from tests.support.guests import ending, ready_vm
from tests.support.pacing import Outside, under_way, use
from tests.support.racing import two_worlds
from tests.support.world import World
from tests.tasks.observed import STRAY_UUID, machine_off, stray

ON, OFF = Power.State.POWERED_ON, Power.State.POWERED_OFF
Answer = Callable[[Sequence[ChangedObject]], Awaitable[Facts]]
Happening = Callable[[Inventory], Awaitable[object]]


async def agree(_: Sequence[ChangedObject]) -> Facts:
    return NOTHING


class Front(Outside):
    """What it is told it keeps, and answers as the test says; what happens to its machines the test says too."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.gate.set()
        self.heard: list[tuple[ChangedObject, ...]] = []
        self.answer: Answer = agree
        self.happenings: asyncio.Queue[Happening] = asyncio.Queue()
        self.capabilities = msgspec.structs.replace(self.capabilities, inventory_changes=self)

    async def change(self, work: Work, changes: Sequence[ChangedObject]) -> Facts:
        self.heard.append(tuple(changes))
        return await self.answer(changes)

    async def feed(self, inventory: Inventory) -> None:
        while True:
            happening = await self.happenings.get()
            await happening(inventory)
            self.happenings.task_done()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A vCenter."""
    with World(tmp_path) as made:
        yield made


@pytest.fixture
def provider(world: World) -> Front:
    """Who does the world's work."""
    front = Front(world)
    use(world, front)
    return front


@pytest.fixture
def folder(world: World, provider: Front) -> Folder:
    """A new folder for machines; nothing was heard yet."""
    spec = Folders.CreateSpec(name="new", parent=first(world, Datacenter).vm_folder)
    made = found(world, Folder, world.call(Folders.create, spec))
    assert provider.heard.pop() == (ChangedObject(before=None, after=made),)
    return made


def rename(world: World, folder: Folder, name: str = "renamed") -> None:
    world.call(Folders.update, ids.FolderId(folder.id), Folders.UpdateSpec(name=name))


def last_task(world: World) -> Task:
    """The task that began last."""
    return list(world.inventory.all(Task).values())[-1]


def test_it_hears_what_changes_before_it_does(world: World, provider: Front, folder: Folder) -> None:
    async def answer(_: Sequence[ChangedObject]) -> Facts:
        assert found(world, Folder, folder.id) == folder
        assert last_task(world).status is Status.RUNNING
        return NOTHING

    provider.answer = answer
    rename(world, folder)
    after = found(world, Folder, folder.id)
    assert after.name == "renamed"
    assert provider.heard == [(ChangedObject(before=folder, after=after),)]
    assert last_task(world).status is Status.SUCCEEDED


def test_it_hears_of_all_that_changes_along(world: World, provider: Front) -> None:
    cluster = first(world, Cluster)
    spec = ResourcePool.CreateSpec(name="new", parent=cluster.resource_pool)
    pool = world.call(ResourcePool.create, spec)
    vm = first(world, VirtualMachine)
    world.call(Machines.move, ids.VirtualMachineId(vm.id), Machines.MoveSpec(resource_pool=pool))
    gone, moved = found(world, Pool, pool), found(world, VirtualMachine, vm.id)
    provider.heard.clear()
    world.call(ResourcePool.delete, pool)
    (heard,) = provider.heard
    assert len(heard) == 2
    assert ChangedObject(before=gone, after=None) in heard
    assert ChangedObject(before=moved, after=found(world, VirtualMachine, vm.id)) in heard


def test_what_is_kept_beside_the_objects_it_does_not_hear_of(tmp_path: Path) -> None:
    """A customization waits for the next start, which the provider is asked for."""
    with World(tmp_path) as world:
        vm = ready_vm(world)
        world.call(Power.stop, vm)
        provider = Front(world)
        use(world, provider)
        world.call(Customization.set, vm, Customization.SetSpec(spec=linux(interfaces=(STATIC,))))
        assert world.call(Customization.get, vm).status is Customization.Info.Status.PENDING
        assert provider.heard == []


def test_what_it_refuses_does_not_change(world: World, provider: Front, folder: Folder) -> None:
    async def answer(_: Sequence[ChangedObject]) -> Facts:
        raise AlreadyExists(message("test.no", "No."))

    provider.answer = answer
    with pytest.raises(AlreadyExists, match=r"No\."):
        rename(world, folder)
    assert found(world, Folder, folder.id) == folder
    task = last_task(world)
    assert task.error is not None
    assert (task.status, task.error.messages[0].id) == (Status.FAILED, "test.no")


def test_what_has_become_something_else_meanwhile_it_hears_anew(world: World, provider: Front, folder: Folder) -> None:
    spec = ResourcePool.CreateSpec(name="new", parent=first(world, Cluster).resource_pool)
    pool = world.call(ResourcePool.create, spec)
    vm = first(world, VirtualMachine)
    provider.heard.clear()

    async def answer(_: Sequence[ChangedObject]) -> Facts:
        if len(provider.heard) == 1:
            comes = msgspec.structs.replace(vm, resource_pool=pool)
            await world.inventory.change(lambda edit: edit.put(comes))
        return NOTHING

    provider.answer = answer
    world.call(ResourcePool.delete, pool)
    assert [len(heard) for heard in provider.heard] == [1, 2]
    assert pool not in world.inventory.all(Pool)
    assert found(world, VirtualMachine, vm.id).resource_pool == spec.parent


def test_documents_that_it_gives_are_stored_along(world: World, provider: Front, folder: Folder) -> None:
    document = StoragePolicy(id=ids.VcenterStoragePolicyId("policy-1"), name="given")

    async def answer(_: Sequence[ChangedObject]) -> Facts:
        return Facts(documents=(document,))

    provider.answer = answer
    rename(world, folder)
    assert world.inventory.get(StoragePolicy, document.id) == document


def test_what_is_refused_anyway_it_does_not_hear(world: World, provider: Front, folder: Folder) -> None:
    vm = machine_off(world)
    taken = found(world, Folder, first(world, Datacenter).vm_folder)
    with pytest.raises(VapiError):
        world.call(Folders.delete, ids.FolderId(taken.id))
    provider.gate.clear()
    place = VM.ClonePlacementSpec(folder=ids.FolderId(folder.id))
    spec = VM.CloneSpec(source=ids.VirtualMachineId(vm.id), name="clone", placement=place)

    async def whole() -> None:
        async with under_way(world, world.begin(Power.start, ids.VirtualMachineId(vm.id))) as starting:
            with pytest.raises(ResourceBusy):
                await world.begin(Machines.update, ids.VirtualMachineId(vm.id), NameSpec(name="renamed"))
            provider.gate.set()
            await starting
        provider.gate.clear()
        async with under_way(world, world.begin(VM.clone, spec)) as cloning:
            with pytest.raises(ResourceInUse):
                await world.begin(Folders.delete, ids.FolderId(folder.id))
            provider.gate.set()
            await cloning

    world.run(whole())
    assert provider.heard == []


def test_what_work_under_way_needs_may_change(world: World, provider: Front, folder: Folder) -> None:
    """It only stays."""
    place = VM.ClonePlacementSpec(folder=ids.FolderId(folder.id))
    spec = VM.CloneSpec(source=ids.VirtualMachineId(machine_off(world).id), name="clone", placement=place)
    provider.gate.clear()

    async def whole() -> None:
        async with under_way(world, world.begin(VM.clone, spec)) as cloning:
            await world.begin(Folders.update, ids.FolderId(folder.id), Folders.UpdateSpec(name="renamed"))
            provider.gate.set()
            await cloning

    world.run(whole())
    after = found(world, Folder, folder.id)
    assert after.name == "renamed"
    assert provider.heard == [(ChangedObject(before=folder, after=after),)]


def test_nothing_else_is_done_with_a_machine_while_it_hears(world: World, provider: Front) -> None:
    vm = machine_off(world)

    async def answer(_: Sequence[ChangedObject]) -> Facts:
        with pytest.raises(ResourceBusy):
            await world.begin(Power.start, ids.VirtualMachineId(vm.id))
        return NOTHING

    provider.answer = answer
    world.call(Machines.update, ids.VirtualMachineId(vm.id), NameSpec(name="renamed"))
    assert len(provider.heard) == 1
    assert (found(world, VirtualMachine, vm.id).name, found(world, VirtualMachine, vm.id).power_state) == (
        "renamed",
        OFF,
    )


def test_what_only_looks_it_does_not_hear(world: World, provider: Front) -> None:
    cluster = ids.ClusterComputeResourceId(first(world, Cluster).id)

    task = world.call(EvcMode.check_set_task, cluster, EvcMode.SetSpec())
    assert world.run(ending(world, task)).status is Status.SUCCEEDED
    assert provider.heard == []


def feed(world: World, provider: Front, *happenings: Happening) -> None:
    """Have the provider's feed tell all that."""

    async def whole() -> None:
        feeding = asyncio.ensure_future(provider.feed(Observations(world.inventory, world.environment.now)))
        for happening in happenings:
            provider.happenings.put_nowait(happening)
        told = asyncio.ensure_future(provider.happenings.join())
        await asyncio.wait((feeding, told), return_when=asyncio.FIRST_COMPLETED)
        feeding.cancel()
        await asyncio.wait((feeding,))
        assert feeding.cancelled(), feeding.exception()

    world.run(whole())


def test_what_happens_behind_our_back_is_known_and_not_told_back(world: World, provider: Front) -> None:
    host = first(world, Host)
    vm = machine_off(world)
    appeared = stray(host.id)
    elsewhere = next(
        other for other in world.inventory.all(Host).values() if other.id != vm.host and other.parent == host.parent
    )
    changed = msgspec.structs.replace(vm, name="renamed", host=ids.HostSystemId(elsewhere.id), power_state=ON)
    feed(
        world,
        provider,
        lambda inventory: inventory.machine_appeared(appeared),
        lambda inventory: inventory.machine_changed(vm, Facts(machine=changed)),
    )
    (made,) = [each for each in world.inventory.all(VirtualMachine).values() if each.bios_uuid == STRAY_UUID]
    assert (made.name, made.host, made.power_state, made.cpu.count) == ("stray", host.id, ON, 2)
    assert found(world, VirtualMachine, vm.id) == changed
    feed(world, provider, lambda inventory: inventory.machine_gone(made))
    assert made.id not in world.inventory.all(VirtualMachine)
    assert provider.heard == []
    # What it told is what it hears of from then on.
    world.call(Machines.update, ids.VirtualMachineId(vm.id), NameSpec(name="ours"))
    assert [heard[0].before for heard in provider.heard] == [changed]


def test_a_feed_knows_what_others_have_done(tmp_path: Path) -> None:
    with two_worlds(tmp_path) as (one, other):
        vm = machine_off(one)
        other.refresh()
        one.change(vm, name="renamed")
        known = other.run(Observations(other.inventory, other.environment.now).machines())
        assert known[vm.id].name == "renamed"


def test_a_machine_that_is_lost_while_it_is_cloned_is_left_until_then(
    world: World, provider: Front, folder: Folder
) -> None:
    vm = machine_off(world)
    provider.gate.clear()
    place = VM.ClonePlacementSpec(folder=ids.FolderId(folder.id))
    spec = VM.CloneSpec(source=ids.VirtualMachineId(vm.id), name="clone", placement=place)
    inventory = Observations(world.inventory, world.environment.now)

    async def whole() -> None:
        async with under_way(world, world.begin(VM.clone, spec)) as cloning:
            await inventory.machine_gone(vm)
            assert world.inventory.get(VirtualMachine, vm.id) == vm
            provider.gate.set()
            await cloning
        await inventory.machine_gone(vm)

    world.run(whole())
    assert vm.id not in world.inventory.all(VirtualMachine)
    assert "clone" in {each.name for each in world.inventory.all(VirtualMachine).values()}
    assert not world.inventory.all(Intent)
