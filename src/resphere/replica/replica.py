"""This worker's replica of the store in memory: reads are served from it, changes go through it."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import msgspec

from resphere.replica.contention import Contention
from resphere.replica.derived import Derived, L
from resphere.replica.edit import Edit
from resphere.replica.errors import ConcurrentChange
from resphere.replica.notes import Notes
from resphere.replica.numbers import NUMBERS_TAKEN, Numbers, TooFewNumbers
from resphere.replica.references import References, Referring
from resphere.replica.riders import Rider, riders
from resphere.replica.rounds import Rounds
from resphere.replica.rows import Rows
from resphere.replica.sealing import Sealing
from resphere.replica.table import Stored, T, Table
from resphere.store.base import Change, Conflict, Entry, Snapshot, Store

R = TypeVar("R")
Callback = Callable[[Any, Any], None]
Notice = tuple[str, Any, Any]
"""A kind, and an object of it before and after a change."""

ATTEMPTS = 20
LONGEST_PAUSE_SECONDS = 0.002  # for each attempt so far; a commit takes about a quarter of this

logger = logging.getLogger(__name__)


class Rule(msgspec.Struct, Generic[T], frozen=True):
    """What every change of an object of the class does besides.

    ``run(replica, edit, before, after)`` is called once for each such object that an edit writes, at the end of the
    plan; one of both is ``None`` for an object that comes or goes. It may write more, and refuse. Others that it writes
    are followed by the rules of their kinds; the object itself comes to later rules as it leaves it, and to none again.
    """

    cls: type[T]
    run: Callable[[Replica, Edit, T | None, T | None], None]


Tells = Callable[["Replica", Edit], tuple[Entry, ...]]
"""Makes of an edit, with the replica that it was planned on, the entries of the journal that tell of it."""


Waits = Callable[[Awaitable[int]], Awaitable[int]]
"""Waits for a commit; returns and raises what that does."""


def as_it_is(commit: Awaitable[int]) -> Awaitable[int]:
    """Wait for it, and do no more."""
    return commit


class Replica:
    """Every object of the given tables, as of one sequence of the store.

    To be used on one event loop. What is read stays as it is until the next ``await``; mappings that were handed out
    are not to be kept beyond that. All methods raise ``StoreError`` where the store fails, and
    ``KeyError`` for a class without a table. Tables with sealed fields need ``sealing``. Every change
    follows ``rules``, and is told in the journal by what ``tells`` makes of it, in the same transaction. Its commit is
    waited for by ``waits``, so that somebody can measure it.
    """

    def __init__(
        self,
        store: Store,
        tables: Iterable[Table[Any]],
        rng: random.Random | None = None,
        sealing: Sealing | None = None,
        derived: Iterable[Derived[Any]] = (),
        rules: Iterable[Rule[Any]] = (),
        tells: Tells | None = None,
        waits: Waits = as_it_is,
    ) -> None:
        self._store = store
        self._tells = tells
        self._waits = waits
        self._epoch = store.epoch
        self._rng = rng or random.Random()  # noqa: S311 - pauses
        self._tables = tuple(tables)
        self._rows: dict[type[Any], Rows[Any]] = {}
        self._by_kind: dict[str, Rows[Any]] = {}
        self._references = References(self._tables)
        self._rules: defaultdict[type[Any], list[Rule[Any]]] = defaultdict(list)
        for rule in rules:
            self._rules[rule.cls].append(rule)
        self._sealing = sealing
        self._use({table.cls: Rows(table, sealing) for table in self._tables})
        self.notes = Notes(sealing)
        """What was noted, by anybody."""
        self._version: int | None = None
        self._loaded = False
        self._load_anew = True
        self._readings = Rounds(self._read)
        self._sequence = 0
        self._revision = 0
        self._contention = Contention()
        self._numbers = Numbers(store)
        self._callbacks: defaultdict[str, list[Callback]] = defaultdict(list)
        self._derived = tuple(derived)
        self._ledgers: dict[Derived[Any], Any] = {}

    @property
    def epoch(self) -> str:
        """The store's name; sequences and revisions are comparable within it only."""
        return self._epoch

    @property
    def sequence(self) -> int:
        """The last transaction that this replica shows."""
        return self._sequence

    @property
    def revision(self) -> int:
        """Rises whenever an object of a table with ``revises`` changes: equal revisions (of one epoch) mean equal
        inventories, in all workers. After a load it may be above the last change's sequence."""
        return self._revision

    async def load(self) -> None:
        """Take everything from the store. On a replica that was loaded before, callbacks hear what is different."""
        self._load_anew = True
        await self._readings.join()

    async def refresh(self) -> None:
        """Show everything that anybody committed until now. Costs a microsecond where the store says that nothing was.

        All who wait for the store at one moment are served by one reading.
        """
        version = self._store.version()
        if version is None or version != self._version:
            await self._readings.join()

    def get(self, cls: type[T], id: str) -> T | None:
        """The object of this class and id."""
        rows: Rows[T] = self._rows[cls]
        return rows.objects.get(id)

    def all(self, cls: type[T]) -> Mapping[str, T]:
        """All objects of the class by id: those loaded in the numeric order of ids, then those that came since."""
        rows: Rows[T] = self._rows[cls]
        return MappingProxyType(rows.objects)

    def by(self, cls: type[T], index: str, key: str) -> Mapping[str, T]:
        """The objects, by id, that have ``key`` in ``index``. Costs nothing for those that have not."""
        rows: Rows[T] = self._rows[cls]
        return rows.indexes[index].find(key)

    def count(self, cls: type[Stored]) -> int:
        """How many objects of the class there are."""
        return len(self._rows[cls].objects)

    def counts(self) -> dict[str, int]:
        """How many documents there are of each kind."""
        return {cls.kind: len(rows.objects) for cls, rows in self._rows.items()}

    def derived(self, derived: Derived[L]) -> L:
        """The ledger of what is derived, true to what the replica shows.

        :raises KeyError: the replica was not given it.
        """
        ledger: L = self._ledgers[derived]
        return ledger

    def revision_of(self, cls: type[Stored], id: str) -> int:
        """The sequence of the object's last change, 0 where there is no such object."""
        return self._rows[cls].revisions.get(id, 0)

    def owners_of(self, obj: Stored) -> list[Stored] | None:
        """The objects that ``obj`` belongs to, as its table declares it; ``None`` where it belongs to nothing."""
        table = self._rows[type(obj)].table
        if table.belongs_to is None:
            return None
        ids = table.indexes[table.belongs_to](obj)
        return [owner for id in ids for rows in self._rows.values() if (owner := rows.objects.get(id)) is not None]

    def subscribe(self, cls: type[T], callback: Callable[[T | None, T | None], None]) -> Callable[[], None]:
        """Have ``callback(old, new)`` called after each change of an object of the class; the result ends it.

        Whoever's change it was. Several changes in quick succession may come as one. ``None`` is for an object that was
        not or is no more. What a callback raises is logged.
        """
        callbacks = self._callbacks[self._rows[cls].kind]
        callbacks.append(callback)
        return lambda: callbacks.remove(callback)

    async def change(self, plan: Callable[[Edit], R]) -> R:
        """Run ``plan`` on the current state, commit its edit, and return its result once that is durable and shown.

        ``plan`` reads this replica and the edit, and does nothing else: it is run again whenever something it wrote or
        relied upon was changed by others before its commit. Whatever it raises is raised, and nothing happens. If it
        writes nothing, nothing is committed. What it writes is followed by the rules of its kind, and by what refers to
        it (see :mod:`resphere.replica.references`), and by what rides along with the call
        (see :mod:`resphere.replica.riders`).

        :raises ConcurrentChange: others were first in each of :data:`ATTEMPTS` attempts; or nothing changes any more,
            and still a claim of the plan's is taken, or a prefix not vacant.
        :raises BrokenReference: the plan leaves something that refers to what is not there.
        """
        with self._contention.place() as place:
            attempt, last, numbers, riding = 0, ("", -1), 0, riders()
            while True:
                if not self._numbers.are_ready(numbers):
                    await self._numbers.provide(numbers)
                await self.refresh()
                if not self._numbers.suffice(numbers):
                    continue  # others have used them meanwhile
                planned_at = self._sequence
                edit = Edit(self._rows, self.notes, self._numbers.next, planned_at)
                try:
                    result = self._planned(plan, edit, riding)
                except TooFewNumbers:
                    numbers = max(NUMBERS_TAKEN, 2 * numbers)
                    continue
                touched = edit.touched
                if not touched:
                    return result
                busy = self._contention.busy(touched)
                if busy is not None:
                    await place.wait(busy)
                    continue
                try:
                    await self._commit(edit)
                except Conflict as conflict:
                    attempt += 1
                    if attempt == ATTEMPTS or (conflict.subject, planned_at) == last:
                        raise ConcurrentChange(conflict.subject) from conflict
                    last = conflict.subject, planned_at
                    if attempt > 1:
                        await asyncio.sleep(self._rng.random() * attempt * LONGEST_PAUSE_SECONDS)
                else:
                    for rider in riding:
                        rider.committed(edit)
                    return result

    def _planned(self, plan: Callable[[Edit], R], edit: Edit, riding: tuple[Rider, ...]) -> R:
        """Run ``plan`` once, with all that goes with it."""
        for rider in riding:
            rider.begin(edit)
        result = plan(edit)
        self._conclude(edit)
        if riding and edit.touched:
            for rider in riding:
                rider.end(edit)
        return result

    def _begin_ledgers(self) -> None:
        for derived in self._derived:
            ledger = self._ledgers[derived] = derived.make()
            for cls, hear in derived.hears.items():
                for obj in self._rows[cls].objects.values():
                    hear(ledger, None, obj)
                self.subscribe(cls, partial(hear, ledger))

    async def seal_anew(self) -> int:
        """Write again, sealed by the present key and in one transaction, what earlier releases wrote plain and what
        another key has sealed; returns how many documents and notes that were."""

        def plan(edit: Edit) -> tuple[int, int]:
            found = [rows.objects[id] for rows in self._rows.values() for id in rows.unsealed]
            for obj in found:
                edit.put(obj)
            # All, or none: those that stay before it go with what takes their place.
            notes = list(self.notes) if self.notes.by_other_keys else []
            for note in notes:
                edit.note(note.id, note.at, self.notes.opened(note))
            return len(found) + len(notes), self._sequence

        count, before = await self.change(plan)
        if self.notes.by_other_keys:
            while await self._store.forget_notes(0, before):
                pass
            self.notes.by_other_keys = False
        return count

    def _conclude(self, edit: Edit) -> None:
        """Have everything follow what a plan writes: the rules of each kind, and what references ask for."""
        referring: dict[tuple[type[Any], str], list[Referring]] = {}
        for cls, id in edit.written():
            for rule in self._rules.get(cls, ()) if cls not in edit.restored else ():
                rule.run(self, edit, edit.before.get(cls, id), edit.get(cls, id))
            if edit.get(cls, id) is None:
                referring[cls, id] = self._references.follow(edit, cls, id)
        self._references.hold(edit, referring)

    async def _commit(self, edit: Edit) -> None:
        drafts = edit.drafts()
        entries = () if self._tells is None else self._tells(self, edit)
        notes = edit.notes()
        with self._contention.committing(drafts, edit.noted_keys):
            sequence = await self._waits(self._store.commit(edit.transaction(drafts, entries, notes)))
            # Own changes come back through the log like all others: one order for everybody. Often those that were
            # committed along with it are shown already, and it with them.
            if self._sequence < sequence:
                await self.refresh()

    async def forget_notes(self, before: int) -> int:
        """Have the store forget some of the notes of before a moment, in milliseconds of Unix time; how many that were.
        In memory each worker forgets by itself."""
        return await self._store.forget_notes(before)

    async def pass_over(self, ids: Iterable[str]) -> None:
        """Have no new id be one of ``ids``, which came from elsewhere, nor have the number of one."""
        await self._numbers.pass_over(ids)

    async def _read(self) -> None:
        """One round: show what is in the store. Nothing is awaited between the first and the last of what is shown."""
        # The version is asked for first: what is committed in between is then seen twice, not never.
        version = self._store.version()
        if self._load_anew:
            await self._read_all(version)
            return
        if version is not None and version == self._version:
            return
        changes = await self._store.changes_since(self._sequence)
        if not changes.complete:
            await self._read_all(version)
            return
        notices = self._apply(changes.changes)
        self.notes.take(changes.notes)
        self._sequence = changes.sequence
        self._version = version
        self._notify(notices)

    async def _read_all(self, version: int | None) -> None:
        snapshot = await self._store.load()
        if self._loaded:
            # Others are served from the old rows meanwhile.
            rows = await asyncio.to_thread(self._decode_all, snapshot)
        else:
            rows = self._decode_all(snapshot)
        before = self._rows
        self._use(rows)
        self.notes = Notes(self._sealing)
        self.notes.take(snapshot.notes)
        # Deletions leave no trace in a snapshot: only its own sequence is sure to be no other state's revision.
        self._sequence = self._revision = snapshot.sequence
        self._version = version
        self._load_anew = False
        if self._loaded:
            self._notify([notice for cls in rows for notice in _differences(before[cls], rows[cls])])
        else:
            self._loaded = True
            self._begin_ledgers()

    def _decode_all(self, snapshot: Snapshot) -> dict[type[Any], Rows[Any]]:
        """New rows with all objects of the store, in any thread."""
        rows = {table.cls: Rows(table, self._sealing) for table in self._tables}
        decoders = {each.kind: each.decode for each in rows.values()}
        loaded: dict[str, list[tuple[str, int, Any]]] = {kind: [] for kind in decoders}
        with _collection_paused():
            for document in snapshot.documents:
                decode = decoders.get(document.kind)
                if decode is not None:
                    loaded[document.kind].append((document.id, document.revision, decode(document.id, document.body)))
            for each in rows.values():
                each.load(loaded.pop(each.kind))
        return rows

    def _use(self, rows: dict[type[Any], Rows[Any]]) -> None:
        self._rows = rows
        self._by_kind = {each.kind: each for each in rows.values()}

    def _apply(self, changes: Iterable[Change]) -> list[Notice]:
        known = [(self._by_kind[change.kind], change) for change in changes if change.kind in self._by_kind]
        # All are decoded before the first is applied: a broken document leaves no half transaction behind.
        objects = [self._object(rows, change) for rows, change in known]
        notices: list[Notice] = []
        restores = False
        for (rows, change), obj in zip(known, objects, strict=True):
            old = rows.set(change.id, change.sequence, obj)
            restores = restores or rows.table.restores
            if rows.table.revises:
                self._revision = max(self._revision, change.sequence)
            if old is not None or obj is not None:
                notices.append((rows.kind, old, obj))
        if restores:
            self._put_in_order(notices)
        return notices

    def _put_in_order(self, notices: Iterable[Notice]) -> None:
        """Have what was brought back stand where it has stood, in lists, too."""
        changes: defaultdict[str, list[tuple[Any, Any]]] = defaultdict(list)
        for kind, old, obj in notices:
            if obj is not None:
                changes[kind].append((old, obj))
        reordered = {kind for kind, pairs in changes.items() if self._by_kind[kind].put_in_order(pairs)}
        for derived, ledger in self._ledgers.items():
            for cls, hear in derived.reordered.items():
                if cls.kind in reordered:
                    hear(ledger)

    def _object(self, rows: Rows[Any], change: Change) -> Any:
        if change.body is None:
            rows.unsealed.discard(change.id)
            return None
        draft = self._contention.drafts.get((change.kind, change.id))
        if draft is not None and draft.body == change.body:
            rows.unsealed.discard(change.id)
            return draft.obj
        return rows.decode(change.id, change.body)

    def _notify(self, notices: Iterable[Notice]) -> None:
        for kind, old, new in notices:
            for callback in tuple(self._callbacks.get(kind, ())):
                try:
                    callback(old, new)
                except Exception:
                    logger.exception("a subscriber to changes of %s failed", kind)


def _differences(before: Rows[Any], after: Rows[Any]) -> Iterator[Notice]:
    """What subscribers have not heard of."""
    for id, old in before.objects.items():
        if before.revisions[id] != after.revisions.get(id):
            yield after.kind, old, after.objects.get(id)
    for id, new in after.objects.items():
        if id not in before.objects:
            yield after.kind, None, new


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Keep the garbage collector from going through what only grows, again and again: a third of the time of a load."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
