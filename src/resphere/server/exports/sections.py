"""The sections of an inventory file that have no managed objects: how one is written, and read back."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec

from resphere.contract.errors import VapiError
from resphere.inventory.model import ManagedObject, UnregisteredVm
from resphere.inventory.tagging import Category, Tag
from resphere.providers.simulator.inventory_convert import convert
from resphere.providers.simulator.inventory_entries import Draft, Entry
from resphere.providers.simulator.inventory_faults import allowed
from resphere.replica.table import Stored, Table

T = TypeVar("T", bound=Stored)
C = TypeVar("C")
Fields: TypeAlias = dict[str, Any]
"""An entry in plain values, as YAML has it."""


class Documents:
    """What is exported, or was read so far: by class and id."""

    def __init__(self, documents: Iterable[Stored] = ()) -> None:
        self._by_class: defaultdict[type[Any], dict[str, Any]] = defaultdict(dict)
        self._by_name: defaultdict[tuple[type[Any], str], list[Any]] = defaultdict(list)
        for document in documents:
            self.add(document)

    def add(self, document: Stored) -> None:
        """One more."""
        self._by_class[type(document)][document.id] = document
        self._by_name[type(document), getattr(document, "name", "")].append(document)

    def get(self, cls: type[T], id: str) -> T | None:
        """The one of this class and id."""
        found: T | None = self._by_class[cls].get(id)
        return found

    def named(self, cls: type[T], name: str) -> list[T]:
        """Those of a class that have this name."""
        return self._by_name.get((cls, name), [])

    def of(self, cls: type[T]) -> list[T]:
        """All of a class, sorted by id."""
        return sorted(self._by_class[cls].values(), key=lambda each: by_number(each.id))


def by_number(id: str) -> tuple[int, str]:
    """Sorts ids of one kind by their numbers."""
    return len(id), id


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section: its ``name`` at the top of the file, the ``classes`` that it holds the documents of, the ``fields``
    that its entries may have.

    ``write`` gives the entries of all its documents, in an order that follows from them, and ``read`` the documents of
    one entry, or nothing where it has told a fault. ``taken`` is the field that no two entries may have alike, and why:
    ``{0}`` is the place of the other.
    """

    name: str
    classes: tuple[type[Any], ...]
    fields: tuple[str, ...]
    write: Callable[[Documents], Iterable[Fields]]
    read: Callable[[Place], Iterable[Stored]]
    taken: tuple[str, str]


class Reading:
    """A file that is read: its managed objects, and the documents made of it so far."""

    def __init__(self, draft: Draft, objects: Iterable[ManagedObject], tables: Mapping[type[Any], Table[Any]]) -> None:
        self.draft = draft
        self.documents = Documents(objects)
        self._tables = tables
        self._places: dict[str, str] = {}
        self.objects: dict[str, ManagedObject] = {}
        """Whatever documents may belong to, by id: also the machines and snapshots in files that are not registered."""
        for obj in objects:
            for id in tables[type(obj)].known_as(obj):
                self.objects[id] = obj

    def read(self, section: Section) -> list[Stored]:
        """The documents of a section; the faults are told."""
        made: list[Stored] = []
        for entry in self.draft.further[section.name]:
            place = Place(self, entry)
            unknown = [field for field in entry.given if field not in section.fields]
            for field in unknown:
                place.fault(field, f"is no field here; {allowed(section.fields)}")
            for document in () if unknown else section.read(place):
                other = self._taken(document, f"{section.name}[{entry.index}]")
                if other is not None:
                    field, why = section.taken
                    place.fault(field, why.format(other))
                    break
                self.documents.add(document)
                made.append(document)
        return made

    def _taken(self, document: Stored, where: str) -> str | None:
        """The place of the entry that has the document's id, or what it claims."""
        claims = self._tables[type(document)].all_claims(self.documents, document)
        for key in (f"{document.kind}/{document.id}", *(f"claim/{claim}" for claim in claims)):
            other = self._places.setdefault(key, where)
            if other != where:
                return other
        return None


class Place:
    """One entry that is read."""

    def __init__(self, reading: Reading, entry: Entry) -> None:
        self.reading = reading
        self.documents = reading.documents
        self.given: Fields = dict(entry.given)
        self._entry = entry

    def fault(self, field: str, why: str) -> None:
        """Something is wrong with a field."""
        self.reading.draft.fault(self._entry, field, why)

    def accepts(self, field: str, check: Callable[[], object]) -> bool:
        """Whether a service's own check refuses nothing; what it says is told, but for the field as an input has it."""
        try:
            check()
        except VapiError as refusal:
            self.fault(
                field, re.sub(rf"^(\w*spec\.)?{re.escape(field)}: ", "", str(refusal)) if field else str(refusal)
            )
            return False
        return True

    def made(self, cls: type[C], fields: Fields) -> C | None:
        """The plain values as a ``cls``; what does not fit is told."""
        found = convert(fields, cls)
        if isinstance(found, list):
            for field, why in found:
                self.fault(field, why)
            return None
        return found

    def text(self, field: str) -> str | None:
        """The text of a field that must be set."""
        value = self.given.get(field)
        if isinstance(value, str) and value:
            return value
        self.fault(field, "must be set" if value in (None, "") else "must be text")
        return None

    def managed(self, field: str, *kinds: type[ManagedObject]) -> str | None:
        """The id of the managed object of one of the kinds that a field names: by id, path, or a name that only one
        has. ``UnregisteredVm`` among the kinds stands for the machines and snapshots in such files."""
        text = self.text(field)
        if text is None:
            return None
        if UnregisteredVm in kinds and isinstance(self.reading.objects.get(text), UnregisteredVm):
            return text
        found = self.reading.draft.find(
            self._entry, field, tuple(kind for kind in kinds if kind is not UnregisteredVm), text=text
        )
        return found.id if found is not None else None

    def category(self, field: str) -> str | None:
        """The id of the category that a field names, by id or name."""
        text = self.text(field)
        if text is None:
            return None
        if self.documents.get(Category, text) is not None:
            return text
        # There is one of a name only, in a file that is sound.
        for category in self.documents.named(Category, text):
            return category.id
        self.fault(field, f"there is no category with the id or name {text!r} in the file")
        return None

    def tag(self, field: str, value: object) -> str | None:
        """The id of the tag that ``value`` of a field names: by id, name, or category and name (``env/prod``)."""
        if not isinstance(value, str):
            self.fault(field, "must be text")
            return None
        if self.documents.get(Tag, value) is not None:
            return value
        found = self.documents.named(Tag, value) or [
            tag
            for at in range(len(value))
            if value[at] == "/"
            for tag in self.documents.named(Tag, value[at + 1 :])
            if self._with_category(tag) == value
        ]
        if len(found) == 1:
            return found[0].id
        if found:
            names = ", ".join(map(self._with_category, found[:4]))
            self.fault(field, f"{len(found)} tags are named {value}: give the id, or such as {names}")
        else:
            self.fault(field, f"there is no tag with the id or name {value!r} in the file")
        return None

    def _with_category(self, tag: Tag) -> str:
        category = self.documents.get(Category, tag.category)
        return f"{category.name if category is not None else ''}/{tag.name}"


def plain(document: Stored, *, without: Iterable[str] = (), **instead: Any) -> Fields:
    """A document in plain values: ``instead`` comes first, what is ``without`` not at all."""
    values: Fields = msgspec.to_builtins(document, order="deterministic")
    left = {name: value for name, value in values.items() if name not in {*without, *instead}}
    return {**instead, **left}


def fields_of(cls: type[Any], *, without: Iterable[str] = (), also: Iterable[str] = ()) -> tuple[str, ...]:
    """The fields of entries that are a document but for some, and have others instead."""
    return (*also, *(name for name in cls.__struct_fields__ if name not in {*without}))
