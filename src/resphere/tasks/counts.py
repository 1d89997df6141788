"""How many tasks there are of each status."""

from __future__ import annotations

from collections import Counter

from resphere.contract.generated.cis_task import Status
from resphere.replica.derived import Derived
from resphere.tasks.record import Task


class TaskCounts(Counter[Status]):
    """By status; what is 0 may be left out."""

    def changed(self, before: Task | None, after: Task | None) -> None:
        """Take note of a change."""
        if before is not None:
            self[before.status] -= 1
        if after is not None:
            self[after.status] += 1


TASK_COUNTS = Derived(TaskCounts, {Task: TaskCounts.changed})
