"""What is derived from documents, and kept true by their changes instead of being made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from resphere.replica.table import Stored

L = TypeVar("L")
T = TypeVar("T", bound=Stored)
V = TypeVar("V")

PART = 256
"""How many values of a listing stand in a part. It is compressed by itself: fewer would repeat less of themselves."""

Hear = Callable[[L, Any, Any], None]
"""Tells a ledger of an object before and after a change; ``None`` is for one that was not or is no more."""


class Derived(Generic[L]):
    """A ledger that each replica keeps; a package declares it in its wiring, and whoever needs it asks the replica::

        LOAD = Derived(Load, {VirtualMachine: Load.vm_changed})
        inventory.derived(LOAD).memory_MiB

    ``make`` gives an empty one. It hears of all objects of the classes in ``hears`` when the replica has been loaded,
    as if they were new, and of each change after that. ``reordered`` hears when objects of a class stand elsewhere
    among the others, before it hears of their changes.
    """

    def __init__(
        self,
        make: Callable[[], L],
        hears: Mapping[type[Any], Hear[L]],
        reordered: Mapping[type[Any], Callable[[L], None]] = MappingProxyType({}),
    ) -> None:
        self.make = make
        self.hears = hears
        self.reordered = reordered


class PerObject(Generic[T, V]):
    """A ledger of one frozen value for each object (its summary for lists): made when it is first asked for, and again
    only when the object has changed."""

    def __init__(self, make: Callable[[T], V]) -> None:
        self._make = make
        self._kept: dict[str, tuple[T, V]] = {}

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._kept)

    def of(self, objects: Iterable[T]) -> tuple[V, ...]:
        """The values of ``objects``, in their order."""
        get = self._kept.get
        values: list[V] = []
        for obj in objects:
            kept = get(obj.id)
            if kept is None or kept[0] is not obj:
                kept = self._kept[obj.id] = (obj, self._make(obj))
            values.append(kept[1])
        return tuple(values)

    def one(self, obj: T) -> V:
        """The value of ``obj``."""
        return self.of((obj,))[0]

    def changed(self, old: T | None, _new: T | None) -> None:
        """Let go of an object that was changed or deleted."""
        if old is not None:
            self._kept.pop(old.id, None)


class Part(Generic[V]):
    """Some neighbours in a listing, by the ids of their objects."""

    __slots__ = ("_shown", "values")

    def __init__(self) -> None:
        self.values: dict[str, V] = {}
        self._shown: tuple[V, ...] | None = None

    def put(self, id: str, value: V) -> None:
        """Take a value for that of the object, or as another one."""
        self.values[id] = value
        self._shown = None

    def remove(self, id: str) -> None:
        """Let go of an object's."""
        del self.values[id]
        self._shown = None

    def shown(self) -> tuple[V, ...]:
        """The values: the same tuple as long as nothing is put or removed."""
        if self._shown is None:
            self._shown = tuple(self.values.values())
        return self._shown


class Listing(Generic[T, V]):
    """A ledger of the values of all objects that lists show, in the order of their table, in parts: so that after a
    change most of a long list is the same as before."""

    def __init__(self, shows: Callable[[T], bool], make: Callable[[T], V]) -> None:
        self._shows = shows
        self._values: PerObject[T, V] = PerObject(make)
        self._parts: list[Part[V]] = []
        self._places: dict[str, Part[V]] | None = None
        """In which part an object's value is; ``None``: nobody has asked for them yet."""

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._values)

    def parts(self, table: Mapping[str, T]) -> tuple[tuple[V, ...], ...]:
        """The values of what is shown of the whole table, about :data:`PART` in a part."""
        if self._places is None or len(self._parts) > 2 * (len(self._places) // PART + 1):
            self._parts, self._places = [], {}
            for obj in table.values():
                if self._shows(obj):
                    self._append(obj, self._places)
        return tuple([part.shown() for part in self._parts if part.values])

    def of(self, objects: Iterable[T]) -> tuple[V, ...]:
        """The values of some that are shown, in their order."""
        return self._values.of(objects)

    def changed(self, old: T | None, new: T | None) -> None:
        """Follow a change of the table."""
        self._values.changed(old, new)
        if self._places is None:
            return
        if new is None or not self._shows(new):
            part = None if old is None else self._places.pop(old.id, None)
            if part is not None and old is not None:
                part.remove(old.id)
        elif new.id in self._places:
            self._places[new.id].put(new.id, self._values.one(new))
        elif old is None:
            self._append(new, self._places)
        else:
            # It was there, but not shown: its place is somewhere among the others.
            self._places = None

    def reordered(self) -> None:
        """Have the parts made anew, in the order of the table."""
        self._places = None

    def _append(self, obj: T, places: dict[str, Part[V]]) -> None:
        if not self._parts or len(self._parts[-1].values) >= PART:
            self._parts.append(Part())
        part = places[obj.id] = self._parts[-1]
        part.put(obj.id, self._values.one(obj))


def listing(cls: type[T], shows: Callable[[T], bool], make: Callable[[T], V]) -> Derived[Listing[T, V]]:
    """The values of all objects of the class that lists show."""
    return Derived(lambda: Listing(shows, make), {cls: Listing[T, V].changed}, {cls: Listing[T, V].reordered})
