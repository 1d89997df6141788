"""Where the tests of all engines have stores of this one."""

from __future__ import annotations

from pathlib import Path


def new_url(folder: Path, number: int) -> str:
    """The URL of a store that is not there yet."""
    return f"sqlite:{folder / str(number)}.db"
