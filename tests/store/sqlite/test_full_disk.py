"""A new store on a disk that is full or nearly so: made, or refused, but nobody is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

AMOUNTS_KIB = [*range(0, 132, 4), 160, 200, 400]
ALONE = ["unshare", "--user", "--map-root-user", "--mount"]


def may_mount() -> bool:
    """Whether this machine lets us have file systems of our own."""
    try:
        return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def test_any_room_makes_a_store_or_a_refusal(tmp_path: Path) -> None:
    if not may_mount():
        pytest.skip("no file system can be mounted here")
    amounts = map(str, AMOUNTS_KIB)
    done = subprocess.run(
        [*ALONE, sys.executable, "-m", "tests.store.sqlite.full_disk", str(tmp_path), *amounts],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert [int(amount) for amount in outcomes] == AMOUNTS_KIB
    assert {*outcomes.values()} == {"made", "refused"}, outcomes
    assert (outcomes["0"], outcomes["400"]) == ("refused", "made")
