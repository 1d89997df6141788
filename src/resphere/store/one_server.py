"""One server at a time: a lock that ends with the processes that hold it, however they end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resphere.store.base import InUse, StoreError
from resphere.store.locks import try_lock

LEFT_SECONDS = 10.0
"""How long the processes that a killed server has left behind may take to end: they hold its lock, too."""
LOOK_SECONDS = 0.02
DIGITS = 20
"""As many as the number of a process ever has: the file's content keeps its length."""


@contextmanager
def one_server(path: Path, what: str, hint: str = "", *, left_seconds: float = LEFT_SECONDS) -> Iterator[None]:
    """Be the only server that has ``what``, which the file ``path`` stands for, while within.

    Processes that are forked within hold it, too. What a server that was killed has left behind is waited for.

    :raises InUse: another server has it; the message ends with the ``hint``.
    :raises StoreError: the file cannot be used.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"cannot use {path}: {error.strerror}") from error
    try:
        deadline = time.monotonic() + left_seconds
        while not try_lock(descriptor):
            holder = _holder(descriptor)
            if holder is None or _runs(holder):
                process = f" (process {holder})" if holder is not None else ""
                raise InUse(f"{what} is in use by another server{process}{hint}")
            if time.monotonic() > deadline:
                raise InUse(f"{what} is in use by what the killed server process {holder} has left behind{hint}")
            time.sleep(LOOK_SECONDS)
        _write(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> int | None:
    """The process that took the lock last; ``None`` where it has not said so yet."""
    number = os.pread(descriptor, DIGITS, 0).strip()
    return int(number) if number.isdigit() else None


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write(descriptor: int, path: Path) -> None:
    try:
        os.pwrite(descriptor, f"{os.getpid():<{DIGITS - 1}}\n".encode(), 0)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from error
