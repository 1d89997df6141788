"""Records that come in one turn of an event loop are written together, at its end.

To write a line takes a microsecond of the system's, but whoever writes lets go of the interpreter meanwhile, and waits
to have it back: behind a busy loop that costs more than all else of a record. One write for all calls of a turn costs
that once.

Where the disk was slow a thread writes for a while, what came meanwhile together: nothing else waits for it but the
calls that are to be on record.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import Future
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from resphere.audit.trail import Trail

T = TypeVar("T")

SLOW_SECONDS = 0.05
"""What takes longer is not done on the loop again soon. A batch of a busy server takes a tenth of a millisecond; on a
machine with more to do than it has cores, whoever writes may be put aside for 30 ms, and the disk is not slow."""
APART_SECONDS = 2.0
"""How long a thread writes after the last slow write."""
MOST_WAITING = 65_536
"""So many records wait for a slow disk, some 32 MB; more are lost, and told."""


class Run(Protocol):
    """Does something with a trail while nobody else does anything with it."""

    async def __call__(self, work: Callable[[], T]) -> T:
        """Its result, or what it raises."""


async def at_once(work: Callable[[], T]) -> T:
    """:class:`Run`, where nobody else has the trail."""
    return work()


Counted = Callable[[int, bool], None]
"""Is told how many records were written, or were not."""


def uncounted(records: int, written: bool) -> None:
    """Nobody wants to know."""


class Batches:
    """Writes the records of one event loop; all else that is done with the trail meanwhile goes by :meth:`run`.

    ``keeps_room``: see :attr:`ready`. ``counted`` is called by whoever writes, be it the thread.
    """

    def __init__(
        self,
        trail: Trail,
        *,
        keeps_room: bool = False,
        counted: Counted = uncounted,
        monotonic: Callable[[], float] = time.monotonic,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._trail = trail
        self._keeps_room = keeps_room
        self._counted = counted
        self._monotonic = monotonic
        self._most_waiting = most_waiting
        self._waiting: list[bytes] = []
        self._written: Future[bool] | None = None
        """Of those that wait."""
        self._lost = 0
        self._writing = False
        """Whether the thread is at records."""
        self._apart = 0
        """How much the thread has to do."""
        self._apart_until = monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write audit.log")
        self._ready = True
        self._closed = False

    @property
    def ready(self) -> bool:
        """Whether what begins now can be recorded; as it was a moment ago, where the disk is slow."""
        return self._ready if self._is_apart() else self._trail.ready()

    def add(self, content: bytes) -> Future[bool]:
        """Have a record written, a JSON object: whether that was done, once it was or could not be."""
        if self._closed or len(self._waiting) >= self._most_waiting:
            self._lost += 1
            lost: Future[bool] = asyncio.get_running_loop().create_future()
            lost.set_result(False)
            return lost
        if self._written is None:
            loop = asyncio.get_running_loop()
            self._written = loop.create_future()
            if not self._writing:
                loop.call_soon(self._end_turn)
        self._waiting.append(content)
        return self._written

    async def run(self, work: Callable[[], T]) -> T:
        """See :class:`Run`."""
        if not self._is_apart():
            return work()
        return await self._in_thread(work)

    async def tend(self) -> None:
        """What is to be done each second or so, see :meth:`Trail.tend`."""
        await self.run(self._tend)

    def close(self) -> None:
        """Write all that waits, whatever it takes."""
        self._thread.shutdown()
        self._closed = True
        if self._written is not None:
            batch, written, lost = self._take()
            done, _ = self._write(batch, lost)
            if not written.get_loop().is_closed() and not written.done():
                written.set_result(done)

    def _end_turn(self) -> None:
        if self._written is None or self._writing:
            return  # it was closed
        batch, written, lost = self._take()
        if not self._is_apart():
            done, seconds = self._write(batch, lost)
            self._note(seconds)
            written.set_result(done)
            return
        self._writing = True
        self._in_thread(partial(self._write, batch, lost)).add_done_callback(partial(self._written_apart, written))

    def _written_apart(self, written: Future[bool], work: Future[tuple[bool, float]]) -> None:
        self._writing = False
        done, seconds = work.result()
        self._note(seconds)
        written.set_result(done)
        if self._written is not None:
            self._end_turn()

    def _take(self) -> tuple[list[bytes], Future[bool], int]:
        """What waits, which then does so no more."""
        if self._written is None:
            raise RuntimeError("nothing waits")
        taken = self._waiting, self._written, self._lost
        self._waiting, self._written, self._lost = [], None, 0
        return taken

    def _write(self, batch: list[bytes], lost: int) -> tuple[bool, float]:
        """Write records: whether that was done, and how long it took."""
        began = self._monotonic()
        if lost:
            self._trail.lose(lost)
            self._counted(lost, False)
        done = self._trail.write(*batch) == len(batch)
        self._counted(len(batch), done)
        return done, self._monotonic() - began

    def _tend(self) -> None:
        self._trail.tend()
        self._ready = not self._keeps_room or self._trail.ready()

    def _note(self, seconds: float) -> None:
        if seconds > SLOW_SECONDS:
            self._apart_until = self._monotonic() + APART_SECONDS

    def _is_apart(self) -> bool:
        """Whether the thread has the trail, or is to have it."""
        return not self._closed and (self._apart > 0 or self._monotonic() < self._apart_until)

    def _in_thread(self, work: Callable[[], T]) -> Future[T]:
        self._apart += 1
        doing = asyncio.get_running_loop().run_in_executor(self._thread, work)
        doing.add_done_callback(self._done_apart)
        return doing

    def _done_apart(self, _: Future[T]) -> None:
        self._apart -= 1
