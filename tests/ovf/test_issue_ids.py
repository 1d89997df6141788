"""What is told of packages is documented."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITH_ID = {"error": 2, "warning": 2, "tell": 2, "issue": 3}
"""The functions that tell something, and where among their arguments its id is."""


def ids() -> set[str]:
    found = set()
    for path in (*(ROOT / "src/resphere/ovf").glob("*.py"), *(ROOT / "src/resphere/libraries").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in WITH_ID and len(call.args) > WITH_ID[name]:
                argument = call.args[WITH_ID[name]]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.add(f"resphere.ovf.{argument.value}")
    return found


def test_every_issue_is_documented() -> None:
    documented = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert len(ids()) > 30
    assert not {each for each in ids() if f"`{each}`" not in documented}
