"""``python -m resphere.testing.minder [--remove FOLDER] COMMAND...``: a server that ends with whoever has started it.

Runs the command and stops it as soon as standard input comes to its end, which the system sees to however the one at
the other end of it dies. Ends with the command's status.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial

REMOVE = "--remove"
STOP_SECONDS = 30.0
PR_SET_PDEATHSIG = 1
"""Of Linux's ``prctl``: the signal that a process gets when its parent dies."""


def main(arguments: Sequence[str]) -> int:
    """Run the command until it, or standard input, ends."""
    folder = arguments[1] if arguments[0] == REMOVE else None
    command = arguments[2:] if folder is not None else arguments
    # It is stopped by the end of its input, also where a terminal interrupts all that it has started.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=following()) as server:
        over = threading.Event()
        stopping = partial(stop_after_input, server, over)
        threading.Thread(target=stopping, name="wait for the end of input", daemon=True).start()
        status = server.wait()
    # Of a server that has ended by itself somebody wants to know why.
    if folder is not None and over.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return status if status >= 0 else 128 - status


def following() -> partial[int] | None:
    """What a new process does first, so that it is stopped where this one is killed (on Linux)."""
    if sys.platform != "linux":
        return None
    return partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, signal.SIGTERM)


def stop_after_input(server: subprocess.Popen[bytes], over: threading.Event) -> None:
    """Stop the server when there is nobody any more at the other end of standard input, which ``over`` says then."""
    while os.read(0, 4096):
        pass
    over.set()
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
