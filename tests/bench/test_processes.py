"""What is read of /proc."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.processes import Memory, cpu_seconds, family, parse_memory, peak_bytes

BUSY = """
import sys, time
while time.process_time() < 0.2:
    pass
print(time.process_time(), flush=True)
sys.stdin.read()
"""


def test_processor_time_is_that_of_the_process_and_no_other() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = float(process.stdout.readline())
        read = cpu_seconds([process.pid])
        process.communicate()
    assert said <= read < said + 0.1


def test_memory_in_bytes() -> None:
    rollup = "00400000-7ffd000 ---p 00000000 00:00 0  [rollup]\nRss:    2048 kB\nPss:      3 kB\nPss_Dirty:  1 kB\n"
    assert parse_memory(rollup) == Memory(resident_bytes=2048 * 1024, proportional_bytes=3 * 1024)


def test_the_peak_of_memory(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text("Name:\tx\nVmPeak:\t   9000 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n")
    assert peak_bytes(7, tmp_path) == 2048 * 1024


def test_a_family_leaves_out_the_dead(tmp_path: Path) -> None:
    for pid, children in ((1, "2 3 "), (2, "4 "), (4, "")):
        folder = tmp_path / str(pid) / "task" / str(pid)
        folder.mkdir(parents=True)
        (folder / "children").write_text(children)
    assert family(1, tmp_path) == [1, 2, 3, 4]
