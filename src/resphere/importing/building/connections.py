"""Datastores and networks: in which datacenter they are, and which hosts have them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.importing.building.compute import Compute, HostDraft
from resphere.importing.building.identities import Identities, draws
from resphere.importing.building.tree import Tree
from resphere.importing.report import Place, Report
from resphere.importing.rows import DatastoreRow, MachineRow, NetworkRow, NicRow, Rows
from resphere.inventory.model import Datastore, ManagedObject, Network
from resphere.inventory.tables import datastore_name
from resphere.inventory.volumes import datastore_url, distributed_switch_uuid
from resphere.providers.simulator.containers import build_uplinks
from resphere.providers.simulator.inventory_fill import DEFAULT_CAPACITY
from resphere.rules.space import disk_bytes

TIB = 1 << 40
Key = tuple[str, str]
"""A datacenter and a name in it."""


def spread(compute: Compute, datacenter: str, hosts: Iterable[str], used: dict[str, None]) -> dict[str, None]:
    """The datacenters in which something is: those of its hosts, of the machines that use it, else the one that is told
    or the first."""
    found = {compute.hosts[name].datacenter: None for name in hosts if name in compute.hosts}
    if datacenter:
        return {datacenter: None}
    return found or used or {compute.default_datacenter: None}


class Datastores:
    """Makes datastores of their rows, and of what files name."""

    def __init__(self, rows: Rows, compute: Compute, tree: Tree, identities: Identities, report: Report) -> None:
        self._rows = rows
        self._compute = compute
        self._tree = tree
        self._identities = identities
        self._report = report
        self._made: dict[Key, tuple[str, DatastoreRow | None]] = {}
        used: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for machine in rows.machines:
            host = compute.hosts.get(machine.host)
            if host is not None and machine.vmx_path:
                used[datastore_name(machine.vmx_path)][host.datacenter] = None
        for row in rows.datastores:
            self._take(row, used[row.name])

    def _take(self, row: DatastoreRow, used: dict[str, None]) -> None:
        datacenters = spread(self._compute, row.datacenter, row.hosts, used)
        free = [name for name in datacenters if (name, row.name) not in self._made]
        if not free:
            self._report.contradiction(
                row.place.at("Name"),
                f"the datastore {row.name} is there already",
                "further rows of a datastore are left out",
            )
        for index, datacenter in enumerate(free):
            if index:
                self._report.guessed("datastores of several datacenters are one for each", row.place)
            id = self._identities.id("datastore-", None if index else row.id, row.place)
            self._made[datacenter, row.name] = (id, row)
            self._tree.datacenter(datacenter)
        for name in row.hosts:
            host = self._compute.hosts.get(name)
            if host is None:
                self._report.left("mounts of hosts that are not there", row.place.at("Hosts"))
            elif (host.datacenter, row.name) in self._made:
                host.datastores[self._made[host.datacenter, row.name][0]] = None

    def mounted(self, host: HostDraft, name: str, place: Place) -> str:
        """The id of the datastore of that name, which the host has mounted from now on."""
        key = (host.datacenter, name)
        if key not in self._made:
            if self._rows.datastores_sheet is not None:
                self._report.contradiction(
                    place,
                    f"the datastore {name} is not in {self._rows.datastores_sheet}",
                    "datastores that have no rows are made with defaults",
                )
            else:
                self._report.guessed("datastores have default types, and capacities for what is on them", place)
            self._made[key] = (self._identities.id("datastore-"), None)
        id, row = self._made[key]
        if id not in host.datastores:
            if row is not None and row.hosts:
                self._report.guessed("hosts have mounted the datastores of their machines, which is not told", place)
            host.datastores[id] = None
        return id

    def any_of(self, host: HostDraft, place: Place) -> tuple[str, str]:
        """Id and name of a datastore that the host has mounted."""
        for (_, name), (id, _row) in self._made.items():
            if id in host.datastores:
                return id, name
        name = next((name for datacenter, name in self._made if datacenter == host.datacenter), "datastore1")
        return self.mounted(host, name, place), name

    def on_vsan(self) -> frozenset[str]:
        """The ids of hosts that have mounted a vSAN datastore."""
        vsan = {id for id, row in self._made.values() if row is not None and row.type is ApiDatastore.Type.VSAN}
        return frozenset(host.id for host in self._compute.hosts.values() if not vsan.isdisjoint(host.datastores))

    def objects(self, others: list[ManagedObject]) -> list[tuple[ManagedObject, Place | None]]:
        """All of them, with room for the disks of ``others``, and their places."""
        mounting: defaultdict[str, int] = defaultdict(int)
        for host in self._compute.hosts.values():
            for id in host.datastores:
                mounting[id] += 1
        empty = [(self._built(key, id, row, shared=mounting[id] > 1), row) for key, (id, row) in self._made.items()]
        used = disk_bytes([*others, *(store for store, _ in empty)])
        return [
            (self._with_room(store, row, used.get(store.id, 0)), row.place if row is not None else None)
            for store, row in empty
        ]

    def _built(self, key: Key, id: str, row: DatastoreRow | None, *, shared: bool) -> Datastore:
        datacenter, name = key
        type = (row.type if row is not None else None) or ApiDatastore.Type.VMFS
        url = row.url if row is not None else None
        return Datastore(
            id=id,
            name=name,
            parent=self._tree.datacenter(datacenter).datastore_folder,
            type=type,
            accessible=row.accessible if row is not None else True,
            capacity=0,
            multiple_host_access=row.shared if row is not None and row.shared is not None else shared,
            url=url or datastore_url(type, draws(f"datastore {datacenter} {name}").hex_digits()),
        )

    def _with_room(self, store: Datastore, row: DatastoreRow | None, disks: int) -> Datastore:
        capacity = row.capacity if row is not None else None
        if capacity is None:
            capacity = max(DEFAULT_CAPACITY, -(-disks * 4 // (3 * TIB)) * TIB)
        elif capacity < disks:
            assert row is not None
            self._report.guessed(
                "datastores are as large as the disks on them, which count in full, also where they are thin",
                row.place.at("Capacity MiB"),
            )
            capacity = disks
        told = row.used if row is not None and row.used is not None else 0
        # Of thin disks less is in use than they count here.
        other = min(max(told - disks, 0), capacity - disks)
        return Datastore(
            id=store.id,
            name=store.name,
            parent=store.parent,
            type=store.type,
            accessible=store.accessible,
            capacity=capacity,
            other_used=other,
            multiple_host_access=store.multiple_host_access,
            url=store.url,
        )


class Networks:
    """Makes port groups of their rows, and of what NICs name."""

    def __init__(self, rows: Rows, compute: Compute, tree: Tree, identities: Identities, report: Report) -> None:
        self._compute = compute
        self._tree = tree
        self._identities = identities
        self._report = report
        self._made: dict[Key, tuple[Network, Place | None]] = {}
        self._switches: dict[Key, tuple[str, str]] = {}
        used: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for machine in rows.machines:
            host = compute.hosts.get(machine.host)
            for nic in machine.nics or () if host is not None else ():
                used[nic.network][host.datacenter if host is not None else ""] = None
        for row in rows.networks:
            self._take(row, used[row.name])
        self._with_uplinks()

    def _take(self, row: NetworkRow, used: dict[str, None]) -> None:
        if not row.name:
            self._report.fault(row.place, "must have the name of a port group")
            return
        for index, datacenter in enumerate(spread(self._compute, row.datacenter, row.hosts, used)):
            if (datacenter, row.name) in self._made:
                self._report.guessed("port groups of one name in a datacenter are one network", row.place)
            else:
                self._make(datacenter, row, None if index else row.id)
            network = self._made[datacenter, row.name][0]
            hosts = row.hosts or tuple(self._compute.hosts) if row.distributed else row.hosts
            for name in hosts:
                host = self._compute.hosts.get(name)
                if host is None:
                    self._report.left("port groups of hosts that are not there", row.place)
                elif host.datacenter == datacenter and not network.uplink:
                    host.networks[network.id] = None

    def _make(self, datacenter: str, row: NetworkRow, id: str | None) -> Network:
        place = row.place if str(row.place) else None
        folder = self._tree.datacenter(datacenter).network_folder
        if row.distributed:
            switch, uuid = self._switch(datacenter, row)
            network = Network(
                id=self._identities.id("dvportgroup-", id, place),
                name=row.name,
                parent=folder,
                type=ApiNetwork.Type.DISTRIBUTED_PORTGROUP,
                vlan=row.vlan,
                distributed_switch=switch,
                distributed_switch_uuid=uuid,
                uplink=row.uplink,
            )
        else:
            network = Network(
                id=self._identities.id("network-", id, place),
                name=row.name,
                parent=folder,
                type=ApiNetwork.Type.STANDARD_PORTGROUP,
                vlan=row.vlan,
            )
        self._made[datacenter, row.name] = (network, place)
        return network

    def _switch(self, datacenter: str, row: NetworkRow) -> tuple[str, str]:
        key = (datacenter, row.switch)
        if key not in self._switches:
            uuid = row.switch_uuid or distributed_switch_uuid(draws(f"switch {datacenter} {row.switch}").hex_digits())
            self._switches[key] = (self._identities.id("dvs-", row.switch_id, row.place), uuid)
        return self._switches[key]

    def _with_uplinks(self) -> None:
        """Each distributed switch has an uplink port group."""
        for uplink in build_uplinks([network for network, _ in self._made.values()], self._identities.numbers):
            datacenter = next(key[0] for key, (network, _) in self._made.items() if network.parent == uplink.parent)
            self._made[datacenter, uplink.name] = (uplink, None)

    def connected(self, host: HostDraft, machine: MachineRow, nic: NicRow) -> Network:
        """The network of a NIC, to which the host is connected from now on."""
        name = nic.network
        if not name:
            self._report.guessed("NICs whose network is not told are on one of their hosts", nic.place.at("Network"))
            first = next((each for each, _ in self._made.values() if each.id in host.networks), None)
            if first is not None:
                return first
            name = "VM Network"
        key = (host.datacenter, name)
        if key not in self._made:
            self._report.guessed(
                "networks that have no rows are port groups of standard switches", nic.place.at("Network")
            )
            self._make(host.datacenter, NetworkRow(place=Place(""), name=name, distributed=False), nic.network_id)
        network = self._made[key][0]
        if network.uplink:
            self._report.contradiction(
                nic.place.at("Network"),
                f"{name} is the uplink port group of a switch, which machines are never on",
                "NICs on uplink port groups are on a port group of standard switches",
            )
            name = f"{name} (VMs)"
            if (host.datacenter, name) not in self._made:
                self._make(host.datacenter, NetworkRow(place=Place(""), name=name, distributed=False), None)
            network = self._made[host.datacenter, name][0]
        host.networks[network.id] = None
        return network

    def objects(self) -> list[tuple[ManagedObject, Place | None]]:
        """All of them, with their places."""
        return list(self._made.values())
