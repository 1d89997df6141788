"""The list of dependencies names what is locked for the run time, each once, and what brings it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "dependencies.md").read_text().split("## For development")[0]


def cells(part: str) -> list[tuple[str, str]]:
    """The first two cells of the rows of the tables in a part of the page."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", part, re.MULTILINE)
    return [(first, second) for first, second in rows if first not in ("---", "Package", "With", "Bound")]


def locked() -> dict[str, set[str]]:
    """The packages of the lock, and what brings each."""
    found: dict[str, set[str]] = {}
    name = ""
    for line in (ROOT / "requirements" / "run.txt").read_text().splitlines():
        if package := re.match(r"([a-z0-9-]+)==", line):
            name = package[1]
            found[name] = set()
        elif name and (bringer := re.match(r" +#(?: via)? +([a-z0-9-]+)", line)) and bringer[1] != "via":
            found[name].add(bringer[1])
    return found


def test_every_package_is_listed() -> None:
    own, _, brought = TEXT.partition("They bring:")
    taken = [name.split(" ")[0] for name, _ in cells(own.split("Two have an upper bound")[0])]
    found = locked()
    assert sorted(taken) == sorted(name for name, by in found.items() if "resphere" in by)
    with_them = {
        (each, by) for by, names in cells(brought) for each in re.sub(r" \([^)]*\)", "", names).strip().split(", ")
    }
    assert {each for each, _ in with_them} == {name for name, by in found.items() if "resphere" not in by}
    assert all(by in taken for _, by in with_them)
