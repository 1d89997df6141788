"""A machine: a process that holds the lock of its file for as long as it runs, and does nothing else.

``python -m resphere.providers.processes.machine FILE`` returns when the machine runs (0), or will not (1): it does
already, or its file is gone. With ``START`` it runs only if there is that ticket, which it takes.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from pathlib import Path

RUNS = b"1"


def main() -> int:
    """Start, and return when it is known how that went."""
    file = Path(sys.argv[1])
    ticket = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    said, says = os.pipe()
    if os.fork():
        os.close(says)
        return 0 if os.read(said, 1) == RUNS else 1
    os.close(said)
    os.setsid()
    return run(file, ticket, says)


def run(file: Path, ticket: Path | None, says: int) -> int:
    """Hold the lock until killed; 1 where it cannot be had or the machine is not to run."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # What is locked may have been replaced or deleted since it was opened.
        if file.stat().st_ino != os.fstat(descriptor).st_ino:
            return 1
        if ticket is not None:
            ticket.rename(file.with_suffix(".started"))
    except (BlockingIOError, FileNotFoundError):
        return 1
    os.write(says, RUNS)
    os.close(says)
    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
