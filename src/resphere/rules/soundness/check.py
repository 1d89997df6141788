"""Whether an inventory holds together: ids, names, references, and what stands where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.inventory.model import (
    KINDS,
    ROOT_FOLDER,
    Datastore,
    DatastoreFile,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.rules.soundness.devices import Fault
from resphere.rules.soundness.index import Inventory, example_prefix
from resphere.rules.soundness.kinds import RULES
from resphere.rules.soundness.values import value_faults

MAX_NAME_LENGTH = 80


class Finding(msgspec.Struct, frozen=True):
    """A problem: the place of the object in what was checked, the path of a field in it, what is wrong."""

    position: int
    field: str
    message: str


def findings(objects: Sequence[ManagedObject]) -> Iterator[Finding]:
    """All problems of an inventory, with their places.

    Each is told once and where it is: what follows from a problem (a VM in a folder that does not exist has no
    datacenter) is not told again.
    """
    inventory = Inventory(objects)
    for faults in (_ids, _names, _tree):
        yield from faults(inventory)
    unique = _Unique()
    for position, item in enumerate(objects):
        for field, message in (*RULES[type(item)](inventory, item), *value_faults(item), *unique.faults(item)):
            yield Finding(position, field, message)


class _Unique:
    """What may stand once only in the whole inventory."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], tuple[str, str]] = {}

    def faults(self, item: ManagedObject) -> Iterator[Fault]:
        for kind, field, value in self._values(item):
            first = self._seen.setdefault((kind, value.lower()), (item.id, field))
            if first != (item.id, field):
                yield field, f"the {kind} {value} is taken by {first[0]}"

    @staticmethod
    def _values(item: ManagedObject) -> Iterator[tuple[str, str, str]]:
        if isinstance(item, VirtualMachine):
            yield "instance UUID", "instance_uuid", item.instance_uuid
            for key, nic in item.nics.items():
                # Addresses that users give by hand may repeat, as in vCenter.
                if nic.mac_address is not None and nic.mac_type is not Ethernet.MacAddressType.MANUAL:
                    yield "MAC address", f"nics.{key}.mac_address", nic.mac_address
        elif isinstance(item, Host):
            yield "host UUID", "host_uuid", item.host_uuid
            yield "host name", "name", item.name


_DIGITS = r"[1-9][0-9]*"
_ID_PATTERNS: dict[type[ManagedObject], re.Pattern[str]] = {
    cls: re.compile(re.escape(cls.id_prefix) + _DIGITS) for cls in KINDS.values()
} | {
    Folder: re.compile(f"group-[dvhsn]{_DIGITS}"),
    ResourcePool: re.compile(f"resgroup-v?{_DIGITS}"),
    Network: re.compile(f"(network|dvportgroup)-{_DIGITS}|network-o{_DIGITS}"),
}


def _ids(inventory: Inventory) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for position, item in enumerate(inventory.objects):
        kind = type(item)
        if not _ID_PATTERNS[kind].fullmatch(item.id):
            prefix = example_prefix(item)
            yield Finding(
                position, "id", f"must be {prefix} and a number, such as {prefix}{position + 1}, not {item.id}"
            )
        if item.id in seen:
            yield Finding(position, "id", f"{item.id} is the id of {inventory.objects[seen[item.id]].name} already")
        seen.setdefault(item.id, position)


def _names(inventory: Inventory) -> Iterator[Finding]:
    """Names are unique in their parent, those of datastores and of networks in their datacenter; snapshots may
    repeat."""
    seen: dict[tuple[str | None, str | None, str], str] = {}
    for position, item in enumerate(inventory.objects):
        # A file's name is its path.
        if not 0 < len(item.name) <= MAX_NAME_LENGTH and not isinstance(item, DatastoreFile | UnregisteredVm):
            yield Finding(position, "name", f"must have 1 to {MAX_NAME_LENGTH} characters, and has {len(item.name)}")
        if isinstance(item, Snapshot):
            continue
        if "\0" in item.name:
            yield Finding(position, "name", "must not have a NUL character")
        scopes: list[tuple[str | None, str | None]] = [(item.parent, None)]
        if isinstance(item, Datastore | Network):
            scopes.append((inventory.datacenter(item.id), item.kind))
        firsts = {within: seen.setdefault((within, kind, item.name), item.id) for within, kind in scopes}
        for within, first in firsts.items():
            if first != item.id:
                yield Finding(position, "name", f"{first} in {within} is named {item.name} already")
                break


def _tree(inventory: Inventory) -> Iterator[Finding]:
    """There is one root, and every way up leads to it."""
    if inventory.get(Folder, ROOT_FOLDER) is None and inventory.objects:
        yield Finding(0, "parent", f"the inventory has no root folder: a folder with the id {ROOT_FOLDER}")
    done: set[str] = set()
    for position, item in enumerate(inventory.objects):
        way: list[str] = []
        current: ManagedObject | None = item
        while current is not None and current.id not in done:
            if current.id in way:
                cycle = [*way[way.index(current.id) :], current.id]
                yield Finding(position, "parent", f"goes round in a circle: {' -> '.join(cycle)}")
                break
            way.append(current.id)
            current = inventory.by_id.get(current.parent) if current.parent is not None else None
        done.update(way)
