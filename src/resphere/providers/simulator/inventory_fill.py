"""What the short form of an inventory file leaves out: folders, pools, ids and all fields with a sensible default.

An entry that has all fields its kind requires is taken as it stands: what `write_inventory` writes is never
changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

import msgspec

from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.contract.generated.vcenter import Host as ApiHost
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
)
from resphere.inventory.volumes import datastore_url, distributed_switch_uuid
from resphere.providers.simulator.addresses import management_ip, physical_mac
from resphere.providers.simulator.catalog import BASE_TIME, ESXI_RELEASES, GIB, HOST_MEMORY_GIB, HOST_MODELS, TIB
from resphere.providers.simulator.containers import (
    host_hardware,
    pool_allocation,
)
from resphere.providers.simulator.draws import Draws
from resphere.providers.simulator.inventory_entries import Draft, Entry
from resphere.rules.soundness.index import FOLDER_LETTERS

Fields: TypeAlias = dict[str, Any]
"""An object in plain values, as msgspec converts it."""

DEFAULT_CAPACITY = 4 * TIB
"""Bytes of a datastore whose capacity the file leaves open."""

_FOLDER_TYPES = {
    "vm_folder": ("vm", ApiFolder.Type.VIRTUAL_MACHINE),
    "host_folder": ("host", ApiFolder.Type.HOST),
    "datastore_folder": ("datastore", ApiFolder.Type.DATASTORE),
    "network_folder": ("network", ApiFolder.Type.NETWORK),
}


def is_complete(entry: Entry) -> bool:
    """Whether the file gives all fields that the entry's kind requires; id and parent may still be short."""
    return _required(entry.kind) <= entry.given.keys()


_REQUIRED: dict[type[ManagedObject], frozenset[str]] = {}


def _required(kind: type[ManagedObject]) -> frozenset[str]:
    if kind not in _REQUIRED:
        fields = msgspec.structs.fields(kind)
        _REQUIRED[kind] = frozenset(field.name for field in fields if field.required) - {"id", "name"}
    return _REQUIRED[kind]


def draws_for(entry: Entry, draft: Draft) -> Draws:
    """Random choices that depend on the object's path alone: the same file gives the same inventory."""
    # A text as the seed goes through SHA-512, not through hash(), which differs between processes.
    return Draws(Random(f"{entry.kind.kind} {draft.path(entry)}"))


def imply(draft: Draft) -> None:
    """Adds the objects that others imply, finds every parent and gives an id to whatever has none."""
    if draft.root() is None:
        draft.add(Entry(Folder, {"id": ROOT_FOLDER, "name": "Datacenters", "type": ApiFolder.Type.DATACENTER.value}))
    for datacenter in draft.of(Datacenter):
        for field, (name, type) in _FOLDER_TYPES.items():
            if field not in datacenter.given:
                folder = Entry(Folder, {"name": name, "type": type.value}, parent=datacenter)
                datacenter.links[field] = draft.add(folder)
    for datacenter in draft.of(Datacenter):
        for field in _FOLDER_TYPES:
            draft.folder_of(datacenter, field)
    for entry in list(draft.entries):
        draft.parent(entry)
    _imply_storage_and_networks(draft)
    _imply_root_pools(draft)
    _find_owners(draft)
    draft.faults.raise_any()
    for entry in draft.entries:
        # What an entry implies comes right after it: datacenter-2, group-v3, group-h4 ...
        for numbered in (entry, *entry.links.values()):
            if not numbered.id:
                numbered.id = f"{_id_prefix(numbered)}{draft.numbers.take()}"


def _imply_storage_and_networks(draft: Draft) -> None:
    """A datacenter with hosts has a datastore and a network."""
    with_hosts = {id(draft.datacenter(host)) for host in draft.of(Host)}
    for kind, field, name in ((Datastore, "datastore_folder", "datastore1"), (Network, "network_folder", "VM Network")):
        supplied = {id(draft.datacenter(entry)) for entry in draft.of(kind)}
        for datacenter in draft.of(Datacenter):
            if id(datacenter) in with_hosts - supplied:
                folder = draft.folder_of(datacenter, field)
                if folder is not None:
                    draft.add(Entry(kind, {"name": name}, parent=folder))


def _imply_root_pools(draft: Draft) -> None:
    for entry in [*draft.of(Cluster), *draft.of(Host)]:
        if "resource_pool" in entry.given:
            found = draft.find(entry, "resource_pool", (ResourcePool,), _is_in(entry))
            if found is not None:
                entry.links["resource_pool"] = found
        elif entry.kind is Cluster or entry.parent is None or entry.parent.kind is Folder:
            pool = draft.add(Entry(ResourcePool, {"name": "Resources"}, parent=entry))
            entry.links["resource_pool"] = pool


def _is_in(holder: Entry) -> Callable[[Entry], bool]:
    return lambda other: other.parent is holder


def _find_owners(draft: Draft) -> None:
    """A pool's owner is given, or that of its parent; a pool put into a cluster or host goes into its root pool."""
    for pool in draft.of(ResourcePool):
        holder = pool.parent
        if holder is not None and holder.kind is not ResourcePool:
            root = holder.links.get("resource_pool")
            if root is not None and root is not pool and "owner" not in pool.given:
                pool.parent = root
    for pool in draft.of(ResourcePool):
        if "owner" in pool.given:
            found = draft.find(pool, "owner", (Cluster, Host))
        else:
            found = _owner_above(pool)
            if found is None and pool.parent is not None:
                draft.fault(pool, "owner", "must be set: no cluster or host is above the pool")
        if found is not None:
            pool.links["owner"] = found


def _owner_above(pool: Entry) -> Entry | None:
    seen: set[int] = set()
    current: Entry | None = pool
    while current is not None and current.kind is ResourcePool and id(current) not in seen:
        seen.add(id(current))
        current = current.parent
    return current if current is not None and current.kind in (Cluster, Host) else None


def _id_prefix(entry: Entry) -> str:
    if entry.kind is Folder:
        type = folder_type(entry)
        return f"group-{FOLDER_LETTERS.get(type, 'v')}"
    if entry.kind is Network and _is_distributed(entry):
        return "dvportgroup-"
    return entry.kind.id_prefix


def folder_type(entry: Entry) -> ApiFolder.Type:
    """The type given, or that of the folder above."""
    seen: set[int] = set()
    current: Entry | None = entry
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        text = current.text("type")
        if text in ApiFolder.Type.__members__:
            return ApiFolder.Type(text)
        current = current.parent
    return ApiFolder.Type.VIRTUAL_MACHINE


def _is_local(entry: Entry) -> bool:
    """Whether only hosts that name the datastore have it."""
    return "multiple_host_access" in entry.given and not entry.truth("multiple_host_access")


def _is_uplink(entry: Entry) -> bool:
    """Whether it is a distributed switch's own port group, which hosts have by the others."""
    return entry.kind is Network and entry.truth("uplink")


def _is_distributed(entry: Entry) -> bool:
    marks = ("distributed_switch", "distributed_switch_uuid")
    return entry.text("type") == ApiNetwork.Type.DISTRIBUTED_PORTGROUP.value or any(
        mark in entry.given for mark in marks
    )


_SIZE = re.compile(r"\s*([0-9]+)\s*([KMGT]iB|B)?\s*")
_UNITS = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": GIB, "TiB": TIB}


def size_in_bytes(draft: Draft, entry: Entry, field: str, value: object) -> int:
    """`40 GiB`, `512 MiB` or a plain number of bytes; 0 and a fault for anything else."""
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        draft.fault(entry, field, f"must be a number of bytes, or a size such as 40 GiB, not {value!r}")
        return 0
    return int(found[1]) * _UNITS[found[2]]


def overlaid(defaults: Fields, given: Fields, merged: tuple[str, ...]) -> Fields:
    """The defaults, replaced by what is given; of the structures named in `merged` only the fields given."""
    result = {**defaults, **given}
    for field in merged:
        inner, default = given.get(field), defaults.get(field)
        if isinstance(inner, dict) and isinstance(default, dict):
            result[field] = {**default, **inner}
    return result


class Filler:
    """Fills the entries of all kinds but VMs and snapshots. Ids and parents must be there."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._hosts = 0
        self._switches: dict[int, tuple[str, str]] = {}
        self._open_capacities: set[str] = set()
        self._free_space: dict[str, int] = {}
        self.datastores: dict[int, list[Entry]] = {}
        self.networks: dict[int, list[Entry]] = {}
        for kind, by_datacenter in ((Datastore, self.datastores), (Network, self.networks)):
            for entry in draft.of(kind):
                by_datacenter.setdefault(id(draft.datacenter(entry)), []).append(entry)

    def fields(self, entry: Entry) -> Fields:
        """The entry as plain values, all references as ids."""
        given: Fields = {key: value for key, value in entry.given.items() if key not in ("datacenter", "cluster")}
        given["id"] = entry.id
        if entry.parent is not None:
            given["parent"] = entry.parent.id
        for field, link in entry.links.items():
            given[field] = link.id
        fill = {
            Folder: self._folder,
            Host: self._host,
            ResourcePool: self._pool,
            Datastore: self._datastore,
            Network: self._network,
        }.get(entry.kind)
        return fill(entry, given) if fill is not None else given

    def _folder(self, entry: Entry, given: Fields) -> Fields:
        return {"type": folder_type(entry).value, **given}

    def _pool(self, entry: Entry, given: Fields) -> Fields:
        allocation = msgspec.to_builtins(pool_allocation())
        defaults = {"cpu_allocation": allocation, "memory_allocation": allocation}
        return overlaid(defaults, given, ("cpu_allocation", "memory_allocation"))

    def _datastore(self, entry: Entry, given: Fields) -> Fields:
        for field in ("capacity", "other_used", "free_space"):
            if field in given:
                given[field] = size_in_bytes(self.draft, entry, field, given[field])
        if "capacity" not in given:
            self._open_capacities.add(entry.id)
        if "free_space" in given:
            self._free_space[entry.id] = given.pop("free_space")
        type = ApiDatastore.Type.VMFS
        if entry.text("type") in ApiDatastore.Type.__members__:
            type = ApiDatastore.Type(entry.text("type"))
        capacity = given.get("capacity", DEFAULT_CAPACITY)
        return {
            "type": type.value,
            "capacity": capacity,
            "multiple_host_access": True,
            "url": given["url"] if "url" in given else datastore_url(type, draws_for(entry, self.draft).hex_digits()),
            **given,
        }

    def with_room(self, entry: Entry, store: Datastore, used: int) -> Datastore:
        """The datastore beside disks of `used` bytes: grown where the file leaves its capacity open, and filled with
        other things where the file says how much is free."""
        free: int | None = self._free_space.get(store.id)
        capacity = store.capacity
        if store.id in self._open_capacities:
            capacity = max(capacity, -(-(used + store.other_used) * 4 // (3 * TIB)) * TIB, used + (free or 0))
        if free is None:
            return msgspec.structs.replace(store, capacity=capacity)
        if free > capacity - used:
            self.draft.fault(entry, "free_space", f"must be at most what disks leave, {capacity - used}, not {free}")
            return store
        return msgspec.structs.replace(store, capacity=capacity, other_used=capacity - used - free)

    def _network(self, entry: Entry, given: Fields) -> Fields:
        if not _is_distributed(entry):
            return {"type": ApiNetwork.Type.STANDARD_PORTGROUP.value, **given}
        defaults: Fields = {"type": ApiNetwork.Type.DISTRIBUTED_PORTGROUP.value}
        if not {"distributed_switch", "distributed_switch_uuid"} <= given.keys():
            datacenter = self.draft.datacenter(entry)
            if id(datacenter) not in self._switches:
                draws = draws_for(datacenter or entry, self.draft)
                switch = f"dvs-{self.draft.numbers.take()}"
                self._switches[id(datacenter)] = (switch, distributed_switch_uuid(draws.hex_digits()))
            defaults["distributed_switch"], defaults["distributed_switch_uuid"] = self._switches[id(datacenter)]
        return {**defaults, **given}

    def _host(self, entry: Entry, given: Fields) -> Fields:
        self._hosts += 1
        for field, kind, supply in (("datastores", Datastore, self.datastores), ("networks", Network, self.networks)):
            if field in given:
                given[field] = self._references(entry, field, kind)
            elif not is_complete(entry):
                datacenter = self.draft.datacenter(entry)
                shared = (
                    other for other in supply.get(id(datacenter), ()) if not _is_local(other) and not _is_uplink(other)
                )
                given[field] = [other.id for other in shared]
        if is_complete(entry):
            return given
        draws = draws_for(entry, self.draft)
        model = HOST_MODELS[0]
        version, build = ESXI_RELEASES[-1]
        defaults: Fields = {
            "connection_state": ApiHost.ConnectionState.CONNECTED.value,
            "power_state": ApiHost.PowerState.POWERED_ON.value,
            "hardware": msgspec.to_builtins(host_hardware(model, draws, HOST_MEMORY_GIB[1])),
            "version": version,
            "build": build,
            "host_uuid": draws.uuid(),
            "boot_time": BASE_TIME.isoformat(),
            "management_ip": management_ip(self._hosts),
            "physical_nics": [
                {
                    "device": f"vmnic{index}",
                    "mac_address": physical_mac(model.nic_vendor, self._hosts * 4 + index),
                    "link_speed_Mbps": model.nic_speed_Mbps,
                }
                for index in range(2)
            ],
        }
        return overlaid(defaults, given, ("hardware",))

    def _references(self, entry: Entry, field: str, kind: type[ManagedObject]) -> object:
        values = entry.given[field]
        if not isinstance(values, list):
            return values
        datacenter = self.draft.datacenter(entry)
        found = []
        for index, text in enumerate(values):
            if not isinstance(text, str):
                self.draft.fault(entry, f"{field}[{index}]", "must be text")
                continue
            place = f"{field}[{index}]"
            other = self.draft.find(
                entry, place, (kind,), lambda other: self.draft.datacenter(other) is datacenter, text=text
            )
            if other is not None:
                found.append(other.id)
        return found
