"""What one decides by what stands somewhere, while another puts something there: one of the two looks again.

Two workers on one store; one of them finishes between the plan of the other's change and its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, ResourceInUse, VapiError
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import HostMoves, PoolMoves
from resphere.contract.extensions.networks import Networks
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_cluster import EvcMode as Api
from resphere.contract.generated.vcenter_evc_mode import EvcMode
from resphere.contract.generated.vcenter_vm_hardware import Disk, Ethernet
from resphere.inventory.model import Cluster, Datacenter, Host, VirtualMachine
from resphere.inventory.relations import hosts_of_cluster
from tests.services.vcenter.building import add_cluster, add_host, first, found
from tests.support.guests import ending
from tests.support.racing import Work, check, race, two_worlds
from tests.support.world import World

MIB = 1 << 20
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


def store_on(world: World, hosts: frozenset[ids.HostSystemId], *, shared: bool) -> ids.DatastoreId:
    spec = Datastores.CreateSpec(
        name="New",
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


def create_on(host: ids.HostSystemId, store: ids.DatastoreId) -> Work:
    """A machine with everything there."""

    def work(world: World) -> Any:
        placement = vcenter.VM.PlacementSpec(folder=first(world, Datacenter).vm_folder, host=host, datastore=store)
        disk = Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec(capacity=MIB))
        guest = vcenter_vm.GuestOS.DEBIAN_11_64
        spec = vcenter.VM.CreateSpec(guest_OS=guest, name="late", placement=placement, disks=(disk,))
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
