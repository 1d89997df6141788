"""The objects of an inventory under check: by id, with their datacenters, and what references may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeVar

from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.inventory.model import (
    KINDS,
    Datacenter,
    Folder,
    ManagedObject,
    Network,
)
from resphere.rules.soundness.devices import Fault
from resphere.rules.space import disk_bytes

T = TypeVar("T", bound=ManagedObject)

FOLDER_LETTERS = {
    ApiFolder.Type.DATACENTER: "d",
    ApiFolder.Type.VIRTUAL_MACHINE: "v",
    ApiFolder.Type.HOST: "h",
    ApiFolder.Type.DATASTORE: "s",
    ApiFolder.Type.NETWORK: "n",
}
"""What comes before the number in the id of a folder of each type: `group-v3`."""

KIND_WORDS = {cls: cls.kind.replace("_", " ") for cls in KINDS.values()}
"""Each kind of object in words: `virtual machine`."""


class Inventory:
    """The objects by id, and what follows from their parents."""

    def __init__(self, objects: Sequence[ManagedObject]) -> None:
        self.objects = objects
        self.by_id: dict[str, ManagedObject] = {}
        for item in objects:
            self.by_id.setdefault(item.id, item)
        self._datacenters: dict[str, str | None] = {}

    @cached_property
    def disk_bytes(self) -> dict[str, int]:
        """What disks take on each datastore, by id."""
        return disk_bytes(self.objects)

    @cached_property
    def uplinks(self) -> dict[str | None, Network]:
        """The first uplink port group of each distributed switch, by the switch's id."""
        found: dict[str | None, Network] = {}
        for item in self.objects:
            if isinstance(item, Network) and item.uplink:
                found.setdefault(item.distributed_switch, item)
        return found

    def get(self, kind: type[T], identifier: str | None) -> T | None:
        """The object of that kind and id, if it exists."""
        found = self.by_id.get(identifier) if identifier is not None else None
        return found if isinstance(found, kind) else None

    def reference(self, field: str, identifier: str, *kinds: type[ManagedObject]) -> Iterator[Fault]:
        """A fault if `identifier` is not an object of one of `kinds`."""
        found = self.by_id.get(identifier)
        wanted = " or ".join(KIND_WORDS[kind] for kind in kinds)
        if found is None:
            yield field, f"{identifier} does not exist; it must be the id of a {wanted}"
        elif not isinstance(found, kinds):
            yield field, f"{identifier} is a {KIND_WORDS[type(found)]}, and must be a {wanted}"

    def datacenter(self, identifier: str | None) -> str | None:
        """The id of the datacenter that an object stands in, None above datacenters and where the tree is broken."""
        way: list[str] = []
        found: str | None = None
        while identifier is not None and identifier not in way:
            if identifier in self._datacenters:
                found = self._datacenters[identifier]
                break
            way.append(identifier)
            item = self.by_id.get(identifier)
            if isinstance(item, Datacenter):
                found = item.id
                break
            identifier = item.parent if item is not None else None
        self._datacenters.update(dict.fromkeys(way, found))
        return found

    def elsewhere(self, field: str, item: ManagedObject, other: str) -> Iterator[Fault]:
        """A fault if `other` stands in another datacenter than `item`."""
        here, there = self.datacenter(item.id), self.datacenter(other)
        if here is not None and there is not None and here != there:
            yield field, f"{other} belongs to {there}, and must belong to the same datacenter ({here})"


def example_prefix(item: ManagedObject) -> str:
    if isinstance(item, Folder):
        return f"group-{FOLDER_LETTERS[item.type]}"
    if isinstance(item, Network) and item.type is ApiNetwork.Type.DISTRIBUTED_PORTGROUP:
        return "dvportgroup-"
    return item.id_prefix
