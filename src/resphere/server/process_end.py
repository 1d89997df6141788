"""How processes of ours end: with the one that made them, and what is said of it."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
"""Of Linux's ``prctl``: the signal that a process gets when its parent dies."""


def end_with_parent() -> None:
    """From now on this process is killed as soon as its parent is gone, even while it hangs or is stopped (on Linux).

    To be called in the main thread of a process of ``multiprocessing`` that was forked or spawned.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("this process was not made by another one of ours")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it died before it could be watched
            _end()
    watch_parent()


def end_server() -> None:
    """Have the first process of the server, which made this one, end in an orderly manner, and all workers with it."""
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        raise RuntimeError("this process was not made by another one of ours")
    os.kill(parent.pid, signal.SIGTERM)


def watch_parent() -> None:
    """The same by a thread, on every system: it notices the death when Python's threads take turns.

    What it waits for is open in all that the parent forked later, too: of several, the last one ends first.
    """
    threading.Thread(target=_end_after_parent, name="watch the parent", daemon=True).start()


def _end_after_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    _end()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def ending(exit_code: int | None) -> str:
    """How a process of that exit code ended, in words: ``was killed (SIGKILL)``, ``ended with status 1``."""
    if exit_code is not None and exit_code < 0:
        names = {each.value: each.name for each in signal.Signals}
        return f"was killed ({names.get(-exit_code, f'signal {-exit_code}')})"
    return f"ended with status {exit_code}"
