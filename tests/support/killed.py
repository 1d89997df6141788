"""Commands that are killed at each of their steps: whatever they do to files, one after another.

Run as a process of its own, which forks for each attempt: it has one thread, and has imported everything.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

EVENTS = ("os.", "shutil.", "fcntl.flock", "open")
"""The audit events that count as steps."""


def die_at(step: int) -> None:
    """Have this process killed in place of its step of that number, from now on and counted from 1."""
    counted = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal counted
        if not event.startswith(EVENTS) or (event == "open" and not writes(arguments)):
            return
        counted += 1
        if counted == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def writes(arguments: tuple[object, ...]) -> bool:
    """Whether a file is opened to be written."""
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def killed_at_each_step(command: Callable[[], None], before: Callable[[], None], after: Callable[[bool], None]) -> int:
    """Run ``command`` again and again, killed one step later each time, until it comes to its end.

    ``before`` prepares each run, ``after`` looks at what it left, told whether it came to its end. Returns how often it
    was killed.
    """
    step = 0
    while True:
        step += 1
        before()
        pid = os.fork()
        if pid == 0:
            try:
                die_at(step)
                command()
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        ended = os.waitstatus_to_exitcode(status)
        if ended not in (0, -signal.SIGKILL):
            raise AssertionError(f"killed at step {step} it ended with {ended}")
        after(ended == 0)
        if ended == 0:
            return step - 1
