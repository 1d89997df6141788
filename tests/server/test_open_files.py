"""How many files a server may open: as many as it can, and a sentence where those are too few."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from resphere.server.open_files import KEPT, LEAST, MOST, most_connections
from tests.support.server import clean_environment, free_port

_, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
MOST_HERE = MOST if HARD == resource.RLIM_INFINITY else min(HARD, MOST)
SHOW = (
    "import resource\n"
    "from resphere.server.open_files import raise_limit\n"
    "print(raise_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
)


def limited(limits: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, and with limits as a shell sets them."""
    return subprocess.run(
        ["bash", "-c", f'{limits}; exec "$@"', "bash", sys.executable, *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("limits", "raised"),
    [("ulimit -Sn 64; ulimit -Hn 300", 300), (f"ulimit -n {LEAST}", LEAST), ("ulimit -Sn 1024", MOST_HERE)],
)
def test_the_limit_is_raised_as_far_as_may_be(limits: str, raised: int) -> None:
    done = limited(limits, "-c", SHOW)
    assert done.stdout == f"{raised} {raised}\n", done.stderr


@pytest.mark.parametrize("limit", [20, 64, LEAST - 1])
def test_too_few_are_told_in_a_sentence(tmp_path: Path, limit: int) -> None:
    data = tmp_path / "data"
    done = limited(f"ulimit -n {limit}", "-m", "resphere", "serve", "--port", str(free_port()), "--data-dir", str(data))
    assert done.returncode == 1
    assert done.stderr == (
        f"resphere: at most {limit} files may be open here, and a server needs {LEAST}: see `ulimit -n`\n"
    )
    assert not data.exists()


def test_connections_leave_descriptors_for_the_rest() -> None:
    assert most_connections(LEAST, workers=1, most=2048) == LEAST - KEPT
    assert most_connections(MOST, workers=2, most=2048) == 1024
    assert most_connections(MOST, workers=5000, most=2048) == 1
