"""A standard network is a port group of hosts: it goes with the last host that has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.contract.extensions.clusters import Clusters
from resphere.contract.extensions.networks import Networks
from resphere.contract.generated import ids, vcenter
from resphere.contract.model import Secret
from resphere.inventory.model import Cluster, Datacenter, Host, Network
from tests.services.vcenter.building import first
from tests.support.racing import check, race, two_worlds
from tests.support.world import World

STANDARD = vcenter.Network.Type.STANDARD_PORTGROUP


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[World, World]]:
    """Two workers; in a datacenter of its own stand the hosts of :func:`add_host`."""
    with two_worlds(tmp_path) as both:
        both[0].call(
            vcenter.Datacenter.create, vcenter.Datacenter.CreateSpec(name="apart", folder=ids.FolderId("group-d1"))
        )
        both[1].refresh()
        yield both


def apart(world: World) -> Datacenter:
    return next(found for found in world.inventory.all(Datacenter).values() if found.name == "apart")


def add_host(world: World, name: str) -> Any:
    spec = vcenter.Host.CreateSpec(
        hostname=name,
        user_name="root",
        password=Secret("VMware1!"),
        thumbprint_verification=vcenter.Host.CreateSpec.ThumbprintVerification.NONE,
        folder=apart(world).host_folder,
    )
    return world.begin(vcenter.Host.create, spec)


def idle_host(world: World, name: str) -> ids.HostSystemId:
    """A host that may be removed."""
    host: ids.HostSystemId = world.run(add_host(world, name))
    world.call(vcenter.Host.disconnect, host)
    return host


def remove(world: World, host: ids.HostSystemId) -> Any:
    return world.begin(vcenter.Host.delete, host)


def networks(world: World) -> list[Network]:
    return list(world.inventory.by(Network, "parent", apart(world).network_folder).values())


def test_it_goes_with_its_last_host(worlds: tuple[World, World]) -> None:
    world = worlds[0]
    one, other = idle_host(world, "one"), idle_host(world, "other")
    assert [network.name for network in networks(world)] == ["VM Network"]
    world.run(remove(world, one))
    assert [network.name for network in networks(world)] == ["VM Network"]
    world.run(remove(world, other))
    assert networks(world) == []


def test_it_goes_where_its_last_host_is_disconnected(worlds: tuple[World, World]) -> None:
    world = worlds[0]
    host = world.run(add_host(world, "one"))
    [network] = networks(world)
    world.call(Networks.disconnect, ids.NetworkId(network.id), Networks.HostsSpec(hosts=frozenset([host])))
    assert networks(world) == []


def test_a_distributed_port_group_stays(worlds: tuple[World, World]) -> None:
    world = worlds[0]
    host = world.run(add_host(world, "one"))
    spec = Networks.CreateSpec(name="far", folder=apart(world).network_folder, hosts=frozenset([host]))
    far = world.call(Networks.create, spec)
    world.call(Networks.disconnect, far, Networks.HostsSpec(hosts=frozenset([host])))
    assert far in world.inventory.all(Network)


def test_a_cluster_takes_the_networks_of_its_hosts_along(worlds: tuple[World, World]) -> None:
    world = worlds[0]
    cluster = first(world, Cluster)
    for host in world.inventory.by(Host, "parent", cluster.id):
        world.call(vcenter.Host.disconnect, ids.HostSystemId(host))
    others = {id for host in world.inventory.all(Host).values() if host.parent != cluster.id for id in host.networks}
    world.call(Clusters.delete, ids.ClusterComputeResourceId(cluster.id))
    left = {network.id for network in world.inventory.all(Network).values() if network.type is STANDARD}
    assert left == {id for id in others if world.inventory.all(Network)[ids.NetworkId(id)].type is STANDARD}


def test_two_hosts_leave_it_at_once(worlds: tuple[World, World]) -> None:
    one, other = idle_host(worlds[0], "one"), idle_host(worlds[0], "other")
    worlds[1].refresh()
    check(worlds, race(*worlds, lambda world: remove(world, one), lambda world: remove(world, other)))
    assert networks(worlds[0]) == []


def test_a_host_comes_while_the_last_one_leaves(worlds: tuple[World, World]) -> None:
    one = idle_host(worlds[0], "one")
    worlds[1].refresh()
    check(worlds, race(*worlds, lambda world: remove(world, one), lambda world: add_host(world, "other")))
    assert [network.name for network in networks(worlds[0])] == ["VM Network"]


def test_the_last_one_leaves_while_a_host_comes(worlds: tuple[World, World]) -> None:
    one = idle_host(worlds[0], "one")
    worlds[1].refresh()
    check(worlds, race(*worlds, lambda world: add_host(world, "other"), lambda world: remove(world, one)))
    assert [network.name for network in networks(worlds[0])] == ["VM Network"]


def test_a_host_is_connected_to_what_is_being_deleted(worlds: tuple[World, World]) -> None:
    host = worlds[0].run(add_host(worlds[0], "one"))
    network = worlds[0].call(Networks.create, Networks.CreateSpec(name="far", folder=apart(worlds[0]).network_folder))
    worlds[1].refresh()
    given = Networks.HostsSpec(hosts=frozenset([host]))
    outcomes = race(
        *worlds,
        lambda world: world.begin(Networks.delete, network),
        lambda world: world.begin(Networks.connect, network, given),
    )
    check(worlds, outcomes)
    assert network not in worlds[0].inventory.all(Host)[host].networks
