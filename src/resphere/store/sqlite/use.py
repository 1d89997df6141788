"""Who has a database open: any number who use it, or one who puts another in its place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resphere.store.base import StoreError
from resphere.store.liveness import any_alive
from resphere.store.locks import try_lock

WORKERS = "workers"
"""The folder, beside the database, of signs of life."""


class Use:
    """A share in the use of the database at ``path``, until it is closed or the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """:raises StoreError: it is being replaced, or that was not finished. :raises OSError: no file can be made."""
        self._descriptor: int | None = _open(path)
        try:
            if not try_lock(self._descriptor, shared=True):
                raise StoreError(f"{path} cannot be used: a restore into it is under way")
            if unfinished(path).exists():
                raise StoreError(
                    f"{path} cannot be used: a restore into it was not finished; "
                    "run resphere restore again, with --replace"
                )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give it up. To do so again is no error."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextmanager
def sole_use(path: Path) -> Iterator[None]:
    """Keep everybody else from using the database.

    :raises StoreError: somebody does.
    :raises OSError: no file can be made.
    """
    descriptor = _open(path)
    try:
        # Servers of earlier releases show that they run, and nothing else.
        if not try_lock(descriptor) or any_alive(path.parent / WORKERS):
            raise in_use(path)
        yield
    finally:
        os.close(descriptor)


def unfinished(path: Path) -> Path:
    """The folder that is there while another database is being put in the place, and after whoever did was killed."""
    return path.with_name(f"{path.name}-restoring")


def in_use(path: Path) -> StoreError:
    """The refusal of who would replace it."""
    return StoreError(f"{path} is in use: stop the server first, and whatever else has it open")


def _open(path: Path) -> int:
    return os.open(path.with_name(f"{path.name}-use.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
