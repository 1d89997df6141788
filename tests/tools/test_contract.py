"""The generated contract is what the generator makes of the bindings and the path table, today and on every machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from resphere.contract import generated
from tools.contract.__main__ import generate

CACHE = Path(__file__).parents[2] / ".cache" / "bindings"
BINDINGS = [CACHE / "9.1.1.0", CACHE / "8.0.3.0"]


def test_generating_again_changes_nothing() -> None:
    if not all(folder.is_dir() for folder in BINDINGS):
        pytest.skip("the official bindings are not in .cache/bindings; `make bindings` fetches them")
    folder = Path(generated.__path__[0])
    present = {path.name: path.read_text() for path in (*folder.glob("*.py"), folder / "metamodel.json")}
    assert generate(BINDINGS) == present
