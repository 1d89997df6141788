"""Keeps what calls under keys were answered, in the transactions by which they change something.

A claim rides along with a call (:mod:`resphere.replica.riders`). Its record is written by the first transaction of the
call, so that of two calls under one key one alone can change anything, and a call that was refused, or died before it
had changed anything, has left nothing. Where a transaction settles the call, its answer can be foreseen and is written
along; any other is added before it is sent::

    claim = replies.claim(user, key, fingerprint, foresee)
    with riding(claim):
        result = await handler(call)
    await replies.finish(claim, answer)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

import msgspec

from resphere.contract.errors import ServiceUnavailable, VapiError, message
from resphere.idempotency.record import SIZES, Answer, KeptReply, identity
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.riders import Unmet, riding
from resphere.turns import in_turns

log = logging.getLogger(__name__)

LONGEST_BODY_BYTES = 16 * 1024
MOST_BYTES = 64 * 1024 * 1024
"""So much memory do all records take, in each worker."""
MOST_MADE = 4
"""So many of the documents are noted that a call has made."""
FORGOTTEN_AT_ONCE = 500
TOO_MANY_REQUESTS = 429
UNNOTED = frozenset({KeptReply.kind, "task", "intent"})


class Bounds(msgspec.Struct, frozen=True):
    """How long records are kept, and how many of one user; of all users ten times as many."""

    lasting: timedelta = timedelta(days=1)
    per_user: int = 10_000


Foresee: TypeAlias = Callable[[KeptReply, Edit], Answer | None]
"""What a call is going to be answered whose record is like that, where a transaction does the last of it, or all."""


def nothing_foreseen(_record: KeptReply, _edit: Edit) -> None:
    """Of calls whose answers are not known before they are made."""


class Claim:
    """The right to make one call under a key; rides along with what the call changes."""

    def __init__(self, record: KeptReply, lasts: Callable[[KeptReply], bool], foresee: Foresee) -> None:
        self.record = record
        self.written = False
        """Whether the record is durable."""
        self.finished = False
        self._lasts = lasts
        self._foresee = foresee
        self._planned = record

    def begin(self, edit: Edit) -> None:
        """See :meth:`Rider.begin`.

        :raises Unmet: another call under the key was faster.
        """
        if self.written or self.finished:
            return
        other = edit.get(KeptReply, self.record.id)
        if other is not None and self._lasts(other):
            raise under_way()

    def end(self, edit: Edit) -> None:
        """See :meth:`Rider.end`."""
        if self.finished:
            return
        task, made = self.record.task, list(self.record.made)
        for cls, id in edit.written():
            if cls.kind == "task":
                task = task or id
            elif cls.kind not in UNNOTED and len(made) < MOST_MADE and edit.before.get(cls, id) is None:
                made.append(f"{cls.kind}/{id}")
        planned = msgspec.structs.replace(self.record, task=task, made=tuple(made))
        if planned.answer is None:
            answer = self._foresee(planned, edit)
            if answer is not None and len(answer.body) <= LONGEST_BODY_BYTES:
                planned = msgspec.structs.replace(planned, answer=answer)
        self._planned = planned
        if not self.written or planned != self.record:
            edit.put(planned)

    def committed(self, edit: Edit) -> None:
        """See :meth:`Rider.committed`."""
        if not self.finished:
            self.record, self.written = self._planned, True


class KeptReplies:
    """The records of one worker, whose name is ``owner``; ``is_alive`` tells whether the worker of that name runs."""

    def __init__(
        self, replica: Replica, bounds: Bounds, owner: str, is_alive: Callable[[str], bool], now: Callable[[], datetime]
    ) -> None:
        self._replica = replica
        self._bounds = bounds
        self._owner = owner
        self._is_alive = is_alive
        self._now = now
        self._under_way: set[str] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    def find(self, user: str, key: str) -> KeptReply | None:
        """What the user has done under the key, as far as it is still kept."""
        record = self._replica.get(KeptReply, identity(user, key))
        return record if record is not None and self._lasts(record) else None

    def is_under_way(self, record: KeptReply) -> bool:
        """Whether the call goes on, and somebody waits for its answer."""
        if is_over(record):
            return False
        return record.id in self._under_way if record.owner == self._owner else self._is_alive(record.owner)

    def claim(self, user: str, key: str, fingerprint: str, foresee: Foresee = nothing_foreseen) -> Claim:
        """The right to make a call under a key of which nothing is kept; to be released, see :meth:`release`.

        :raises Unmet: such a call is under way.
        :raises ServiceUnavailable: too many are kept, of the user or in all.
        """
        id = identity(user, key)
        if id in self._under_way:
            raise under_way()
        if len(self._replica.by(KeptReply, "user", user)) >= self._bounds.per_user:
            raise too_many(self._bounds.per_user)
        if (
            self._replica.count(KeptReply) >= 10 * self._bounds.per_user
            or self._replica.derived(SIZES).bytes >= MOST_BYTES
        ):
            raise too_many_in_all()
        self._under_way.add(id)
        record = KeptReply(id=id, user=user, fingerprint=fingerprint, owner=self._owner, time=self._now())
        return Claim(record, self._lasts, foresee)

    async def write(self, claim: Claim) -> None:
        """Have the claim's record written before the call does anything: for what changes things outside the store.

        :raises Unmet: another call under the key was faster.
        """

        def plan(edit: Edit) -> None:
            claim.begin(edit)
            edit.put(claim.record)

        with riding():
            await self._replica.change(plan)
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

        def plan(edit: Edit) -> None:
            claim.begin(edit)
            edit.put(record)

        with riding():
            await self._replica.change(plan)
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
        self._under_way.discard(claim.record.id)
        if not claim.finished:
            claim.finished = True
            self._spawn(self._leave(claim.record.id))

    async def sweep(self) -> int:
        """Forget what is kept no longer; returns how many."""
        over: list[str] = []
        async for some in in_turns(tuple(self._replica.all(KeptReply).values())):
            over += [record.id for record in some if not self._lasts(record)]
            for record in some:
                # Its caller was gone before its commit was: nobody else notes that.
                if record.owner == self._owner and not (is_over(record) or record.id in self._under_way):
                    await self._leave(record.id)
        async for some_ids in in_turns(over, FORGOTTEN_AT_ONCE):
            await self._replica.change(partial(self._forget, ids=some_ids))
        return len(over)

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._leaving)

    def _forget(self, edit: Edit, *, ids: list[str]) -> None:
        for id in ids:
            record = edit.get(KeptReply, id)
            if record is not None and not self._lasts(record):
                edit.delete(KeptReply, id)

    def _lasts(self, record: KeptReply) -> bool:
        return abs(self._now() - record.time) < self._bounds.lasting

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _leave(self, id: str) -> None:
        """Note of a call that has no answer that nobody waits for one. Whether it has written anything shows here: of
        one that was canceled nobody else knows."""

        def plan(edit: Edit) -> None:
            record = edit.get(KeptReply, id)
            if record is None or record.owner != self._owner or is_over(record):
                return
            if id not in self._under_way:
                edit.put(msgspec.structs.replace(record, left=True))

        try:
            with riding():
                await self._replica.change(plan)
        except Exception:
            log.exception("could not note that a call under a key has ended without an answer")


def is_over(record: KeptReply) -> bool:
    """Whether nothing more is written of the call."""
    return record.answer is not None or record.left or record.unkept


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
