"""VMs and snapshots of an inventory file's short form: a name and a guest system are enough."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import GuestOS
from resphere.contract.generated.vcenter_vm_hardware import Boot, Ethernet
from resphere.inventory.model import Cluster, Datastore, Host, Network, ResourcePool, Snapshot, VirtualMachine
from resphere.providers.simulator.addresses import Subnet, assigned_mac
from resphere.providers.simulator.catalog import BASE_TIME, CURRENT_TOOLS, GIB, OPEN_VM_TOOLS
from resphere.providers.simulator.inventory_entries import Draft, Entry
from resphere.providers.simulator.inventory_faults import allowed, suggestion
from resphere.providers.simulator.inventory_fill import Fields, draws_for, is_complete, overlaid, size_in_bytes
from resphere.providers.simulator.machine import OFF, ON, MachinePlan, PlannedDisk, PlannedNic, build
from resphere.providers.simulator.snapshots import switched_off
from resphere.rules.machines.guest_os_defaults import GuestDefaults, defaults_of
from resphere.rules.machines.proposals import boot_info

_MERGED = ("hardware", "boot", "cpu", "memory", "tools", "guest")
_DISK_FIELDS = ("capacity", "datastore")
_NIC_FIELDS = ("network", "mac_address", "ip_addresses")


class MachineFiller:
    """Fills the entries of VMs. The hosts and networks they are put on must be built already."""

    def __init__(self, draft: Draft, hosts: dict[str, Host], networks: dict[str, Network]) -> None:
        self.draft = draft
        self._hosts = hosts
        self._networks = networks
        self._datastores = {entry.id: entry for entry in draft.of(Datastore)}
        self._entries = {entry.id: entry for entry in draft.of(Host)}
        self._by_owner: defaultdict[int, list[Entry]] = defaultdict(list)
        self._by_datacenter: defaultdict[int, list[Entry]] = defaultdict(list)
        for host in self._entries.values():
            self._by_owner[id(owner_of(host))].append(host)
            self._by_datacenter[id(draft.datacenter(host))].append(host)
        self._turns: Counter[int] = Counter()
        self._macs_taken = set(_given_macs(draft))
        self._macs = 0
        self._subnets: dict[str, Subnet] = {}
        self._last_snapshots: dict[int, Entry] = {}
        for snapshot in draft.of(Snapshot):
            self._last_snapshots[id(snapshot.parent)] = snapshot

    def fields(self, entry: Entry) -> Fields | None:
        """The VM as plain values, all references as ids; None where a fault leaves nothing to build."""
        given: Fields = {key: value for key, value in entry.given.items() if key not in ("datacenter", "cluster")}
        given["id"] = entry.id
        if entry.parent is not None:
            given["parent"] = entry.parent.id
        complete = is_complete(entry)
        if complete:
            host, pool = self._entry(entry, "host", Host), self._entry(entry, "resource_pool", ResourcePool)
        else:
            host, pool = self._placed(entry)
        if "snapshot" in given:
            snapshot = self.draft.find(entry, "snapshot", (Snapshot,), lambda other: other.parent is entry)
            if snapshot is not None:
                given["snapshot"] = snapshot.id
        elif not complete and id(entry) in self._last_snapshots:
            given["snapshot"] = self._last_snapshots[id(entry)].id
        if host is None or pool is None:
            return None
        given["host"], given["resource_pool"] = host.id, pool.id
        store = self._store(entry, "datastore", host) if "datastore" in given else None
        if store is not None:
            given["datastore"] = store.id
        return given if complete else self._filled(entry, given, host, pool, store)

    def _entry(self, entry: Entry, field: str, kind: type[Host] | type[ResourcePool]) -> Entry | None:
        return self.draft.find(entry, field, (kind,), self._near(entry))

    def _near(self, entry: Entry) -> Any:
        datacenter = self.draft.datacenter(entry)
        return lambda other: self.draft.datacenter(other) is datacenter

    def _store(self, entry: Entry, field: str, host: Entry, text: str | None = None) -> Entry | None:
        mounted = self._hosts[host.id].datastores if host.id in self._hosts else ()
        return self.draft.find(
            entry, field, (Datastore,), lambda other: other.id in mounted, self._near(entry), text=text
        )

    def _placed(self, entry: Entry) -> tuple[Entry | None, Entry | None]:
        """Host and pool: those given, else the next host in turn of the cluster, pool or datacenter given."""
        host = self._entry(entry, "host", Host) if "host" in entry.given else None
        owner = owner_of(host) if host is not None else None
        if "cluster" in entry.given:
            owner = self.draft.find(entry, "cluster", (Cluster,), self._near(entry))
        pool = None
        if "resource_pool" in entry.given:
            pool = self.draft.find(
                entry,
                "resource_pool",
                (ResourcePool,),
                lambda other: other.links.get("owner") is owner,
                self._near(entry),
            )
            owner = owner or (pool.links.get("owner") if pool is not None else None)
        if host is None and "host" not in entry.given:
            host = self._host_in_turn(entry, owner)
        if pool is None and host is not None and "resource_pool" not in entry.given:
            pool = (owner_of(host) or host).links.get("resource_pool")
        return host, pool

    def _host_in_turn(self, entry: Entry, owner: Entry | None) -> Entry | None:
        datacenter = self.draft.datacenter(entry)
        hosts = self._by_owner[id(owner)] if owner is not None else self._by_datacenter[id(datacenter)]
        if not hosts:
            place = owner or datacenter
            where = self.draft.path(place) if place is not None else "the inventory"
            self.draft.fault(entry, "host", f"must be set: there is no host in {where} to put it on")
            return None
        turn = self._turns[id(owner or datacenter)]
        self._turns[id(owner or datacenter)] += 1
        return hosts[turn % len(hosts)]

    def _filled(self, entry: Entry, given: Fields, host: Entry, pool: Entry, store: Entry | None) -> Fields | None:
        system = self._system(entry, given)
        if system is None:
            return None
        disks = self._disks(entry, given, host, store, system.disk_size_GiB * GIB)
        if not disks:
            return None
        draws = draws_for(entry, self.draft)
        plan = MachinePlan(
            id=entry.id,
            name=entry.name,
            parent=str(given.get("parent")),
            guest=system,
            host=ids.HostSystemId(host.id),
            resource_pool=ids.ResourcePoolId(pool.id),
            bios_uuid=draws.uuid(),
            instance_uuid=draws.uuid(),
            disks=disks,
            nics=self._nics(entry, given, host),
            power_state=ON if given.get("power_state") == ON.value else OFF,
            cpu_count=system.cpu_count,
            memory_size_MiB=system.memory_size_MiB,
            tools=OPEN_VM_TOOLS[-1] if system.open_vm_tools else CURRENT_TOOLS,
        )
        try:
            built = build(plan)
        except ValueError as error:
            self.draft.fault(entry, "", str(error))
            return None
        defaults: Fields = msgspec.to_builtins(built)
        firmware = given["boot"].get("type") if isinstance(given.get("boot"), dict) else None
        if isinstance(firmware, str) and firmware in Boot.Type.__members__:
            defaults["boot"] = msgspec.to_builtins(boot_info(Boot.Type(firmware)))
        return overlaid(defaults, _without_lists(given), _MERGED)

    def _system(self, entry: Entry, given: Fields) -> GuestDefaults | None:
        name = given.get("guest_OS")
        if isinstance(name, str) and name in GuestOS.__members__:
            return defaults_of(GuestOS(name))
        if name is None:
            self.draft.fault(entry, "guest_OS", "must be set, such as UBUNTU_64 or WINDOWS_SERVER_2021")
        else:
            values = [member.value for member in GuestOS]
            self.draft.fault(entry, "guest_OS", f"{name!r} is no value of this field; {suggestion(str(name), values)}")
        return None

    def _disks(
        self, entry: Entry, given: Fields, host: Entry, store: Entry | None, capacity: int
    ) -> tuple[PlannedDisk, ...]:
        store = store or self._default_store(entry, host)
        if store is None:
            return ()
        disks = []
        items = given.get("disks")
        for index, item in enumerate(items if isinstance(items, list) else ({},)):
            field = f"disks[{index}]"
            if not self._is_item(entry, field, item, _DISK_FIELDS):
                continue
            own: Entry | None = store
            size = capacity
            if "datastore" in item:
                own = self._store(entry, f"{field}.datastore", host, item["datastore"])
            if "capacity" in item:
                size = size_in_bytes(self.draft, entry, f"{field}.capacity", item["capacity"])
            if own is not None:
                disks.append(PlannedDisk(ids.DatastoreId(own.id), own.name, size))
        # A VM without disks has its files somewhere nevertheless; the list given replaces this one.
        return tuple(disks) or (PlannedDisk(ids.DatastoreId(store.id), store.name, capacity),)

    def _default_store(self, entry: Entry, host: Entry) -> Entry | None:
        mounted = self._hosts[host.id].datastores if host.id in self._hosts else ()
        for identifier in mounted:
            if identifier in self._datastores:
                return self._datastores[identifier]
        self.draft.fault(entry, "datastore", f"must be set: {host.name} has no datastore mounted")
        return None

    def _nics(self, entry: Entry, given: Fields, host: Entry) -> tuple[PlannedNic, ...]:
        connected = self._hosts[host.id].networks if host.id in self._hosts else ()
        items = given.get("nics")
        if not isinstance(items, list):
            items = [{}] if connected else []
        nics = []
        for index, item in enumerate(items):
            field = f"nics[{index}]"
            if not self._is_item(entry, field, item, _NIC_FIELDS):
                continue
            network = self._networks.get(connected[0]) if connected else None
            if "network" in item:
                found = self.draft.find(
                    entry,
                    f"{field}.network",
                    (Network,),
                    lambda other: other.id in connected,
                    self._near(entry),
                    text=item["network"],
                )
                network = self._networks.get(found.id) if found is not None else None
            elif network is None:
                self.draft.fault(entry, f"{field}.network", f"must be set: {host.name} is connected to no network")
            if network is not None:
                nics.append(self._nic(item, network))
        return tuple(nics)

    def _nic(self, item: Fields, network: Network) -> PlannedNic:
        mac, mac_type = item.get("mac_address"), Ethernet.MacAddressType.MANUAL
        while mac is None:
            self._macs += 1
            free, mac_type = assigned_mac(self._macs), Ethernet.MacAddressType.ASSIGNED
            mac = free if free not in self._macs_taken else None
        if "ip_addresses" in item:
            addresses = tuple(item["ip_addresses"])
        else:
            subnet = self._subnets.setdefault(network.id, Subnet(len(self._subnets)))
            addresses = () if subnet.full else subnet.take(ipv6=False)
        return PlannedNic(network, mac, addresses, mac_type)

    def _is_item(self, entry: Entry, field: str, item: object, fields: tuple[str, ...]) -> bool:
        """Whether one device of a list is a mapping of such fields, all text but `ip_addresses`."""
        if not isinstance(item, dict):
            self.draft.fault(entry, field, f"must be a mapping; {allowed(fields)}")
            return False
        sound = True
        for key, value in item.items():
            wanted = list if key == "ip_addresses" else str
            if key not in fields:
                self.draft.fault(entry, f"{field}.{key}", f"is no field here; {allowed(fields)}")
                sound = False
            elif not isinstance(value, wanted):
                self.draft.fault(entry, f"{field}.{key}", f"must be {'a list' if wanted is list else 'text'}")
                sound = False
        return sound


def owner_of(host: Entry) -> Entry | None:
    """What holds the root pool: the host's cluster, or the host itself."""
    return host.parent if host.parent is not None and host.parent.kind is Cluster else host


def _without_lists(given: Fields) -> Fields:
    """What replaces the defaults: disks and NICs in lists have been built, those in mappings stand as they are."""
    replacing = {}
    for key, value in given.items():
        if key not in ("disks", "nics") or not isinstance(value, list):
            replacing[key] = value
        elif not value:
            replacing[key] = {}
    return replacing


def _given_macs(draft: Draft) -> Iterator[str]:
    for entry in draft.of(VirtualMachine):
        nics = entry.given.get("nics")
        for nic in nics.values() if isinstance(nics, dict) else nics if isinstance(nics, list) else ():
            mac = nic.get("mac_address") if isinstance(nic, dict) else None
            if isinstance(mac, str):
                yield mac.lower()


def snapshot_fields(entry: Entry, draft: Draft, vm: VirtualMachine | None) -> Fields | None:
    """The snapshot as plain values; where the file leaves its state open, the VM's present one."""
    given: Fields = {**entry.given, "id": entry.id}
    if entry.parent is not None:
        given["parent"] = entry.parent.id
    if "parent_snapshot" in given:
        above = draft.find(entry, "parent_snapshot", (Snapshot,), lambda other: other.parent is entry.parent)
        if above is None:
            return None
        given["parent_snapshot"] = above.id
    if is_complete(entry):
        return given
    if "state" not in given:
        if vm is None:
            return None
        state = msgspec.structs.replace(vm, snapshot=given.get("parent_snapshot"))
        keeps_memory = entry.truth("memory")
        given["state"] = msgspec.to_builtins(state if keeps_memory else switched_off(state))
    return {"created_time": BASE_TIME.isoformat(), "takes_room": True, **given}
