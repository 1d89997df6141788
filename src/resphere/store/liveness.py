"""Signs of life as files: each process holds a lock that the kernel releases when it dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from resphere.store.locks import try_lock


class LockedFile:
    """A :class:`~resphere.store.base.Liveness`: a locked file of that name, for processes of one machine."""

    def __init__(self, folder: Path, name: str) -> None:
        """:raises OSError: it cannot be made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._name = name
        self._folder = folder
        self._descriptor: int | None = os.open(folder / name, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    @property
    def name(self) -> str:
        return self._name

    def is_alive(self, name: str) -> bool:
        """See :meth:`Liveness.is_alive`. Forgets the dead."""
        if name == self._name:
            return self._descriptor is not None
        path = self._folder / name
        if _is_held(path):
            return True
        path.unlink(missing_ok=True)
        return False

    async def release(self) -> None:
        self.end()

    def end(self) -> None:
        """See :meth:`Liveness.release`."""
        if self._descriptor is not None:
            (self._folder / self._name).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def any_alive(folder: Path) -> bool:
    """Whether any process shows in ``folder`` that it runs."""
    return folder.is_dir() and any(_is_held(path) for path in folder.iterdir())


def _is_held(path: Path) -> bool:
    """Whether a process holds the file's lock."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)
