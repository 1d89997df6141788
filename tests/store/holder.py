"""A server that has a file's lock, and a process that it forked: ``holder.py <file>``. It prints that one's number."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from pathlib import Path

from resphere.store.one_server import one_server


def main(path: Path) -> None:
    """Hold it until killed."""
    with one_server(path, "it"):
        worker = multiprocessing.get_context("fork").Process(target=signal.pause)
        worker.start()
        sys.stdout.write(f"{worker.pid}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
