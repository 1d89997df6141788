"""A vCenter, through its REST API -> rows.

The API does not tell everything: which hosts have which datastores and networks, what hosts are made of, templates,
snapshots. What follows from the machines is taken, the rest is guessed, and told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import msgspec

from resphere.contract.errors import (
    NotAllowedInCurrentState,
    NotFound,
    ServiceUnavailable,
    UnableToAllocateResource,
)
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter import (
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    Network,
    ResourcePool,
)
from resphere.contract.generated.vcenter_vm import Tools
from resphere.contract.generated.vcenter_vm_guest import Identity
from resphere.contract.model import Operation
from resphere.importing.report import Place, Report
from resphere.importing.rows import (
    ClusterRow,
    DatacenterRow,
    DatastoreRow,
    HostRow,
    MachineRow,
    NetworkRow,
    PoolRow,
    Rows,
)
from resphere.importing.sources.live_machines import Found, machine_row
from resphere.inventory.uplinks import SWITCH_NAME

R = TypeVar("R")
_THREADS = 8
_UPLINKS = "-DVUplinks-"
_UNTOLD = (
    "hardware, releases and addresses of hosts: the REST API does not tell them",
    "snapshots, templates, notes, custom attributes and tags: the REST API does not tell them, or not with machines",
)


class Caller(Protocol):
    """What calls operations: a client."""

    def call(self, operation: Operation[..., R], input: Any = None, /, **values: Any) -> R:
        """The result of an operation."""


def read_live(caller: Caller, report: Report) -> Rows:
    """The rows of a vCenter.

    :raises VapiError: it refuses a call.
    """
    return _Reader(caller, report).rows()


class _Reader:
    def __init__(self, caller: Caller, report: Report) -> None:
        self._caller = caller
        self._report = report
        self._datacenters: list[DatacenterRow] = []
        self._clusters: list[ClusterRow] = []
        self._hosts: list[HostRow] = []
        self._pools: list[PoolRow] = []
        self._networks: dict[str, NetworkRow] = {}
        self._datastores: list[DatastoreRow] = []
        self._found: dict[str, Found] = {}
        self._switches: dict[str, str] = {}

    def rows(self) -> Rows:
        """All of them."""
        for folders, id in self._places_of_datacenters():
            self._read_datacenter(folders, id)
        machines = self._machines()
        for text in _UNTOLD:
            self._report.left(text)
        networks = self._switched()
        counts = (
            ("datacenter", self._datacenters),
            ("cluster", self._clusters),
            ("host", self._hosts),
            ("resource_pool", self._pools),
            ("datastore", self._datastores),
            ("network", networks),
            ("vm", machines),
        )
        for name, rows in counts:
            self._report.sheet(name, len(rows), [])
        return Rows(
            machines=tuple(machines),
            datacenters=tuple(self._datacenters),
            clusters=tuple(self._clusters),
            hosts=tuple(self._hosts),
            pools=tuple(self._pools),
            datastores=tuple(self._datastores),
            networks=tuple(networks),
            hosts_sheet="the list of hosts",
            datastores_sheet="the list of datastores",
        )

    def _places_of_datacenters(self) -> Iterable[tuple[tuple[str, ...], str]]:
        """The datacenters with the names of the folders above them."""
        call = self._caller.call
        folders = {each.folder: each.name for each in call(Folder.list, {"filter": {"type": "DATACENTER"}})}
        children = {
            id: [
                each.folder
                for each in call(Folder.list, {"filter": {"parent_folders": [id]}})
                if each.folder in folders
            ]
            for id in folders
        }
        below = {child for found in children.values() for child in found}
        pending: list[tuple[tuple[str, ...], ids.FolderId]] = [((), id) for id in folders if id not in below]
        while pending:
            path, id = pending.pop()
            for datacenter in call(Datacenter.list, {"filter": {"folders": [id]}}):
                yield path, datacenter.datacenter
            pending += [((*path, folders[child]), child) for child in children[id]]

    def _read_datacenter(self, folders: tuple[str, ...], id: str) -> None:
        call = self._caller.call
        info = call(Datacenter.get, datacenter=id)
        name = info.name
        self._datacenters.append(DatacenterRow(place=Place("datacenter"), name=name, id=id, folders=folders))
        within = {"filter": {"datacenters": [id]}}
        before = len(self._hosts)
        for cluster in call(Cluster.list, within):
            self._read_cluster(name, cluster)
        for host in call(Host.list, {"filter": {"datacenters": [id], "standalone": True}}):
            self._add_host(name, "", host)
            self._read_pools(name, host.name, {"hosts": [host.host]})
        hosts = tuple(host.name for host in self._hosts[before:])
        for network in call(Network.list, within):
            self._add_network(name, network, hosts)
        for store in call(Datastore.list, within):
            self._add_datastore(name, store, hosts)
        self._read_folder(info.vm_folder)

    def _read_cluster(self, datacenter: str, cluster: Cluster.Summary) -> None:
        self._clusters.append(
            ClusterRow(
                place=Place("cluster"),
                name=cluster.name,
                datacenter=datacenter,
                id=cluster.cluster,
                ha_enabled=cluster.ha_enabled,
                drs_enabled=cluster.drs_enabled,
            )
        )
        for host in self._caller.call(Host.list, {"filter": {"clusters": [cluster.cluster]}}):
            self._add_host(datacenter, cluster.name, host)
        self._read_pools(datacenter, cluster.name, {"clusters": [cluster.cluster]})

    def _add_host(self, datacenter: str, cluster: str, host: Host.Summary) -> None:
        self._hosts.append(
            HostRow(
                place=Place("host"),
                name=host.name,
                datacenter=datacenter,
                cluster=cluster,
                id=host.host,
                connection_state=host.connection_state,
                power_state=host.power_state,
                uuid=host.host_uuid,
            )
        )
        for vm in self._caller.call(vcenter.VM.list, {"filter": {"hosts": [host.host]}}):
            self._found[vm.vm] = Found(host=host.name, datacenter=datacenter, cluster=cluster)

    def _vms(self, field: str, id: str) -> list[vcenter.VM.Summary]:
        """The machines in something; host by host, where they are more than a vCenter lists at once."""
        call = self._caller.call
        try:
            found = call(vcenter.VM.list, {"filter": {field: [id]}})
        except UnableToAllocateResource:
            hosts = [host.id for host in self._hosts]
            return [vm for host in hosts for vm in call(vcenter.VM.list, {"filter": {field: [id], "hosts": [host]}})]
        return list(found)

    def _read_pools(self, datacenter: str, owner: str, within: dict[str, list[str]]) -> None:
        call = self._caller.call
        listed = [each.resource_pool for each in call(ResourcePool.list, {"filter": within})]
        pools = {id: call(ResourcePool.get, resource_pool=id) for id in listed}
        below = {child for pool in pools.values() for child in pool.resource_pools}
        pending: list[tuple[tuple[str, ...], ids.ResourcePoolId]] = [((), id) for id in pools if id not in below]
        while pending:
            path, id = pending.pop()
            pool = pools[id]
            self._pools.append(
                PoolRow(
                    place=Place("resource_pool"),
                    path=path,
                    datacenter=datacenter,
                    owner=owner,
                    id=id,
                    cpu=pool.cpu_allocation,
                    memory=pool.memory_allocation,
                )
            )
            if path:
                for vm in self._vms("resource_pools", id):
                    if vm.vm in self._found and len(self._found[vm.vm].pool) < len(path):
                        self._found[vm.vm].pool = path
            pending += [((*path, pools[child].name), child) for child in pool.resource_pools if child in pools]

    def _read_folder(self, id: ids.FolderId) -> None:
        """Where machines are, below the datacenter's VM folder."""
        call = self._caller.call
        pending: list[tuple[ids.FolderId, tuple[str, ...]]] = [(id, ())]
        while pending:
            current, names = pending.pop()
            for vm in self._vms("folders", current):
                found = self._found.get(vm.vm)
                if found is not None and len(found.folder) <= len(names):
                    found.folder, found.folder_id = names, current if names else None
            children = call(Folder.list, {"filter": {"parent_folders": [current]}})
            pending += [(child.folder, (*names, child.name)) for child in children]

    def _add_network(self, datacenter: str, network: Network.Summary, hosts: tuple[str, ...]) -> None:
        if network.type is Network.Type.OPAQUE_NETWORK:
            self._report.guessed("opaque networks are port groups of standard switches", Place("network"))
        self._report.guessed("all hosts of a datacenter are connected to all of its networks")
        self._networks[network.network] = NetworkRow(
            place=Place("network"),
            name=network.name,
            distributed=network.type is Network.Type.DISTRIBUTED_PORTGROUP,
            id=network.network,
            datacenter=datacenter,
            switch=SWITCH_NAME,
            uplink=_UPLINKS in network.name,
            hosts=hosts,
        )

    def _switched(self) -> list[NetworkRow]:
        """The networks with the switches that NICs tell of. Those of a datacenter with one switch are all on that."""
        uuids: defaultdict[str, set[str]] = defaultdict(set)
        uplinks: defaultdict[str, list[str]] = defaultdict(list)
        for id, row in self._networks.items():
            if id in self._switches:
                uuids[row.datacenter].add(self._switches[id])
            if row.uplink:
                uplinks[row.datacenter].append(f"dvs-{row.name.rpartition('-')[2]}")
        rows = []
        for id, row in self._networks.items():
            if not row.distributed:
                rows.append(row)
                continue
            of_datacenter = uuids[row.datacenter]
            uuid = self._switches.get(id) or (next(iter(of_datacenter)) if len(of_datacenter) == 1 else None)
            if uuid is None:
                self._report.guessed(
                    "distributed port groups that no machine is on have a switch of their own", row.place
                )
            only = uplinks[row.datacenter][0] if len(uplinks[row.datacenter]) == 1 and len(of_datacenter) < 2 else None
            rows.append(msgspec.structs.replace(row, switch=uuid or SWITCH_NAME, switch_uuid=uuid, switch_id=only))
        return rows

    def _add_datastore(self, datacenter: str, store: Datastore.Summary, hosts: tuple[str, ...]) -> None:
        info = self._caller.call(Datastore.get, datastore=store.datastore)
        free = store.free_space
        if info.multiple_host_access:
            self._report.guessed("all hosts of a datacenter have mounted all datastores that several can")
        self._datastores.append(
            DatastoreRow(
                place=Place("datastore"),
                name=store.name,
                id=store.datastore,
                datacenter=datacenter,
                type=store.type,
                accessible=info.accessible,
                capacity=store.capacity,
                used=store.capacity - free if store.capacity is not None and free is not None else None,
                hosts=hosts if info.multiple_host_access else (),
                shared=info.multiple_host_access,
            )
        )

    def _machines(self) -> list[MachineRow]:
        names = {id: row.name for id, row in self._networks.items()}
        with ThreadPoolExecutor(_THREADS) as threads:
            answers = list(threads.map(self._asked, self._found))
        rows = []
        for (id, found), answer in zip(self._found.items(), answers, strict=True):
            if answer is None:
                self._report.left("machines that went while they were read", Place(id))
                continue
            info, tools, identity = answer
            for nic in info.nics.values():
                backing = nic.backing
                if backing.network is not None and backing.distributed_switch_uuid is not None:
                    self._switches[backing.network] = backing.distributed_switch_uuid
            rows.append(machine_row(id, found, info, tools, identity, names))
        return rows

    def _asked(self, id: str) -> tuple[vcenter.VM.Info, Tools.Info | None, Identity.Info | None] | None:
        """What is told of a machine; None where it is gone, parts where they are not there while it is off."""
        call = self._caller.call
        try:
            info = call(vcenter.VM.get, vm=id)
        except NotFound:
            return None
        return info, self._or_none(Tools.get, id), self._or_none(Identity.get, id)

    def _or_none(self, operation: Operation[..., R], id: str) -> R | None:
        try:
            return self._caller.call(operation, vm=id)
        except (NotFound, ServiceUnavailable, NotAllowedInCurrentState):
            return None
