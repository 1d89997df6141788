"""Keeps the memory of what is done once at the start out of the workers, which are forked from it and stay."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar, cast

from resphere.server.process_end import ending, watch_parent

T = TypeVar("T")


def do_apart(work: Callable[[], T]) -> T:
    """Do ``work`` in a process of its own, whose memory ends with it; return what it returns, raise what it raises.

    :raises ChildProcessError: the process was ended from outside, or by a fault of the machine.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_report, args=(work, sender))
    process.start()
    sender.close()
    try:
        answer: tuple[Any, Exception | None] = receiver.recv()
    except EOFError:
        process.join()
        answer = None, ChildProcessError(f"the process that prepares the server {ending(process.exitcode)}")
    process.join()
    result, error = answer
    if error is not None:
        raise error
    return cast(T, result)


def _report(work: Callable[[], T], sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the server itself tells of Ctrl-C
    watch_parent()
    gc.disable()  # all of it goes with the process: a tenth of the time of a large inventory
    try:
        result = work()
    except Exception as error:
        sender.send((None, error))
    else:
        sender.send((result, None))


def pass_over_present() -> None:
    """Have the collector pass over all that is there now, and would go through again and again: the code, the contract,
    an inventory just read. What of it is no longer referred to is freed all the same, unless in a circle."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Return what is free to the system. glibc keeps it else: a quarter of a worker after it has read the store."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
