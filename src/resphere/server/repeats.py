"""Was it done already? What a call under an ``Idempotency-Key`` is answered when it is repeated.

The key is that of draft-ietf-httpapi-idempotency-key-header-07: a string, with quotation marks or without. What is kept
and for how long is the matter of :mod:`resphere.idempotency`.
"""

from __future__ import annotations

import asyncio
import re
from functools import cache, partial
from hashlib import blake2b
from typing import Any

import msgspec

from resphere.access.defaults import LOGINS
from resphere.access.targets import RESOURCES, collect, parts
from resphere.contract.errors import ERRORS, ConcurrentChange, InvalidArgument, VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.cis_task import Status
from resphere.contract.model import AnyOperation, ErrorValue, LocalizableMessage, Secret, Struct
from resphere.dialects.base import Dialect, Reply, Resolved
from resphere.idempotency.record import Answer, KeptReply
from resphere.idempotency.replies import Claim, KeptReplies, under_way
from resphere.inventory.model import KINDS
from resphere.limits.classes import OperationClass, class_of
from resphere.replica.edit import Edit, Outcome
from resphere.tasks.record import Task
from resphere.tasks.runner import Tasks

KEY_HEADER = b"idempotency-key"
QUOTED = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"\Z')
BARE = re.compile(rb"[!#-+\--:<-\[\]-~]{1,255}\Z")
FINGERPRINT_BYTES = 16
NOTHING = Outcome(None)
DETERMINISTIC = msgspec.json.Encoder(order="deterministic")
OUTSIDE = ("com.vmware.vcenter.certificate_management.",)
"""What services begin with that change something outside the store, where no transaction can say that it was done."""


def key_in(headers: dict[bytes, bytes]) -> str | None:
    """The key that a request has.

    :raises InvalidArgument: it is none.
    """
    value = headers.get(KEY_HEADER)
    if value is None:
        return None
    value = value.strip()
    if BARE.match(value):
        return value.decode("ascii")
    quoted = QUOTED.match(value)
    if quoted is not None:
        return re.sub(rb'\\(["\\])', rb"\1", quoted[1]).decode("ascii")
    raise InvalidArgument(
        message(
            "resphere.idempotency.key",
            "Idempotency-Key: must be one text of 1 to 255 ASCII characters, in quotation marks or without blanks, "
            "commas and semicolons.",
        )
    )


def key_among(operation: AnyOperation, value: Struct, given: str | None) -> tuple[str | None, Struct]:
    """The key that an input has where the operation takes one in a field, or else that of the header; and the input
    without it: it is the same call.

    :raises InvalidArgument: there are both, and they are different.
    """
    way = operation.key_field
    holders = [value]
    for name in way[:-1]:
        holders.append(getattr(holders[-1], name))
    key = getattr(holders[-1], way[-1])
    if key is None:
        return given, value
    if given is not None and given != key:
        raise InvalidArgument(
            message(
                "resphere.idempotency.two_keys",
                "{0}: must be the same as Idempotency-Key, or be left out.",
                ".".join(way[1:]) or way[-1],
            )
        )
    without: Any = None
    for name, holder in zip(reversed(way), reversed(holders), strict=True):
        without = msgspec.structs.replace(holder, **{name: without})
    return key, without


@cache
def heeds(operation: AnyOperation) -> bool:
    """Whether a key means something there: not where nothing is changed, nor at logins, of which nothing is kept.

    :raises InvalidArgument: it may change something, and no second call could be given the same answer.
    """
    if class_of(operation) is OperationClass.READ or operation.id in LOGINS:
        return False
    route = operation.api or operation.rest
    if route is not None and route.method == "GET":
        return False
    if tells_secret(operation) or operation.streams:
        raise InvalidArgument(
            message(
                "resphere.idempotency.not_here",
                "Idempotency-Key: {0} takes none, for its answer is a secret, which is not kept, or its body is not "
                "looked at as a whole.",
                operation.id,
            )
        )
    return True


def tells_secret(operation: AnyOperation) -> bool:
    """Whether the result has secrets."""
    structures: dict[type[Struct], None] = {}
    collect(operation.output, structures)
    types = [operation.output, *(field.type for each in structures for field in msgspec.structs.fields(each))]
    return any(part is Secret for each in types for part in parts(each))


def fingerprint(dialect: str, operation: AnyOperation, value: Struct) -> bytes:
    """What tells apart what was asked for, in whatever words."""
    return blake2b(b"%b %b" % (name_of(dialect, operation), DETERMINISTIC.encode(value))).digest()[:FINGERPRINT_BYTES]


@cache
def name_of(dialect: str, operation: AnyOperation) -> bytes:
    """What tells operations and dialects apart."""
    return f"{dialect} {operation.id}".encode()


class Repeats(msgspec.Struct, frozen=True):
    """What is kept of calls under keys, and the tasks that tell what became of those whose answers were lost."""

    replies: KeptReplies
    tasks: Tasks

    async def find(
        self,
        headers: dict[bytes, bytes],
        dialect: Dialect,
        user: str,
        resolved: Resolved,
        value: Struct,
        *,
        large: bool = False,
    ) -> Reply | Claim | None:
        """What a call was answered when it was made before, or the right to make it; ``None``: it has no key.

        ``large``: to look at all of the input takes some time.

        :raises VapiError: what it was answered is an error; or such a call is under way, had other input, or what it
            was answered is not known.
        """
        key = key_in(headers)
        if resolved.operation.key_field:
            key, value = key_among(resolved.operation, value, key)
        if key is None or not heeds(resolved.operation):
            return None
        if large:
            told_apart = await asyncio.to_thread(fingerprint, dialect.name, resolved.operation, value)
        else:
            told_apart = fingerprint(dialect.name, resolved.operation, value)
        found = self.replies.find_or_claim(user, key, told_apart, partial(foreseen, dialect, resolved))
        if isinstance(found, KeptReply):
            if found.fingerprint != told_apart:
                raise other_input()
            goes_on = self.replies.is_under_way(user, key, found)
            return await self._answer(found, dialect, resolved, goes_on=goes_on)
        if resolved.operation.service.startswith(OUTSIDE):
            try:
                await self.replies.write(found)
            except BaseException:
                self.replies.release(found)
                raise
        return found

    async def finish(self, claim: Claim, reply: Reply) -> None:
        """Keep the reply to a call that has done what was asked for, as its dialect wrote it.

        :raises Unmet: another call under the key was faster, and this one has changed nothing.
        """
        await self.replies.finish(claim, answer_of(reply))

    async def fail(self, claim: Claim, error: VapiError) -> None:
        """Keep the error that a call ended in, as its caller is told, if it has changed something before."""
        value = ErrorValue(
            error_type=error.error_type, messages=tuple(map(plain_message, error.messages)), data=error.plain_data
        )
        await self.replies.fail(claim, Answer(error.status or 0, headers=error.headers, error=value))

    async def _answer(self, record: KeptReply, dialect: Dialect, resolved: Resolved, *, goes_on: bool) -> Reply:
        if record.answer is not None:
            return answered(record.answer)
        if record.unkept:
            raise lost(record)
        if goes_on:
            raise under_way()
        return dialect.encode(resolved, await self._outcome(record, resolved.operation))

    async def _outcome(self, record: KeptReply, operation: AnyOperation) -> Any:
        """What a call has come to whose worker died, or which nobody waited for.

        :raises VapiError: it has failed, goes on, or it cannot be known.
        """
        task = await self._ended(record)
        if task is None:
            raise lost(record)
        if operation.output is ids.CisTASKId:
            return task.id
        if not task.is_finished:
            raise under_way()
        if task.status is Status.FAILED:
            raise from_value(task.error) if task.error is not None else lost(record)
        known = result_of(record.made, operation)
        if known is None:
            raise lost(record)
        return known.result

    async def _ended(self, record: KeptReply) -> Task | None:
        """The task in which the call was done, ended if its worker is dead; ``None`` where there is none any more."""
        replica = self.tasks.replica
        task = None if record.task is None else replica.get(Task, record.task)
        if task is not None and not task.is_finished and not self.tasks.is_worked_on(task):
            await self.tasks.take_over_orphans()
            task = replica.get(Task, task.id)
        return task


def foreseen(
    dialect: Dialect, resolved: Resolved, edit: Edit, task: str | None, made: tuple[str, ...]
) -> Answer | None:
    """What a call is going to be answered, where a transaction of its settles it; ``None`` where it does not, or where
    the answer does not follow from what is written."""
    known, output = edit.outcome, resolved.operation.output
    if known is None and task is not None:
        record = edit.get(Task, task)
        if output is ids.CisTASKId:
            known = Outcome(task)
        elif record is not None and record.status is Status.SUCCEEDED:
            known = result_of(made, resolved.operation)
    if known is None:
        return None
    return answer_of(dialect.encode(resolved, None if output is None else known.result))


def result_of(made: tuple[str, ...], operation: AnyOperation) -> Outcome | None:
    """What a call results in that has succeeded as a task: nothing, or the one thing of its kind that it has made;
    ``None``: something else."""
    if operation.output is None:
        return NOTHING
    found = [id for kind, _, id in (each.partition("/") for each in made) if is_of(kind, operation.output)]
    return Outcome(found[0]) if len(found) == 1 else None


def answer_of(reply: Reply) -> Answer:
    """A reply, as it is kept."""
    return Answer(reply.status, reply.body, reply.media_type, reply.headers)


def answered(answer: Answer) -> Reply:
    """What was answered.

    :raises VapiError: that was an error.
    """
    if answer.error is not None:
        error = from_value(answer.error)
        if answer.status:
            error.http(answer.status, answer.headers)
        raise error
    return Reply(answer.status, answer.body, answer.media_type, answer.headers)


def from_value(value: ErrorValue) -> VapiError:
    """The error that a record tells of."""
    return ERRORS[value.error_type](*value.messages, data=value.data)


def plain_message(told: LocalizableMessage) -> LocalizableMessage:
    """A message in the words that were told."""
    return LocalizableMessage(id=told.id, default_message=told.default_message, args=told.args)


def is_of(kind: str, output: Any) -> bool:
    """Whether documents of that kind are what identifiers of the type mean."""
    cls = KINDS.get(kind)
    return cls is not None and RESOURCES.get(output) == cls.resource_type


def other_input() -> VapiError:
    """The refusal of a key under which something else was asked for."""
    return InvalidArgument(
        message(
            "resphere.idempotency.other_input",
            "This Idempotency-Key was used for another call: the operation, the dialect or the input is different. "
            "Each call needs a key of its own.",
        )
    ).http(422)


def lost(record: KeptReply) -> VapiError:
    """The refusal of a repeated call that was done, of which it is not known what it was answered."""
    made = ", ".join(each.partition("/")[2] for each in record.made) or "-"
    return ConcurrentChange(
        message(
            "resphere.idempotency.answer_lost",
            "The call with this Idempotency-Key has changed something and is not made again, but its answer is not "
            "known: it was too long to be kept, or the server was stopped in the middle. Made by it: {0}. Task: {1}.",
            made,
            record.task or "-",
        )
    ).http(409)
