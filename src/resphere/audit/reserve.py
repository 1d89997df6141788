"""Room on the disk that is taken before it is needed, so that what has begun can be recorded to its end."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable

KEEP_SIZE = 1
"""Of Linux's ``fallocate``: the file's size stays as it is."""
AHEAD_BYTES = 1024 * 1024
LEAST_BYTES = 256 * 1024
"""The records of some 500 calls that are under way."""

Allocate = Callable[[int, int, int], None]
"""Takes room for so many bytes of a file from an offset on, beyond its end; raises OSError where there is none."""


def allocate(descriptor: int, offset: int, size: int) -> None:
    """:data:`Allocate`, as Linux does it; elsewhere as where a file system cannot.

    :raises OSError: there is no room, or the system cannot do that.
    """
    if sys.platform != "linux":
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if libc.fallocate(descriptor, KEEP_SIZE, offset, size) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Reserve:
    """The room after the end of one file."""

    def __init__(self, allocate: Allocate = allocate) -> None:
        self._allocate = allocate
        self._until = 0

    def forget(self) -> None:
        """Begin with another file."""
        self._until = 0

    def require(self, descriptor: int, size: int) -> None:
        """Have room for what is under way after the first ``size`` bytes, on file systems that can.

        :raises OSError: there is none.
        """
        if size + LEAST_BYTES <= self._until:
            return
        try:
            self._allocate(descriptor, size, AHEAD_BYTES)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV, errno.EINVAL):
                raise
            self._until = sys.maxsize
        else:
            self._until = size + AHEAD_BYTES
