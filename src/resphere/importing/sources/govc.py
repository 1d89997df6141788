"""Saved managed objects -> rows."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from pathlib import Path

from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.contract.generated.vcenter import ResourcePool as ApiResourcePool
from resphere.contract.generated.vcenter_evc_mode import EvcMode
from resphere.importing.report import Report
from resphere.importing.rows import (
    ClusterRow,
    DatacenterRow,
    DatastoreRow,
    HostRow,
    NetworkRow,
    PoolRow,
    Rows,
)
from resphere.importing.sources import words
from resphere.importing.sources.govc_machines import MachineReader, moment
from resphere.importing.sources.saved_objects import Node, SavedObject, read_objects
from resphere.inventory.model import PhysicalNic
from resphere.rules.evc.features import completed, is_known

Allocation = ApiResourcePool.ResourceAllocationInfo
Shares = ApiResourcePool.SharesInfo
CLUSTER, COMPUTE = "ClusterComputeResource", "ComputeResource"
POOLS = ("ResourcePool", "VirtualApp")
_STANDARD, _DISTRIBUTED, _OPAQUE = "Network", "DistributedVirtualPortgroup", "OpaqueNetwork"


def read_govc(folder: Path, report: Report) -> Rows:
    """The rows of a folder.

    :raises ImportFault: it has no objects.
    """
    world = World(read_objects(folder, report))
    machines = MachineReader(world, report)
    rows = Rows(
        machines=tuple(machines.row(item) for item in world.of("VirtualMachine")),
        datacenters=tuple(_datacenter(world, item) for item in world.of("Datacenter")),
        clusters=tuple(_cluster(world, item) for item in world.of(CLUSTER)),
        hosts=tuple(_host(world, item, report) for item in world.of("HostSystem")),
        pools=tuple(_pool(world, item, report) for item in world.of(*POOLS)),
        datastores=tuple(_datastore(world, item, report) for item in world.of("Datastore")),
        networks=tuple(_network(world, item, report) for item in world.of(_STANDARD, _DISTRIBUTED, _OPAQUE)),
        hosts_sheet="the folder",
        clusters_sheet="the folder",
        datastores_sheet="the folder",
    )
    for item in world.of(COMPUTE, CLUSTER, "Datastore", _STANDARD, _DISTRIBUTED):
        if world.folders(item):
            report.left("folders of hosts, datastores and networks", item.place)
    for kind in sorted(world.kinds):
        report.sheet(kind, len(world.of(kind)), [])
    return rows


class World:
    """The objects by id, and what is above them."""

    def __init__(self, objects: dict[str, SavedObject]) -> None:
        self._objects = objects
        self.kinds = {item.type for item in objects.values()}

    def of(self, *types: str) -> list[SavedObject]:
        """Those of types."""
        return [item for item in self._objects.values() if item.type in types]

    def get(self, id: str) -> SavedObject | None:
        """One of them."""
        return self._objects.get(id)

    def above(self, item: SavedObject) -> list[SavedObject]:
        """What an object is in, from next to farthest."""
        found: list[SavedObject] = []
        current = self._objects.get(item.text("parent"))
        while current is not None and current not in found:
            found.append(current)
            current = self._objects.get(current.text("parent"))
        return found

    def datacenter(self, item: SavedObject | None) -> str:
        """The name of an object's datacenter."""
        return self._named_above(item, "Datacenter")

    def cluster(self, host: SavedObject | None) -> str:
        """The name of a host's cluster, empty for one that stands alone."""
        return self._named_above(host, CLUSTER)

    def _named_above(self, item: SavedObject | None, type: str) -> str:
        above = self.above(item) if item is not None else []
        return next((each.name for each in above if each.type == type), "")

    def folders(self, item: SavedObject) -> tuple[str, ...]:
        """The names of the folders above an object, below its datacenter's own or the root folder."""
        above = self.above(item)
        own = [each for each in above if each.type == "Folder"]
        in_datacenter = any(each.type == "Datacenter" for each in above)
        if in_datacenter:
            own = own[: next(index for index, each in enumerate(above) if each.type == "Datacenter")]
        # The farthest is the datacenter's own, or the root.
        return tuple(each.name for each in reversed(own[:-1]))

    def pool(self, item: SavedObject | None) -> tuple[tuple[str, ...], SavedObject | None]:
        """The path of a resource pool below the root pool, and what has that."""
        names: list[str] = []
        while item is not None and item.type in POOLS:
            above = self._objects.get(item.text("parent"))
            if above is not None and above.type in POOLS:
                names.append(item.name)
            item = above
        return tuple(reversed(names)), item

    def owner(self, item: SavedObject | None) -> str:
        """The name of the cluster or host that has a root pool."""
        if item is None or item.type == CLUSTER:
            return item.name if item is not None else ""
        return self._standing_alone.get(item.id, item.name)

    @cached_property
    def _standing_alone(self) -> dict[str, str]:
        return {host.text("parent"): host.name for host in self.of("HostSystem")}

    def hosts_with(self, property: str, id: str) -> tuple[str, ...]:
        """The names of hosts that refer to an object by a property."""
        return tuple(self._hosts_with.get((property, id), ()))

    @cached_property
    def _hosts_with(self) -> dict[tuple[str, str], list[str]]:
        found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for host in self.of("HostSystem"):
            for property in ("datastore", "network"):
                for each in host.all(f"{property}/ManagedObjectReference"):
                    found[property, each.text()].append(host.name)
        return found


def _datacenter(world: World, item: SavedObject) -> DatacenterRow:
    return DatacenterRow(place=item.place, name=item.name, id=item.id, folders=world.folders(item))


def _cluster(world: World, item: SavedObject) -> ClusterRow:
    return ClusterRow(
        place=item.place,
        name=item.name,
        datacenter=world.datacenter(item),
        id=item.id,
        ha_enabled=bool(item.truth("configurationEx/dasConfig/enabled")),
        drs_enabled=bool(item.truth("configurationEx/drsConfig/enabled")),
        vsan_enabled=item.truth("configurationEx/vsanConfigInfo/enabled"),
    )


def _host(world: World, item: SavedObject, report: Report) -> HostRow:
    nics = [
        PhysicalNic(
            device=nic.text("device"),
            mac_address=nic.text("mac").lower(),
            link_speed_Mbps=nic.number("linkSpeed/speedMb"),
        )
        for nic in item.all("config/network/pnic")
        if nic.text("mac")
    ]
    address = next(iter(item.all("config/network/vnic")), None)
    memory = item.number("summary/hardware/memorySize")
    return HostRow(
        place=item.place,
        name=item.name,
        datacenter=world.datacenter(item),
        cluster=world.cluster(item),
        id=item.id,
        connection_state=words.HOST_STATES.get(item.text("runtime/connectionState").lower()),
        power_state=words.HOST_POWER.get(item.text("runtime/powerState").lower()),
        in_maintenance_mode=bool(item.truth("runtime/inMaintenanceMode")),
        vendor=item.text("summary/hardware/vendor") or None,
        model=item.text("summary/hardware/model") or None,
        serial_number=_serial(item),
        cpu_model=item.text("summary/hardware/cpuModel") or None,
        cpu_packages=item.number("summary/hardware/numCpuPkgs"),
        cpu_cores=item.number("summary/hardware/numCpuCores"),
        cpu_threads=item.number("summary/hardware/numCpuThreads"),
        cpu_frequency_MHz=item.number("summary/hardware/cpuMhz"),
        memory_size_MiB=memory >> 20 if memory is not None else None,
        version=item.text("config/product/version") or item.text("summary/config/product/version") or None,
        build=item.text("config/product/build") or item.text("summary/config/product/build") or None,
        uuid=item.text("summary/hardware/uuid") or None,
        boot_time=moment(item.text("runtime/bootTime")),
        evc_mode=_evc_mode(item, report),
        management_ip=(address.text("spec/ip/ipAddress") or None) if address is not None else None,
        physical_nics=tuple(nics),
    )


def _serial(item: SavedObject) -> str | None:
    for each in item.all("summary/hardware/otherIdentifyingInfo"):
        if each.text("identifierType/key") == "ServiceTag":
            return each.text("identifierValue").strip() or None
    return None


def _evc_mode(item: SavedObject, report: Report) -> EvcMode | None:
    key = item.text("summary/currentEVCModeKey")
    if key and not is_known(key):
        report.left("EVC modes that are not vCenter's own", item.place)
        return None
    return completed(EvcMode(key=key, masks=())) if key else None


def _pool(world: World, item: SavedObject, report: Report) -> PoolRow:
    path, holder = world.pool(item)
    if item.type == "VirtualApp":
        report.left("vApps: they become resource pools", item.place)
    return PoolRow(
        place=item.place,
        path=path,
        datacenter=world.datacenter(item),
        owner=world.owner(holder),
        id=item.id,
        cpu=_allocation(item.at("config/cpuAllocation")),
        memory=_allocation(item.at("config/memoryAllocation")),
    )


def _allocation(node: Node | None) -> Allocation | None:
    level = words.LEVELS.get(node.text("shares/level").lower()) if node is not None else None
    if node is None or level is None:
        return None
    limit = node.number("limit")
    return Allocation(
        reservation=node.number("reservation") or 0,
        expandable_reservation=node.truth("expandableReservation") is not False,
        limit=-1 if limit is None else limit,
        shares=Shares(level=level, shares=(node.number("shares/shares") or 0) if level is words.Level.CUSTOM else None),
    )


def _datastore(world: World, item: SavedObject, report: Report) -> DatastoreRow:
    text = item.text("summary/type")
    type = words.DATASTORES.get(text.lower())
    if type is None:
        report.guessed("types of datastores that are not held: VMFS", item.place)
    capacity, free = item.number("summary/capacity"), item.number("summary/freeSpace")
    return DatastoreRow(
        place=item.place,
        name=item.name,
        id=item.id,
        datacenter=world.datacenter(item),
        type=type or ApiDatastore.Type.VMFS,
        accessible=item.truth("summary/accessible") is not False,
        capacity=capacity,
        used=capacity - free if capacity is not None and free is not None else None,
        url=item.text("summary/url") or None,
        hosts=world.hosts_with("datastore", item.id),
        shared=item.truth("summary/multipleHostAccess"),
    )


def _network(world: World, item: SavedObject, report: Report) -> NetworkRow:
    if item.type == _OPAQUE:
        report.guessed("opaque networks are port groups of standard switches", item.place)
    switch_id = item.text("config/distributedVirtualSwitch")
    switch = world.get(switch_id)
    spec = item.at("config/defaultPortConfig/vlan")
    vlan = spec.number("vlanId") if spec is not None else None
    return NetworkRow(
        place=item.place,
        name=item.name,
        distributed=item.type == _DISTRIBUTED,
        id=item.id,
        datacenter=world.datacenter(item),
        switch=switch.name if switch is not None else switch_id,
        switch_id=switch_id or None,
        switch_uuid=_switch_uuid(switch.text("uuid")) if switch is not None else None,
        vlan=vlan or 0,
        uplink=bool(item.truth("config/uplink")) or "-DVUplinks-" in item.name,
        hosts=world.hosts_with("network", item.id),
    )


def _switch_uuid(text: str) -> str | None:
    """As vCenter writes it, in pairs; some write it as any UUID."""
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) != 32:
        return None
    pairs = [digits[at : at + 2] for at in range(0, 32, 2)]
    return f"{' '.join(pairs[:8])}-{' '.join(pairs[8:])}"
