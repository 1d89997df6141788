"""What is written in the transactions of an item's changes, so that after a crash nobody makes them again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from resphere.bulk.items import Outcome, write_outcome
from resphere.bulk.record import Mark, part_id
from resphere.contract.errors import VapiError, message
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.generated.cis_task import Status
from resphere.contract.model import AnyOperation
from resphere.limits.classes import OperationClass, class_of
from resphere.replica.edit import Edit
from resphere.tasks.record import Task

CONTENT = "com.vmware.content"
ROTATE = "resphere.vcenter.vm.snapshots.rotate"


class Marking:
    """Rides along with each change that one item makes."""

    def __init__(self, bulk: str, number: int, operation: AnyOperation, now: Callable[[], datetime]) -> None:
        self._bulk = bulk
        self._number = number
        self._operation = operation
        self._now = now
        self._closed = False
        self.mark: Mark | None = None
        """The mark as it was written last, or would have been."""

    def begin(self, edit: Edit) -> None:
        """Nothing must hold beforehand."""

    def end(self, edit: Edit) -> None:
        """Have ``edit`` write the mark."""
        # What goes on beside the item after it is over makes no mark any more.
        if self._closed:
            return
        task = next((after for _, after in edit.changes() if self._is_own(after)), None)
        self.mark = self._marked(task) if isinstance(task, Task) else self.mark or self._marked(None)
        edit.put(self.mark)

    def committed(self, edit: Edit) -> None:
        """The mark is what was written last."""

    def close(self) -> None:
        """The item is over."""
        self._closed = True

    def _is_own(self, written: object) -> bool:
        operation = self._operation
        return isinstance(written, Task) and (written.service, written.operation) == (operation.service, operation.name)

    def _marked(self, task: Task | None) -> Mark:
        identity, bulk, number = part_id(self._bulk, self._number), self._bulk, self._number
        if task is None:
            return Mark(id=identity, bulk=bulk, number=number)
        done = task.status is Status.SUCCEEDED and is_one_change(self._operation)
        # Most result in nothing, and their marks need not be sealed.
        more = done and (task.result is not None or self._operation.output is not None)
        outcome = write_outcome(of_task(number, task, self._operation, self._now())) if more else None
        return Mark(id=identity, bulk=bulk, number=number, task=task.id, done=done, outcome=outcome)


def is_one_change(operation: AnyOperation) -> bool:
    """Whether the operation is done when its task is: none of those that go through several objects, one task each."""
    several = operation.service.startswith(CONTENT) or operation.id == ROTATE
    return not several and class_of(operation) is not OperationClass.BULK


def of_task(number: int, task: Task, operation: AnyOperation, now: datetime) -> Outcome:
    """What became of an item whose task has succeeded."""
    begun = operation.name.endswith("$task")
    return Outcome(
        number=number,
        state=Bulk.ItemState.SUCCEEDED,
        task=task.id,
        result=task.id if begun else task.result,
        result_omitted=not begun and operation.output is not None and task.result is None,
        end_time=task.end_time or now,
    )


def interrupted() -> VapiError:
    """Why an item failed that had begun to change something when its worker died."""
    return VapiError(
        message(
            "resphere.bulk.interrupted",
            "The server stopped while this item was carried out: a part of it may be done. It was not tried again.",
        )
    )
