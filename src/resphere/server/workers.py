"""Which workers are alive: each holds a lock that the kernel releases when it dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class WorkerLock:
    """This worker's sign of life, a locked file named after it."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self._folder = folder
        self._descriptor = os.open(folder / name, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def is_alive(self, name: str) -> bool:
        """Whether the worker of that name still runs; forgets it where it does not."""
        if name == self.name:
            return True
        path = self._folder / name
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        path.unlink(missing_ok=True)
        return False

    def release(self) -> None:
        """Go away in an orderly manner."""
        (self._folder / self.name).unlink(missing_ok=True)
        os.close(self._descriptor)
