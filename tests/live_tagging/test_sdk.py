"""The official Python SDK, unmodified, in an interpreter of its own: its versions cannot share one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ADMINISTRATOR, PASSWORD, Server, clean_environment

BINDINGS = Path(__file__).parents[2] / ".cache" / "bindings"
SCRIPT = Path(__file__).with_name("sdk_client.py")


@pytest.mark.parametrize("version", ["8.0.3.0", "9.1.1.0"])
def test_tagging_through_the_sdk(server: Server, version: str) -> None:
    bindings = BINDINGS / version
    if not bindings.exists():
        pytest.skip(f"the official bindings {version} are not in .cache/bindings; `make bindings` fetches them")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), server.url, str(server.ca), ADMINISTRATOR, PASSWORD],
        env={**clean_environment(), "PYTHONPATH": str(bindings)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "taken": "resphere.tagging.category.name_taken",
        "category": ["sdk", "SINGLE", ["VirtualMachine"], []],
        "tags": ["one", "two"],
        "single": "cis.tagging.attach.invalidArgument.cardinality.error",
        "batch": [False, ["cis.tagging.attach.invalidArgument.cardinality.error"]],
        "attached": [["one"], ["two"]],
        "gone": "resphere.tagging.object_not_readable",
        "page": ["END_OF_DATA", True],
        "deleted": "cis.tagging.objectNotFound.error",
    }
