"""Which privileges were asked of whom: a record of the checks, for whoever composes a role.

It is kept while somebody wants it: for :data:`WANTED` since the last question about it, which is noted in the store, so
that every worker records. What a request asks is written beside it, as one document.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import Context
from datetime import datetime, timedelta
from typing import ClassVar, TypeAlias

import msgspec

from resphere.access.view import View
from resphere.inventory.model import ROOT_FOLDER
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Stored, Table

log = logging.getLogger(__name__)

WANTED = timedelta(hours=1)
"""For how long checks are recorded after a question about them."""
MOST_BATCHES = 2_000
"""So many requests' checks are stored; the oldest are let go."""
ONLY = "privilege-checks"

Place: TypeAlias = tuple[int, int]
"""Where a check stands in the record: the sequence of its batch, and its number in that, from 1 on."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """That checks are recorded, ``until`` then."""

    kind: ClassVar[str] = "privilege_recording"

    id: str = ONLY
    until: datetime


class Check(msgspec.Struct, frozen=True, array_like=True):
    """A privilege that was asked on an object, granted or not."""

    object: str
    privilege: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one request asked: of ``user``, in the session with the tag ``session``, if it has one."""

    kind: ClassVar[str] = "privilege_checks"

    id: str
    user: str
    session: str | None
    op_id: str
    checks: tuple[Check, ...]


RECORDINGS = Table(cls=Recording, revises=False)
BATCHES = Table(cls=Batch, revises=False)


class Checks:
    """Records checks, and finds those that were recorded."""

    def __init__(self, inventory: Replica, now: Callable[[], datetime]) -> None:
        self._inventory = inventory
        self._now = now
        self._waiting: deque[Callable[[], Batch]] = deque()
        self._writing: asyncio.Task[None] | None = None

    def watched(self, view: View, user: str, session: str | None, op_id: str) -> View:
        """The view, whose questions are recorded if anybody wants that."""
        recording = self._inventory.get(Recording, ONLY)
        if recording is None or recording.until < self._now():
            return view
        return WatchedView(view, Noted(self, user, session, op_id).note)

    async def want(self) -> None:
        """Have checks be recorded from now on, and those of this worker be written that are not yet."""
        until = self._now() + WANTED

        def plan(edit: Edit) -> None:
            before = edit.get(Recording, ONLY)
            # A question after the other writes nothing.
            if before is None or before.until < until - WANTED / 60:
                edit.put(Recording(until=until))

        await self._inventory.change(plan)
        await self.settle()

    async def settle(self) -> None:
        """Wait for what is being written."""
        if self._writing is not None:
            await self._writing

    def recorded(self) -> Iterator[tuple[Place, Batch, Check]]:
        """All that is stored, in the order in which it was asked."""
        inventory = self._inventory
        batches = sorted(inventory.all(Batch).values(), key=lambda batch: inventory.revision_of(Batch, batch.id))
        for batch in batches:
            sequence = inventory.revision_of(Batch, batch.id)
            for number, check in enumerate(batch.checks, 1):
                yield (sequence, number), batch, check

    def begin(self, write: Callable[[], Batch]) -> None:
        """Write soon what ``write`` makes then."""
        self._waiting.append(write)
        if self._writing is None or self._writing.done():
            # It is nothing that the request does, and carries nothing of its along.
            self._writing = asyncio.get_running_loop().create_task(self._write_all(), context=Context())

    async def _write_all(self) -> None:
        """One after the other, in the order of asking."""
        while self._waiting:
            await self._write(self._waiting.popleft()())

    async def _write(self, batch: Batch) -> None:
        def plan(edit: Edit) -> None:
            edit.put(msgspec.structs.replace(batch, id=edit.new_id("checks-")))
            inventory = self._inventory
            if inventory.count(Batch) >= MOST_BATCHES:
                oldest = min(inventory.all(Batch), key=lambda id: inventory.revision_of(Batch, id))
                edit.delete(Batch, oldest)

        try:
            await self._inventory.change(plan)
        except Exception:
            # The request itself has nothing to do with it; the cause must be seen.
            log.exception("could not record privilege checks")


class Noted:
    """The checks of one request, until they are written."""

    def __init__(self, checks: Checks, user: str, session: str | None, op_id: str) -> None:
        self._checks = checks
        self._user = user
        self._session = session
        self._op_id = op_id
        self._noted: dict[Check, None] = {}

    def note(self, privilege: str, target: str | None) -> None:
        """Take down a check."""
        if not self._noted:
            self._checks.begin(self._taken)
        self._noted[Check(target or ROOT_FOLDER, privilege)] = None

    def _taken(self) -> Batch:
        taken = tuple(self._noted)
        self._noted = {}
        return Batch(id="", user=self._user, session=self._session, op_id=self._op_id, checks=taken)


class WatchedView:
    """A view that tells what it was asked. What lists leave out is no check."""

    def __init__(self, view: View, note: Callable[[str, str | None], None]) -> None:
        self._view = view
        self._note = note

    @property
    def key(self) -> str:
        return self._view.key

    @property
    def sees_all(self) -> bool:
        return self._view.sees_all

    def holds(self, privilege: str, target: str | None) -> bool:
        self._note(privilege, target)
        return self._view.holds(privilege, target)

    def holds_anywhere(self, privilege: str) -> bool:
        self._note(privilege, None)
        return self._view.holds_anywhere(privilege)

    def sees(self, obj: Stored) -> bool:
        return self._view.sees(obj)

    def lacks(self, target: str) -> bool:
        return self._view.lacks(target)
