"""What the system tells of the processes of a server."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import psutil

from resphere.metrics.families import Sample, one
from resphere.metrics.shared import SharedMetrics
from resphere.server.metrics.families import CPU, FILES, MEMORY, MOST_FILES, STARTED, WORKERS
from resphere.server.metrics.looking import process_name

SUPERVISOR = "supervisor"
"""The first process, which keeps the workers going."""


def processes(shared: SharedMetrics) -> Iterator[Sample]:
    """How each is. What has just ended is left out."""
    workers = {process_name(slot.number): slot.process for slot, lives in shared.slots() if lives}
    yield one(WORKERS, len(workers))
    yield one(MOST_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    named = dict(workers)
    if shared.maker not in workers.values():
        named[SUPERVISOR] = shared.maker
    for name, id in named.items():
        try:
            process = psutil.Process(id)
            with process.oneshot():
                times = process.cpu_times()
                found = (
                    one(CPU, times.user + times.system, name),
                    one(MEMORY, process.memory_info().rss, name),
                    one(FILES, process.num_fds(), name),
                    one(STARTED, process.create_time(), name),
                )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        yield from found
