"""The official bindings' two releases, each in a folder of its own (``make bindings``), and how scripts run in one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ADMINISTRATOR, PASSWORD, Server, clean_environment

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"
RELEASES = ("8.0.3.0", "9.1.1.0")
SCRIPT_SECONDS = 300


def bindings(release: str) -> Path:
    """The folder of a release; the test is skipped where it is not there."""
    folder = ROOT / ".cache" / "bindings" / release
    if not folder.is_dir():
        pytest.skip(f"the bindings {release} are not there: make bindings")
    return folder


def run(release: str, script: str, given: Any) -> Any:
    """What ``scripts/<script>.py`` makes of ``given`` inside a release of the bindings."""
    folder = bindings(release)
    # Warnings are no errors in there: the bindings' own would keep them from being imported.
    done = subprocess.run(
        [sys.executable, "-m", f"{__package__}.scripts.{script}"],
        cwd=ROOT,
        env={**clean_environment(), "PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore"},
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_against(server: Server, release: str, script: str) -> Any:
    """What the script makes of a running server, which it talks to as the administrator."""
    given = {"server": f"127.0.0.1:{server.port}", "ca": str(server.ca), "user": ADMINISTRATOR, "password": PASSWORD}
    return run(release, script, given)
