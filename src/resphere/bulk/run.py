"""One part of a bulk operation on its way: items are begun, and what became of them is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import msgspec

from resphere.bulk.bulks import Bulks
from resphere.bulk.carrying import Answer, Carrier, Errand
from resphere.bulk.finding import PATH
from resphere.bulk.items import Item, Outcome, merged, read_outcome, write_outcome
from resphere.bulk.marks import Marking, interrupted, of_task
from resphere.bulk.progress import advanced, end
from resphere.bulk.record import ITEMS_OF_PART, BulkRecord, Mark, Outcomes, Share, part_id
from resphere.bulk.shares import asked_to_stop
from resphere.contract.errors import InvalidArgument, VapiError, message
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.generated.cis_task import Status
from resphere.contract.mentions import everything, nothing
from resphere.contract.model import AnyOperation
from resphere.events.cause import BEHIND
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.riders import DryRun, OnlyTried, riding
from resphere.tasks.record import Task
from resphere.tasks.runner import Tasks
from resphere.turns import heard

State = Bulk.ItemState

WRITE_SECONDS = 0.25
"""What became of items is written down so often."""
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
    """Another worker carries the part out, or it is gone."""


class Run:
    """One part as this worker carries it out."""

    def __init__(
        self, bulk: BulkRecord, share: Share, replica: Replica, bulks: Bulks, carrier: Carrier, tasks: Tasks
    ) -> None:
        self._bulk = bulk
        self._share = share
        self._replica = replica
        self._bulks = bulks
        self._carrier = carrier
        self._tasks = tasks
        self._now = tasks.now
        self._first = share.part * ITEMS_OF_PART
        self._stop = asyncio.Event()
        """No further item is begun."""
        self._paused = False
        self._wider = asyncio.Event()
        self._unwritten: list[Outcome] = []
        self._hurry = asyncio.Event()
        """What is not written down must be at once."""
        self._adopted: set[int] = set()
        self._due = 0.0
        self._one_writes = asyncio.Lock()

    async def run(self) -> None:
        """Carry it out to its end, or until it is paused.

        :raises TakenOver: it is somebody else's.
        """
        BEHIND.set(self._bulk.behind)
        stop_hearing = self._replica.subscribe(BulkRecord, self._hear)
        stop_hearing_tasks = self._replica.subscribe(Task, self._hear)
        self._look_for_stop()
        carrying = asyncio.ensure_future(self._carry_out())
        writing = asyncio.ensure_future(self._write_now_and_then())
        try:
            await asyncio.wait((carrying, writing), return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                # It ends by failing alone.
                await writing
            await carrying
        finally:
            for part in (carrying, writing):
                part.cancel()
            await asyncio.gather(carrying, writing, return_exceptions=True)
            stop_hearing()
            stop_hearing_tasks()
        await self._write(leave=True)

    def pause(self) -> None:
        """Begin no further item; another worker goes on."""
        self._paused = True
        self._stop.set()

    def widen(self, share: Share) -> None:
        """Use the lanes that the share has been given besides."""
        self._share = share
        self._wider.set()

    async def _carry_out(self) -> None:
        waiting = await self._recovered()
        items = self._items()
        async with asyncio.TaskGroup() as group:
            for mark in waiting:
                group.create_task(self._adopt(mark))
            widening = group.create_task(self._widen(group, items))
            await self._work(items)
            widening.cancel()
        if not self._paused:
            for number, _ in items:
                self._note(Outcome(number=number, state=State.SKIPPED))

    async def _widen(self, group: asyncio.TaskGroup, items: Iterator[tuple[int, Item]]) -> None:
        """Have as many items under way as the share has lanes, one of which is there already."""
        lanes = 1
        while True:
            while lanes < self._share.lanes:
                group.create_task(self._work(items))
                lanes += 1
            self._wider.clear()
            await self._wider.wait()

    # --- the items ---------------------------------------------------------------------------------------------------

    def _items(self) -> Iterator[tuple[int, Item]]:
        """Those of which nothing is known, with their numbers."""
        done = self._bulks.outcomes(self._bulk.id, self._share.part).keys()
        for number, item in enumerate(self._bulks.items(self._bulk, self._share.part), self._first):
            if number not in done and number not in self._adopted:
                yield number, item

    async def _work(self, items: Iterator[tuple[int, Item]]) -> None:
        """Carry out one item after the other, beside others who do the same."""
        while True:
            await self._pace()
            # What has become of other workers' items is known from here on.
            await self._replica.refresh()
            if self._stop.is_set():
                return
            found = next(items, None)
            if found is None:
                return
            outcome = await self._one(*found)
            if outcome is None:
                return
            self._note(outcome)
            # What never waits for anything must not hold the loop.
            await asyncio.sleep(0)

    async def _pace(self) -> None:
        """Wait until another item may be begun, or none may any more."""
        if self._bulk.rate is None:
            return
        loop = asyncio.get_running_loop()
        due = max(self._due, loop.time())
        self._due = due + 1 / self._bulk.rate
        await heard(self._stop, due - loop.time())

    async def _one(self, number: int, item: Item) -> Outcome | None:
        """Carry out an item; ``None``: there was no room for it until this worker was to begin nothing more."""
        operation = self._bulks.operations.find(item.operation)
        if operation is None:
            return self._failed(number, no_operation(item.operation), None)
        bulk = self._bulk
        path = f"{PATH}/{bulk.id}/items/{number}"
        errand = Errand(bulk.requester, operation, item.input, f"{bulk.id}.{number}", path)
        while True:
            marking = Marking(bulk.id, number, operation, self._now)
            with riding(OnlyTried() if bulk.dry_run else marking):
                answer = await self._carrier.carry(errand)
            marking.close()
            if marking.mark is not None or not is_tried_again(answer.error):
                break
            if await heard(self._stop, AGAIN_SECONDS):
                return None if self._paused else Outcome(number=number, state=State.SKIPPED)
        outcome = await self._outcome(number, operation, answer, None if marking.mark is None else marking.mark.task)
        mark = marking.mark
        if mark is not None and not mark.done and self._replica.get(Mark, mark.id) is not None:
            # What its changes did not tell is told at once: after a crash nobody else would know.
            await self._tell(mark, outcome)
        return outcome

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
        """The items of the part that a worker had begun which is no more: noted where it is known what became of them;
        the others are those of which it must be waited for."""
        part = range(self._first, self._first + ITEMS_OF_PART)
        marks = [mark for mark in self._replica.by(Mark, "bulk", self._bulk.id).values() if mark.number in part]
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
        items = self._bulks.items(self._bulk, self._share.part)
        place = number - self._first
        return self._bulks.operations.find(items[place].operation) if place < len(items) else None

    # --- what is written down ----------------------------------------------------------------------------------------

    def _note(self, outcome: Outcome) -> None:
        """Have it be written down what became of an item."""
        self._unwritten.append(outcome)
        if outcome.state is State.FAILED and self._bulk.stop_on_error:
            self._stop.set()
            # Other workers hear of it when it is written down.
            self._hurry.set()

    async def _write_now_and_then(self) -> None:
        while True:
            await heard(self._hurry, WRITE_SECONDS)
            self._hurry.clear()
            if self._unwritten:
                await self._write()

    async def _write(self, *, leave: bool = False) -> None:
        """Write down what is not yet; whoever is canceled meanwhile has it done. ``leave``: with that this worker is
        done with the part.

        :raises TakenOver: it is somebody else's.
        """
        async with self._one_writes:
            writing = asyncio.ensure_future(self._written_down(leave))
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                await asyncio.gather(writing, return_exceptions=True)
                raise

    async def _written_down(self, leave: bool) -> None:
        fresh, self._unwritten = self._unwritten, []
        packed = self._packed(fresh)

        def plan(edit: Edit) -> None:
            share, record = self._own(edit)
            if packed is not None:
                edit.put(Outcomes(id=share.id, bulk=share.bulk, outcomes=packed))
            for outcome in fresh:
                mark = part_id(share.bulk, outcome.number)
                if edit.get(Mark, mark) is not None:
                    edit.delete(Mark, mark)
            record = advanced(edit, record, fresh)
            if not leave:
                return
            if self._paused:
                edit.put(msgspec.structs.replace(share, holder=None))
                return
            edit.delete(Share, share.id)
            others = self._replica.by(Share, "bulk", share.bulk).keys() - {share.id}
            if not others and record.taken_parts >= record.parts:
                end(edit, record, None, self._now())

        try:
            await self._replica.change(plan)
        except Exception:
            self._unwritten = fresh + self._unwritten
            raise

    def _packed(self, fresh: Iterable[Outcome]) -> bytes | None:
        if not fresh:
            return None
        known = self._replica.get(Outcomes, self._share.id)
        return merged(None if known is None else known.outcomes, fresh)

    def _own(self, edit: Edit) -> tuple[Share, BulkRecord]:
        """The share and the record as they are.

        :raises TakenOver: another worker has it, or nobody.
        """
        share, record = edit.get(Share, self._share.id), edit.get(BulkRecord, self._bulk.id)
        if share is None or share.holder != self._tasks.owner or record is None or record.is_finished:
            raise TakenOver(self._share.id)
        return share, record

    # --- the end -----------------------------------------------------------------------------------------------------

    def _hear(self, _: BulkRecord | Task | None, new: BulkRecord | Task | None) -> None:
        if new is not None and new.id == self._bulk.id:
            self._look_for_stop()

    def _look_for_stop(self) -> None:
        if asked_to_stop(self._replica.get(BulkRecord, self._bulk.id), self._replica.get(Task, self._bulk.id)):
            self._stop.set()


def is_tried_again(error: VapiError | None) -> bool:
    """Whether the error says that there is no room at the moment."""
    return error is not None and any(each.id in TRIED_AGAIN for each in error.messages)


def no_operation(id: str) -> VapiError:
    """The refusal of an operation that is none any more."""
    return InvalidArgument(message("resphere.bulk.no_operation", "There is no operation {0}.", id))
