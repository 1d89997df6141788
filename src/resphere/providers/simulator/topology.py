"""Everything of an inventory but its VMs: datacenters, folders, clusters, hosts, pools, datastores, networks."""

from __future__ import annotations

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    Host,
    ManagedObject,
    Network,
)
from resphere.inventory.volumes import distributed_switch_uuid
from resphere.providers.simulator.catalog import (
    ENVIRONMENTS,
    ESXI_RELEASES,
    HOST_MEMORY_GIB,
    HOST_MODELS,
    ROLE_FOLDERS,
    TEMPLATES_FOLDER,
    TIB,
    HostModel,
)
from resphere.providers.simulator.containers import Builder, Level, pool_allocation
from resphere.providers.simulator.draws import Draws, Numbers
from resphere.providers.simulator.sizes import Sizes, spread

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
    if not sizes.datacenters:
        return []
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
    switch_uuid = distributed_switch_uuid(builder.draws.hex_digits())
    for index in range(max(_FEWEST_PORT_GROUPS, -(-vms // _VMS_A_PORT_GROUP))):
        vlan = port_group_vlan(index)
        networks.append(builder.distributed_network(f"DPG-VLAN-{vlan}", network_folder, vlan, switch, switch_uuid))
    return tuple(networks)


def port_group_vlan(index: int) -> int:
    """110, 120 ... 4090, then 111, 121 ...: a VLAN of its own for each of the first 1,995 port groups of a switch."""
    turn, place = divmod(index, 399)
    return 110 + 10 * place + turn


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
