"""Clusters, hosts and resource pools: where each is, and where machines run."""

from __future__ import annotations

from collections import Counter, defaultdict

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Host as ApiHost
from resphere.importing.building.identities import Identities, draws
from resphere.importing.building.tree import Tree
from resphere.importing.report import Place, Report
from resphere.importing.rows import ClusterRow, HostRow, MachineRow, PoolRow, Rows
from resphere.inventory.model import Cluster, Host, HostHardware, ManagedObject, ResourcePool
from resphere.providers.simulator.addresses import management_ip
from resphere.providers.simulator.catalog import BASE_TIME, ESXI_RELEASES, HOST_MODELS
from resphere.providers.simulator.containers import host_hardware, pool_allocation

DATACENTER, HOST = "Datacenter", "esx-01"
"""The names of what must be there and is not told."""


class HostDraft:
    """A host to be: its row, where it is, and what it has mounted and connected."""

    __slots__ = ("cluster", "datacenter", "datastores", "id", "name", "networks", "pool", "row")

    def __init__(self, name: str, id: str, datacenter: str, cluster: str, row: HostRow | None) -> None:
        self.name = name
        self.id = id
        self.datacenter = datacenter
        self.cluster = cluster
        self.row = row
        self.pool: str | None = None
        self.datastores: dict[str, None] = {}
        self.networks: dict[str, None] = {}

    @property
    def owner(self) -> tuple[str, str, str]:
        """What has the root pool: datacenter, cluster and host, of which one of the last is empty."""
        return (self.datacenter, self.cluster, "" if self.cluster else self.name)


class Compute:
    """Makes clusters, hosts and pools of their rows, and of what machines name."""

    def __init__(self, rows: Rows, tree: Tree, identities: Identities, report: Report) -> None:
        self._rows = rows
        self._tree = tree
        self._identities = identities
        self._report = report
        self.hosts: dict[str, HostDraft] = {}
        self._clusters: dict[tuple[str, str], tuple[str, ClusterRow | None]] = {}
        self._pools: dict[tuple[tuple[str, str, str], tuple[str, ...]], ResourcePool] = {}
        self._pool_rows: dict[tuple[str, str, tuple[str, ...]], PoolRow] = {}
        self._turns: Counter[tuple[str, str]] = Counter()
        self._of_place: defaultdict[tuple[str, str], list[HostDraft]] = defaultdict(list)
        self.default_datacenter = self._default_datacenter()
        for pool in rows.pools:
            self._pool_rows.setdefault((pool.datacenter, pool.owner, pool.path), pool)
        self._take_clusters()
        for host in rows.hosts:
            self._host(host.name, host.datacenter or self.default_datacenter, host.cluster, host)
        for pool in rows.pools:
            self._take_pool(pool)

    def _default_datacenter(self) -> str:
        named = (*self._rows.datacenters, *self._rows.clusters, *self._rows.hosts, *self._rows.machines)
        for row in named:
            name = row.name if row in self._rows.datacenters else getattr(row, "datacenter", "")
            if name:
                return str(name)
        self._report.guessed("no datacenter is named: it is called Datacenter")
        return DATACENTER

    def _take_clusters(self) -> None:
        """Those with rows; whose rows do not say in which datacenter they are, where hosts or machines say it."""
        places: defaultdict[str, dict[str, None]] = defaultdict(dict)
        named = [(row.cluster, row.datacenter) for row in self._rows.hosts]
        for cluster, datacenter in (*named, *((row.cluster, row.datacenter) for row in self._rows.machines)):
            places[cluster][datacenter or self.default_datacenter] = None
        for row in self._rows.clusters:
            found = [name for name in places[row.name] if (name, row.name) not in self._clusters]
            datacenter = row.datacenter or next(iter(found), "")
            if not datacenter:
                self._report.guessed("clusters that nothing tells the datacenter of are in the first", row.place)
                datacenter = self.default_datacenter
            elif len(found) > 1 and not row.datacenter:
                self._report.guessed("clusters of one name in several datacenters are taken in their order", row.place)
            if (datacenter, row.name) in self._clusters:
                self._report.contradiction(
                    row.place, f"the cluster {row.name} is there already", "further rows of a cluster are left out"
                )
                continue
            self._cluster(datacenter, row.name, row)

    def _cluster(self, datacenter: str, name: str, row: ClusterRow | None = None) -> str:
        key = (datacenter, name)
        if key not in self._clusters:
            id = self._identities.id("domain-c", row.id if row is not None else None, row.place if row else None)
            self._clusters[key] = (id, row)
            self._tree.datacenter(datacenter)
        return self._clusters[key][0]

    def _host(self, name: str, datacenter: str, cluster: str, row: HostRow | None = None) -> HostDraft:
        id = self._identities.id("host-", row.id if row is not None else None, row.place if row is not None else None)
        made = self.hosts[name] = HostDraft(name, id, datacenter, cluster, row)
        self._tree.datacenter(datacenter)
        if cluster:
            self._cluster(datacenter, cluster)
        self._of_place[datacenter, cluster].append(made)
        self._of_place[datacenter, ""].append(made)
        self.root_pool(made)
        return made

    def host_of(self, machine: MachineRow) -> HostDraft:
        """The host that a machine is on; one of its cluster or datacenter where none is named."""
        if not machine.host:
            return self._host_in_turn(machine)
        found = self.hosts.get(machine.host)
        if found is None:
            if self._rows.hosts_sheet is not None:
                self._report.contradiction(
                    machine.place.at("Host"),
                    f"the host {machine.host} is not in {self._rows.hosts_sheet}",
                    "hosts that have no rows are made with defaults",
                )
            else:
                self._report.guessed(
                    "hosts have default hardware, as the sheet vHost is missing", machine.place.at("Host")
                )
            return self._host(machine.host, machine.datacenter or self.default_datacenter, machine.cluster)
        for column, said, true in (
            ("Datacenter", machine.datacenter, found.datacenter),
            ("Cluster", machine.cluster, found.cluster),
        ):
            if said and said != true:
                self._report.contradiction(
                    machine.place.at(column),
                    f"is {said}, and the host {found.name} is in {true or 'no cluster'}",
                    f"machines are in the {column.lower()} of their hosts",
                )
        return found

    def _host_in_turn(self, machine: MachineRow) -> HostDraft:
        self._report.guessed("machines without a host are put on one of their cluster", machine.place.at("Host"))
        datacenter = machine.datacenter or self.default_datacenter
        hosts = self._of_place[datacenter, machine.cluster]
        if not hosts:
            name = HOST if HOST not in self.hosts else f"{HOST}-{len(self.hosts) + 1}"
            return self._host(name, datacenter, machine.cluster)
        turn = self._turns[datacenter, machine.cluster]
        self._turns[datacenter, machine.cluster] += 1
        return hosts[turn % len(hosts)]

    def root_pool(self, host: HostDraft) -> ResourcePool:
        """The root pool of the host's cluster, or its own."""
        return self._root(host.owner)

    def _root(self, owner: tuple[str, str, str]) -> ResourcePool:
        datacenter, cluster, host = owner
        holder = self._cluster(datacenter, cluster) if cluster else self.hosts[host].id
        return self._made(owner, (), holder, holder)

    def pool(self, host: HostDraft, path: tuple[str, ...]) -> ResourcePool:
        """The pool of a path below the root pool of a host's cluster."""
        pool = self.root_pool(host)
        for depth in range(len(path)):
            pool = self._made(host.owner, path[: depth + 1], pool.id, pool.owner)
        return pool

    def _made(self, owner: tuple[str, str, str], path: tuple[str, ...], parent: str, holder: str) -> ResourcePool:
        key = (owner, path)
        if key not in self._pools:
            datacenter, cluster, host = owner
            row = self._pool_rows.get((datacenter, cluster or host, path))
            row = row or self._pool_rows.get(("", cluster or host, path))
            if row is None and path and self._rows.pools:
                self._report.guessed("resource pools without rows have no reservations and limits")
            self._pools[key] = ResourcePool(
                id=self._identities.id("resgroup-", row.id if row is not None else None, row.place if row else None),
                name=path[-1] if path else "Resources",
                parent=parent,
                owner=holder,
                cpu_allocation=(row.cpu if row is not None else None) or pool_allocation(),
                memory_allocation=(row.memory if row is not None else None) or pool_allocation(),
            )
        return self._pools[key]

    def _take_pool(self, row: PoolRow) -> None:
        owners = [
            host
            for host in self.hosts.values()
            if row.owner == (host.cluster or host.name) and row.datacenter in ("", host.datacenter)
        ]
        if owners:
            self.pool(owners[0], row.path)
        elif (row.datacenter, row.owner) in self._clusters:
            pool = self._root((row.datacenter, row.owner, ""))
            for depth in range(len(row.path)):
                pool = self._made((row.datacenter, row.owner, ""), row.path[: depth + 1], pool.id, pool.owner)
        else:
            self._report.contradiction(
                row.place,
                f"there is no cluster or host {row.owner} that the resource pool is in",
                "resource pools of clusters that are not there are left out",
            )

    def objects(self, vsan: frozenset[str]) -> list[tuple[ManagedObject, Place | None]]:
        """All of them, with their places; ``vsan`` are the ids of hosts that have mounted a vSAN datastore."""
        made: list[tuple[ManagedObject, Place | None]] = []
        for (datacenter, name), (id, row) in self._clusters.items():
            hosts = self._of_place[datacenter, name]
            modes = {host.row.evc_mode.key: host.row.evc_mode for host in hosts if host.row and host.row.evc_mode}
            on_vsan = any(host.id in vsan for host in hosts)
            cluster = Cluster(
                id=id,
                name=name,
                parent=self._tree.datacenter(datacenter).host_folder,
                resource_pool=ids.ResourcePoolId(self._root((datacenter, name, "")).id),
                ha_enabled=row is not None and row.ha_enabled,
                drs_enabled=row is not None and row.drs_enabled,
                vsan_enabled=on_vsan if row is None or row.vsan_enabled is None else row.vsan_enabled,
                evc_mode=next(iter(modes.values())) if len(modes) == 1 else None,
            )
            made.append((cluster, row.place if row is not None else None))
        for number, draft in enumerate(self.hosts.values()):
            made.append((self._built(draft, number + 1), draft.row.place if draft.row is not None else None))
        rows = {row.id: row.place for row in self._pool_rows.values()}
        made += [(pool, rows.get(pool.id)) for pool in self._pools.values()]
        return made

    def _built(self, draft: HostDraft, number: int) -> Host:
        row = draft.row or HostRow(place=Place(""), name=draft.name)
        seed = f"host {draft.name}"
        version, build = ESXI_RELEASES[-1]
        if draft.row is not None and row.version is None:
            self._report.guessed("releases of ESXi that are not told", row.place.at("ESX Version"))
        standalone = not draft.cluster
        return Host(
            id=draft.id,
            name=draft.name,
            parent=self._tree.datacenter(draft.datacenter).host_folder
            if standalone
            else self._cluster(draft.datacenter, draft.cluster),
            connection_state=row.connection_state or ApiHost.ConnectionState.CONNECTED,
            power_state=row.power_state or ApiHost.PowerState.POWERED_ON,
            in_maintenance_mode=row.in_maintenance_mode,
            hardware=_hardware(row, seed),
            version=row.version or version,
            build=(row.build or "0") if row.version else build,
            host_uuid=self._identities.uuid(row.uuid, seed, row.place.at("UUID")),
            boot_time=row.boot_time or BASE_TIME,
            management_ip=row.management_ip or management_ip(number),
            physical_nics=row.physical_nics,
            datastores=tuple(map(ids.DatastoreId, draft.datastores)),
            networks=tuple(map(ids.NetworkId, draft.networks)),
            resource_pool=ids.ResourcePoolId(self.root_pool(draft).id) if standalone else None,
        )


def _hardware(row: HostRow, seed: str) -> HostHardware:
    """What the row says; the rest is that of a server on the market."""
    default = host_hardware(HOST_MODELS[0], draws(seed))
    given = {
        name: value for name in HostHardware.__struct_fields__ if (value := getattr(row, name)) not in (None, "", 0)
    }
    if "cpu_cores" in given and "cpu_threads" not in given:
        given["cpu_threads"] = given["cpu_cores"]
    if "cpu_packages" in given and "cpu_cores" not in given:
        given["cpu_cores"] = given["cpu_packages"] * default.cpu_cores // default.cpu_packages
    return msgspec.structs.replace(default, **given)
