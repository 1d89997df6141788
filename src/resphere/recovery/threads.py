"""Where everything that blocks is done: in threads of its own, so that a silent server elsewhere holds nobody up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from resphere.contract.errors import message
from resphere.recovery.archives import ArchiveFailure
from resphere.recovery.sealed import Sink

T = TypeVar("T")

MOST_LOOKS = 4
"""So many places are looked at at a time; the next waits."""


class Threads:
    """Threads for work, and others for looks at places."""

    def __init__(self) -> None:
        self._work = ThreadPoolExecutor(1, thread_name_prefix="recovery")
        self._looks = ThreadPoolExecutor(MOST_LOOKS, thread_name_prefix="recovery-look")

    async def work(self, do: Callable[[], T]) -> T:
        """Do what takes its time."""
        return await asyncio.get_running_loop().run_in_executor(self._work, do)

    async def look(self, do: Callable[[], T]) -> T:
        """Do what somebody waits for."""
        return await asyncio.get_running_loop().run_in_executor(self._looks, do)

    def close(self) -> None:
        """Begin nothing more."""
        self._work.shutdown(wait=False, cancel_futures=True)
        self._looks.shutdown(wait=False, cancel_futures=True)


class Canceled(ArchiveFailure):
    """Somebody wants it to stop."""

    def __init__(self) -> None:
        super().__init__(message("resphere.recovery.canceled", "It was canceled."))


class Progress:
    """How far a thread is with so many bytes, and whether it shall stop."""

    def __init__(self) -> None:
        self.total_bytes = 0
        self.done_bytes = 0
        self._stop = threading.Event()

    @property
    def percent(self) -> int:
        """From 0 to 99: the end is told by itself."""
        return min(99, self.done_bytes * 100 // self.total_bytes) if self.total_bytes else 0

    def stop(self) -> None:
        """Have it stop soon."""
        self._stop.set()

    def counted(self, sink: Sink) -> CountingSink:
        """``sink``, counted."""
        return CountingSink(sink, self)

    def advance(self, size_bytes: int) -> None:
        """So much more is done.

        :raises Canceled: it shall stop.
        """
        if self._stop.is_set():
            raise Canceled()
        self.done_bytes += size_bytes


class CountingSink:
    """Counts what is written."""

    def __init__(self, to: Sink, progress: Progress) -> None:
        self._to = to
        self._progress = progress

    def write(self, piece: bytes) -> int:
        """Take a piece.

        :raises Canceled: it shall stop.
        """
        self._progress.advance(len(piece))
        self._to.write(piece)
        return len(piece)
