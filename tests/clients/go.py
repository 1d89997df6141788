"""Programs in Go, built from what Debian packages alone: nothing is fetched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ADMINISTRATOR, PASSWORD, Server, clean_environment

PACKAGES = Path("/usr/share/gocode")
CACHE = Path(__file__).parents[2] / ".cache" / "go-build"
SHARED = Path(__file__).with_name("shared.go")
"""What all programs have in common."""

needs_govmomi = [
    pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed (Debian: golang-go)"),
    pytest.mark.skipif(
        not (PACKAGES / "src/github.com/vmware/govmomi/vapi/rest").is_dir(),
        reason="govmomi is not installed (Debian: golang-github-vmware-govmomi-dev)",
    ),
]


def build(source: Path, folder: Path) -> Path:
    """The program of a source file. The first build takes a minute."""
    made = folder / source.parent.name
    together = folder / f"{made.name}-source"
    together.mkdir()
    files = [shutil.copy(each, together) for each in (source, SHARED)]
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(PACKAGES),
        "GOCACHE": str(CACHE),
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }
    subprocess.run(["go", "build", "-o", made, *files], env=environment, check=True, timeout=300)
    return made


def said_by(program: Path, server: Server, *arguments: str | Path) -> dict[str, Any]:
    """What a program says in JSON that logs in as the administrator, with the server's address, authorities and the
    user's name as its first arguments."""
    done = subprocess.run(
        [program, server.url, server.ca, ADMINISTRATOR, *arguments],
        env={**clean_environment(), "PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    decoded: dict[str, Any] = json.loads(done.stdout)
    return decoded
