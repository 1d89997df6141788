"""How long callbacks hold an event loop: in seconds of its thread's processor, which do not grow when others are busy.

What a thread waits for (the interpreter's lock, a processor, a disk) is not counted, so that a bound on this holds on a
loaded machine as on an idle one. Work that runs in other threads is not counted either: it does not hold the loop.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import TypeVarTuple, Unpack

Ts = TypeVarTuple("Ts")


class TimedLoop(asyncio.SelectorEventLoop):
    """An event loop that notes the longest of its callbacks, which the steps of its tasks are, too."""

    def __init__(self) -> None:
        self.longest_seconds = 0.0
        super().__init__()

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        return super().call_soon(self._timed(callback), *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        return super().call_soon_threadsafe(self._timed(callback), *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return super().call_at(when, self._timed(callback), *args, context=context)

    def _timed(self, callback: Callable[[Unpack[Ts]], object]) -> Callable[[Unpack[Ts]], None]:
        def run(*args: *Ts) -> None:
            began = time.thread_time()
            try:
                callback(*args)
            finally:
                self.longest_seconds = max(self.longest_seconds, time.thread_time() - began)

        return run


REFERENCE_COUNT = 50_000
REFERENCE_SECONDS = 0.01
"""What that many steps of :func:`_reference` take where the bounds were set, with nothing else on the machine."""


def slowness() -> float:
    """How many times slower this thread's processor is now than where the bounds were set; at least 1.

    One whose other half works for somebody else counts the same seconds for less work.
    """
    taken: list[float] = []
    for _ in range(3):
        began = time.thread_time()
        _reference(REFERENCE_COUNT)
        taken.append(time.thread_time() - began)
    return max(1.0, min(taken) / REFERENCE_SECONDS)


def _reference(count: int) -> int:
    """Work like the server's: texts, dictionaries, calls."""
    return len({str(number): number for number in range(count)})


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the collector from going through the whole test process, larger than a server, within a callback."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
