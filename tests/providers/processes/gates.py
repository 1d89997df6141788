"""Gates: points in another process at which a test can hold it for good.

A gate is a FIFO. Whoever comes to a point that has one tells so, which waits for the test to listen, and goes no
further.
"""

from __future__ import annotations

import os
import select
from pathlib import Path
from threading import Event
from typing import BinaryIO

VARIABLE = "TEST_GATES"
DEPARTURE_SECONDS = 30


def gates() -> Path:
    """The folder of the gates of this process."""
    return Path(os.environ[VARIABLE])


def reach(point: str) -> None:
    """Come to a point: pass, or tell and wait for the end of the process."""
    gate = gates() / point
    if gate.exists():
        gate.write_bytes(b".")
        Event().wait()


def build(folder: Path, point: str) -> Path:
    """A gate at that point."""
    gate = folder / point
    os.mkfifo(gate)
    return gate


def await_arrival(gate: Path) -> BinaryIO:
    """Wait until somebody has come to the gate, and have nobody else come there; at its end he has closed his side."""
    arriving = gate.open("rb", buffering=0)
    assert arriving.read(1) == b"."
    gate.unlink()
    return arriving


def await_departure(arrived: BinaryIO) -> None:
    """Wait until whoever came to the gate has ended.

    :raises TimeoutError: he goes on.
    """
    ended, _, _ = select.select([arrived], [], [], DEPARTURE_SECONDS)
    if not ended or arrived.read(1):
        raise TimeoutError("who came to the gate goes on")
