"""A machine that takes its time to start: until the test lets it, where there is a gate ``power_on.acting``."""

from __future__ import annotations

import os
import sys

from resphere.providers.processes.machine import main
from tests.providers.processes.gates import gates

RELEASE = "release"


def start() -> int:
    """Tell that it is about to start, wait for ``release``, and start. The gate stays open for as long as it lives."""
    gate = gates() / "power_on.acting"
    if gate.exists():
        os.write(os.open(gate, os.O_WRONLY), b".")
        (gates() / RELEASE).read_bytes()
    return main()


if __name__ == "__main__":
    sys.exit(start())
