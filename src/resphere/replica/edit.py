"""A change in the making: what it writes, and what must still hold when it is committed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from resphere.replica.errors import ConcurrentChange
from resphere.replica.notes import KIND, Notes
from resphere.replica.rows import Rows
from resphere.replica.table import Stored, T
from resphere.store.base import Check, Entry, Note, Taking, Transaction, Write

Key = tuple[str, str]
"""A document's address: kind and id."""

REFERRING = "use/"
"""What follows is the key that somebody comes to refer by: it is taken of by each."""
MANY = 2**30
"""More than can come to refer to an object."""


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An object to be written, with its encoded form."""

    obj: Any
    body: bytes


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What a call results in."""

    result: Any


class Before:
    """The objects as they were before an edit."""

    def __init__(self, rows: Mapping[type[Any], Rows[Any]]) -> None:
        self._rows = rows

    def get(self, cls: type[T], id: str) -> T | None:
        """The object of this class and id."""
        rows: Rows[T] = self._rows[cls]
        return rows.objects.get(id)


class Edit:
    """What a plan does to the inventory. All of it is committed, or nothing.

    Everything written or relied upon must be at commit as it was when the plan ran; else the plan runs again. So a plan
    makes the new object from what it reads in that very run, never from an object it was handed.
    """

    def __init__(
        self, rows: Mapping[type[Any], Rows[Any]], notes: Notes, next_number: Callable[[], int], sequence: int
    ) -> None:
        self._rows = rows
        self._notes = notes
        self._noted: dict[Key, tuple[int, bytes]] = {}
        self.before = Before(rows)
        self._sequence = sequence
        self._next_number = next_number
        self._written: dict[Key, tuple[Rows[Any], Any]] = {}
        self._order: list[Key] = []
        """What was written or deleted, one after the other; also what is not written any more."""
        self._relied: dict[Key, int] = {}
        self._vacant: dict[str, None] = {}
        self._takings: dict[str, Taking] = {}
        self._withheld: tuple[tuple[Stored | None, Stored | None], ...] = ()
        self._leaving: dict[Key, frozenset[type[Stored]]] = {}
        self._writes = 0
        self._asked: dict[str, int] = {}
        self.restored: frozenset[type[Any]] = frozenset()
        """The classes of which this edit brings all documents back as they once were: no rule makes them different, and
        what becomes of each is not told."""
        self.outcome: Outcome | None = None
        """What the call results in, where this edit is all that it changes: for what rides along."""

    def get(self, cls: type[T], id: str) -> T | None:
        """The object as this edit leaves it."""
        rows: Rows[T] = self._rows[cls]
        written = self._written.get((rows.kind, id))
        if written is not None:
            obj: T | None = written[1]
            return obj
        return rows.objects.get(id)

    def put(self, obj: Stored) -> None:
        """Write ``obj``, new or in place of the one with its id. One that is as before is only relied upon."""
        self._writes += 1
        rows = self._rows[type(obj)]
        key = (rows.kind, obj.id)
        if rows.objects.get(obj.id) == obj and obj.id not in rows.unsealed:
            self._written.pop(key, None)
            self._relied[key] = rows.revisions[obj.id]
        else:
            self._written[key] = (rows, obj)
            self._order.append(key)

    def delete(self, cls: type[Stored], id: str, leaving: Collection[type[Stored]] = ()) -> None:
        """Delete the object, with all that goes with it but objects of the classes ``leaving``.

        :raises KeyError: there is none.
        """
        self._writes += 1
        rows = self._rows[cls]
        if self.get(cls, id) is None:
            raise KeyError(id)
        if id in rows.objects:
            self._written[rows.kind, id] = (rows, None)
            self._order.append((rows.kind, id))
            self._leaving[rows.kind, id] = frozenset(leaving)
        else:
            del self._written[rows.kind, id]

    def is_asked_anew(self, question: str) -> bool:
        """Whether anything was written or deleted since ``question``, which is about all of it, was asked last: a rule
        that is run for each of many objects needs no second answer."""
        asked = self._asked.get(question)
        self._asked[question] = self._writes
        return asked != self._writes

    def restores(self, classes: Iterable[type[Any]]) -> None:
        """Say that all documents of these classes come to be what they were together at an earlier moment."""
        self.restored = frozenset(classes)

    def rely_on(self, obj: Stored) -> None:
        """Have the change fail if anybody changes ``obj``, which this edit need not write.

        :raises ConcurrentChange: ``obj`` is out of date already.
        """
        rows = self._rows[type(obj)]
        key = (rows.kind, obj.id)
        if key in self._written:
            return
        stored = rows.objects.get(obj.id)
        if stored is not obj and stored != obj:
            raise ConcurrentChange(f"{rows.kind}/{obj.id}")
        self._relied[key] = rows.revisions[obj.id]

    def rely_on_revision(self, cls: type[Stored], id: str) -> None:
        """Have the change fail if anybody changes the object of that id as it is now, or makes one where there is
        none."""
        rows = self._rows[cls]
        self._relied[rows.kind, id] = rows.revisions.get(id, 0)

    def vacant(self, prefix: str) -> None:
        """Have the change fail if, after it, any object holds a claim that begins with ``prefix``."""
        self._vacant[prefix] = None

    def refer_to(self, obj: Stored) -> None:
        """Rely on ``obj``, and be seen by whoever deletes it; those who refer to it are in nobody's way.

        For an object that what is written refers to: which need not be done by hand.
        """
        self.rely_on(obj)
        if (type(obj).kind, obj.id) not in self._written:
            name = f"{REFERRING}{obj.id}"
            spare = self._takings[name].spare if name in self._takings else MANY - 1
            self._takings[name] = Taking(name, 1, self._sequence, spare)

    def rely_on_referrers(self, id: str) -> None:
        """Have the change fail if anybody comes to refer to the object ``id``, unseen by this plan.

        Whoever deletes an object does so by itself. For one that is kept from some of those who refer to it, such as a
        network from the VMs of a host.
        """
        name = f"{REFERRING}{id}"
        before = self._takings.get(name)
        self._takings[name] = Taking(name, before.amount if before is not None else 0, self._sequence, 0)

    def take(self, name: str, amount: int, free: int) -> bool:
        """Take so much more of ``name``, of which there is ``free`` before this edit; false where that is too little.

        The change fails if others, unseen by this plan, take so much meanwhile that it is not enough for all.
        """
        before = self._takings.get(name)
        total = amount + (before.amount if before is not None else 0)
        if total <= free:
            self._takings[name] = Taking(name, total, self._sequence, free - total)
        return total <= free

    def withhold(self) -> tuple[str, ...]:
        """Write nothing of what was planned so far, and rely on it being as it was; what was taken stays taken, and
        what it would come to refer to is relied upon.

        Returns the claims that it would have gained, but for those that pass from one object to another: whoever keeps
        them, others see it coming.
        """
        held: set[str] = set()
        wanted: list[str] = []
        for (_, id), (rows, obj) in self._written.items():
            old = rows.objects.get(id)
            if old is not None:
                self._relied[rows.kind, id] = rows.revisions[id]
                held.update(rows.table.all_claims(self.before, old))
            if obj is not None:
                wanted += rows.table.all_claims(self, obj)
        self._withheld += self.changes()
        self._written.clear()
        self._order.clear()
        self._leaving.clear()
        return tuple([claim for claim in wanted if claim not in held])

    @property
    def withheld(self) -> tuple[tuple[Stored | None, Stored | None], ...]:
        """What was planned and is not written, before and after."""
        return self._withheld

    def changes(self) -> tuple[tuple[Stored | None, Stored | None], ...]:
        """What is written, before and after; ``None`` for what was not or is no more. What goes with the deleted is not
        among it."""
        return tuple([(rows.objects.get(id), obj) for (_, id), (rows, obj) in self._written.items()])

    def takings(self, prefix: str) -> dict[str, int]:
        """What this edit takes of each thing whose name begins with ``prefix``: the rest of its name -> amount."""
        return {
            name.removeprefix(prefix): taking.amount
            for name, taking in self._takings.items()
            if name.startswith(prefix)
        }

    def new_id(self, prefix: str) -> str:
        """An id that no object of any kind has had: ``prefix`` (``vm-``, ``group-v``) and a number."""
        return f"{prefix}{self._next_number()}"

    def repeat(self, numbers: list[int]) -> None:
        """Have new ids the ``numbers`` in order, to which those are added that are drawn beyond: for a plan that is to
        come to the same whenever it is run."""
        given, draw = iter(tuple(numbers)), self._next_number

        def next_number() -> int:
            number = next(given, None)
            if number is None:
                number = draw()
                numbers.append(number)
            return number

        self._next_number = next_number

    def noted(self, id: str) -> Note | None:
        """What was noted under that id before this edit."""
        return self._notes.get(id)

    def note(self, id: str, at: int, content: bytes) -> None:
        """Note something under an id, in place of what was: the change fails if others do, unseen by this plan.

        ``at`` is now, in milliseconds of Unix time: it is forgotten by its age.
        """
        self._noted[KIND, id] = (at, content)

    def stored_by(self, cls: type[T], index: str, key: str) -> Mapping[str, T]:
        """The objects, by id, that had ``key`` in ``index`` before this edit."""
        rows: Rows[T] = self._rows[cls]
        return rows.indexes[index].find(key)

    def written(self) -> Iterator[tuple[type[Any], str]]:
        """Class and id of each object that is written or deleted, also of those that are while this goes on.

        One that is written, and deleted afterwards, comes again.
        """
        done: set[tuple[Key, bool]] = set()
        # The list grows meanwhile.
        for key in self._order:
            held = self._written.get(key)
            if held is not None and (state := (key, held[1] is None)) not in done:
                done.add(state)
                yield held[0].table.cls, key[1]

    def made(self) -> list[Key]:
        """What is written that was not there before."""
        return [key for key, (rows, obj) in self._written.items() if obj is not None and key[1] not in rows.objects]

    def leaves(self, cls: type[Stored], id: str, other: type[Stored]) -> bool:
        """Whether the object is deleted but for objects of the class ``other`` that go with it."""
        return other in self._leaving.get((cls.kind, id), ())

    @property
    def touched(self) -> set[Key]:
        """Every document that is written or relied upon, and what is noted; empty if there is nothing to commit."""
        if self._noted:
            return self._written.keys() | self._relied.keys() | self._noted.keys()
        return self._written.keys() | self._relied.keys() if self._written else set()

    def drafts(self) -> dict[Key, Draft | None]:
        """What is written, encoded; ``None`` where an object is deleted."""
        return {
            key: None if obj is None else Draft(obj, rows.encode(obj)) for key, (rows, obj) in self._written.items()
        }

    @property
    def noted_keys(self) -> Collection[Key]:
        """Under which ids something is noted, each as a key."""
        return self._noted.keys()

    def notes(self) -> tuple[Note, ...]:
        """What is noted, sealed."""
        if not self._noted:
            return ()
        return tuple([Note(id, at, self._notes.sealed(id, content)) for (_, id), (at, content) in self._noted.items()])

    def transaction(
        self, drafts: Mapping[Key, Draft | None], entries: tuple[Entry, ...] = (), notes: tuple[Note, ...] = ()
    ) -> Transaction:
        """The edit in the store's terms; ``entries`` tell of it."""
        return Transaction(
            writes=tuple(self._write(key, draft) for key, draft in drafts.items()),
            checks=tuple(
                Check(kind, id, revision)
                for (kind, id), revision in self._relied.items()
                if (kind, id) not in self._written
            ),
            vacant=tuple(self._vacant),
            takings=tuple(self._takings.values()),
            entries=entries,
            notes=notes,
            noted_since=self._sequence,
        )

    def _write(self, key: Key, draft: Draft | None) -> Write:
        kind, id = key
        rows = self._written[key][0]
        expected = rows.revisions.get(id, 0)
        if draft is None:
            return Write(kind, id, None, expected)
        old = rows.objects.get(id)
        claims = rows.table.all_claims(self, draft.obj)
        # Claims that stay are not worth writing again.
        unchanged = old is not None and rows.table.all_claims(self, old) == claims
        return Write(kind, id, draft.body, expected, None if unchanged else claims)
