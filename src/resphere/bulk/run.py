"""One bulk operation on its way: items are begun, what became of them is written down, and in the end the task ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import msgspec

from resphere.bulk.bulks import MOST_ITEMS, Bulks, packed_parts, put_parts
from resphere.bulk.carrying import Answer, Carrier, Errand
from resphere.bulk.endings import canceled, failed_items, no_values, stopped_at_error, too_many_found
from resphere.bulk.items import Item, Outcome, merged, read_outcome, write_outcome
from resphere.bulk.marks import Marking, interrupted, of_task
from resphere.bulk.record import ITEMS_OF_PART, BulkRecord, Each, Mark, Outcomes, part_id
from resphere.contract.errors import InvalidArgument, VapiError, message
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.generated.cis_task import Status
from resphere.contract.mentions import everything, nothing
from resphere.contract.model import AnyOperation
from resphere.events.cause import BEHIND
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.riders import DryRun, OnlyTried, riding
from resphere.tasks.outcomes import failure, succeeded
from resphere.tasks.record import Task
from resphere.tasks.runner import Tasks
from resphere.turns import heard

State = Bulk.ItemState

FLUSH_SECONDS = 0.25
FLUSHED_AT_ONCE = 500
"""What became of items is written down so often, and of so many at once."""
MOST_UNWRITTEN = 2_000
"""While it is not written down of so many, no other is begun."""
LARGEST_RESULT_BYTES = 16 * 1024
LOOK_SECONDS = 0.5
"""How often it is looked whether a task has ended that another worker does."""
AGAIN_SECONDS = 1.0
TRIED_AGAIN = frozenset(
    {
        "resphere.limits.rate",
        "resphere.limits.waiting",
        "resphere.limits.busy",
        "resphere.audit.not_recorded",
    }
)
"""Refusals of a moment at which there is no room: the item waits."""


class TakenOver(Exception):
    """Another worker carries the bulk operation out, or it is gone."""


class Run:
    """One bulk operation as this worker carries it out."""

    path: ClassVar[str] = "/api/resphere/bulk"

    def __init__(self, bulk: BulkRecord, replica: Replica, bulks: Bulks, carrier: Carrier, tasks: Tasks) -> None:
        self._bulk = bulk
        self._replica = replica
        self._bulks = bulks
        self._carrier = carrier
        self._tasks = tasks
        self._now = tasks.now
        self._stop = asyncio.Event()
        """No further item is begun."""
        self._paused = False
        self._unwritten: list[Outcome] = []
        self._room = asyncio.Event()
        self._room.set()
        self._written = asyncio.Event()
        self._adopted: set[int] = set()
        self._due = 0.0
        self._one_writes = asyncio.Lock()

    async def run(self) -> None:
        """Carry it out to its end, or until it is paused.

        :raises TakenOver: it is somebody else's.
        """
        BEHIND.set(self._bulk.behind)
        end = self._replica.subscribe(BulkRecord, self._hear)
        end_tasks = self._replica.subscribe(Task, self._hear_task)
        self._look_for_stop(self._bulk, self._replica.get(Task, self._bulk.id))
        carrying = asyncio.ensure_future(self._carry_out())
        writing = asyncio.ensure_future(self._write_now_and_then())
        try:
            await asyncio.wait((carrying, writing), return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                # It ends by failing alone.
                await writing
            refusal = await carrying
        finally:
            for part in (carrying, writing):
                part.cancel()
            await asyncio.gather(carrying, writing, return_exceptions=True)
            end()
            end_tasks()
        if self._paused:
            await self._write(holder=None)
        else:
            await self._end(refusal)

    @property
    def user(self) -> str:
        """Who has asked for it."""
        return self._bulk.requester.user

    def pause(self) -> None:
        """Begin no further item; another worker goes on."""
        self._paused = True
        self._stop.set()

    async def _carry_out(self) -> VapiError | None:
        """All items; why there are none, where they cannot be told."""
        recovering = await self._recovered()
        if self._bulk.total is None and not self._stop.is_set():
            try:
                await self._find_values()
            except VapiError as error:
                return error
        items = self._items()
        async with asyncio.TaskGroup() as group:
            for mark in recovering:
                group.create_task(self._adopt(mark))
            for _ in range(self._bulk.concurrency):
                group.create_task(self._work(items))
        return None

    # --- the items ---------------------------------------------------------------------------------------------------

    def _items(self) -> Iterator[tuple[int, Item]]:
        """Those of which nothing is written down, with their numbers."""
        for part in range(self._bulk.parts):
            done = self._bulks.outcomes(self._bulk.id, part).keys()
            for number, item in enumerate(self._bulks.items(self._bulk, part), part * ITEMS_OF_PART):
                if number not in done and number not in self._adopted:
                    yield number, item

    async def _work(self, items: Iterator[tuple[int, Item]]) -> None:
        """Carry out one item after the other, beside others who do the same."""
        while True:
            await self._pace()
            if self._stop.is_set():
                return
            found = next(items, None)
            if found is None:
                return
            self._note(await self._one(*found))
            # What never waits for anything must not hold the loop.
            await asyncio.sleep(0)
            await self._room.wait()

    async def _pace(self) -> None:
        """Wait until another item may be begun, or none may any more."""
        if self._bulk.rate is None:
            return
        loop = asyncio.get_running_loop()
        due = max(self._due, loop.time())
        self._due = due + 1 / self._bulk.rate
        await heard(self._stop, due - loop.time())

    async def _one(self, number: int, item: Item) -> Outcome:
        """Carry out an item."""
        operation = self._bulks.operations.find(item.operation)
        if operation is None:
            return self._failed(number, no_operation(item.operation), None)
        while True:
            marking = Marking(self._bulk.id, number, operation, self._now)
            with riding(OnlyTried() if self._bulk.dry_run else marking):
                answer = await self._carrier.carry(self._errand(str(number), operation, item.input))
            marking.close()
            if marking.mark is not None or not is_tried_again(answer.error):
                break
            if await heard(self._stop, AGAIN_SECONDS):
                break
        outcome = await self._outcome(number, operation, answer, None if marking.mark is None else marking.mark.task)
        mark = marking.mark
        if mark is not None and not mark.done and self._replica.get(Mark, mark.id) is not None:
            # What its changes did not tell is told at once: after a crash nobody else would know.
            await self._tell(mark, outcome)
        return outcome

    def _errand(self, name: str, operation: AnyOperation, input: dict[str, Any]) -> Errand:
        bulk = self._bulk
        path = f"{self.path}/{bulk.id}/items/{name}"
        return Errand(bulk.requester, operation, input, f"{bulk.id}.{name}", path)

    async def _outcome(self, number: int, operation: AnyOperation, answer: Answer, task: str | None) -> Outcome:
        """What became of an item that was answered."""
        if isinstance(answer.error, DryRun):
            return Outcome(number=number, state=State.SUCCEEDED, end_time=self._now())
        if answer.error is not None:
            return self._failed(number, answer.error, task)
        if operation.name.endswith("$task"):
            begun = msgspec.json.decode(answer.body)
            ended = await self._ended(begun)
            if ended is not None and ended.status is Status.FAILED:
                return self._failed_task(number, ended)
            return Outcome(number=number, state=State.SUCCEEDED, task=begun, result=begun, end_time=self._now())
        omitted = len(answer.body) > LARGEST_RESULT_BYTES
        return Outcome(
            number=number,
            state=State.SUCCEEDED,
            task=task,
            result=msgspec.Raw(answer.body) if answer.body and not omitted else None,
            result_omitted=omitted,
            end_time=self._now(),
        )

    def _failed(self, number: int, error: VapiError, task: str | None) -> Outcome:
        return Outcome(
            number=number, state=State.FAILED, task=task, error=error.value(everything), end_time=self._now()
        )

    def _failed_task(self, number: int, task: Task) -> Outcome:
        # Who reads the items may not know of all that stood in the way.
        error = None if task.error is None else task.error.told(nothing)
        return Outcome(number=number, state=State.FAILED, task=task.id, error=error, end_time=task.end_time)

    async def _ended(self, task_id: str) -> Task | None:
        """The task once it has ended, ``None`` where there is none any more."""
        while True:
            task = self._replica.get(Task, task_id)
            if task is None or task.is_finished:
                return task
            await asyncio.sleep(LOOK_SECONDS)
            await self._replica.refresh()

    async def _tell(self, mark: Mark, outcome: Outcome) -> None:
        def plan(edit: Edit) -> None:
            edit.put(msgspec.structs.replace(mark, outcome=write_outcome(outcome)))

        await self._replica.change(plan)

    # --- what others have left ---------------------------------------------------------------------------------------

    async def _recovered(self) -> list[Mark]:
        """The items that a worker had begun which is no more: noted where it is known what became of them; the others
        are those of which it must be waited for."""
        marks = list(self._replica.by(Mark, "bulk", self._bulk.id).values())
        if any(mark.outcome is None and not mark.done for mark in marks):
            await self._tasks.take_over_orphans()
        self._adopted = {mark.number for mark in marks}
        waiting = []
        for mark in marks:
            if mark.outcome is not None:
                self._note(read_outcome(mark.outcome))
            elif mark.done:
                self._note(Outcome(number=mark.number, state=State.SUCCEEDED, task=mark.task, end_time=self._now()))
            elif mark.task is not None:
                waiting.append(mark)
            else:
                self._note(self._failed(mark.number, interrupted(), None))
        return waiting

    async def _adopt(self, mark: Mark) -> None:
        """What became of an item by its task."""
        task = await self._ended(mark.task or "")
        operation = self._operation_of(mark.number)
        if task is None or operation is None:
            self._note(self._failed(mark.number, interrupted(), mark.task))
        elif task.status is Status.SUCCEEDED:
            self._note(of_task(mark.number, task, operation, self._now()))
        else:
            self._note(self._failed_task(mark.number, task))

    def _operation_of(self, number: int) -> AnyOperation | None:
        items = self._bulks.items(self._bulk, number // ITEMS_OF_PART)
        place = number % ITEMS_OF_PART
        return self._bulks.operations.find(items[place].operation) if place < len(items) else None

    # --- the values --------------------------------------------------------------------------------------------------

    async def _find_values(self) -> None:
        """Ask the list for the values.

        :raises VapiError: it refuses, or there are too many.
        """
        each = self._bulk.each
        operation = None if each is None or each.list is None else self._bulks.operations.find(each.list)
        if each is None or operation is None:
            raise no_values()
        answer = await self._carrier.carry(self._errand("list", operation, each.list_input))
        if answer.error is not None:
            raise answer.error
        values = await asyncio.to_thread(listed_values, answer.body, each)
        if len(values) > MOST_ITEMS:
            raise too_many_found(len(values), MOST_ITEMS)
        parts = await asyncio.to_thread(packed_parts, values)

        def plan(edit: Edit) -> BulkRecord:
            found = msgspec.structs.replace(self._own(edit), total=len(values))
            put_parts(edit, found.id, parts)
            edit.put(found)
            return found

        self._bulk = await self._replica.change(plan)

    # --- what is written down ----------------------------------------------------------------------------------------

    def _note(self, outcome: Outcome) -> None:
        """Have it be written down what became of an item."""
        self._unwritten.append(outcome)
        if outcome.state is State.FAILED and self._bulk.stop_on_error:
            self._stop.set()
        if len(self._unwritten) >= FLUSHED_AT_ONCE:
            self._written.set()
        if len(self._unwritten) >= MOST_UNWRITTEN:
            self._room.clear()

    async def _write_now_and_then(self) -> None:
        while True:
            await heard(self._written, FLUSH_SECONDS)
            self._written.clear()
            if self._unwritten:
                await self._write()

    async def _write(self, **changes: Any) -> None:
        """Write down what is not yet, with changes of the record; whoever is canceled meanwhile has it done.

        :raises TakenOver: it is somebody else's.
        """
        async with self._one_writes:
            writing = asyncio.ensure_future(self._written_down(changes))
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                await asyncio.gather(writing, return_exceptions=True)
                raise

    async def _written_down(self, changes: dict[str, Any]) -> None:
        fresh, self._unwritten = self._unwritten, []
        self._room.set()
        packed = self._packed(fresh)

        def plan(edit: Edit) -> BulkRecord:
            for id, outcomes in packed.items():
                edit.put(Outcomes(id=id, bulk=self._bulk.id, outcomes=outcomes))
            for outcome in fresh:
                mark = part_id(self._bulk.id, outcome.number)
                if edit.get(Mark, mark) is not None:
                    edit.delete(Mark, mark)
            record = counted(self._own(edit), fresh)
            record = msgspec.structs.replace(record, **changes)
            edit.put(record)
            self._follow(edit, record)
            return record

        try:
            self._bulk = await self._replica.change(plan)
        except Exception:
            self._unwritten = fresh + self._unwritten
            raise

    def _packed(self, fresh: Iterable[Outcome]) -> dict[str, bytes]:
        by_part: dict[int, list[Outcome]] = {}
        for outcome in fresh:
            by_part.setdefault(outcome.number // ITEMS_OF_PART, []).append(outcome)
        packed = {}
        for part, outcomes in by_part.items():
            id = part_id(self._bulk.id, part)
            known = self._replica.get(Outcomes, id)
            packed[id] = merged(None if known is None else known.outcomes, outcomes)
        return packed

    def _own(self, edit: Edit) -> BulkRecord:
        """The record as it is.

        :raises TakenOver: another worker has it, or nobody.
        """
        record = edit.get(BulkRecord, self._bulk.id)
        if record is None or record.holder != self._tasks.owner or record.is_finished:
            raise TakenOver(self._bulk.id)
        return record

    def _follow(self, edit: Edit, record: BulkRecord) -> None:
        """Have the task tell what the record does."""
        task = edit.get(Task, record.id)
        if task is None or task.is_finished:
            return
        if record.status is Status.SUCCEEDED:
            edit.put(succeeded(task, None, self._now()))
        elif record.status is Status.FAILED:
            edit.put(msgspec.structs.replace(task, status=Status.FAILED, error=record.error, end_time=self._now()))
        elif record.total:
            edit.put(msgspec.structs.replace(task, progress=min(99, 100 * record.done // record.total)))

    # --- the end -----------------------------------------------------------------------------------------------------

    async def _end(self, refusal: VapiError | None) -> None:
        await self._write()
        for number, _ in self._remaining():
            self._note(Outcome(number=number, state=State.SKIPPED))
            if len(self._unwritten) >= MOST_UNWRITTEN:
                await self._write()
                await asyncio.sleep(0)
        record = counted(self._bulk, self._unwritten)
        error = refusal or self._error(record)
        total = record.total if record.total is not None else 0
        status = Status.SUCCEEDED if error is None else Status.FAILED
        kept = None if error is None else failure(error)
        await self._write(status=status, error=kept, total=total, holder=None, end_time=self._now())

    def _remaining(self) -> Iterator[tuple[int, Item]]:
        noted = {outcome.number for outcome in self._unwritten}
        return ((number, item) for number, item in self._items() if number not in noted)

    def _error(self, record: BulkRecord) -> VapiError | None:
        """Why the whole has failed, if it has."""
        if record.skipped and self._is_canceled:
            return canceled(record.skipped)
        if record.skipped:
            return stopped_at_error(record.skipped)
        if record.total is None:
            return canceled(0)
        return failed_items(record.failed, record.total) if record.failed else None

    @property
    def _is_canceled(self) -> bool:
        task = self._replica.get(Task, self._bulk.id)
        record = self._replica.get(BulkRecord, self._bulk.id)
        return any(each is not None and each.cancel_requested for each in (task, record))

    def _hear(self, _: BulkRecord | None, new: BulkRecord | None) -> None:
        if new is not None and new.id == self._bulk.id:
            self._look_for_stop(new, None)

    def _hear_task(self, _: Task | None, new: Task | None) -> None:
        if new is not None and new.id == self._bulk.id:
            self._look_for_stop(None, new)

    def _look_for_stop(self, record: BulkRecord | None, task: Task | None) -> None:
        asked = any(each is not None and each.cancel_requested for each in (record, task))
        if asked or (record is not None and record.stop_on_error and record.failed):
            self._stop.set()


def listed_values(body: bytes, each: Each) -> list[str]:
    """What a list has answered, as values.

    :raises VapiError: an entry has none.
    """
    answered = msgspec.json.decode(body)
    entries = list(answered)
    values = entries if each.field is None else [entry.get(each.field) for entry in entries]
    return [value for value in values if isinstance(value, str)]


def counted(record: BulkRecord, fresh: Iterable[Outcome]) -> BulkRecord:
    """The record with what became of more items."""
    counts = {State.SUCCEEDED: record.succeeded, State.FAILED: record.failed, State.SKIPPED: record.skipped}
    for outcome in fresh:
        counts[outcome.state] += 1
    return msgspec.structs.replace(
        record, succeeded=counts[State.SUCCEEDED], failed=counts[State.FAILED], skipped=counts[State.SKIPPED]
    )


def is_tried_again(error: VapiError | None) -> bool:
    """Whether the error says that there is no room at the moment."""
    return error is not None and any(each.id in TRIED_AGAIN for each in error.messages)


def no_operation(id: str) -> VapiError:
    """The refusal of an operation that is none any more."""
    return InvalidArgument(message("resphere.bulk.no_operation", "There is no operation {0}.", id))
