"""Tells of each change what happened: asked with every transaction, and written in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import astuple

from resphere.access.permissions import GRANTABLE, permissions_on
from resphere.events.cause import CAUSE, Cause
from resphere.events.event import ENCODER, Deed, Event, Subject
from resphere.events.places import NOWHERE, Place, Places, find
from resphere.events.told import TOLD, Told, deed_of
from resphere.inventory.model import ManagedObject, VirtualMachine
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Stored
from resphere.store.base import Entry
from resphere.tasks.record import Task


class Change(msgspec.Struct, frozen=True, gc=False):
    """One document of an edit, how events tell of it, and which of its fields are different."""

    how: Told
    before: Any
    after: Any
    changed: frozenset[str]

    @property
    def obj(self) -> Any:
        """The document as it is now, or was."""
        return self.before if self.after is None else self.after


class Occasion(msgspec.Struct, frozen=True, gc=False):
    """What the events of one edit have in common; ``moves``: it changes where objects stand."""

    time: int
    cause: Cause | None
    task: str | None
    moves: bool

    @property
    def operation(self) -> str | None:
        """The operation that was asked for."""
        return None if self.cause is None else self.cause.operation


class Standing(msgspec.Struct, frozen=True, gc=False):
    """Where an object stands; ``guarded``: there are permissions on it itself."""

    place: Place
    guarded: bool


STANDS_NOWHERE = Standing(NOWHERE, guarded=False)


class Teller:
    """Makes the events of each edit that a replica commits."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._places = Places()

    def __call__(self, replica: Replica, edit: Edit) -> tuple[Entry, ...]:
        """The entries of the journal that tell of an edit, which is complete."""
        pairs = edit.changes()
        if edit.restored:
            # That all is as it was is told once, by the document that says so.
            pairs = tuple([pair for pair in pairs if type(pair[0] or pair[1]) not in edit.restored])
        changes = [change for pair in pairs if (change := change_of(*pair)) is not None]
        if not changes:
            return ()
        # What is forgotten was not the work that this is done by.
        task = next((each.after for each in changes if each.how.type == "Task" and each.after is not None), None)
        occasion = Occasion(
            time=round(self._now().timestamp() * 1000),
            cause=cause_of(task),
            task=None if task is None else task.id,
            moves=any(moves_others(*pair) for pair in pairs),
        )
        standings: dict[str, Standing] = {"": STANDS_NOWHERE}
        entries = []
        for change in changes:
            about = change.how.about(change.obj)
            standing = standings.get(about)
            if standing is None:
                # Most changes are of one object, and of the task that makes them.
                known = change.after if about == change.obj.id else None
                standing = standings[about] = self._standing(replica, edit, about, known, moves=occasion.moves)
            entries.append(Entry(occasion.time, ENCODER.encode(event_of(change, occasion, about, standing))))
        return tuple(entries)

    def _standing(self, replica: Replica, edit: Edit, about: str, known: object, *, moves: bool) -> Standing:
        """Of the object of that id, which is ``known`` already where that is one."""
        guarded = bool(permissions_on(replica, about))
        found = known if isinstance(known, ManagedObject) else find(edit, about)
        if found is not None:
            return Standing(self._places.of(replica, edit, found, moves=moves), guarded)
        gone = find(edit.before, about)
        if gone is not None:
            return Standing(self._places.of(replica, edit.before, gone, moves=True), guarded)
        return Standing(NOWHERE, guarded)


def event_of(change: Change, occasion: Occasion, about: str, standing: Standing) -> Event:
    """What has become of one document, which is told to those who see the object ``about``."""
    how, obj, place = change.how, change.obj, standing.place
    deed = deed_of(change.before, change.after)
    return Event(
        time=occasion.time,
        type=how.names(change.before, change.after, change.changed, occasion.operation),
        kind=how.kind,
        deed=deed,
        object=Subject(how.type, how.id(obj), how.name(obj)),
        target=how.target(obj),
        cause=occasion.cause,
        task=occasion.task,
        changed=tuple(sorted(change.changed)) if deed is Deed.UPDATED else (),
        details=how.details(change.before, change.after),
        report=how.report(obj) if deed is Deed.CREATED else None,
        owner=how.owner(obj),
        private=how.private,
        privilege=how.privilege,
        about=about,
        near=place.near,
        path=place.path,
        guarded=standing.guarded,
    )


def change_of(before: Stored | None, after: Stored | None) -> Change | None:
    """The change of a document, ``None`` where no event tells of it."""
    how = TOLD.get(type(before) if after is None else type(after))
    if how is None:
        return None
    if before is None or after is None:
        return Change(how, before, after, EVERYTHING)
    changed = changed_fields(before, after)
    return None if changed <= how.passed_over else Change(how, before, after, changed)


EVERYTHING: frozenset[str] = frozenset()
"""In place of the fields of what comes or goes."""


def changed_fields(before: Any, after: Any) -> frozenset[str]:
    """The names of the fields that are different."""
    # As tuples: a third of the time of asking for each field by its name.
    each = zip(after.__struct_fields__, astuple(before), astuple(after), strict=True)
    return frozenset([name for name, then, now in each if now is not then and now != then])


def cause_of(task: Task | None) -> Cause | None:
    """Who asked for it: the call that does it, or that which has begun the task, where another worker ends it."""
    cause = CAUSE.get()
    if cause is None and task is not None:
        return Cause(task.request, task.user, f"{task.service}.{task.operation}", task.behind)
    return cause


STOOD_IN = frozenset(GRANTABLE) - {VirtualMachine}
"""Of these kinds are the objects that others stand in."""


def moves_others(before: Any, after: Any) -> bool:
    """Whether a document that changes is one that others stand in, and is elsewhere from now on."""
    if type(before if after is None else after) not in STOOD_IN:
        return False
    return before is None or after is None or before.parent != after.parent
