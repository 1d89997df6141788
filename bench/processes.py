"""What the kernel says of processes: their children, processor time and memory. Linux only."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


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


def cpu_seconds(pids: list[int], proc: Path = PROC) -> float:
    """Processor time, user and system, that these processes have had."""
    return sum(ticks((proc / str(pid) / "stat").read_text()) for pid in pids) / TICKS_PER_SECOND


def ticks(stat: str) -> int:
    """User and system time in a line of ``/proc/<pid>/stat``; the name in it may have spaces and brackets."""
    fields = stat[stat.rindex(")") + 2 :].split()
    return int(fields[11]) + int(fields[12])


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
