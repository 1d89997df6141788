"""What one decides by what stands somewhere, while another puts something there: one of the two looks again.

Two workers on one store; one of them finishes between the plan of the other's change and its commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    ResourceInUse,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import HostMoves, PoolMoves
from resphere.contract.extensions.networks import Networks
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_cluster import EvcMode as Api
from resphere.contract.generated.vcenter_evc_mode import EvcMode
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk, Ethernet
from resphere.inventory.model import Cluster, Datacenter, Datastore, Host, VirtualMachine
from resphere.inventory.relations import hosts_of_cluster
from resphere.rules.space import free_space
from tests.services.vcenter.building import add_cluster, add_host, first, found
from tests.support.guests import ending
from tests.support.pacing import slowly
from tests.support.racing import Work, check, race, two_worlds
from tests.support.world import World

MIB = 1 << 20
ON = vcenter_vm.Power.State.POWERED_ON
ENTER = HostMaintenance.Spec(action=HostMaintenance.Action.ENTER, evacuate_powered_off_vms=True)


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[World, World]]:
    """Two workers on one store."""
    with two_worlds(tmp_path) as both:
        yield both


def meet(worlds: tuple[World, World], slow: Work, quick: Work, refusal: type[VapiError] | None) -> None:
    """The quick one is done, and the slow one refused so or done; all is sound."""
    outcomes = race(*worlds, slow, quick)
    check(worlds, outcomes)
    assert (type(outcomes[1]) if isinstance(outcomes[1], Exception) else None) is refusal, outcomes


def make_folder(world: World, name: str, parent: ids.FolderId) -> ids.FolderId:
    return world.call(Folders.create, Folders.CreateSpec(name=name, parent=parent))


def move_folder(folder: ids.FolderId, parent: ids.FolderId) -> Work:
    return lambda world: world.begin(Folders.move, folder, Folders.MoveSpec(parent=parent))


def make_pool(world: World, name: str, parent: ids.ResourcePoolId) -> ids.ResourcePoolId:
    return world.call(vcenter.ResourcePool.create, vcenter.ResourcePool.CreateSpec(name=name, parent=parent))


def move_pool(pool: ids.ResourcePoolId, parent: ids.ResourcePoolId) -> Work:
    return lambda world: world.begin(PoolMoves.move, pool, PoolMoves.MoveSpec(parent=parent))


Trees = tuple[Callable[[World], Any], Callable[[World, str, Any], Any], Callable[[Any, Any], Work]]
TREES: dict[str, Trees] = {
    "folder": (lambda world: first(world, Datacenter).vm_folder, make_folder, move_folder),
    "pool": (lambda world: first(world, Cluster).resource_pool, make_pool, move_pool),
}


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("kind", TREES)
def test_two_are_moved_below_each_other(worlds: tuple[World, World], kind: str, depth: int) -> None:
    root, make, move = TREES[kind]
    tops = {}
    bottoms = {}
    for side in ("left", "right"):
        tops[side] = bottoms[side] = make(worlds[0], side, root(worlds[0]))
        for level in range(depth):
            bottoms[side] = make(worlds[0], f"{side}{level}", bottoms[side])
    slow, quick = move(tops["left"], bottoms["right"]), move(tops["right"], bottoms["left"])
    meet(worlds, slow, quick, InvalidArgument)


def store_on(world: World, hosts: frozenset[ids.HostSystemId], *, shared: bool, name: str = "New") -> ids.DatastoreId:
    spec = Datastores.CreateSpec(
        name=name,
        folder=first(world, Datacenter).datastore_folder,
        type=vcenter.Datastore.Type.NFS,
        capacity=1 << 40,
        hosts=hosts,
        multiple_host_access=shared,
    )
    return world.call(Datastores.create, spec)


def hosts_of(world: World) -> list[ids.HostSystemId]:
    """Those of the cluster, the one with the most machines first."""
    hosts = hosts_of_cluster(world.inventory, first(world, Cluster).id)
    by_machines = sorted(hosts, key=lambda host: -len(world.inventory.by(VirtualMachine, "host", host.id)))
    return [ids.HostSystemId(host.id) for host in by_machines]


def create_on(host: ids.HostSystemId, store: ids.DatastoreId, name: str = "late") -> Work:
    """A machine with everything there."""

    def work(world: World) -> Any:
        placement = vcenter.VM.PlacementSpec(folder=first(world, Datacenter).vm_folder, host=host, datastore=store)
        disk = Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec(capacity=MIB))
        guest = vcenter_vm.GuestOS.DEBIAN_11_64
        spec = vcenter.VM.CreateSpec(guest_OS=guest, name=name, placement=placement, disks=(disk,))
        return world.begin(vcenter.VM.create, spec)

    return work


@pytest.mark.parametrize("turned", [False, True])
def test_a_datastore_gets_a_name_while_a_machine_comes(worlds: tuple[World, World], turned: bool) -> None:
    host = hosts_of(worlds[0])[0]
    store = store_on(worlds[0], frozenset([host]), shared=True)
    works: list[Work] = [
        lambda world: world.begin(Datastores.update, store, NameSpec(name="Newer")),
        create_on(host, store),
    ]
    slow, quick = reversed(works) if turned else works
    meet(worlds, slow, quick, None)
    vm = next(vm for vm in worlds[0].inventory.all(VirtualMachine).values() if vm.name == "late")
    assert vm.vmx_path == "[Newer] late/late.vmx"


def test_a_datastore_is_mounted_by_one_host_while_another_mounts_it(worlds: tuple[World, World]) -> None:
    one, two, *_ = hosts_of(worlds[0])
    store = store_on(worlds[0], frozenset([one]), shared=False)
    worlds[0].call(Datastores.unmount, store, Datastores.HostsSpec(hosts=frozenset([one])))

    def mount(host: ids.HostSystemId) -> Work:
        return lambda world: world.begin(Datastores.mount, store, Datastores.HostsSpec(hosts=frozenset([host])))

    meet(worlds, mount(one), mount(two), InvalidArgument)


AMD = "AMD EPYC 7543 32-Core Processor"
INTEL = Api.SetSpec(evc_mode=EvcMode(key="intel-merom", masks=()))


async def set_mode(world: World, cluster: ids.ClusterComputeResourceId) -> Any:
    """The task of giving the cluster a mode for processors of Intel, at its end."""
    task = await world.begin(Api.set_task, cluster, INTEL)
    return await ending(world, task)


def with_processor(host: ids.HostSystemId, cpu_model: str) -> Work:
    """A host gets another processor, as a provider's feed would tell."""

    def work(world: World) -> Any:
        now = found(world, Host, host)
        hardware = msgspec.structs.replace(now.hardware, cpu_model=cpu_model)
        return world.inventory.change(lambda edit: edit.put(msgspec.structs.replace(now, hardware=hardware)))

    return work


def test_a_host_joins_a_cluster_while_that_gets_a_mode_it_lacks(worlds: tuple[World, World]) -> None:
    host, cluster = add_host(worlds[0]), add_cluster(worlds[0])
    worlds[0].run(with_processor(host, AMD)(worlds[0]))
    meet(
        worlds,
        lambda world: world.begin(HostMoves.move, host, HostMoves.MoveSpec(cluster=cluster)),
        lambda world: set_mode(world, cluster),
        NotAllowedInCurrentState,
    )


def test_a_cluster_gets_a_mode_while_a_host_joins_that_lacks_it(worlds: tuple[World, World]) -> None:
    host, cluster = add_host(worlds[0]), add_cluster(worlds[0])
    worlds[0].run(with_processor(host, AMD)(worlds[0]))

    def join(world: World) -> Any:
        return world.begin(HostMoves.move, host, HostMoves.MoveSpec(cluster=cluster))

    _, task = race(*worlds, lambda world: set_mode(world, cluster), join)
    assert task.status == "FAILED"
    assert found(worlds[0], Host, host).parent == cluster
    assert found(worlds[0], Cluster, cluster).evc_mode is None


def test_a_cluster_gets_a_mode_while_a_host_comes_to_lack_it(worlds: tuple[World, World]) -> None:
    host, cluster = add_host(worlds[0]), add_cluster(worlds[0])
    worlds[0].run(with_processor(host, "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz")(worlds[0]))
    worlds[0].call(HostMoves.move, host, HostMoves.MoveSpec(cluster=cluster))
    _, task = race(*worlds, lambda world: set_mode(world, cluster), with_processor(host, AMD))
    assert task.status == "FAILED"
    assert found(worlds[0], Cluster, cluster).evc_mode is None


ICE_LAKE = "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"
"""It has more than the mode shows."""


def machine_in_new_cluster(world: World) -> tuple[ids.ClusterComputeResourceId, ids.VirtualMachineId]:
    """Off, on the cluster's only host."""
    host, cluster = add_host(world), add_cluster(world)
    world.run(with_processor(host, ICE_LAKE)(world))
    world.call(HostMoves.move, host, HostMoves.MoveSpec(cluster=cluster))
    return cluster, world.run(create_on(host, found(world, Host, host).datastores[0])(world))


def start(vm: ids.VirtualMachineId) -> Work:
    return lambda world: world.begin(vcenter_vm.Power.start, vm)


@pytest.mark.parametrize("act", ["start", "mode", "come"])
def test_a_cluster_gets_a_mode_while_a_machine_comes_to_run(worlds: tuple[World, World], act: str) -> None:
    """It runs with all that the processor has."""
    one, _ = worlds
    cluster, vm = machine_in_new_cluster(one)
    if act == "mode":  # one of its own, which keeps it from more than the cluster's shows, until it is off again
        one.change(found(one, VirtualMachine, vm), power_state=ON, evc_mode=INTEL.evc_mode)

    def runs(world: World) -> Any:
        now = found(world, VirtualMachine, vm)
        if act == "mode":
            return world.inventory.change(lambda edit: edit.put(msgspec.structs.replace(now, evc_mode=None)))
        if act == "come":
            other = msgspec.structs.replace(
                now, id="vm-9001", name="other", vmx_path=f"{now.vmx_path}2", disks={}, power_state=ON
            )
            return world.inventory.change(lambda edit: edit.put(other))
        return start(vm)(world)

    _, task = race(*worlds, lambda world: set_mode(world, cluster), runs)
    assert task.status == "FAILED"
    assert task.error.messages[0].id == "resphere.evc.in_use"
    assert found(one, Cluster, cluster).evc_mode is None


def test_a_machine_starts_while_its_cluster_gets_a_mode(worlds: tuple[World, World]) -> None:
    """It starts in that mode."""
    cluster, vm = machine_in_new_cluster(worlds[0])
    meet(worlds, start(vm), lambda world: set_mode(world, cluster), None)
    assert found(worlds[0], Cluster, cluster).evc_mode is not None
    assert found(worlds[0], VirtualMachine, vm).power_state is ON


@pytest.mark.parametrize("before", [False, True])
def test_a_cluster_gets_a_mode_while_a_machine_is_being_started(worlds: tuple[World, World], before: bool) -> None:
    """The start may have been decided before, or between the plan of the mode and its commit."""
    one, other = worlds
    cluster, vm = machine_in_new_cluster(one)
    other.refresh()
    provider, begin, begun = slowly(other, start(vm))

    async def whole() -> None:
        if before:
            await begin(other)
            await one.inventory.refresh()
            with pytest.raises(VapiError, match="may use features"):
                await set_mode(one, cluster)
        provider.gate.set()
        await begun[0]

    if not before:
        _, task = race(one, other, lambda world: set_mode(world, cluster), begin)
        assert task.error.messages[0].id == "resphere.evc.in_use"
    one.run(whole())
    one.refresh()
    assert found(one, Cluster, cluster).evc_mode is None
    assert found(one, VirtualMachine, vm).power_state is ON


@pytest.mark.parametrize("room", [1, 2])
@pytest.mark.parametrize("slow", [False, True])
def test_two_machines_are_made_where_there_is_room_for_some(worlds: tuple[World, World], room: int, slow: bool) -> None:
    one, other = worlds
    host = hosts_of(one)[0]
    store = store_on(one, frozenset([host]), shared=True)
    present = found(one, Datastore, store)
    one.change(present, other_used=present.capacity - room * MIB)
    other.refresh()
    first_made: Work = create_on(host, store, "first")
    begun: list[asyncio.Task[Any]] = []
    provider = None
    if slow:
        provider, first_made, begun = slowly(other, first_made)
    outcomes = race(one, other, create_on(host, store), first_made)
    refusal = UnableToAllocateResource if room == 1 else str
    assert isinstance(outcomes[1], refusal), outcomes

    async def over() -> None:
        if provider is not None:
            provider.gate.set()
            await begun[0]

    one.run(over())
    check(worlds, outcomes)
    assert free_space(one.inventory, found(one, Datastore, store)) == 0


@pytest.mark.parametrize("what", ["network", "datastore"])
def test_a_machine_comes_to_a_host_while_that_loses_what_it_uses(worlds: tuple[World, World], what: str) -> None:
    """It has used that before, but not on this host."""
    world = worlds[0]
    one, two, *others = hosts_of(world)
    for other in others:
        world.change(found(world, Host, other), in_maintenance_mode=True)
    both = frozenset([one, two])
    store = store_on(world, both, shared=True)
    vm = world.run(create_on(one, store)(world))
    group = Networks.CreateSpec(name="New", folder=first(world, Datacenter).network_folder, hosts=both)
    network = world.call(Networks.create, group)
    backing = Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=network)
    world.call(Ethernet.create, vm, Ethernet.CreateSpec(backing=backing))

    def lose(world: World) -> Any:
        if what == "network":
            return world.begin(Networks.disconnect, network, Networks.HostsSpec(hosts=frozenset([two])))
        return world.begin(Datastores.unmount, store, Datastores.HostsSpec(hosts=frozenset([two])))

    meet(worlds, lose, lambda world: world.begin(HostMaintenance.set, one, ENTER), ResourceInUse)


@pytest.mark.parametrize("what", ["network", "datastore"])
def test_a_machine_comes_to_use_what_its_host_loses(worlds: tuple[World, World], what: str) -> None:
    """The host itself is not changed by that."""
    world = worlds[0]
    one, two, *_ = hosts_of(world)
    both = frozenset([one, two])
    vm = world.run(create_on(two, store_on(world, frozenset([two]), shared=False, name="Own"))(world))
    store = store_on(world, both, shared=True)
    network = world.call(
        Networks.create, Networks.CreateSpec(name="New", folder=first(world, Datacenter).network_folder, hosts=both)
    )

    def lose(world: World) -> Any:
        if what == "network":
            return world.begin(Networks.disconnect, network, Networks.HostsSpec(hosts=frozenset([two])))
        return world.begin(Datastores.unmount, store, Datastores.HostsSpec(hosts=frozenset([two])))

    def use(world: World) -> Any:
        if what == "network":
            nic = Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=network)
            return world.begin(Ethernet.create, vm, Ethernet.CreateSpec(backing=nic))
        image = Cdrom.BackingSpec(
            type=Cdrom.BackingType.ISO_FILE, iso_file=f"[{found(world, Datastore, store).name}] a.iso"
        )
        return world.begin(Cdrom.create, vm, Cdrom.CreateSpec(backing=image))

    meet(worlds, lose, use, ResourceInUse)
