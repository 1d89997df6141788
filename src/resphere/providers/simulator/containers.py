"""The objects that VMs stand in, one by one, each with what vCenter would give it: `Builder` and its parts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.contract.generated.vcenter import Host as ApiHost
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.contract.generated.vcenter import ResourcePool as ApiResourcePool
from resphere.inventory.model import (
    Datacenter,
    Datastore,
    Folder,
    Host,
    HostHardware,
    ManagedObject,
    Network,
    PhysicalNic,
    ResourcePool,
)
from resphere.inventory.uplinks import new_uplink, uplink_name, without_uplink
from resphere.inventory.volumes import datastore_url
from resphere.providers.simulator.addresses import management_ip, physical_mac
from resphere.providers.simulator.catalog import (
    BASE_TIME,
    HOST_MEMORY_GIB,
    HostModel,
)
from resphere.providers.simulator.draws import Draws, Numbers

Allocation = ApiResourcePool.ResourceAllocationInfo
Shares = ApiResourcePool.SharesInfo
Level = ApiResourcePool.SharesInfo.Level


def pool_allocation(level: Level = Level.NORMAL, reservation: int = 0, limit: int = -1) -> Allocation:
    """Expandable; `reservation` and `limit` in MHz or MiB, -1 for no limit."""
    return Allocation(reservation=reservation, expandable_reservation=True, limit=limit, shares=Shares(level=level))


class Builder:
    """Builds the objects of a topology one after the other; each takes the next number."""

    def __init__(self, numbers: Numbers, draws: Draws) -> None:
        self.numbers = numbers
        self.draws = draws
        self.objects: list[ManagedObject] = []
        self.hosts = 0
        self._physical_nics = 0

    def folder(self, letter: str, name: str, parent: str | None, type: ApiFolder.Type) -> ids.FolderId:
        """A folder; `letter` is that of its id (`group-v3`)."""
        folder = ids.FolderId(f"group-{letter}{self.numbers.take()}")
        self.objects.append(Folder(id=folder, name=name, parent=parent, type=type))
        return folder

    def datacenter(self, name: str, parent: str) -> Datacenter:
        """A datacenter with its four folders."""
        datacenter = f"datacenter-{self.numbers.take()}"
        at = len(self.objects)
        vm_folder = self.folder("v", "vm", datacenter, ApiFolder.Type.VIRTUAL_MACHINE)
        host_folder = self.folder("h", "host", datacenter, ApiFolder.Type.HOST)
        datastore_folder = self.folder("s", "datastore", datacenter, ApiFolder.Type.DATASTORE)
        network_folder = self.folder("n", "network", datacenter, ApiFolder.Type.NETWORK)
        built = Datacenter(
            id=datacenter,
            name=name,
            parent=parent,
            datastore_folder=datastore_folder,
            host_folder=host_folder,
            network_folder=network_folder,
            vm_folder=vm_folder,
        )
        self.objects.insert(at, built)
        return built

    def pool(self, name: str, parent: str, owner: str, cpu: Allocation, memory: Allocation) -> ids.ResourcePoolId:
        """A resource pool."""
        pool = ids.ResourcePoolId(f"resgroup-{self.numbers.take()}")
        self.objects.append(
            ResourcePool(id=pool, name=name, parent=parent, owner=owner, cpu_allocation=cpu, memory_allocation=memory)
        )
        return pool

    def root_pool(self, owner: str) -> ids.ResourcePoolId:
        """The root pool of a cluster or standalone host; vCenter calls each of them Resources."""
        return self.pool("Resources", owner, owner, pool_allocation(), pool_allocation())

    def datastore(self, name: str, parent: str, type: ApiDatastore.Type, capacity: int, *, shared: bool) -> Datastore:
        """An empty datastore; `capacity` in bytes."""
        built = Datastore(
            id=f"datastore-{self.numbers.take()}",
            name=name,
            parent=parent,
            type=type,
            capacity=capacity,
            multiple_host_access=shared,
            url=datastore_url(type, self.draws.hex_digits()),
        )
        self.objects.append(built)
        return built

    def standard_network(self, name: str, parent: str) -> Network:
        """A port group of standard switches."""
        built = Network(
            id=f"network-{self.numbers.take()}",
            name=name,
            parent=parent,
            type=ApiNetwork.Type.STANDARD_PORTGROUP,
        )
        self.objects.append(built)
        return built

    def distributed_network(self, name: str, parent: str, vlan: int, switch: str, switch_uuid: str) -> Network:
        """A port group of a distributed switch."""
        built = Network(
            id=f"dvportgroup-{self.numbers.take()}",
            name=name,
            parent=parent,
            type=ApiNetwork.Type.DISTRIBUTED_PORTGROUP,
            vlan=vlan,
            distributed_switch=switch,
            distributed_switch_uuid=switch_uuid,
        )
        self.objects.append(built)
        return built

    def host(
        self,
        name: str,
        parent: str,
        hardware: tuple[HostModel, tuple[str, str]],
        datastores: Iterable[Datastore],
        networks: Iterable[Network],
        *,
        standalone: bool = False,
    ) -> Host:
        """A host that runs, of a model and a release of ESXi; a standalone host gets a root pool."""
        model, (version, build) = hardware
        self.hosts += 1
        identifier = f"host-{self.numbers.take()}"
        at = len(self.objects)
        built = Host(
            id=identifier,
            name=name,
            parent=parent,
            connection_state=ApiHost.ConnectionState.CONNECTED,
            power_state=ApiHost.PowerState.POWERED_ON,
            hardware=host_hardware(model, self.draws),
            version=version,
            build=build,
            host_uuid=self.draws.uuid(),
            boot_time=BASE_TIME - timedelta(seconds=86_400 + self.draws.number(23)),
            management_ip=management_ip(self.hosts),
            physical_nics=self.physical_nics(model),
            datastores=tuple(ids.DatastoreId(store.id) for store in datastores),
            networks=tuple(ids.NetworkId(network.id) for network in networks),
            resource_pool=self.root_pool(identifier) if standalone else None,
        )
        self.objects.insert(at, built)
        return built

    def physical_nics(self, model: HostModel) -> tuple[PhysicalNic, ...]:
        """Four cards, the last of them without a link."""
        self._physical_nics += 4
        return tuple(
            PhysicalNic(
                device=f"vmnic{index}",
                mac_address=physical_mac(model.nic_vendor, self._physical_nics + index),
                link_speed_Mbps=model.nic_speed_Mbps if index < 3 else None,
            )
            for index in range(4)
        )


def build_uplinks(objects: Iterable[ManagedObject], numbers: Numbers) -> list[Network]:
    """The uplink port groups that distributed switches among the objects lack."""
    networks = [built for built in objects if isinstance(built, Network)]
    return [
        new_uplink(f"dvportgroup-{numbers.take()}", uplink_name(beside.distributed_switch or ""), beside)
        for beside in without_uplink(networks)
    ]


def host_hardware(model: HostModel, draws: Draws, memory_GiB: int = HOST_MEMORY_GIB[0]) -> HostHardware:
    """Two processors of the model and a serial number of its own."""
    return HostHardware(
        vendor=model.vendor,
        model=model.model,
        serial_number=model.serial.format(draws.number(16)),
        cpu_model=model.cpu_model,
        cpu_packages=2,
        cpu_cores=2 * model.cores,
        cpu_threads=4 * model.cores,
        cpu_frequency_MHz=model.cpu_frequency_MHz,
        memory_size_MiB=memory_GiB << 10,
    )
