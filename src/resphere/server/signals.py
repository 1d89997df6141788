"""Signals to stop that come while a worker starts: they wait until it can act upon them.

A forked worker has its parent's handlers at first, which do nothing for it: a signal would be lost, and the server
would wait in vain for the worker to end, until it kills it.
"""

from __future__ import annotations

import asyncio
import os
import signal

STOPPING = (signal.SIGINT, signal.SIGTERM)
# Granian runs the loop for the start, ends that run, and runs it again to serve: what comes in between is lost too.
TURNS = 10


def hold_in_forks() -> None:
    """Have forked processes begin with the signals held back."""
    os.register_at_fork(before=hold, after_in_parent=release)


def hold() -> None:
    """Let signals wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


def release() -> None:
    """Let in what has come meanwhile, and whatever comes."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


async def release_when_serving() -> None:
    """To be awaited at the end of a worker's start."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
    release()
