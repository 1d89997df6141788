"""References between objects, declared on their tables and enforced here, like foreign keys.

What an object comes to refer to is relied upon: it is there, and nobody changes or deletes it meanwhile. Who deletes an
object sees everybody who refers to it. Those seen go too, are cleared or have the change refused, as declared; those
who come unseen take of a name of which the deletion asks that nobody did, so that its plan runs again. All who only
refer to an object are in nobody's way.

An object that is moved below another relies on all that stand above it there: two moves at once could otherwise put
each below the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from resphere.replica.edit import Edit
from resphere.replica.errors import BrokenReference
from resphere.replica.table import PARENT, Lookup, OnDelete, Reference, Stored, Table


class Bound(msgspec.Struct, frozen=True):
    """A reference of a table, with what it is made of."""

    table: Table[Any]
    reference: Reference[Any]
    keys: Callable[[Any], Iterable[str]]
    made_of: Callable[[Any], object]
    """The values that the keys, and what they mean, follow from."""
    to: tuple[type[Any], ...]
    """Those of its classes that have a table."""

    def target(self, among: Lookup, obj: Any, key: str) -> Stored | None:
        """What ``obj`` refers to by ``key``."""
        if self.reference.resolve is not None:
            return self.reference.resolve(among, obj, key)
        for cls in self.to:
            found: Stored | None = among.get(cls, key)
            if found is not None:
                return found
        return None

    def broken(self, referrer: Stored, target: str) -> BrokenReference:
        """What is raised where ``referrer`` would refer so to ``target``."""
        return BrokenReference(f"{referrer.kind}/{referrer.id}", self.reference.index, target)


Referring = tuple[Bound, str]
"""A reference, and the key by which anything stored refers to an object."""


class References:
    """What the given tables declare. References to classes without a table among them are not looked at.

    :raises ValueError: a declaration makes no sense.
    """

    def __init__(self, tables: Iterable[Table[Any]]) -> None:
        self._tables = {table.cls: table for table in tables}
        self._of: dict[type[Any], dict[str, Bound]] = {}
        self._made_of: dict[type[Any], Callable[[Any], object]] = {}
        self._to: defaultdict[type[Any], list[Bound]] = defaultdict(list)
        for table in self._tables.values():
            owners = [each for each in table.refers_to if each.index == table.belongs_to]
            if table.belongs_to is not None and [each.on_delete for each in owners] != [OnDelete.CASCADE]:
                raise ValueError(f"{table.cls.kind} needs a reference {table.belongs_to}, and must go with it")
            for reference in table.refers_to:
                self._bind(table, reference)
        for cls, bounds in self._of.items():
            self._made_of[cls] = attrgetter(
                *sorted({field for each in bounds.values() for field in each.reference.fields})
            )
        self._nested = {cls for cls in self._tables if cls in self._above(cls)}

    def follow(self, edit: Edit, cls: type[Any], id: str) -> list[Referring]:
        """Delete or clear what refers to an object that ``edit`` deletes, where its plan has not seen to it.

        Returns how anything stored refers to it, for :meth:`hold`.
        """
        referring = self._referring(edit, cls, id)
        for bound, obj in self._left_behind(edit, cls, id, referring):
            if bound.reference.on_delete is OnDelete.CASCADE:
                edit.delete(type(obj), obj.id)
            elif bound.reference.cleared is not None:
                edit.put(bound.reference.cleared(obj, id))
        return referring

    def hold(self, edit: Edit, referring: Mapping[tuple[type[Any], str], list[Referring]]) -> None:
        """Have the change fail where what ``edit`` comes to refer to goes meanwhile, or where somebody comes to refer
        to what it deletes. ``referring`` is what :meth:`follow` returned for each of the deleted.

        :raises BrokenReference: the edit leaves an object that refers to one that is not there, or below itself.
        """
        for before, after in edit.changes():
            if after is None:
                if before is not None and type(before) in self._to:
                    self._hold_deleted(edit, before, referring[type(before), before.id])
            elif type(after) in self._of:
                self._hold_written(edit, before, after)
        for before, after in edit.withheld:
            if after is not None and type(after) in self._of:
                self._hold_withheld(edit, before, after)

    def _bind(self, table: Table[Any], reference: Reference[Any]) -> None:
        where = f"the reference {reference.index} of {table.cls.kind}"
        if unknown := [name for name in reference.fields if name not in table.cls.__struct_fields__]:
            raise ValueError(f"{where} has the fields {', '.join(unknown)}, which the kind has not")
        if not reference.fields:
            raise ValueError(f"{where} needs the fields that its keys are made of")
        if reference.index not in table.indexes:
            raise ValueError(f"{where} needs an index of that name")
        if (reference.on_delete is OnDelete.CLEAR) != (reference.cleared is not None):
            raise ValueError(f"{where} must be cleared and say how, or neither")
        if (reference.resolve is None) != (reference.names is None):
            raise ValueError(f"{where} must say both what keys mean and which keys mean an object, or neither")
        if reference.through is not None and reference.through not in {each.index for each in table.refers_to}:
            raise ValueError(f"{where} goes through {reference.through}, which is none")
        to = tuple([cls for cls in reference.to if cls in self._tables])
        if to:
            through = next((each for each in table.refers_to if each.index == reference.through), None)
            fields = (*reference.fields, *(through.fields if through is not None else ()))
            bound = Bound(table, reference, table.indexes[reference.index], attrgetter(*fields), to)
            self._of.setdefault(table.cls, {})[reference.index] = bound
            for cls in to:
                self._to[cls].append(bound)

    def _above(self, cls: type[Any]) -> set[type[Any]]:
        """The classes of what can stand above an object of the class, at any height."""
        found: set[type[Any]] = set()
        pending = [cls]
        while pending:
            parent = self._parent_of(pending.pop())
            above = set(parent.to) - found if parent is not None else set()
            found |= above
            pending += above
        return found

    def _parent_of(self, cls: type[Any]) -> Bound | None:
        return self._of.get(cls, {}).get(PARENT)

    def _referring(self, edit: Edit, cls: type[Any], id: str) -> list[Referring]:
        """By which references, and by which of their keys, anything stored refers to the object."""
        bounds = self._to.get(cls)
        if bounds is None:
            return []
        gone = edit.before.get(cls, id)
        known_as = tuple(self._tables[cls].known_as(gone))
        return [
            (bound, key)
            for bound in bounds
            for key in (bound.reference.names(gone) if bound.reference.names is not None else known_as)
            if edit.stored_by(bound.table.cls, bound.reference.index, key)
        ]

    def _left_behind(
        self, edit: Edit, cls: type[Any], id: str, referring: Iterable[Referring]
    ) -> Iterator[tuple[Bound, Any]]:
        """What referred to a deleted object and, as ``edit`` has it now, still does; but not what that leaves."""
        gone = edit.before.get(cls, id)
        for bound, key in referring:
            reference, of = bound.reference, bound.table.cls
            if edit.leaves(cls, id, of):
                continue
            for referrer, before in list(edit.stored_by(of, reference.index, key).items()):
                obj = edit.get(of, referrer)
                if obj is None or key not in bound.keys(obj):
                    continue
                # A name may mean others: to this one before, or to that one now.
                if reference.resolve is None or (
                    bound.target(edit.before, before, key) is gone and bound.target(edit, obj, key) is None
                ):
                    yield bound, obj

    def _hold_deleted(self, edit: Edit, gone: Stored, referring: Iterable[Referring]) -> None:
        cls = type(gone)
        for bound, obj in self._left_behind(edit, cls, gone.id, referring):
            raise bound.broken(obj, f"{cls.kind}/{gone.id}")
        table = self._tables[cls]
        for key in table.known_as(gone):
            edit.rely_on_referrers(key)
        for prefix in table.holds_children(gone):
            edit.vacant(prefix)

    def _hold_written(self, edit: Edit, before: Any, after: Any) -> None:
        made_of = self._made_of[type(after)]
        if before is not None and made_of(before) == made_of(after):
            return
        bounds = self._of[type(after)]
        for bound in bounds.values():
            if before is not None and bound.made_of(before) == bound.made_of(after):
                continue
            reference = bound.reference
            through = bounds.get(reference.through) if reference.through is not None else None
            again = before is None or (through is not None and _keys(through, before) != _keys(through, after))
            new = _keys(bound, after) if again else _new_keys(bound, before, after)
            for key in new:
                target = bound.target(edit, after, key)
                if target is not None:
                    edit.refer_to(target)
                    if reference.index == PARENT and type(after) in self._nested:
                        self._hold_above(edit, bound, after, target, moved=before is not None)
                elif reference.resolve is None and type(after) not in edit.restored:
                    raise bound.broken(after, key)
            # Where it is reached through something else than before, that is held as a target itself.
            if new and through is not None and not again:
                for key in through.keys(after):
                    target = through.target(edit, after, key)
                    if target is not None:
                        edit.rely_on(target)

    def _hold_withheld(self, edit: Edit, before: Any, after: Any) -> None:
        """Rely on what ``after`` would come to refer to, but for others that are not written either."""
        for bound in self._of[type(after)].values():
            if before is not None and bound.made_of(before) == bound.made_of(after):
                continue
            for key in _keys(bound, after) if before is None else _new_keys(bound, before, after):
                target = bound.target(edit, after, key)
                if target is not None:
                    edit.refer_to(target)

    def _hold_above(self, edit: Edit, bound: Bound, obj: Stored, target: Stored, *, moved: bool) -> None:
        passed: set[tuple[type[Any], str]] = {(type(obj), obj.id)}
        above: Stored | None = target
        while above is not None:
            if (type(above), above.id) in passed:
                raise bound.broken(obj, f"{target.kind}/{target.id}")
            passed.add((type(above), above.id))
            # Nothing can have come below what is new.
            if moved:
                edit.rely_on(above)
            parent = self._parent_of(type(above))
            keys = parent.keys(above) if parent is not None else ()
            above = next((parent.target(edit, above, key) for key in keys), None) if parent is not None else None


def _keys(bound: Bound, obj: Any) -> tuple[str, ...]:
    """The keys by which ``obj`` refers to others."""
    return tuple(bound.keys(obj))


def _new_keys(bound: Bound, before: Any, after: Any) -> tuple[str, ...]:
    """The keys by which ``after`` refers to others, and ``before`` did not."""
    old, keys = _keys(bound, before), _keys(bound, after)
    return () if old == keys else tuple([key for key in keys if key not in old])
