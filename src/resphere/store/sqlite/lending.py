"""Keeps a busy event loop from starving the writer thread.

The interpreter runs one thread at a time, and hands over by chance: a loop that is never idle lets go of the lock for
a microsecond at each turn, too short for a waiting thread to wake up and get it, but often enough to restart that
thread's waiting time (``sys.setswitchinterval``). Measured: commits that take 1 ms beside an idle loop took seconds
beside one that was always busy. So a loop that has waited for a commit for a while stands aside for a moment, again
and again until it has it: at most a tenth of its time, and nothing where commits are quick.
"""

from __future__ import annotations

import asyncio
import time

PATIENCE_SECONDS = 0.002
LENT_SECONDS = 0.0002


class Lender:
    """Lends one event loop's turn to threads of the store while its callers wait for them: each within this context.

    Used on the loop's own thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting = 0
        self._armed = False

    def __enter__(self) -> None:
        """A caller begins to wait for a thread of the store."""
        self._waiting += 1
        if not self._armed:
            self._armed = True
            self._loop.call_later(PATIENCE_SECONDS, self._lend)

    def __exit__(self, *_: object) -> None:
        self._waiting -= 1

    def _lend(self) -> None:
        if not self._waiting:
            self._armed = False
            return
        time.sleep(LENT_SECONDS)  # gives up the interpreter, which is the point
        self._loop.call_later(PATIENCE_SECONDS, self._lend)
