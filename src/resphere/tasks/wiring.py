"""What tasks bring to a server."""

from __future__ import annotations

from resphere.replica.wiring import Sweep, Wiring
from resphere.tasks.counts import TASK_COUNTS
from resphere.tasks.record import TASKS
from resphere.tasks.runner import Tasks

WIRING = Wiring(tables=(TASKS,), derived=(TASK_COUNTS,), sweeps=(Sweep(Tasks, Tasks.take_over_orphans),))
