"""A server of the supervisor's with an application that dies and hangs as it is told: ``PORT WORKERS FOLDER METHOD``.

``GET /`` answers with the worker's process id, ``/hang`` holds its event loop for good, ``/hoard`` opens as many files
as may be. So many workers kill themselves at their start as there are files in ``kills`` of the folder, end by
themselves as in ``refusals``, and never say that they serve as in ``mutes``; each takes one file away. The method is
that by which workers are made: ``fork``, or ``spawn`` as on macOS and by later versions of Python.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from resphere.server.address import Address
from resphere.server.prepare import Prepared
from resphere.server.serve import granian
from resphere.server.settings import Settings
from resphere.server.supervisor import Beat, Patience

HOARD: list[int] = []
PATIENCE = Patience(tick_seconds=0.5, hung_ticks=10, late_ticks=4, retry_seconds=0.1)


def main(port: int, workers: int, folder: Path) -> int:
    """Serve until told to stop; 1 where the supervisor gave up."""
    settings = Settings(workers=workers, tls=False)
    address = Address(settings.host, settings.host, port)
    server = granian(settings, Prepared(None, "", "", None), address)
    server.patience = PATIENCE
    server.report = partial(print, flush=True)
    server.listening = partial(print, "listening", flush=True)
    server.serve(target_loader=partial(load, folder), wrap_loader=False)
    if server.failure is not None:
        sys.stdout.write(server.failure)
    return int(server.failure is not None)


def load(folder: Path, beat: Beat) -> Any:
    """The application, unless it is this worker's turn to die."""
    if taken(folder / "kills"):
        os.kill(os.getpid(), signal.SIGKILL)
    if taken(folder / "refusals"):
        sys.exit(3)
    if not taken(folder / "mutes"):
        beat()
    return application


def taken(folder: Path) -> bool:
    """Whether there was a file to take away in the folder."""
    for file in folder.glob("*"):
        try:
            file.unlink()
        except FileNotFoundError:  # another worker has it
            continue
        return True
    return False


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """See above."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/hang":
        threading.Event().wait()
    if scope["path"] == "/hoard":
        with suppress(OSError):
            while True:
                HOARD.append(os.dup(0))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[4])
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
