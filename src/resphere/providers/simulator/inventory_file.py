"""The managed objects of an inventory as a YAML file: grouped by kind, in vSphere's words, references by id.

What belongs to them, such as tags, comes in further sections that whoever knows those adds. `write_inventory` writes
the full form, which `parse_inventory` gives back object for object (only open values inside a recorded error come back
as text). By hand one writes the short form: ids may be missing, references may be paths or names, and all but names
(and a VM's guest system) has defaults; docs/examples/inventory.yaml shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from resphere.inventory.model import Datastore, Host, ManagedObject, Network, Snapshot, VirtualMachine
from resphere.providers.simulator.containers import build_uplinks
from resphere.providers.simulator.draws import number_of
from resphere.providers.simulator.inventory_convert import convert
from resphere.providers.simulator.inventory_entries import SECTIONS, Draft, Entry, read_entries
from resphere.providers.simulator.inventory_faults import Faults, InventoryFileError
from resphere.providers.simulator.inventory_fill import Fields, Filler, imply
from resphere.providers.simulator.inventory_fill_vm import MachineFiller, snapshot_fields
from resphere.providers.simulator.inventory_yaml import dump, parse
from resphere.rules.disk_contents import emptied
from resphere.rules.soundness.check import findings
from resphere.rules.space import disk_bytes

__all__ = ["InventoryFileError", "inventory_parts", "parse_draft", "parse_inventory", "write_inventory"]

T = TypeVar("T", bound=ManagedObject)


def write_inventory(objects: Iterable[ManagedObject]) -> str:
    """The objects as YAML text, by kind and rising number: equal inventories give equal text. Disks are empty in it."""
    return "".join(inventory_parts(objects))


def inventory_parts(objects: Iterable[ManagedObject]) -> Iterator[str]:
    """The same text in parts, an object each."""
    by_kind: dict[type[ManagedObject], list[ManagedObject]] = {}
    for item in sorted(objects, key=_by_number):
        by_kind.setdefault(type(item), []).append(item)
    for section, kind in SECTIONS.items():
        if kind in by_kind:
            yield f"{section}:\n"
            yield from (dump([msgspec.to_builtins(emptied(item))]) for item in by_kind[kind])


def _by_number(item: ManagedObject) -> tuple[int, str]:
    return number_of(item.id), item.id


def parse_inventory(text: str, source: str) -> tuple[ManagedObject, ...]:
    """The objects of YAML text that has nothing else; messages name `source`. Raises InventoryFileError."""
    return parse_draft(text, source, {})[1]


def parse_draft(
    text: str, source: str, further: Mapping[str, tuple[str, ...]]
) -> tuple[Draft, tuple[ManagedObject, ...]]:
    """The objects of YAML text, by rising number, and the draft they were made of.

    In that stand the entries of the sections `further`, each given with its fields. Raises InventoryFileError with
    every fault found.
    """
    faults = Faults(source)
    draft = read_entries(parse(text, source), faults, further)
    imply(draft)
    built = _Builder(draft).build()
    # What could not be built has told why; what refers to it would only repeat that.
    faults.raise_any()
    objects = [item for _, item in built]
    for finding in findings(objects):
        draft.fault(built[finding.position][0], finding.field, finding.message)
    faults.raise_any()
    return draft, tuple(sorted(objects, key=_by_number))


class _Builder:
    """Builds the objects of a draft, kind by kind: VMs need their hosts, snapshots their VMs."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._built: list[tuple[Entry, ManagedObject]] = []

    def build(self) -> list[tuple[Entry, ManagedObject]]:
        draft = self._draft
        filler = Filler(draft)
        for entry in draft.entries:
            if entry.kind not in (VirtualMachine, Snapshot):
                self._add(entry, filler.fields(entry))
        for uplink in build_uplinks(self._of(Network).values(), draft.numbers):
            self._built.append((Entry(Network, {"name": uplink.name, "id": uplink.id}), uplink))
        machines = MachineFiller(draft, self._of(Host), self._of(Network))
        for entry in draft.of(VirtualMachine):
            self._add(entry, machines.fields(entry))
        vms = self._of(VirtualMachine)
        for entry in draft.of(Snapshot):
            vm = vms.get(entry.parent.id) if entry.parent is not None else None
            self._add(entry, snapshot_fields(entry, draft, vm))
        return self._with_room(filler)

    def _of(self, kind: type[T]) -> dict[str, T]:
        return {item.id: item for _, item in self._built if isinstance(item, kind)}

    def _add(self, entry: Entry, fields: Fields | None) -> None:
        if fields is None:
            return
        item = convert(fields, entry.kind)
        if isinstance(item, ManagedObject):
            if emptied(item) != item:
                self._draft.fault(entry, "", "says what disks hold: those of a file are empty")
            self._built.append((entry, item))
            return
        for field, message in item:
            self._draft.fault(entry, field, message)

    def _with_room(self, filler: Filler) -> list[tuple[Entry, ManagedObject]]:
        objects = [item for _, item in self._built]
        used = disk_bytes(objects)
        return [
            (entry, filler.with_room(entry, item, used.get(item.id, 0)) if isinstance(item, Datastore) else item)
            for entry, item in self._built
        ]
