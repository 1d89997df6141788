"""``pytest --quick``: what starts a process is skipped, and fewer examples are tried."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.examples import ALL, SHORT_PROFILE, examples

PROGRAM = """
import asyncio, os, subprocess
import pytest
from tests.support.in_process import skip_what_starts_processes

async def begin():
    await asyncio.create_subprocess_exec("true")

skip_what_starts_processes()
for start in (lambda: subprocess.run(["true"]), lambda: asyncio.run(begin()), lambda: os.system("true"), os.fork):
    with pytest.raises(pytest.skip.Exception, match="starts a process"):
        start()
"""


def test_the_start_of_a_process_skips_the_test() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)


@pytest.fixture
def quick() -> Iterator[None]:
    """The settings of a quick run."""
    before = settings.get_current_profile_name()
    settings.load_profile(SHORT_PROFILE)
    yield
    settings.load_profile(before)


def test_fewer_examples_and_never_none(quick: None) -> None:
    assert examples(1) == 1
    assert 1 < examples(ALL) < ALL
