"""What the supervisor knows of one worker."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection

from granian.server.mp import WorkerProcess

DRAINED_BYTES = 4096


class Watched:
    """What the supervisor knows of one worker."""

    def __init__(self, worker: WorkerProcess, beats: Connection) -> None:
        self.worker = worker
        self.deaths = 0
        """How many in a row have died early in its place."""
        self.due: float | None = None
        """When it is to be replaced, by the monotonic clock; ``None`` as long as it lives."""
        self.serves = False
        self.silent_ticks = 0
        self._beats = beats

    @property
    def process(self) -> int:
        """The id of its process."""
        return int(self.worker.inner.pid)

    def hear(self) -> bool:
        """Whether it has said something since the last time."""
        if not drained(self._beats):
            return False
        self.serves = True
        self.silent_ticks = 0
        return True

    def listen(self) -> None:
        """Take what it has said since the last tick."""
        if not self.hear():
            self.silent_ticks += 1

    def close(self) -> None:
        """Let go of what it speaks through."""
        self._beats.close()


def drained(connection: Connection) -> bool:
    """Whether there was something to read; it is gone then."""
    try:
        return bool(os.read(connection.fileno(), DRAINED_BYTES))
    except BlockingIOError:
        return False
