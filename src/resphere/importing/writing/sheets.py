"""Documents -> sheets: the names of columns with their values, row by row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias, TypeVar

import msgspec

from resphere.importing.sources.words import path_text
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue
from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Host,
    ManagedObject,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.providers.simulator.draws import number_of
from resphere.replica.table import Stored
from resphere.rules.space import disk_bytes

Value: TypeAlias = str | int | float | bool | None
Record: TypeAlias = Mapping[str, Value]
T = TypeVar("T", bound=ManagedObject)


class Sheet(msgspec.Struct, frozen=True):
    """A sheet: its name, the names of its columns, and its rows, made when they are asked for."""

    name: str
    headers: tuple[str, ...]
    rows: Iterable[Sequence[Value]]


def sheet(name: str, headers: Sequence[str], records: Iterable[Record]) -> Sheet:
    """A sheet of records, whose keys are among the headers."""
    return Sheet(name, tuple(headers), ([record.get(header) for header in headers] for record in records))


def megabytes(size: int) -> int | float:
    """Bytes as MiB, with a fraction where there is one."""
    whole, rest = divmod(size, 1 << 20)
    return whole if not rest else size / (1 << 20)


class Inventory:
    """The documents by kind and id, and what follows from them."""

    def __init__(self, documents: Iterable[Stored]) -> None:
        self.documents = tuple(documents)
        self.by_id = {item.id: item for item in self.documents if isinstance(item, ManagedObject)}
        self._of: defaultdict[type[Stored], list[Stored]] = defaultdict(list)
        for document in self.documents:
            self._of[type(document)].append(document)
        self._datacenters: dict[str, str] = {}

    def of(self, kind: type[T]) -> list[T]:
        """Those of a kind, by rising number."""
        found = [item for item in self._of[kind] if isinstance(item, kind)]
        return sorted(found, key=lambda item: (number_of(item.id), item.id))

    def name(self, id: str | None) -> str:
        """The name of an object."""
        found = self.by_id.get(id or "")
        return found.name if found is not None else ""

    def get(self, kind: type[T], id: str | None) -> T | None:
        """An object of a kind."""
        found = self.by_id.get(id or "")
        return found if isinstance(found, kind) else None

    def above(self, id: str | None) -> Iterator[ManagedObject]:
        """An object and what it is in, up to the root folder, which is left out."""
        current = self.by_id.get(id or "")
        while current is not None and current.id != ROOT_FOLDER:
            yield current
            current = self.by_id.get(current.parent or "")

    def datacenter(self, id: str | None) -> str:
        """The name of the datacenter that an object is in."""
        key = id or ""
        if key not in self._datacenters:
            found = (item.name for item in self.above(id) if isinstance(item, Datacenter))
            self._datacenters[key] = next(found, "")
        return self._datacenters[key]

    def path(self, id: str | None) -> str:
        """The path of a folder from the root."""
        return path_text(tuple(item.name for item in reversed(list(self.above(id)))))

    def cluster(self, host: Host | None) -> str:
        """The name of a host's cluster, empty for one that stands alone."""
        found = self.get(Cluster, host.parent) if host is not None else None
        return found.name if found is not None else ""

    def pool_path(self, id: str) -> str:
        """``/DC/Cluster/Resources/A``."""
        names = []
        for item in self.above(id):
            names.append(item.name)
            if not isinstance(item, ResourcePool):
                break
        return path_text((self.datacenter(id), *reversed(names)))

    @cached_property
    def used(self) -> dict[str, int]:
        """What disks take on each datastore."""
        return disk_bytes(self.by_id.values())

    @cached_property
    def machines_of(self) -> Counter[str]:
        """How many machines each host has."""
        return Counter(vm.host for vm in self.of(VirtualMachine))

    @cached_property
    def snapshots(self) -> dict[str, list[Snapshot]]:
        """The snapshots of each machine, the oldest first."""
        found: defaultdict[str, list[Snapshot]] = defaultdict(list)
        for snapshot in sorted(self.of(Snapshot), key=lambda each: each.created_time):
            found[snapshot.parent or ""].append(snapshot)
        return found

    @cached_property
    def hosts_of(self) -> dict[str, list[str]]:
        """The names of hosts that have each datastore or network."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for host in self.of(Host):
            for id in (*host.datastores, *host.networks):
                found[id].append(host.name)
        return found

    @cached_property
    def attributes(self) -> list[CustomAttribute]:
        """The custom attributes that machines have values of."""
        used = {value.attribute for value in self._values}
        found = [item for item in self._of[CustomAttribute] if isinstance(item, CustomAttribute)]
        return sorted((item for item in found if item.id in used), key=lambda item: item.key)

    @cached_property
    def custom(self) -> dict[tuple[str, str], str]:
        """What a machine has of an attribute."""
        return {(value.object, value.attribute): value.value for value in self._values}

    @property
    def _values(self) -> list[CustomValue]:
        values = [item for item in self._of[CustomValue] if isinstance(item, CustomValue)]
        return [value for value in values if isinstance(self.by_id.get(value.object), VirtualMachine)]
