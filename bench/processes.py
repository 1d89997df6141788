"""What the kernel says of processes: their children, processor time and memory. Linux only."""

from __future__ import annotations

import re
import time
from pathlib import Path

import msgspec

PROC = Path("/proc")
CPUCLOCK_SCHED = 2
"""Of Linux: what the scheduler has counted, in nanoseconds."""


class Memory(msgspec.Struct, frozen=True):
    """Of one process: ``resident`` counts shared pages in full, ``proportional`` by how many share them."""

    resident_bytes: int
    proportional_bytes: int


def family(pid: int, proc: Path = PROC) -> list[int]:
    """The process and all that descend from it, as far as they live."""
    found = [pid]
    for each in found:
        try:
            children = (proc / str(each) / "task" / str(each) / "children").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.extend(int(child) for child in children.split())
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Processor time, user and system, that these processes have had, to the microsecond or so.

    :raises OSError: one of them is no more.
    """
    return sum(time.clock_gettime(cpu_clock(pid)) for pid in pids)


def cpu_clock(pid: int) -> int:
    """The clock of the processor time of a process, threads that ended included: clock_getcpuclockid(3).

    ``/proc/<pid>/stat`` counts hundredths of a second, too coarse for what takes milliseconds.
    """
    return (~pid << 3) | CPUCLOCK_SCHED


def memory(pid: int, proc: Path = PROC) -> Memory:
    """The memory of one process."""
    return parse_memory((proc / str(pid) / "smaps_rollup").read_text())


def peak_bytes(pid: int, proc: Path = PROC) -> int:
    """The most memory that one process has ever had resident."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", (proc / str(pid) / "status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found is not None else 0


def parse_memory(rollup: str) -> Memory:
    """What ``/proc/<pid>/smaps_rollup`` says, in bytes."""
    sizes = {name: int(kilobytes) * 1024 for name, kilobytes in re.findall(r"^(\w+): +(\d+) kB$", rollup, re.MULTILINE)}
    return Memory(resident_bytes=sizes["Rss"], proportional_bytes=sizes["Pss"])
