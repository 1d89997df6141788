"""Other Pythons that the project claims: which those are, and where they are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import pythons

VERSION = "3.12"


def interpreter(path: Path, prints: str, status: int = 0) -> Path:
    """Something that is asked for its version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {prints}\nexit {status}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_classifiers_say_what_is_claimed() -> None:
    classifiers = '["Programming Language :: Python :: 3", "Typing :: Typed", "Programming Language :: Python :: 3.12"]'
    assert pythons.claimed(f"[project]\nclassifiers = {classifiers}\n") == ["3.12"]
    own = pythons.claimed((pythons.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert own[0] == "3.11"


def test_each_folder_of_the_share_is_there() -> None:
    assert all((pythons.ROOT / "tests" / folder / "__init__.py").exists() for folder in pythons.SHARE)


@pytest.mark.parametrize(
    ("variable", "value", "folder"),
    [
        ("PATH", "path", "path"),
        ("PYENV_ROOT", "pyenv", "pyenv/versions/3.12.4/bin"),
        ("HOME", "home", "home/.pyenv/versions/3.12.4/bin"),
        ("UV_PYTHON_INSTALL_DIR", "uv", "uv/cpython-3.12.4-linux-x86_64-gnu/bin"),
        ("HOME", "home", "home/.local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu/bin"),
    ],
)
def test_where_they_are_found(tmp_path: Path, variable: str, value: str, folder: str) -> None:
    variables = {"PATH": "", variable: str(tmp_path / value)}
    assert pythons.find(VERSION, variables) is None
    found = interpreter(tmp_path / folder / "python3.12", "3.12.4")
    assert pythons.find(VERSION, variables) == (found, "3.12.4")


def test_what_does_not_run_or_is_another_version_is_passed_over(tmp_path: Path) -> None:
    variables = {"PATH": str(tmp_path / "shims"), "PYENV_ROOT": str(tmp_path)}
    interpreter(tmp_path / "shims" / "python3.12", "3.12.9", status=127)
    interpreter(tmp_path / "versions" / "3.12.11" / "bin" / "python3.12", "3.1.2")
    assert pythons.find(VERSION, variables) is None
    for number in (9, 10):
        interpreter(tmp_path / "versions" / f"3.12.{number}" / "bin" / "python3.12", f"3.12.{number}")
    found = pythons.find(VERSION, variables)
    assert found is not None
    assert found[1] == "3.12.10"
