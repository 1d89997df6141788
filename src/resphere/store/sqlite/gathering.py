"""What is handed in during one turn of an event loop, for the writer's thread to get together.

Each group that it writes has its price, some 300 µs of statements whatever their number. Handed over one by one, the
first of those that follow each other within a turn would be a group of its own: measured, a server under load wrote
two transactions in each, and writes six.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from resphere.store.base import StoreError
from resphere.store.sqlite.writer import Job


class Gathering:
    """The jobs of one loop that nobody has yet. Used on the loop's own thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, submit: Callable[[Sequence[Job]], None]) -> None:
        self._loop = loop
        self._submit = submit
        self._jobs: list[Job] = []

    def add(self, job: Job) -> None:
        """Have the job be handed over at the end of this turn."""
        if not self._jobs:
            self._loop.call_soon(self.hand_over)
        self._jobs.append(job)

    def hand_over(self) -> None:
        """Hand over all now; where the writer takes nothing any more, those who wait are told."""
        jobs, self._jobs = self._jobs, []
        if not jobs:
            return
        try:
            self._submit(jobs)
        except StoreError as error:
            for job in jobs:
                if not job.future.done():
                    job.future.set_exception(error)
