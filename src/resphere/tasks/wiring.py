"""What tasks bring to a server."""

from __future__ import annotations

from resphere.replica.wiring import Sweep, Wiring
from resphere.tasks.record import TASKS
from resphere.tasks.runner import Tasks

WIRING = Wiring(tables=(TASKS,), sweeps=(Sweep(Tasks, Tasks.take_over_orphans),))
