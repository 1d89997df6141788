"""Tests in process: with ``pytest --quick`` a test is skipped at the moment that it starts another process.

No list of such tests is kept: Python tells of every process that ``subprocess``, ``asyncio`` and ``os`` start.
"""

from __future__ import annotations

import sys

import pytest

STARTS = frozenset({"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"})
"""The audit events of a process's start."""


def skip_what_starts_processes() -> None:
    """From now on, and for good, the start of a process skips the test that it is for."""
    sys.addaudithook(skip_start)


def skip_start(event: str, _arguments: tuple[object, ...]) -> None:
    """Skip where the event is the start of a process."""
    if event in STARTS:
        pytest.skip("starts a process")
