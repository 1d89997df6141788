"""Time zones are there on systems without a database of their own, as slim containers are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LOOK = """
from datetime import UTC, datetime
from resphere.rules.clocks import cron_times, is_zone
assert is_zone("Etc/UTC") and not is_zone("localtime")
print(next(cron_times("30 2 * * *", "Europe/Berlin", datetime(2026, 7, 1, tzinfo=UTC))).isoformat())
"""


def test_zones_without_those_of_the_system(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path)}
    found = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "2026-07-01T00:30:00+00:00"
