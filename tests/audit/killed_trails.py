"""An audit log whose writer is killed at each of its steps. What that leaves is verified, and gone on with.

``python -m tests.audit.killed_trails FOLDER`` ends with 0 where all was as it must be.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

from resphere.audit.chain import Kind
from resphere.audit.formats import json_object
from resphere.audit.retention import Keep, tidy
from resphere.audit.trail import Rotation, Trail
from tests.audit.records import record
from tests.audit.trails import KEY, Logs
from tests.support.killed import killed_at_each_step

FEWEST_STEPS = 30
"""Fewer would mean that steps are not seen."""
RECORDS, AT_ONCE = 16, 2
ROTATION = Rotation(bytes=1500, seconds=0)
KEEP = Keep(seconds=0, bytes=4000)


def step_and_write(descriptor: int, content: bytes) -> int:
    """``os.write``, as a step at which the writer may be killed: before it, and so after the line was noted."""
    sys.audit("os.write", descriptor)
    return os.write(descriptor, content)


def trails(folder: Path) -> int:
    """Start, records in several files, old ones that go, and stop."""
    path = folder / "data"
    acknowledged = folder / "acknowledged"

    def before() -> None:
        shutil.rmtree(path, ignore_errors=True)
        logs = Logs(path)
        logs.trail(ROTATION).close()
        acknowledged.write_bytes(b"")

    def command() -> None:
        logs = Logs(path)
        trail = Trail(logs.folder, logs.heads, KEY, rotation=ROTATION, clock=logs.clock, append=step_and_write)
        descriptor = os.open(acknowledged, os.O_WRONLY | os.O_APPEND)
        for first in range(0, RECORDS, AT_ONCE):
            numbers = range(first, first + AT_ONCE)
            assert trail.write(*(json_object(record(request_id=str(number))) for number in numbers)) == AT_ONCE
            os.write(descriptor, b"".join(b"%d\n" % number for number in numbers))
        asyncio.run(tidy(trail, logs.folder, logs.heads, KEEP, logs.clock.now))
        trail.close()

    def after(ended: bool) -> None:
        logs = Logs(path)
        require_right(logs)
        numbers = [int(line) for line in acknowledged.read_bytes().splitlines()]
        content = b"".join(file.read_bytes() for file in logs.folder.iterdir())
        if len(numbers) < RECORDS:  # nothing was deleted yet
            assert [number for number in numbers if b'"request_id":"%d"' % number not in content] == []
        assert logs.kinds()[-1] is Kind.STOP or not ended
        # Whoever comes next goes on.
        trail = logs.trail(ROTATION)
        assert trail.write(json_object(record()))
        trail.close()
        require_right(logs)

    return killed_at_each_step(command, before, after)


def require_right(logs: Logs) -> None:
    """The log is as it was written, and misses nothing."""
    findings = logs.findings()
    assert findings == [], findings
    anchored = logs.findings(with_heads=False)
    assert anchored == [], anchored


if __name__ == "__main__":
    killed = trails(Path(sys.argv[1]))
    assert killed >= FEWEST_STEPS, f"it has only {killed} steps"
