"""Appends lines to a log file from a thread of its own, so that a call costs an append to a queue and no more.

Several processes may append to one file. A writer is made in the process that uses it: its thread does not survive a
fork.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread

FLUSH_INTERVAL_SECONDS = 0.05
QUEUE_LIMIT_BYTES = 32 * 1024 * 1024
BATCH_LINES = 4096
"""So many are taken out of the queue at a time: to join them holds the interpreter."""

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


class LineWriter:
    """An append-only log file fed through a queue of bounded size.

    A file that was rotated or removed is opened anew with the next batch. Lines that do not fit the queue, or that the
    disk does not take, are counted, and with the first batch that is written again a line says how many (`loss` makes
    it of the time and the number); nothing of it reaches the caller.
    """

    def __init__(
        self,
        path: Path,
        loss: Callable[[datetime, int], bytes],
        *,
        flush_interval_seconds: float = FLUSH_INTERVAL_SECONDS,
        queue_limit_bytes: int = QUEUE_LIMIT_BYTES,
        clock: Callable[[], datetime] = utc_now,
        append: Callable[[int, bytes], int] = os.write,
    ) -> None:
        """Opens the file, and raises OSError where that fails: a wrong path shows at the start, not in lost records.

        `append` is os.write, or what a test puts in its place.
        """
        self.path = path
        self._loss = loss
        self._flush_interval_seconds = flush_interval_seconds
        self._queue_limit_bytes = queue_limit_bytes
        self._clock = clock
        self._append = append
        self._queue: list[bytes] = []
        self._queued_bytes = 0
        self._wanted = Event()
        self._closing = Event()
        self._draining = Lock()
        self._counting = Lock()
        self._lost_lines = 0
        self._failing = False
        self._descriptor: int | None = self._open()
        self._thread = Thread(target=self._run, name=f"write {path.name}", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Queue `line`, which ends with its newline; never blocks for long and never raises. After `close` it is
        lost."""
        size_bytes = len(line)
        with self._counting:
            if self._queued_bytes + size_bytes > self._queue_limit_bytes:
                self._lost_lines += 1
                return
            self._queued_bytes += size_bytes
            is_first = not self._queue
            self._queue.append(line)
        if is_first:  # those after it are taken with it
            self._wanted.set()

    def flush(self) -> None:
        """Return when all that was queued before is with the operating system, or counted as lost."""
        with self._draining:
            self._drain()

    def close(self) -> None:
        """Write what is queued and end the thread; a second call does nothing."""
        self._closing.set()
        self._wanted.set()
        self._thread.join()
        with self._draining:
            self._drain()
            self._queue_limit_bytes = 0
            self._release()
        if self._lost_lines:
            logger.error("%s was closed with %d lines lost", self.path, self._lost_lines)
            self._lost_lines = 0

    @property
    def lost_lines(self) -> int:
        """Lost so far, and not yet reported in the file."""
        return self._lost_lines

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wanted.wait()
            self._closing.wait(self._flush_interval_seconds)  # gather a batch
            # Cleared before draining: a line queued from here on asks again.
            self._wanted.clear()
            self.flush()

    def _drain(self) -> None:
        if not self._queue and not self._lost_lines:
            return
        try:
            descriptor = self._current_descriptor()
        except OSError as error:
            self._fail(error)
            while batch := self._next_batch():
                self._lose(len(batch))
            return
        # Under the lock, half a batch on a full disk can be taken back. File systems without locks do without that.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            self._write_batch(descriptor, self._next_batch())
            while batch := self._next_batch():
                self._write_batch(descriptor, batch)
        finally:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _next_batch(self) -> list[bytes]:
        with self._counting:
            batch, self._queue = self._queue[:BATCH_LINES], self._queue[BATCH_LINES:]
            self._queued_bytes -= sum(map(len, batch))
        return batch

    def _write_batch(self, descriptor: int, batch: list[bytes]) -> None:
        lost = self._lost_lines
        content = b"".join([self._loss(self._clock(), lost), *batch] if lost else batch)
        if not content:
            return
        try:
            self._append_whole(descriptor, content)
        except OSError as error:
            self._fail(error)
            self._lose(len(batch))
            return
        with self._counting:
            self._lost_lines -= lost
        if self._failing:
            self._failing = False
            logger.warning("%s is written again; %d lines were lost", self.path, lost)

    def _append_whole(self, descriptor: int, content: bytes) -> None:
        written = self._append(descriptor, content)
        if written < len(content):
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _lose(self, lines: int) -> None:
        with self._counting:
            self._lost_lines += lines

    def _fail(self, error: OSError) -> None:
        """Said once, not with every batch."""
        if not self._failing:
            self._failing = True
            logger.error("cannot write %s: %s; lines are lost until that ends", self.path, error)

    def _current_descriptor(self) -> int:
        """The open file, or a new one where another stands under its name by now, or none."""
        if self._descriptor is not None:
            try:
                if _identity(self.path.stat()) == _identity(os.fstat(self._descriptor)):
                    return self._descriptor
            except FileNotFoundError:
                pass
            self._release()
        self._descriptor = self._open()
        return self._descriptor

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
