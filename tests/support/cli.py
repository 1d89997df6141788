"""The command line as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.server import clean_environment


def resphere(*arguments: str, input: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """``resphere <arguments>``, with text in and out."""
    return subprocess.run(
        [sys.executable, "-m", "resphere", *arguments],
        env={**clean_environment(), **environment},
        input=input,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def add_user(data_dir: Path, name: str, password: str, role: str) -> None:
    """Make or replace an account of a server, running or not."""
    done = resphere("user", "add", name, "--role", role, "--data-dir", str(data_dir), input=password + "\n")
    assert done.returncode == 0, done.stderr


def remove_user(data_dir: Path, name: str) -> None:
    """Remove an account."""
    done = resphere("user", "remove", name, "--data-dir", str(data_dir))
    assert done.returncode == 0, done.stderr
