"""Counts in a file that workers have mapped: they outlive them all, also a ``kill -9``.

They are by the clock of one run of the computer (``CLOCK_MONOTONIC``), and say nothing in another one.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

_HEAD = struct.Struct("<16s16s64sq")
"""What the file is, the secret, the run of the computer, and how many bytes follow on the head."""
_FORM = b"resphere counts1"
SECRET_BYTES = 16
HEAD_BYTES = 4096


class KeptFile:
    """The file as those before have left it, where they ran in the same ``run`` of the computer (empty: nobody knows);
    else, and where it is none, it begins empty, with another secret."""

    def __init__(self, path: Path, run: bytes, random_bytes: Callable[[int], bytes], size_bytes: int) -> None:
        """:raises OSError: the file cannot be used."""
        self._path = path
        size = HEAD_BYTES + size_bytes
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            head = os.pread(descriptor, _HEAD.size, 0)
            self.secret = head[len(_FORM) :][:SECRET_BYTES]
            goes_on = run and os.fstat(descriptor).st_size == size and head == self._head(run, size_bytes)
            if not goes_on:
                self.secret = random_bytes(SECRET_BYTES)
                os.ftruncate(descriptor, 0)
                # All of its room now: where a page could not be had later, the process would be killed.
                if os.pwrite(descriptor, self._head(run, size_bytes).ljust(size, b"\0"), 0) < size:
                    raise OSError(f"there is no room for {path}")
            self._memory: mmap.mmap | None = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)

    def _head(self, run: bytes, size_bytes: int) -> bytes:
        return _HEAD.pack(_FORM, self.secret, run, size_bytes)

    def content(self) -> memoryview:
        """What follows on the head."""
        if self._memory is None:
            with self._path.open("r+b") as file:
                self._memory = mmap.mmap(file.fileno(), 0)
        return memoryview(self._memory)[HEAD_BYTES:]

    def __getstate__(self) -> dict[str, Any]:
        """For workers that are not forked, and map the file themselves."""
        return {**self.__dict__, "_memory": None}
