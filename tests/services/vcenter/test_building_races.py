"""What one deletes while another begins to use it: one of the two is refused, and nothing dangles."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest

from resphere.contract.extensions.clusters import Clusters
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.moves import HostMoves, Machines
from resphere.contract.extensions.networks import Networks
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.inventory.model import Datacenter, Host, ResourcePool, VirtualMachine
from tests.services.vcenter.building import add_cluster, add_host, first, found
from tests.support.world import World


def both(world: World, *calls: Coroutine[Any, Any, object]) -> list[str]:
    """How they ended, by class."""

    async def gathered() -> list[object]:
        return list(await asyncio.gather(*calls, return_exceptions=True))

    return [type(outcome).__name__ if isinstance(outcome, Exception) else "done" for outcome in world.run(gathered())]


def machine_on(host: str, datastore: str, world: World) -> vcenter.VM.CreateSpec:
    datacenter = first(world, Datacenter)
    return vcenter.VM.CreateSpec(
        guest_OS=vcenter_vm.GuestOS.RHEL_7_64,
        placement=vcenter.VM.PlacementSpec(
            folder=datacenter.vm_folder, host=ids.HostSystemId(host), datastore=ids.DatastoreId(datastore)
        ),
    )


@pytest.mark.parametrize("turned", [False, True])
def test_a_datastore_goes_while_a_machine_comes(world: World, turned: bool) -> None:
    host = first(world, Host).id
    store = world.call(
        Datastores.create,
        Datastores.CreateSpec(
            name="New",
            folder=first(world, Datacenter).datastore_folder,
            type=vcenter.Datastore.Type.VMFS,
            capacity=1 << 40,
            hosts=frozenset({ids.HostSystemId(host)}),
        ),
    )
    deletion = world.begin(Datastores.delete, store)
    use = world.begin(vcenter.VM.create, machine_on(host, store, world))
    outcomes = both(world, *((use, deletion) if turned else (deletion, use)))
    assert sorted(outcome == "done" for outcome in outcomes) == [False, True]


@pytest.mark.parametrize("turned", [False, True])
def test_a_network_goes_while_an_adapter_comes(world: World, turned: bool) -> None:
    vm = first(world, VirtualMachine)
    network = world.call(
        Networks.create,
        Networks.CreateSpec(name="New", folder=first(world, Datacenter).network_folder, hosts=frozenset({vm.host})),
    )
    backing = Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=network)
    deletion = world.begin(Networks.delete, network)
    use = world.begin(Ethernet.create, ids.VirtualMachineId(vm.id), Ethernet.CreateSpec(backing=backing))
    outcomes = both(world, *((use, deletion) if turned else (deletion, use)))
    assert sorted(outcome == "done" for outcome in outcomes) == [False, True]


@pytest.mark.parametrize("turned", [False, True])
def test_a_cluster_goes_while_a_host_joins(world: World, turned: bool) -> None:
    cluster, host = add_cluster(world), add_host(world)
    deletion = world.begin(Clusters.delete, cluster)
    use = world.begin(HostMoves.move, host, HostMoves.MoveSpec(cluster=cluster))
    outcomes = both(world, *((use, deletion) if turned else (deletion, use)))
    assert sorted(outcome == "done" for outcome in outcomes) == [False, True]


@pytest.mark.parametrize("turned", [False, True])
def test_a_pool_goes_while_a_machine_moves_into_it(world: World, turned: bool) -> None:
    vm = first(world, VirtualMachine)
    root = next(p for p in world.inventory.all(ResourcePool).values() if p.parent == p.owner)
    pool = world.call(
        vcenter.ResourcePool.create,
        vcenter.ResourcePool.CreateSpec(name="New", parent=ids.ResourcePoolId(root.id)),
    )
    deletion = world.begin(vcenter.ResourcePool.delete, pool)
    use = world.begin(Machines.move, ids.VirtualMachineId(vm.id), Machines.MoveSpec(resource_pool=pool))
    both(world, *((use, deletion) if turned else (deletion, use)))
    assert pool not in world.inventory.all(ResourcePool)
    assert found(world, VirtualMachine, vm.id).resource_pool in world.inventory.all(ResourcePool)


@pytest.mark.parametrize("turned", [False, True])
def test_a_network_goes_while_a_machine_comes(world: World, turned: bool) -> None:
    beside = first(world, VirtualMachine)
    network = world.call(
        Networks.create,
        Networks.CreateSpec(name="New", folder=first(world, Datacenter).network_folder, hosts=frozenset({beside.host})),
    )
    backing = Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=network)
    spec = machine_on(beside.host, beside.datastore, world)
    spec = msgspec.structs.replace(spec, nics=(Ethernet.CreateSpec(backing=backing),))
    deletion = world.begin(Networks.delete, network)
    use = world.begin(vcenter.VM.create, spec)
    outcomes = both(world, *((use, deletion) if turned else (deletion, use)))
    assert sorted(outcome == "done" for outcome in outcomes) == [False, True]


@pytest.mark.parametrize("turned", [False, True])
def test_a_host_goes_while_a_machine_comes(world: World, turned: bool) -> None:
    host = add_host(world)
    datastore = found(world, Host, host).datastores[0]
    use = world.begin(vcenter.VM.create, machine_on(host, datastore, world))

    async def removed() -> None:
        await world.begin(vcenter.Host.disconnect, host)
        await world.begin(vcenter.Host.delete, host)

    both(world, *((use, removed()) if turned else (removed(), use)))
    assert host not in world.inventory.all(Host)
    assert not world.inventory.by(VirtualMachine, "host", host)
