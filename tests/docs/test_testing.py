"""What is shown to those who test is run as they would."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.test_commands import CI, DOCS, blocks, finish, run
from tests.support.server import clean_environment, free_port


def test_the_tests_that_are_shown_pass(tmp_path: Path) -> None:
    shown = blocks(CI, "python")
    for number, block in enumerate(shown):
        (tmp_path / f"test_shown_{number}.py").write_text(block)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "resphere.testing.plugin", "-p", "no:cacheprovider"]
    done = finish(command, tmp_path, clean_environment())
    assert "3 passed" in done.stdout, done.stdout


def test_unittest(tmp_path: Path) -> None:
    (shown,) = blocks(DOCS / "testing.md", "python")
    done = finish([sys.executable, "-c", shown], tmp_path, clean_environment())
    assert done.returncode == 0, done.stdout
    assert "OK" in done.stdout


def test_a_command_with_a_vcenter_of_its_own(tmp_path: Path) -> None:
    run(blocks(CI, "bash"), tmp_path, free_port())
