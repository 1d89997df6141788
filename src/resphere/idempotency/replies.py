"""Keeps what calls under keys were answered, in the transactions by which they change something.

A claim rides along with a call (:mod:`resphere.replica.riders`). Its record is noted by the first transaction of the
call, so that of two calls under one key one alone can change anything, and a call that was refused, or died before it
had changed anything, has left nothing. Where a transaction settles the call, its answer can be foreseen and is noted
along; any other is noted before it is sent::

    claim = replies.find_or_claim(user, key, fingerprint, foresee)
    with riding(claim):
        result = await handler(call)
    await replies.finish(claim, answer)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from resphere.contract.errors import ServiceUnavailable, VapiError, message
from resphere.idempotency.record import DECODER, ENCODER, Answer, KeptReply, identity, whose
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.riders import Unmet, riding
from resphere.store.base import Note
from resphere.turns import in_turns

log = logging.getLogger(__name__)

LONGEST_BODY_BYTES = 16 * 1024
MOST_BYTES = 64 * 1024 * 1024
"""So much memory do all records take, in each worker."""
MOST_MADE = 4
"""So many of the documents are noted that a call has made."""
TOO_MANY_REQUESTS = 429
NOT_MADE = frozenset({"task", "intent"})
MILLISECOND = timedelta(milliseconds=1)


class Bounds(msgspec.Struct, frozen=True):
    """How long records are kept, and how many of one user; of all users ten times as many."""

    lasting: timedelta = timedelta(days=1)
    per_user: int = 10_000


Foresee: TypeAlias = Callable[[Edit, str | None, tuple[str, ...]], Answer | None]
"""What a call is going to be answered that is done in that task and has made that, where a transaction does the last of
it, or all."""


def nothing_foreseen(_edit: Edit, _task: str | None, _made: tuple[str, ...]) -> None:
    """Of calls whose answers are not known before they are made."""


class Claim:
    """The right to make one call under a key; rides along with what the call changes."""

    __slots__ = ("_foresee", "_lasting", "_planned", "at", "finished", "id", "record", "written")

    def __init__(self, id: str, at: int, lasting: int, record: KeptReply, foresee: Foresee) -> None:
        """``at`` is now, in milliseconds; what was noted longer ago than ``lasting`` counts no more."""
        self.id = id
        self.at = at
        self.record = record
        self.written = False
        """Whether the record is durable."""
        self.finished = False
        self._lasting = lasting
        self._foresee = foresee
        self._planned: KeptReply | None = None

    @property
    def may_be_written(self) -> bool:
        """Whether a change of the call came so far as to have the record written with it."""
        return self._planned is not None

    def begin(self, edit: Edit) -> None:
        """See :meth:`Rider.begin`.

        :raises Unmet: another call under the key was faster.
        """
        if self.written or self.finished:
            return
        other = edit.noted(self.id)
        if other is not None and abs(self.at - other.at) < self._lasting:
            raise under_way()

    def end(self, edit: Edit) -> None:
        """See :meth:`Rider.end`."""
        if self.finished:
            return
        before = self.record
        task, made = before.task, before.made
        for kind, id in edit.made():
            if kind == "task":
                task = task or id
            elif kind not in NOT_MADE and len(made) < MOST_MADE:
                made = (*made, f"{kind}/{id}")
        answer = before.answer
        if answer is None:
            answer = self._foresee(edit, task, made)
            if answer is not None and len(answer.body) > LONGEST_BODY_BYTES:
                answer = None
        planned = self._planned = KeptReply(before.fingerprint, before.owner, task, made, answer)
        if not self.written or planned != before:
            self.note(edit, planned)

    def committed(self, _edit: Edit) -> None:
        """See :meth:`Rider.committed`."""
        if not self.finished and self._planned is not None:
            self.record, self.written = self._planned, True

    def note(self, edit: Edit, record: KeptReply) -> None:
        """Have ``record`` be what is kept of the call."""
        edit.note(self.id, self.at, ENCODER.encode(record))


class KeptReplies:
    """The records of one worker, whose name is ``owner``; ``is_alive`` tells whether the worker of that name runs."""

    def __init__(
        self, replica: Replica, bounds: Bounds, owner: str, is_alive: Callable[[str], bool], now: Callable[[], datetime]
    ) -> None:
        self._replica = replica
        self._bounds = bounds
        self._lasting = bounds.lasting // MILLISECOND
        self._owner = owner
        self._is_alive = is_alive
        self._now = now
        self._under_way: set[str] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._lately: set[str] = set()
        self._before: set[str] = set()
        """Of calls that have ended without an answer since the last sweep, and before that: nobody knows whether their
        commits, which went on, came true."""

    def find(self, user: str, key: str) -> KeptReply | None:
        """What the user has done under the key, as far as it is still kept."""
        note = self._replica.notes.get(identity(user, key))
        return None if note is None or not self._lasts(note, self._moment()) else self.read(note)

    def find_or_claim(
        self, user: str, key: str, fingerprint: bytes, foresee: Foresee = nothing_foreseen
    ) -> KeptReply | Claim:
        """What the user has done under the key; or the right to do it, to be released, see :meth:`release`.

        :raises Unmet: it is being done, and nothing is kept of it yet.
        :raises ServiceUnavailable: too many are kept, of the user or in all.
        """
        id, moment, notes = identity(user, key), self._moment(), self._replica.notes
        note = notes.get(id)
        if note is not None and self._lasts(note, moment):
            return self.read(note)
        if id in self._under_way:
            raise under_way()
        most = self._bounds.per_user
        if notes.count(whose(user)) >= most:
            raise too_many(most)
        if len(notes) >= 10 * most or notes.size_bytes >= MOST_BYTES:
            raise too_many_in_all()
        self._under_way.add(id)
        return Claim(id, moment, self._lasting, KeptReply(fingerprint, self._owner), foresee)

    def read(self, note: Note) -> KeptReply:
        """The record that a note is."""
        return DECODER.decode(self._replica.notes.opened(note))

    def is_under_way(self, user: str, key: str, record: KeptReply) -> bool:
        """Whether the call goes on, and somebody waits for its answer."""
        if record.is_over:
            return False
        return identity(user, key) in self._under_way if record.owner == self._owner else self._is_alive(record.owner)

    async def write(self, claim: Claim) -> None:
        """Have the claim's record written before the call does anything: for what changes things outside the store.

        :raises Unmet: another call under the key was faster.
        """
        await self._note(claim, claim.record)
        claim.written = True

    async def finish(self, claim: Claim, answer: Answer) -> None:
        """Keep what the call was answered, durably; it is already where that was foreseen.

        :raises Unmet: another call under the key was faster, and this one has changed nothing.
        """
        if claim.written and claim.record.answer == answer:
            claim.finished = True
            return
        if claim.record.answer is not None:
            log.error("a call under a key was answered otherwise than its change foresaw")
        record = msgspec.structs.replace(claim.record, answer=answer)
        if len(answer.body) > LONGEST_BODY_BYTES:
            record = msgspec.structs.replace(record, answer=None, unkept=True)
        await self._note(claim, record)
        claim.finished = True

    async def fail(self, claim: Claim, answer: Answer) -> None:
        """Keep the error that the call was answered, if it has changed anything; else it may be made anew."""
        if not claim.written or claim.finished:
            return
        try:
            await self.finish(claim, answer)
        except Exception:
            log.exception("could not keep what a call under a key was answered")

    def release(self, claim: Claim) -> None:
        """The call is over, whatever became of it."""
        self._under_way.discard(claim.id)
        if not claim.finished:
            claim.finished = True
            if claim.may_be_written or claim.written:
                self._lately.add(claim.id)
                self._spawn(self._leave(claim.id))

    async def sweep(self) -> int:
        """Forget what is kept no longer; returns how many."""
        ended, self._before, self._lately = self._before, self._lately, set()
        for id in ended:
            await self._leave(id)
        moment, gone = self._moment(), 0
        async for some in in_turns(tuple(self._replica.notes)):
            over = [note for note in some if not self._lasts(note, moment)]
            self._replica.notes.forget(over)
            gone += len(over)
        if gone:
            while await self._replica.forget_notes(moment - self._lasting):
                pass
        return gone

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._leaving)

    def _moment(self) -> int:
        """Now, in milliseconds."""
        return int(self._now().timestamp() * 1000)

    def _lasts(self, note: Note, moment: int) -> bool:
        return abs(moment - note.at) < self._lasting

    async def _note(self, claim: Claim, record: KeptReply) -> None:
        def plan(edit: Edit) -> None:
            claim.begin(edit)
            claim.note(edit, record)

        with riding():
            await self._replica.change(plan)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _leave(self, id: str) -> None:
        """Note of a call that has no answer that nobody waits for one. Whether it has written anything shows here: of
        one that was canceled nobody else knows."""

        def plan(edit: Edit) -> None:
            note = edit.noted(id)
            if note is None or id in self._under_way:
                return
            record = self.read(note)
            if record.owner == self._owner and not record.is_over:
                edit.note(id, note.at, ENCODER.encode(msgspec.structs.replace(record, left=True)))

        try:
            with riding():
                await self._replica.change(plan)
        except Exception:
            log.exception("could not note that a call under a key has ended without an answer")


def under_way() -> VapiError:
    """The refusal of a call whose key is that of another one that goes on."""
    return Unmet(
        message(
            "resphere.idempotency.under_way",
            "A call with this Idempotency-Key is under way. Repeat it later to get its answer.",
        )
    ).http(409, [("Retry-After", "1")])


def too_many(most: int) -> VapiError:
    """The refusal of a key of somebody who has too many."""
    return ServiceUnavailable(
        message(
            "resphere.idempotency.too_many",
            "{0} keys of this user are kept already, the most there may be. Older ones are forgotten by and by.",
            most,
        )
    ).http(TOO_MANY_REQUESTS, [("Retry-After", "60")])


def too_many_in_all() -> VapiError:
    """The refusal of a key where there is no room for any."""
    return ServiceUnavailable(
        message(
            "resphere.idempotency.no_room", "There is no room for further keys. Older ones are forgotten by and by."
        )
    ).http(503, [("Retry-After", "60")])
