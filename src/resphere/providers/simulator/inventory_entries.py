"""The entries of an inventory file, and what their references mean.

A reference is an id (`host-12`), a path from the root folder (`/DC01/host/DC01-Cluster01`, a slash in a name written
`%2f`), or a name where only one object that fits has it.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
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
from resphere.providers.simulator.draws import Numbers, number_of
from resphere.providers.simulator.inventory_faults import Faults, allowed
from resphere.rules.soundness.index import KIND_WORDS
from resphere.yaml_text import Document, Value

SECTIONS: dict[str, type[ManagedObject]] = {
    f"{cls.kind}s": cls
    for cls in (
        Datacenter,
        Folder,
        Cluster,
        Host,
        ResourcePool,
        Datastore,
        Network,
        VirtualMachine,
        Snapshot,
        DatastoreFile,
        UnregisteredVm,
    )
}
"""What a file has at its top, in the order in which ids are given to entries without one."""

SHORTHANDS: dict[type[ManagedObject], tuple[str, ...]] = {
    Cluster: ("datacenter",),
    Host: ("datacenter", "cluster"),
    Datastore: ("datacenter", "free_space"),
    Network: ("datacenter",),
    VirtualMachine: ("datacenter", "cluster"),
}
"""Fields that only files have: they stand for `parent`, or leave the choice of a host to the reader."""

_PARENTS: dict[type[ManagedObject], tuple[type[ManagedObject], ...]] = {
    Folder: (Folder, Datacenter),
    Datacenter: (Folder,),
    Cluster: (Folder,),
    Host: (Cluster, Folder),
    ResourcePool: (ResourcePool, Cluster, Host),
    Datastore: (Folder,),
    Network: (Folder,),
    VirtualMachine: (Folder,),
    Snapshot: (VirtualMachine,),
    DatastoreFile: (Datastore,),
    UnregisteredVm: (Datastore,),
}

FOLDER_FIELDS: dict[type[ManagedObject], str] = {
    Cluster: "host_folder",
    Host: "host_folder",
    Datastore: "datastore_folder",
    Network: "network_folder",
    VirtualMachine: "vm_folder",
}
"""Where objects of each kind stand, of a datacenter's four folders."""

Prefer = Callable[["Entry"], bool]


class Entry:
    """One object to be: what the file gives for it, and what its references turned out to be.

    ``section``, ``index`` and ``line`` tell its place in the file; the last two are None for an object that other
    entries imply. What only belongs to objects has no kind of its own, see :attr:`Draft.further`.
    """

    __slots__ = ("given", "id", "index", "kind", "line", "links", "name", "parent", "parent_is_known", "section")

    def __init__(
        self,
        kind: type[ManagedObject],
        given: dict[str, Value],
        index: int | None = None,
        line: int | None = None,
        parent: Entry | None = None,
        section: str | None = None,
    ) -> None:
        self.kind = kind
        self.section = f"{kind.kind}s" if section is None else section
        self.given = given
        self.index = index
        self.line = line
        self.name = _text(given.get("name"))
        self.id = _text(given.get("id"))
        self.parent = parent
        self.parent_is_known = parent is not None
        self.links: dict[str, Entry] = {}

    def text(self, field: str) -> str:
        """A field's text, empty where it is not given or no text."""
        return _text(self.given.get(field))

    def truth(self, field: str) -> bool:
        """Whether a field says true, in one of the ways in which msgspec reads it."""
        return self.text(field).lower() in ("true", "1")


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""


class Draft:
    """The entries of a file, and those they imply. Faults are collected, not raised."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.entries: list[Entry] = []
        self.further: dict[str, list[Entry]] = {}
        """The entries of each section that has no managed objects, by its name."""
        self.numbers = Numbers(number_of(ROOT_FOLDER))
        self._by_id: dict[str, Entry] = {}
        self._by_name: defaultdict[str, list[Entry]] = defaultdict(list)
        self._resolving: list[Entry] = []

    def add(self, entry: Entry) -> Entry:
        """Takes an entry in; the numbers of new ids begin after its."""
        self.entries.append(entry)
        if entry.id:
            self._by_id.setdefault(entry.id, entry)
        self._by_name[entry.name].append(entry)
        for identifier in (entry.id, entry.text("distributed_switch")):
            self.numbers.last = max(self.numbers.last, number_of(identifier))
        return entry

    def of(self, kind: type[ManagedObject]) -> list[Entry]:
        """The entries of a kind."""
        return [entry for entry in self.entries if entry.kind is kind]

    def fault(self, entry: Entry, field: str, message: str) -> None:
        """Something is wrong with a field of an entry."""
        place = f"{entry.section}[{entry.index}]"
        if entry.index is None:
            place = f"{entry.section} ({entry.name})"
        self.faults.add(entry.line, f"{place}.{field}" if field else place, message)

    def root(self) -> Entry | None:
        """The root folder."""
        return self._by_id.get(ROOT_FOLDER)

    def parent(self, entry: Entry) -> Entry | None:
        """What holds the entry; None for the root folder, and where that cannot be told (which is then a fault)."""
        if entry.parent_is_known or entry.id == ROOT_FOLDER:
            return entry.parent
        if entry in self._resolving:
            return None
        self._resolving.append(entry)
        try:
            entry.parent = self._found_parent(entry)
        finally:
            self._resolving.pop()
        entry.parent_is_known = True
        return entry.parent

    def _found_parent(self, entry: Entry) -> Entry | None:
        folder_field = FOLDER_FIELDS.get(entry.kind)
        if "parent" in entry.given:
            kinds = _PARENTS[entry.kind]
            found = self.find(entry, "parent", (*kinds, Datacenter) if folder_field else kinds)
            if found is not None and found.kind is Datacenter and folder_field:
                return self.folder_of(found, folder_field)
            return found
        if entry.kind is Host and "cluster" in entry.given:
            return self.find(entry, "cluster", (Cluster,))
        if entry.kind is Datacenter:
            return self.root()
        if folder_field is None:
            self.fault(entry, "parent", f"must be set: id, path or name of a {_words(_PARENTS[entry.kind])}")
            return None
        datacenter = self._given_datacenter(entry)
        return self.folder_of(datacenter, folder_field) if datacenter is not None else None

    def _given_datacenter(self, entry: Entry) -> Entry | None:
        """The one named, or that of the host or cluster named, or the only one."""
        if "datacenter" in entry.given:
            return self.find(entry, "datacenter", (Datacenter,))
        for field, kind in (("host", Host), ("cluster", Cluster)):
            if field in entry.given:
                found = self.find(entry, field, (kind,))
                return self.datacenter(found) if found is not None else None
        datacenters = self.of(Datacenter)
        if len(datacenters) == 1:
            return datacenters[0]
        names = ", ".join(datacenter.name for datacenter in datacenters[:5]) or "none"
        self.fault(entry, "parent", f"must be set, or datacenter: there is not exactly one datacenter ({names})")
        return None

    def folder_of(self, datacenter: Entry, field: str) -> Entry | None:
        """One of a datacenter's four folders."""
        if field not in datacenter.links and field in datacenter.given:
            found = self.find(datacenter, field, (Folder,))
            if found is not None:
                datacenter.links[field] = found
        return datacenter.links.get(field)

    def datacenter(self, entry: Entry) -> Entry | None:
        """The datacenter that an entry stands in, or is."""
        seen: set[int] = set()
        current: Entry | None = entry
        while current is not None and current.kind is not Datacenter and id(current) not in seen:
            seen.add(id(current))
            current = self.parent(current)
        return current if current is not None and current.kind is Datacenter else None

    def path(self, entry: Entry) -> str:
        """`/DC01/host/DC01-Cluster01`, for messages."""
        names: list[str] = []
        current: Entry | None = entry
        while current is not None and current.id != ROOT_FOLDER and len(names) < 50:
            names.append(current.name.replace("/", "%2f"))
            current = self.parent(current)
        return "/" + "/".join(reversed(names))

    def find(
        self, entry: Entry, field: str, kinds: tuple[type[ManagedObject], ...], *prefer: Prefer, text: str | None = None
    ) -> Entry | None:
        """The object that a field of `entry` refers to; a fault and None where there is none or more than one.

        `text` is the reference itself, if it is not all of the field. Of several objects of one name those count
        that pass the first test of `prefer` which leaves any.
        """
        if text is None:
            text = entry.text(field)
        known = self._by_id.get(text)
        if known is not None:
            if known.kind in kinds:
                return known
            self.fault(entry, field, f"{text} is a {KIND_WORDS[known.kind]}, and must be a {_words(kinds)}")
            return None
        if text.startswith("/"):
            return self._find_path(entry, field, kinds, text)
        found = [other for other in self._by_name.get(text, ()) if other.kind in kinds]
        for test in prefer:
            if len(found) > 1:
                found = [other for other in found if test(other)] or found
        if len(found) == 1:
            return found[0]
        self.fault(entry, field, self._ambiguous(text, found) if found else self._unknown(text, kinds))
        return None

    def _unknown(self, text: str, kinds: tuple[type[ManagedObject], ...]) -> str:
        names = {other.name for other in self.entries if other.kind in kinds}
        close = difflib.get_close_matches(text, sorted(names), 3) if text else []
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        return f"{text!r} is neither id, path nor name of a {_words(kinds)}{hint}"

    def _ambiguous(self, text: str, found: list[Entry]) -> str:
        paths = ", ".join(self.path(other) for other in found[:4])
        return f"{len(found)} objects are named {text} ({paths}): give the id or the path"

    def _find_path(self, entry: Entry, field: str, kinds: tuple[type[ManagedObject], ...], text: str) -> Entry | None:
        found = [self.root()]
        names = [name.replace("%2f", "/") for name in text.strip("/").split("/")]
        for depth, name in enumerate(names):
            below = list(self._children(found, name))
            if depth == len(names) - 1:
                below = [other for other in below if other.kind in kinds]
            if not below:
                above = "/" + "/".join(text.strip("/").split("/")[:depth])
                last = f" that is a {_words(kinds)}" if depth == len(names) - 1 else ""
                self.fault(entry, field, f"{text} does not exist: there is no {name}{last} in {above}")
                return None
            found = [*below]
        return found[0]

    def _children(self, holders: list[Entry | None], name: str) -> Iterator[Entry]:
        for other in self._by_name.get(name, ()):
            parent = self.parent(other)
            if parent is not None and any(parent is holder for holder in holders):
                yield other


def _words(kinds: tuple[type[ManagedObject], ...]) -> str:
    return " or ".join(KIND_WORDS[kind] for kind in kinds)


def read_entries(document: Document, faults: Faults, further: Mapping[str, tuple[str, ...]]) -> Draft:
    """The entries of a document; raises InventoryFileError where it has not the form of one.

    ``further`` are the sections that it may have besides those of managed objects, each with its fields.
    """
    draft = Draft(faults)
    sections = document.value
    known = (*SECTIONS, *further)
    if not isinstance(sections, dict):
        faults.add(None, "", f"the file must hold a mapping of lists; {allowed(known)}")
        faults.raise_any()
        return draft
    for section in sections:
        if section not in known:
            faults.add(None, section, f"is no section of an inventory; {allowed(known)}")
    for section, kind in SECTIONS.items():
        for index, line, item in _items(document, section, _fields(kind), faults):
            _check_fields(draft.add(Entry(kind, item, index, line)), draft)
    for section, fields in further.items():
        draft.further[section] = [
            Entry(ManagedObject, item, index, line, section=section)
            for index, line, item in _items(document, section, fields, faults)
        ]
    faults.raise_any()
    return draft


def _items(
    document: Document, section: str, fields: tuple[str, ...], faults: Faults
) -> Iterator[tuple[int, int | None, dict[str, Value]]]:
    """The mappings in a section, each with its place and line."""
    assert isinstance(document.value, dict)
    items = document.value.get(section) or []
    if not isinstance(items, list):
        faults.add(None, section, "must be a list of mappings")
        return
    for index, item in enumerate(items):
        line = document.lines.get((section, index))
        if isinstance(item, dict):
            yield index, line, dict(item)
        else:
            faults.add(line, f"{section}[{index}]", f"must be a mapping; {allowed(fields)}")


def _fields(kind: type[ManagedObject]) -> tuple[str, ...]:
    return (*kind.__struct_fields__, *SHORTHANDS.get(kind, ()))


def _check_fields(entry: Entry, draft: Draft) -> None:
    fields = _fields(entry.kind)
    for field in entry.given:
        if field not in fields:
            draft.fault(entry, field, f"is no field here; {allowed(fields)}")
    for field in ("name", "id", "parent"):
        if field in entry.given and not isinstance(entry.given[field], str):
            draft.fault(entry, field, "must be text")
    if not entry.name:
        draft.fault(entry, "name", "must be set")
