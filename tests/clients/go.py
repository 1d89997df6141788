"""Programs in Go, built from what Debian packages alone: nothing is fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = Path("/usr/share/gocode")
CACHE = Path(__file__).parents[2] / ".cache" / "go-build"

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
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(PACKAGES),
        "GOCACHE": str(CACHE),
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }
    subprocess.run(["go", "build", "-o", made, source], env=environment, check=True, timeout=300)
    return made
