"""Large files are written in blocks, and past the memory of the system where their file system lets that be: what a
system keeps of them costs as much time as their digest, and takes the place of what is read again and again."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Iterable
from threading import Semaphore

from resphere.store.base import Look

BLOCK_BYTES = 2 * 1024 * 1024
DIRECTLY = getattr(os, "O_DIRECT", 0)
"""0: this system has no such way."""
THROUGH_MEMORY = 0


class Blocks:
    """What is written to the file of a ``descriptor``, from its beginning on: each block when it is full, looked at
    before. One thread at a time calls it. ``turns``: so many threads at a time wait for a disk."""

    def __init__(self, descriptor: int, look: Look, turns: Semaphore) -> None:
        self.size_in_memory_bytes = 0
        """How much was left to the system to write."""
        self._descriptor = descriptor
        self._look = look
        self._turns = turns
        self._block = memoryview(mmap.mmap(-1, BLOCK_BYTES))  # which begins where a page does, as disks want it
        self._filled_bytes = 0
        self._can_be_direct = bool(DIRECTLY)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Add pieces.

        :raises OSError: the disk is full, or broken.
        """
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                some = rest[: BLOCK_BYTES - self._filled_bytes]
                self._block[self._filled_bytes : self._filled_bytes + len(some)] = some
                self._filled_bytes += len(some)
                rest = rest[len(some) :]
                if self._filled_bytes == BLOCK_BYTES:
                    self._take_block()

    def finish(self) -> None:
        """Write what has filled no block.

        :raises OSError: the disk is full, or broken.
        """
        self._can_be_direct = False  # disks take whole sectors only
        self._take_block()

    def _take_block(self) -> None:
        block = self._block[: self._filled_bytes]
        self._look(block)
        self._filled_bytes = 0
        if self._can_be_direct and self._turns.acquire(blocking=False):
            try:
                block = self._write_directly(block)
            finally:
                self._turns.release()
        if block:
            self._go(THROUGH_MEMORY)
            self.size_in_memory_bytes += len(block)
        while block:
            block = block[os.write(self._descriptor, block) :]

    def _write_directly(self, block: memoryview) -> memoryview:
        """Returns what could not be written so."""
        try:
            self._go(DIRECTLY)
            while block:
                block = block[os.write(self._descriptor, block) :]
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # Not on this file system, or not from there on.
            self._can_be_direct = False
        return block

    def _go(self, way: int) -> None:
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        if flags & DIRECTLY != way:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, (flags & ~DIRECTLY) | way)
