"""What a standalone host brings into the inventory: itself, a root pool, its own datastores, networks."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Host as ApiHost
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.contract.generated.vcenter import ResourcePool as ApiResourcePool
from resphere.inventory.facts import HostFacts
from resphere.inventory.model import Datacenter, Datastore, Folder, Host, Network, ResourcePool
from resphere.inventory.relations import children_of, datacenter_of
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

ROOT_POOL = "Resources"
"""What vCenter calls the root pool of each cluster and standalone host."""


def put_host(inventory: Replica, edit: Edit, folder: Folder, id: str, hostname: str, facts: HostFacts) -> None:
    """Put the host with the id ``id`` into ``folder``, where it stands alone."""
    datacenter = datacenter_of(inventory, folder)
    assert datacenter is not None  # folders for hosts stand in datacenters only
    stores = list(_datastores(inventory, edit, datacenter, facts))
    networks = [network for name in facts.networks if (network := _network(inventory, edit, datacenter, name))]
    pool = ids.ResourcePoolId(edit.new_id(ResourcePool.id_prefix))
    edit.put(
        Host(
            id=id,
            name=hostname,
            parent=folder.id,
            connection_state=ApiHost.ConnectionState.CONNECTED,
            power_state=ApiHost.PowerState.POWERED_ON,
            hardware=facts.hardware,
            version=facts.version,
            build=facts.build,
            host_uuid=facts.host_uuid,
            boot_time=facts.boot_time,
            management_ip=facts.management_ip or "",
            physical_nics=facts.physical_nics,
            datastores=tuple([ids.DatastoreId(store.id) for store in stores]),
            networks=tuple([ids.NetworkId(network.id) for network in networks]),
            resource_pool=pool,
        )
    )
    edit.put(
        ResourcePool(
            id=pool, name=ROOT_POOL, parent=id, owner=id, cpu_allocation=_unlimited(), memory_allocation=_unlimited()
        )
    )
    if facts.management_ip is not None:
        # No other host gets the address at the same time.
        edit.take(f"host-address/{facts.management_ip}", 1, 1)


def _unlimited() -> ApiResourcePool.ResourceAllocationInfo:
    shares = ApiResourcePool.SharesInfo(level=ApiResourcePool.SharesInfo.Level.NORMAL)
    return ApiResourcePool.ResourceAllocationInfo(reservation=0, expandable_reservation=True, limit=-1, shares=shares)


def _datastores(inventory: Replica, edit: Edit, datacenter: Datacenter, facts: HostFacts) -> Iterable[Datastore]:
    """``datastore1``, ``datastore1 (1)``..., as vCenter names what hosts bring along."""
    taken = {store.name for store in inventory.all(Datastore).values() if _is_in(inventory, store, datacenter)}
    taken.update(child.name for child in children_of(inventory, datacenter.datastore_folder))
    for each in facts.datastores:
        name, number = "datastore1", 0
        while name in taken:
            number += 1
            name = f"datastore1 ({number})"
        taken.add(name)
        store = Datastore(
            id=edit.new_id(Datastore.id_prefix),
            name=name,
            parent=datacenter.datastore_folder,
            type=each.type,
            capacity=each.capacity,
            multiple_host_access=False,
            url=each.url,
        )
        edit.put(store)
        yield store


def _network(inventory: Replica, edit: Edit, datacenter: Datacenter, name: str) -> Network | None:
    """The standard port group of the datacenter with that name, made where there is none; ``None`` where something
    else has the name."""
    for network in inventory.by(Network, "name", name).values():
        if network.type is ApiNetwork.Type.STANDARD_PORTGROUP and _is_in(inventory, network, datacenter):
            return network
    if any(child.name == name for child in children_of(inventory, datacenter.network_folder)):
        return None
    network = Network(
        id=edit.new_id(Network.id_prefix),
        name=name,
        parent=datacenter.network_folder,
        type=ApiNetwork.Type.STANDARD_PORTGROUP,
    )
    edit.put(network)
    return network


def _is_in(inventory: Replica, item: Datastore | Network, datacenter: Datacenter) -> bool:
    found = datacenter_of(inventory, item)
    return found is not None and found.id == datacenter.id
