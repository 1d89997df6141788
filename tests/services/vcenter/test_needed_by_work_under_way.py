"""Whatever work under way will need stays: who takes it away is refused, until that is done or given up.

Two workers on one store: one works, the other takes away.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import AlreadyExists, VapiError
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import HostMoves
from resphere.contract.extensions.networks import Networks
from resphere.contract.extensions.storage_policies import StoragePolicies
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk, Ethernet
from resphere.contract.model import AnyOperation, Secret
from resphere.inventory.effects import Intent
from resphere.inventory.model import Cluster, Datacenter, Folder, Host, UnregisteredVm, VirtualMachine
from resphere.inventory.relations import hosts_of_cluster
from resphere.services.call import in_use_error
from tests.services.vcenter.building import add_cluster, add_host, first, found
from tests.support.invariants import require_sound
from tests.support.pacing import Outside, Slow, slowly, under_way, use
from tests.support.racing import race, two_worlds
from tests.support.world import World

MIB = 1 << 20
VM = vcenter.VM
ON, OFF = vcenter_vm.Power.State.POWERED_ON, vcenter_vm.Power.State.POWERED_OFF


class Site(msgspec.Struct, frozen=True):
    """What work needs, all of it new: nobody else does. ``here`` and ``there`` are in one cluster, ``alone`` is not."""

    folder: ids.FolderId
    hosts_folder: ids.FolderId
    pool: ids.ResourcePoolId
    store: ids.DatastoreId
    network: ids.NetworkId
    policy: ids.VcenterStoragePolicyId
    here: ids.HostSystemId
    there: ids.HostSystemId
    alone: ids.HostSystemId
    cluster: ids.ClusterComputeResourceId
    """Another one, with no host."""
    vm: ids.VirtualMachineId
    """On the first host, off, on a datastore and a network of its own, which both hosts have."""
    own_store: ids.DatastoreId
    own_network: ids.NetworkId


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[World, World]]:
    """Two workers on one store."""
    with two_worlds(tmp_path) as both:
        yield both


@pytest.fixture
def site(worlds: tuple[World, World]) -> Site:
    """Everything."""
    world = worlds[0]
    for each in list(world.inventory.all(VirtualMachine).values()):
        world.change(each, power_state=OFF)
    datacenter, cluster = first(world, Datacenter), first(world, Cluster)
    here, there, *others = [ids.HostSystemId(host.id) for host in hosts_of_cluster(world.inventory, cluster.id)]
    for other in others:
        world.change(found(world, Host, other), in_maintenance_mode=True)
    folder = world.call(Folders.create, Folders.CreateSpec(name="New", parent=datacenter.vm_folder))
    hosts_folder = world.call(Folders.create, Folders.CreateSpec(name="Hosts", parent=datacenter.host_folder))
    pool_spec = vcenter.ResourcePool.CreateSpec(name="New", parent=cluster.resource_pool)
    both = frozenset([here, there])
    network, own_network = (
        world.call(Networks.create, Networks.CreateSpec(name=name, folder=datacenter.network_folder, hosts=both))
        for name in ("New", "Own")
    )
    store, own_store = (
        world.call(
            Datastores.create,
            Datastores.CreateSpec(
                name=name,
                folder=datacenter.datastore_folder,
                type=vcenter.Datastore.Type.NFS,
                capacity=1 << 40,
                hosts=both,
                multiple_host_access=True,
            ),
        )
        for name in ("New", "Own")
    )
    guest = vcenter_vm.GuestOS.DEBIAN_11_64
    own_place = VM.PlacementSpec(folder=datacenter.vm_folder, host=here, datastore=own_store)
    return Site(
        folder=folder,
        hosts_folder=hosts_folder,
        pool=world.call(vcenter.ResourcePool.create, pool_spec),
        store=store,
        network=network,
        policy=world.call(StoragePolicies.create, StoragePolicies.CreateSpec(name="New")),
        here=here,
        there=there,
        alone=add_host(world),
        cluster=add_cluster(world),
        vm=world.call(
            VM.create, VM.CreateSpec(guest_OS=guest, name="own", placement=own_place, nics=(nic_on(own_network),))
        ),
        own_store=own_store,
        own_network=own_network,
    )


Begin = Callable[[World, Site], Coroutine[Any, Any, Any]]
Call = tuple[AnyOperation, tuple[Any, ...]]


def disk(site: Site) -> Disk.CreateSpec:
    policy = Disk.StoragePolicySpec(policy=site.policy)
    return Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec(capacity=MIB, storage_policy=policy))


def nic_on(network: ids.NetworkId) -> Ethernet.CreateSpec:
    backing = Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=network)
    return Ethernet.CreateSpec(backing=backing)


def create(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    """Placed in all that is new, on the first host."""
    place = VM.PlacementSpec(folder=site.folder, resource_pool=site.pool, host=site.here, datastore=site.store)
    guest = vcenter_vm.GuestOS.DEBIAN_11_64
    spec = VM.CreateSpec(
        guest_OS=guest, name="made", placement=place, disks=(disk(site),), nics=(nic_on(site.network),)
    )
    return world.begin(VM.create, spec)


def create_alone(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    """On the standalone host."""
    folder = first(world, Datacenter).vm_folder
    place = VM.PlacementSpec(folder=folder, host=site.alone, datastore=found(world, Host, site.alone).datastores[0])
    spec = VM.CreateSpec(guest_OS=vcenter_vm.GuestOS.DEBIAN_11_64, name="made", placement=place)
    return world.begin(VM.create, spec)


def clone(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    place = VM.ClonePlacementSpec(folder=site.folder, resource_pool=site.pool, host=site.there, datastore=site.store)
    return world.begin(VM.clone, VM.CloneSpec(source=site.vm, name="made", placement=place))


async def instant_clone(world: World, site: Site) -> Any:
    vm = found(world, VirtualMachine, site.vm)
    await world.inventory.change(lambda edit: edit.put(msgspec.structs.replace(vm, power_state=ON)))
    place = VM.InstantClonePlacementSpec(folder=site.folder, resource_pool=site.pool, datastore=site.store)
    return await world.begin(VM.instant_clone, VM.InstantCloneSpec(source=site.vm, name="made", placement=place))


async def register(world: World, site: Site) -> Any:
    (files,) = world.inventory.all(UnregisteredVm).values()
    place = VM.RegisterPlacementSpec(folder=site.folder, resource_pool=site.pool, host=site.there)
    spec = VM.RegisterSpec(datastore=site.own_store, path=files.name, name="made", placement=place)
    return await world.begin(VM.register, spec)


def relocate(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    place = VM.RelocatePlacementSpec(folder=site.folder, resource_pool=site.pool, host=site.there, datastore=site.store)
    return world.begin(VM.relocate, site.vm, VM.RelocateSpec(placement=place))


def add_nic(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    return world.begin(Ethernet.create, site.vm, nic_on(site.network))


def add_disk(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    return world.begin(Disk.create, site.vm, disk(site))


def add_image(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    backing = Cdrom.BackingSpec(type=Cdrom.BackingType.ISO_FILE, iso_file="[New] iso/debian.iso")
    return world.begin(Cdrom.create, site.vm, Cdrom.CreateSpec(backing=backing))


def power_on_elsewhere(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    return world.begin(vcenter_vm.Power.start, site.vm)


def evacuate(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    spec = HostMaintenance.Spec(action=HostMaintenance.Action.ENTER, evacuate_powered_off_vms=True)
    return world.begin(HostMaintenance.set, site.here, spec)


def add_another_host(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    spec = vcenter.Host.CreateSpec(
        hostname="another.example.com",
        user_name="root",
        password=Secret("VMware1!"),
        thumbprint_verification=vcenter.Host.CreateSpec.ThumbprintVerification.NONE,
        folder=site.hosts_folder,
    )
    return world.begin(vcenter.Host.create, spec)


def connect_alone(world: World, site: Site) -> Coroutine[Any, Any, Any]:
    return world.begin(vcenter.Host.connect, site.alone)


async def unregister_first(world: World, site: Site) -> None:
    await world.begin(VM.unregister, site.vm)


async def close_here(world: World, site: Site) -> None:
    """The first host takes no machines."""
    host = found(world, Host, site.here)
    await world.inventory.change(lambda edit: edit.put(msgspec.structs.replace(host, in_maintenance_mode=True)))


async def use_drs(world: World, site: Site) -> None:
    cluster = first(world, Cluster)
    await world.inventory.change(lambda edit: edit.put(msgspec.structs.replace(cluster, drs_enabled=True)))


async def disconnect_alone(world: World, site: Site) -> None:
    await world.begin(vcenter.Host.disconnect, site.alone)


async def nothing(world: World, site: Site) -> None: ...


BEFORE: dict[Begin, Callable[[World, Site], Coroutine[Any, Any, None]]] = {
    register: unregister_first,
    power_on_elsewhere: close_here,
    evacuate: use_drs,
    connect_alone: disconnect_alone,
}
"""What must be so before the work."""


def hosts(*given: ids.HostSystemId) -> Any:
    return Datastores.HostsSpec(hosts=frozenset(given))


TAKES: dict[str, Callable[[World, Site], Call]] = {
    "folder": lambda _, site: (Folders.delete, (site.folder,)),
    "hosts_folder": lambda _, site: (Folders.delete, (site.hosts_folder,)),
    "pool": lambda _, site: (vcenter.ResourcePool.delete, (site.pool,)),
    "store": lambda _, site: (Datastores.delete, (site.store,)),
    "name": lambda _, site: (Datastores.update, (site.store, NameSpec(name="Newer"))),
    "mount_here": lambda _, site: (Datastores.unmount, (site.store, hosts(site.here))),
    "mount_there": lambda _, site: (Datastores.unmount, (site.store, hosts(site.there))),
    "own_mount_there": lambda _, site: (Datastores.unmount, (site.own_store, hosts(site.there))),
    "network": lambda _, site: (Networks.delete, (site.network,)),
    "connection_here": lambda _, site: (
        Networks.disconnect,
        (site.network, Networks.HostsSpec(hosts=frozenset([site.here]))),
    ),
    "own_connection_there": lambda _, site: (
        Networks.disconnect,
        (site.own_network, Networks.HostsSpec(hosts=frozenset([site.there]))),
    ),
    "policy": lambda _, site: (StoragePolicies.delete, (site.policy,)),
    "source": lambda _, site: (VM.delete, (site.vm,)),
    "registered_source": lambda _, site: (VM.unregister, (site.vm,)),
    "alone": lambda _, site: (vcenter.Host.delete, (site.alone,)),
    "own_pools": lambda _, site: (HostMoves.move, (site.alone, HostMoves.MoveSpec(cluster=site.cluster))),
    "datacenter": lambda world, _: (
        vcenter.Datacenter.delete,
        (ids.DatacenterId(first(world, Datacenter).id), True),
    ),
}

NEEDS: dict[Begin, tuple[str, ...]] = {
    create: (*("folder", "pool", "store", "name", "mount_here", "network", "connection_here", "policy", "datacenter"),),
    create_alone: ("alone", "own_pools", "datacenter"),
    clone: ("folder", "pool", "store", "name", "mount_there", "source", "registered_source", "datacenter"),
    instant_clone: ("folder", "pool", "store", "name", "mount_here", "datacenter"),
    register: ("folder", "pool", "own_mount_there", "own_connection_there", "datacenter"),
    relocate: ("folder", "pool", "store", "name", "mount_there", "datacenter"),
    add_nic: ("network", "connection_here"),
    add_disk: ("policy",),
    add_image: ("store", "name", "mount_here"),
    power_on_elsewhere: ("own_mount_there", "own_connection_there", "datacenter"),
    evacuate: ("own_mount_there", "own_connection_there", "datacenter"),
    add_another_host: ("hosts_folder", "datacenter"),
    connect_alone: ("datacenter",),
}
PAIRS = [(begin, what) for begin, needs in NEEDS.items() for what in needs]
NAMES = [f"{begin.__name__}-{what}" for begin, what in PAIRS]


async def taking(world: World, call: Call) -> VapiError | None:
    """The refusal of what is called, if it is refused."""
    await world.inventory.refresh()
    operation, given = call
    try:
        await world.begin(operation, *given)
    except VapiError as error:
        return error
    return None


@pytest.mark.parametrize(("begin", "what"), PAIRS, ids=NAMES)
def test_what_is_needed_stays_until_the_work_is_done(
    worlds: tuple[World, World], site: Site, begin: Begin, what: str
) -> None:
    one, other = worlds
    one.run(BEFORE.get(begin, nothing)(one, site))
    provider = Outside(one)
    use(one, provider)

    async def whole() -> None:
        async with under_way(one, begin(one, site)) as working:
            call = TAKES[what](one, site)
            refusal = await taking(other, call)
            assert type(refusal) is in_use_error(call[0]), refusal
            assert refusal.messages[0].id == "resphere.task.needs"
            provider.gate.set()
            await working

    one.run(whole())
    for world in worlds:
        world.refresh()
        assert not world.inventory.all(Intent)
        require_sound(world.inventory)


@pytest.mark.parametrize("begin", NEEDS, ids=lambda begin: begin.__name__)
def test_what_was_needed_goes_when_the_work_is_given_up(worlds: tuple[World, World], site: Site, begin: Begin) -> None:
    one, other = worlds
    what = NEEDS[begin][0]
    one.run(BEFORE.get(begin, nothing)(one, site))
    use(one, Slow(one))

    async def whole() -> None:
        async with under_way(one, begin(one, site)):
            refusal = await taking(other, TAKES[what](one, site))
            assert refusal is not None
            assert refusal.messages[0].id == "resphere.task.needs"
        assert not one.inventory.all(Intent)
        assert await taking(other, TAKES[what](one, site)) is None

    one.run(whole())
    for world in worlds:
        world.refresh()
        require_sound(world.inventory)


def test_what_a_dead_worker_needed_goes_at_once(worlds: tuple[World, World], site: Site) -> None:
    """Who wants to take it away has a look whether the work goes on."""
    one, other = worlds
    use(one, Slow(one))
    use(other, other.environment.provider, is_alive=lambda _: False)

    async def whole() -> None:
        async with under_way(one, create(one, site)):
            assert await taking(other, TAKES["folder"](one, site)) is None

    one.run(whole())
    assert site.folder not in one.inventory.all(Folder)
    assert not one.inventory.all(Intent)


MEETINGS: dict[Begin, tuple[str, ...]] = {
    create: ("folder", "pool", "mount_here", "name", "network", "connection_here", "policy"),
    create_alone: ("alone", "own_pools"),
    clone: ("mount_there", "source", "registered_source"),
    relocate: ("mount_there",),
    add_nic: ("connection_here",),
    add_image: ("mount_here",),
    power_on_elsewhere: ("own_mount_there", "own_connection_there"),
    evacuate: ("own_mount_there", "own_connection_there"),
    add_another_host: ("hosts_folder",),
}
MET = [(begin, what) for begin, needs in MEETINGS.items() for what in needs]
MET_NAMES = [f"{begin.__name__}-{what}" for begin, what in MET]


@pytest.mark.parametrize(("begin", "what"), MET, ids=MET_NAMES)
def test_what_goes_while_work_that_needs_it_is_decided(
    worlds: tuple[World, World], site: Site, begin: Begin, what: str
) -> None:
    """It is gone: the work is decided anew, without it, or refused."""
    one, other = worlds
    one.run(BEFORE.get(begin, nothing)(one, site))
    provider = Outside(one)
    provider.gate.set()
    use(one, provider)
    call = TAKES[what](one, site)
    taken, outcome = race(one, other, lambda world: begin(world, site), lambda world: world.begin(call[0], *call[1]))
    assert not isinstance(taken, VapiError), taken
    # There is another name, or another pool; and a machine that is off may stay where it is.
    goes_on = what in ("name", "own_pools") or begin is evacuate
    assert isinstance(outcome, VapiError) != goes_on, outcome
    for world in worlds:
        world.refresh()
        assert not world.inventory.all(Intent)
        require_sound(world.inventory)


@pytest.mark.parametrize(("begin", "what"), MET, ids=MET_NAMES)
def test_what_is_to_go_while_work_that_needs_it_is_begun(
    worlds: tuple[World, World], site: Site, begin: Begin, what: str
) -> None:
    """It stays: who takes it away sees the work."""
    one, other = worlds
    one.run(BEFORE.get(begin, nothing)(one, site))
    other.refresh()
    provider, decided, begun = slowly(other, lambda world: begin(world, site))

    async def over() -> None:
        provider.gate.set()
        await begun[0]

    call = TAKES[what](one, site)
    _, refusal = race(one, other, lambda world: world.begin(call[0], *call[1]), decided)
    assert type(refusal) is in_use_error(call[0]), refusal
    assert refusal.messages[0].id == "resphere.task.needs"
    one.run(over())
    for world in worlds:
        world.refresh()
        assert not world.inventory.all(Intent)
        require_sound(world.inventory)


def test_a_source_that_is_going_is_not_cloned(worlds: tuple[World, World], site: Site) -> None:
    one, other = worlds
    use(one, Slow(one))
    outside = Outside(other)
    outside.gate.set()
    use(other, outside)

    async def whole() -> None:
        async with under_way(one, one.begin(VM.delete, site.vm)):
            await other.inventory.refresh()
            with pytest.raises(VapiError) as refused:
                await clone(other, site)
            assert refused.value.messages[0].id == "resphere.task.busy"

    one.run(whole())


def test_a_machine_leaves_its_files_and_comes_back_in_time(worlds: tuple[World, World], site: Site) -> None:
    """Its VMX file belongs to one or the other throughout."""
    one, other = worlds
    provider = Outside(one)
    use(one, provider)

    async def whole() -> None:
        async with under_way(one, one.begin(VM.unregister, site.vm)) as leaving:
            provider.gate.set()
            await leaving
        provider.gate.clear()
        async with under_way(one, register(one, site)) as coming:
            await other.inventory.refresh()
            with pytest.raises(AlreadyExists) as refused:
                await register(other, msgspec.structs.replace(site, folder=first(other, Datacenter).vm_folder))
            assert refused.value.messages[0].id == "resphere.vm.register.under_way"
            provider.gate.set()
            await coming

    one.run(whole())
    require_sound(one.inventory)


def test_two_register_one_machine_at_once(worlds: tuple[World, World], site: Site) -> None:
    one, other = worlds
    one.run(unregister_first(one, site))
    for world in worlds:
        provider = Outside(world)
        provider.gate.set()
        use(world, provider)
    elsewhere = msgspec.structs.replace(site, folder=first(one, Datacenter).vm_folder)
    made, refusal = race(one, other, lambda world: register(world, site), lambda world: register(world, elsewhere))
    assert isinstance(made, str)
    assert isinstance(refusal, AlreadyExists)
