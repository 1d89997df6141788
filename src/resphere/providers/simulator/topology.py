"""Everything of an inventory but its VMs: datacenters, folders, clusters, hosts, pools, datastores, networks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.contract.generated.vcenter import Host as ApiHost
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.contract.generated.vcenter import ResourcePool as ApiResourcePool
from resphere.inventory.model import (
    Cluster,
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
from resphere.providers.simulator.addresses import management_ip, physical_mac
from resphere.providers.simulator.catalog import (
    BASE_TIME,
    ENVIRONMENTS,
    ESXI_RELEASES,
    HOST_MEMORY_GIB,
    HOST_MODELS,
    ROLE_FOLDERS,
    TEMPLATES_FOLDER,
    TIB,
    HostModel,
)
from resphere.providers.simulator.draws import Draws, Numbers
from resphere.providers.simulator.sizes import Sizes, spread

Allocation = ApiResourcePool.ResourceAllocationInfo
Shares = ApiResourcePool.SharesInfo
Level = ApiResourcePool.SharesInfo.Level

_VMS_A_DATASTORE = 60
_VMS_A_PORT_GROUP = 400
_FEWEST_PORT_GROUPS = 4
_FEWEST_DATASTORES = 2


class Site(msgspec.Struct, frozen=True):
    """Where VMs of one host may stand.

    ``resource_pools`` are the pools of the environments by name, ``datastores`` (id, name) those for VMs,
    ``folders`` by (environment, role's folder) and ``(TEMPLATES_FOLDER, "")``, ``iso_datastore`` a name.
    """

    host: ids.HostSystemId
    resource_pools: dict[str, ids.ResourcePoolId]
    datastores: tuple[tuple[ids.DatastoreId, str], ...]
    networks: tuple[Network, ...]
    folders: dict[tuple[str, str], ids.FolderId]
    iso_datastore: str
    domain: str


class Topology(msgspec.Struct, frozen=True):
    """The objects, by rising number, and a site for each host, in the same order as the hosts."""

    objects: tuple[ManagedObject, ...]
    sites: tuple[Site, ...]


class _Compute(msgspec.Struct):
    """A cluster or, unnamed, one standalone host, before it is built; hosts are numbered in the datacenter."""

    name: str
    hosts: int
    vms: int
    model: HostModel = HOST_MODELS[0]
    release: tuple[str, str] = ESXI_RELEASES[0]
    first_host: int = 1
    first_datastore: int = 1

    @property
    def datastores(self) -> int:
        """VMFS datastores for its VMs, if it is a cluster."""
        return max(_FEWEST_DATASTORES, -(-self.vms // _VMS_A_DATASTORE)) if self.name else 0


class _Datacenter(msgspec.Struct, frozen=True):
    """What the parts of one datacenter share."""

    name: str
    folders: Datacenter
    vm_folders: dict[tuple[str, str], ids.FolderId]
    iso: Datastore
    networks: tuple[Network, ...]

    @property
    def domain(self) -> str:
        return f"{self.name.lower()}.example.com"


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
            free_space=capacity,
            multiple_host_access=shared,
            url=datastore_url(type, self.draws),
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


def datastore_url(type: ApiDatastore.Type, draws: Draws) -> str:
    """`ds:///vmfs/volumes/<volume>/`, the volume named as each type names it."""
    uuid = draws.uuid().replace("-", "")
    if type is ApiDatastore.Type.VSAN:
        return f"ds:///vmfs/volumes/vsan:{uuid[:16]}-{uuid[16:]}/"
    if type in (ApiDatastore.Type.NFS, ApiDatastore.Type.NFS41):
        return f"ds:///vmfs/volumes/{uuid[:8]}-{uuid[8:16]}/"
    return f"ds:///vmfs/volumes/{uuid[:8]}-{uuid[8:16]}-{uuid[16:20]}-{uuid[20:]}/"


def build_topology(sizes: Sizes, numbers: Numbers, draws: Draws) -> Topology:
    """All objects but VMs, evenly spread over the datacenters, with room for `sizes.vms` VMs."""
    builder = Builder(numbers, draws)
    root = builder.folder("d", "Datacenters", None, ApiFolder.Type.DATACENTER)
    sites: list[Site] = []
    for index, parts in enumerate(_compute(sizes)):
        sites += _datacenter(builder, f"DC{index + 1:02d}", root, parts)
    return Topology(tuple(builder.objects), tuple(sites))


def _compute(sizes: Sizes) -> list[list[_Compute]]:
    """Clusters and standalone hosts of each datacenter, each with how many VMs it may have to hold."""
    clusters = spread(sizes.clusters, sizes.datacenters)
    # Standalone hosts begin with the last datacenter, where the fewest clusters are.
    standalone = spread(sizes.standalone_hosts, sizes.datacenters)[::-1]
    cluster_hosts = iter(spread(sizes.hosts - sizes.standalone_hosts, sizes.clusters or 1))
    vms_a_host = -(-sizes.vms // (sizes.hosts or 1))
    datacenters: list[list[_Compute]] = []
    for index in range(sizes.datacenters):
        parts = []
        for number in range(clusters[index]):
            hosts = next(cluster_hosts)
            parts.append(_Compute(f"DC{index + 1:02d}-Cluster{number + 1:02d}", hosts, hosts * vms_a_host))
        parts += [_Compute("", 1, vms_a_host) for _ in range(standalone[index])]
        datacenters.append(parts)
    return datacenters


def _datacenter(builder: Builder, name: str, root: str, parts: list[_Compute]) -> list[Site]:
    folders = builder.datacenter(name, root)
    shared = _Datacenter(
        name,
        folders,
        _vm_folders(builder, folders.vm_folder),
        builder.datastore(f"{name}-NFS-ISO", folders.datastore_folder, ApiDatastore.Type.NFS, 2 * TIB, shared=True),
        _networks(builder, folders.network_folder, sum(part.vms for part in parts)),
    )
    sites: list[Site] = []
    first_host = first_datastore = 1
    for index, part in enumerate(parts):
        part.model = builder.draws.pick(HOST_MODELS)
        part.release = builder.draws.pick(ESXI_RELEASES)
        part.first_host, part.first_datastore = first_host, first_datastore
        if part.name:
            sites += _cluster(builder, shared, part, vsan=index % 2 == 1 and part.hosts > 1)
        else:
            sites.append(_standalone(builder, shared, part))
        first_host += part.hosts
        first_datastore += part.datastores
    return sites


def _vm_folders(builder: Builder, vm_folder: str) -> dict[tuple[str, str], ids.FolderId]:
    type = ApiFolder.Type.VIRTUAL_MACHINE
    folders = {(TEMPLATES_FOLDER, ""): builder.folder("v", TEMPLATES_FOLDER, vm_folder, type)}
    builder.folder("v", "Discovered virtual machine", vm_folder, type)
    for environment in ENVIRONMENTS:
        parent = folders[environment, ""] = builder.folder("v", environment, vm_folder, type)
        for name in ROLE_FOLDERS:
            folders[environment, name] = builder.folder("v", name, parent, type)
    return folders


def _networks(builder: Builder, network_folder: str, vms: int) -> tuple[Network, ...]:
    networks = [builder.standard_network("VM Network", network_folder)]
    switch = f"dvs-{builder.numbers.take()}"
    switch_uuid = distributed_switch_uuid(builder.draws)
    for index in range(max(_FEWEST_PORT_GROUPS, -(-vms // _VMS_A_PORT_GROUP))):
        vlan = port_group_vlan(index)
        networks.append(builder.distributed_network(f"DPG-VLAN-{vlan}", network_folder, vlan, switch, switch_uuid))
    return tuple(networks)


def port_group_vlan(index: int) -> int:
    """110, 120 ... 4090, then 111, 121 ...: a VLAN of its own for each of the first 1,995 port groups of a switch."""
    turn, place = divmod(index, 399)
    return 110 + 10 * place + turn


def distributed_switch_uuid(draws: Draws) -> str:
    """`50 2b ... 9f-1c d4 ...`: sixteen bytes in pairs, as vCenter writes the UUID of a distributed switch."""
    text = draws.uuid().replace("-", "")
    pairs = [text[at : at + 2] for at in range(0, 32, 2)]
    return " ".join(pairs[:8]) + "-" + " ".join(pairs[8:])


def _cluster(builder: Builder, datacenter: _Datacenter, part: _Compute, *, vsan: bool) -> list[Site]:
    cluster = f"domain-c{builder.numbers.take()}"
    at = len(builder.objects)
    root_pool = builder.root_pool(cluster)
    built = Cluster(
        id=cluster,
        name=part.name,
        parent=datacenter.folders.host_folder,
        resource_pool=root_pool,
        ha_enabled=part.hosts > 1,
        drs_enabled=part.hosts > 1,
        vsan_enabled=vsan,
    )
    builder.objects.insert(at, built)
    pools = _environment_pools(builder, root_pool, cluster, part)
    stores = _cluster_datastores(builder, datacenter, part, vsan=vsan)
    sites = []
    for number in range(part.first_host, part.first_host + part.hosts):
        # The disks of hosts with vSAN belong to it.
        own = () if vsan else (_local_datastore(builder, datacenter, number),)
        host = builder.host(
            f"esx-{number:02d}.{datacenter.domain}",
            cluster,
            (part.model, part.release),
            (*stores, datacenter.iso, *own),
            datacenter.networks,
        )
        sites.append(_site(host, pools, stores, datacenter))
    return sites


def _standalone(builder: Builder, datacenter: _Datacenter, part: _Compute) -> Site:
    local = _local_datastore(builder, datacenter, part.first_host)
    host = builder.host(
        f"esx-{part.first_host:02d}.{datacenter.domain}",
        datacenter.folders.host_folder,
        (part.model, part.release),
        (local, datacenter.iso),
        datacenter.networks,
        standalone=True,
    )
    assert host.resource_pool is not None
    return _site(host, dict.fromkeys(ENVIRONMENTS, host.resource_pool), (local,), datacenter)


def _environment_pools(builder: Builder, root_pool: str, cluster: str, part: _Compute) -> dict[str, ids.ResourcePoolId]:
    """Production has high shares and a quarter of the processors reserved, Test low shares and half as a limit."""
    installed_MHz = part.hosts * 2 * part.model.cores * part.model.cpu_frequency_MHz
    installed_MiB = part.hosts * HOST_MEMORY_GIB[0] << 10
    production = builder.pool(
        "Production",
        root_pool,
        cluster,
        pool_allocation(Level.HIGH, installed_MHz // 4),
        pool_allocation(Level.HIGH, installed_MiB // 4),
    )
    test = builder.pool(
        "Test", root_pool, cluster, pool_allocation(Level.LOW, limit=installed_MHz // 2), pool_allocation(Level.LOW)
    )
    return {"Production": production, "Test": test}


def _cluster_datastores(
    builder: Builder, datacenter: _Datacenter, part: _Compute, *, vsan: bool
) -> tuple[Datastore, ...]:
    folder = datacenter.folders.datastore_folder
    if vsan:
        name = f"vsanDatastore-{part.name}"
        return (builder.datastore(name, folder, ApiDatastore.Type.VSAN, part.hosts * 8 * TIB, shared=True),)
    return tuple(
        builder.datastore(f"{datacenter.name}-VMFS-{number:02d}", folder, ApiDatastore.Type.VMFS, 4 * TIB, shared=True)
        for number in range(part.first_datastore, part.first_datastore + part.datastores)
    )


def _local_datastore(builder: Builder, datacenter: _Datacenter, number: int) -> Datastore:
    folder = datacenter.folders.datastore_folder
    return builder.datastore(f"esx-{number:02d}-local", folder, ApiDatastore.Type.VMFS, 1 * TIB, shared=False)


def _site(
    host: Host, pools: dict[str, ids.ResourcePoolId], stores: tuple[Datastore, ...], datacenter: _Datacenter
) -> Site:
    return Site(
        host=ids.HostSystemId(host.id),
        resource_pools=pools,
        datastores=tuple((ids.DatastoreId(store.id), store.name) for store in stores),
        networks=datacenter.networks,
        folders=datacenter.vm_folders,
        iso_datastore=datacenter.iso.name,
        domain=datacenter.domain,
    )
