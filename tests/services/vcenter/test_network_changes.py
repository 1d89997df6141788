"""Port groups: made, renamed, moved, connected and deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, ResourceInUse
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.inventory_specs import FolderSpec, NameSpec
from resphere.contract.extensions.networks import Networks
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.inventory.model import ROOT_FOLDER, Datacenter, Host, Network, VirtualMachine
from tests.services.vcenter.building import first, found, refused
from tests.support.world import World

UNKNOWN = ids.NetworkId("dvportgroup-9999")


def make(
    world: World, name: str = "New", switch: str | None = None, hosts: frozenset[ids.HostSystemId] | None = None
) -> ids.NetworkId:
    spec = Networks.CreateSpec(
        name=name,
        folder=first(world, Datacenter).network_folder,
        vlan=17,
        distributed_switch=ids.VSphereDistributedSwitchId(switch) if switch else None,
        hosts=hosts,
    )
    return world.call(Networks.create, spec)


def used(world: World) -> tuple[ids.NetworkId, VirtualMachine]:
    """A network with a VM's NIC on it."""
    vm = next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.nics)
    network = next(iter(vm.nics.values())).backing.network
    assert network is not None
    return network, vm


def all_hosts(world: World) -> frozenset[ids.HostSystemId]:
    return frozenset(ids.HostSystemId(host) for host in world.inventory.all(Host))


def test_create_on_a_switch_of_its_own_and_on_that_of_others(world: World) -> None:
    one = make(world, hosts=all_hosts(world))
    info = world.call(Networks.get, one)
    assert (info.name, info.type, info.vlan, info.vm_count) == ("New", "DISTRIBUTED_PORTGROUP", 17, 0)
    assert frozenset(info.hosts) == all_hosts(world)
    two = world.call(Networks.get, make(world, "Two", info.distributed_switch))
    assert (two.distributed_switch, two.distributed_switch_uuid, two.hosts) == (
        info.distributed_switch,
        info.distributed_switch_uuid,
        (),
    )
    three = world.call(Networks.get, make(world, "Three"))
    assert three.distributed_switch_uuid != info.distributed_switch_uuid
    with pytest.raises(NotFound) as error:
        world.call(Networks.get, UNKNOWN)
    assert refused(error) == (404, "com.vmware.api.vcenter.network.not_found")


def test_create_is_refused(world: World) -> None:
    make(world)
    folder = world.call(
        Folders.create, Folders.CreateSpec(name="Below", parent=first(world, Datacenter).network_folder)
    )
    with pytest.raises(AlreadyExists) as taken:
        world.call(Networks.create, Networks.CreateSpec(name="New", folder=folder))
    assert refused(taken) == (400, "vmsg.DuplicateName.summary")
    elsewhere = world.call(
        vcenter.Datacenter.create, vcenter.Datacenter.CreateSpec(name="Elsewhere", folder=ids.FolderId(ROOT_FOLDER))
    )
    other = world.call(vcenter.Datacenter.get, elsewhere).network_folder
    for spec, id in (
        (Networks.CreateSpec(name="X", folder=folder, vlan=4095), "resphere.network.vlan"),
        (Networks.CreateSpec(name="X", folder=first(world, Datacenter).vm_folder), "resphere.inventory.folder_type"),
        (
            Networks.CreateSpec(name="X", folder=folder, distributed_switch=ids.VSphereDistributedSwitchId("dvs-9999")),
            "resphere.network.switch",
        ),
        (Networks.CreateSpec(name="X", folder=other, hosts=all_hosts(world)), "resphere.inventory.host_elsewhere"),
    ):
        with pytest.raises(InvalidArgument) as error:
            world.call(Networks.create, spec)
        assert refused(error) == (400, id)


def test_rename_and_move(world: World) -> None:
    made = make(world)
    folder = world.call(
        Folders.create, Folders.CreateSpec(name="Below", parent=first(world, Datacenter).network_folder)
    )
    world.call(Networks.update, made, NameSpec(name="Renamed"))
    world.call(Networks.move, made, FolderSpec(folder=folder))
    after = found(world, Network, made)
    assert (after.name, after.parent) == ("Renamed", folder)
    with pytest.raises(AlreadyExists):
        world.call(Networks.update, made, NameSpec(name=first(world, Network).name))
    with pytest.raises(InvalidArgument) as error:
        world.call(Networks.move, made, FolderSpec(folder=first(world, Datacenter).host_folder))
    assert refused(error) == (400, "resphere.inventory.folder_type")


def test_hosts_are_connected_and_disconnected(world: World) -> None:
    made, hosts = make(world), all_hosts(world)
    spec = Networks.HostsSpec(hosts=hosts)
    world.call(Networks.connect, made, spec)
    world.call(Networks.connect, made, spec)
    assert frozenset(world.call(Networks.get, made).hosts) == hosts
    world.call(Networks.disconnect, made, spec)
    assert world.call(Networks.get, made).hosts == ()
    network, vm = used(world)
    with pytest.raises(ResourceInUse) as error:
        world.call(Networks.disconnect, network, Networks.HostsSpec(hosts=frozenset({vm.host})))
    assert refused(error) == (400, "resphere.network.in_use")
    with pytest.raises(NotFound):
        world.call(Networks.connect, made, Networks.HostsSpec(hosts=frozenset({ids.HostSystemId("host-9999")})))


def test_delete_what_nobody_uses(world: World) -> None:
    made = make(world, hosts=all_hosts(world))
    world.call(Networks.delete, made)
    assert made not in world.inventory.all(Network)
    assert not world.inventory.by(Host, "network", made)
    with pytest.raises(ResourceInUse) as error:
        world.call(Networks.delete, used(world)[0])
    assert refused(error) == (400, "resphere.network.in_use")


def test_a_standard_port_group_is_on_its_hosts(world: World) -> None:
    folder = first(world, Datacenter).network_folder
    standard = vcenter.Network.Type.STANDARD_PORTGROUP
    some = frozenset(sorted(all_hosts(world))[:2])
    spec = Networks.CreateSpec(name="Standard", folder=folder, type=standard, vlan=7, hosts=some)
    info = world.call(Networks.get, world.call(Networks.create, spec))
    assert info.network.startswith("network-")
    assert (info.type, info.vlan, frozenset(info.hosts)) == ("STANDARD_PORTGROUP", 7, some)
    assert (info.distributed_switch, info.distributed_switch_uuid) == (None, None)
    switch = world.call(Networks.get, make(world)).distributed_switch
    for wrong, id in (
        (Networks.CreateSpec(name="A", folder=folder, type=standard), "resphere.network.standard"),
        (
            Networks.CreateSpec(name="A", folder=folder, type=standard, hosts=some, distributed_switch=switch),
            "resphere.network.standard",
        ),
        (
            Networks.CreateSpec(name="A", folder=folder, type=vcenter.Network.Type.OPAQUE_NETWORK),
            "resphere.network.type",
        ),
    ):
        with pytest.raises(InvalidArgument) as error:
            world.call(Networks.create, wrong)
        assert refused(error) == (400, id)


def uplinks(world: World, switch: str | None = None) -> list[Network]:
    return [
        network
        for network in world.inventory.all(Network).values()
        if network.uplink and switch in (None, network.distributed_switch)
    ]


def test_each_switch_has_an_uplink_port_group_in_lists(world: World) -> None:
    """As captured on vCenter: ``vmc-hostswitch-DVUplinks-8`` for the switch ``dvs-8``, among the networks."""
    (uplink,) = uplinks(world)
    switch = uplink.distributed_switch
    assert switch is not None
    assert uplink.name == f"DSwitch-DVUplinks-{switch.removeprefix('dvs-')}"
    listed = {row.network: row for row in world.call(vcenter.Network.list, None)}
    assert listed[ids.NetworkId(uplink.id)] == vcenter.Network.Summary(
        network=ids.NetworkId(uplink.id), name=uplink.name, type=vcenter.Network.Type.DISTRIBUTED_PORTGROUP
    )
    info = world.call(Networks.get, ids.NetworkId(uplink.id))
    assert (info.uplink, info.vm_count, frozenset(info.hosts)) == (True, 0, all_hosts(world))


def test_it_comes_and_goes_with_its_switch(world: World) -> None:
    before = set(world.inventory.all(Network))
    one = make(world)
    info = world.call(Networks.get, one)
    assert info.uplink is False
    (uplink,) = uplinks(world, info.distributed_switch)
    assert (uplink.parent, uplink.distributed_switch_uuid) == (info.parent, info.distributed_switch_uuid)
    assert world.call(Networks.get, ids.NetworkId(uplink.id)).hosts == ()
    two = make(world, "Two", info.distributed_switch)
    assert uplinks(world, info.distributed_switch) == [uplink]
    world.call(Networks.update, ids.NetworkId(uplink.id), NameSpec(name="Renamed"))
    world.call(Networks.delete, one)
    assert [each.name for each in uplinks(world, info.distributed_switch)] == ["Renamed"]
    world.call(Networks.delete, two)
    assert set(world.inventory.all(Network)) == before


def test_a_name_that_is_taken_gets_a_number(world: World) -> None:
    (first_uplink,) = uplinks(world)
    number = int(world.call(Networks.get, make(world, "Probe")).network.rpartition("-")[2])
    for ahead in range(1, 20):
        make(world, f"DSwitch-DVUplinks-{number + 60 + ahead}", first_uplink.distributed_switch)
    for name in map(str, range(40)):
        make(world, name)
    names = [each.name for each in uplinks(world)]
    assert len(names) == len(set(names)) == 42
    assert any(name.endswith(" (1)") for name in names)


def test_nobody_connects_to_it_or_deletes_it(world: World) -> None:
    (uplink,) = uplinks(world)
    network, hosts = ids.NetworkId(uplink.id), Networks.HostsSpec(hosts=all_hosts(world))
    _, vm = used(world)
    backing = Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=network)
    placement = vcenter.VM.PlacementSpec(folder=ids.FolderId(vm.parent or ""), resource_pool=vm.resource_pool)
    nics = (Ethernet.CreateSpec(backing=backing),)
    spec = vcenter.VM.CreateSpec(guest_OS=vm.guest_OS, placement=placement, nics=nics)
    machine, nic = ids.VirtualMachineId(vm.id), next(iter(vm.nics))
    for act, id in (
        (lambda: world.call(Networks.connect, network, hosts), "resphere.network.uplink_hosts"),
        (lambda: world.call(Networks.disconnect, network, hosts), "resphere.network.uplink_hosts"),
        (lambda: world.call(Ethernet.create, machine, nics[0]), "resphere.vm.ethernet.uplink"),
        (
            lambda: world.call(Ethernet.update, machine, nic, Ethernet.UpdateSpec(backing=backing)),
            "resphere.vm.ethernet.uplink",
        ),
        (lambda: world.call(vcenter.VM.create, spec), "resphere.vm.ethernet.uplink"),
    ):
        with pytest.raises(InvalidArgument) as error:
            act()
        assert refused(error) == (400, id)
    with pytest.raises(ResourceInUse) as in_use:
        world.call(Networks.delete, network)
    assert refused(in_use) == (400, "resphere.network.uplink")


def test_two_who_delete_the_last_port_groups_at_once_leave_no_switch(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        one = make(world)
        switch = world.call(Networks.get, one).distributed_switch
        two = make(world, "Two", switch)

        async def both() -> None:
            await asyncio.gather(world.begin(Networks.delete, one), world.begin(Networks.delete, two))

        world.run(both())
        assert not world.inventory.by(Network, "distributed_switch", switch or "")


def test_who_makes_a_port_group_while_the_last_is_deleted_has_uplinks(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        folder = first(world, Datacenter).network_folder
        for number in range(10):
            one = make(world, f"Last {number}")
            switch = world.call(Networks.get, one).distributed_switch
            spec = Networks.CreateSpec(name=f"Next {number}", folder=folder, distributed_switch=switch)

            async def both(
                one: ids.NetworkId, spec: Networks.CreateSpec
            ) -> tuple[ids.NetworkId | BaseException, BaseException | None]:
                return await asyncio.gather(
                    world.begin(Networks.create, spec), world.begin(Networks.delete, one), return_exceptions=True
                )

            made, deleted = world.run(both(one, spec))
            assert deleted is None
            groups = world.inventory.by(Network, "distributed_switch", switch or "").values()
            if isinstance(made, BaseException):
                assert isinstance(made, InvalidArgument)
                assert not groups
            else:
                assert sorted(each.uplink for each in groups) == [False, True]
