"""What the first OpenAPI document after a start costs, and one of another form."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from bench.result import Outcome, below
from bench.rounds import Effort
from bench.servers import ROOT, environment

TARGET_SECONDS = 0.3
MAKE = """
from time import process_time
from resphere.contract.releases import ALL_RELEASES
from resphere.services.resphere.openapi import made
for implemented in (True, False):
    began = process_time()
    made("8.0.3", ALL_RELEASES, implemented, None)
    print(process_time() - began)
"""
"""As a worker does: the code of the handlers is loaded, and no document was asked for."""


def measure_openapi(effort: Effort) -> Outcome:
    """A new interpreter for each round."""
    runs = [make() for _ in range(effort.rounds)]
    first, other = (median(seconds) for seconds in zip(*runs, strict=True))
    return Outcome(
        (
            below("first OpenAPI document, what is implemented, CPU", first, TARGET_SECONDS, " s"),
            below("then all operations, CPU", other, TARGET_SECONDS, " s"),
        )
    )


def make() -> tuple[float, float]:
    """The processor time in seconds of the first document, and of the second."""
    printed = subprocess.run(
        [sys.executable, "-c", MAKE], check=True, stdout=subprocess.PIPE, cwd=ROOT, env=environment()
    ).stdout.split()
    return float(printed[0]), float(printed[1])
