"""How long the import of the whole contract takes, with its bytecode compiled."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from bench.result import Outcome, below
from bench.rounds import Effort
from bench.servers import ROOT, environment

TARGET_SECONDS = 0.5
IMPORT_ALL = """
import time
began = time.perf_counter()
from resphere.contract.lookup import all_operations
count = sum(1 for _ in all_operations())
print(count, time.perf_counter() - began)
"""


def measure_contract(effort: Effort) -> Outcome:
    """A new interpreter for each round."""
    runs = [import_all() for _ in range(effort.rounds)]
    seconds = median(seconds for _, seconds in runs)
    return Outcome((below(f"import of all {runs[0][0]:,} operations", seconds, TARGET_SECONDS, " s"),))


def import_all() -> tuple[int, float]:
    """How many operations were imported, and in how many seconds."""
    printed = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], check=True, stdout=subprocess.PIPE, cwd=ROOT, env=environment()
    ).stdout.split()
    return int(printed[0]), float(printed[1])
