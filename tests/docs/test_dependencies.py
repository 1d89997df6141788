"""The list of dependencies names what is locked for the run time, each once, and what brings it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPTIONAL = "And for those who"
"""What begins the list of those that only some want."""
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
    always, _, _ = own.partition(OPTIONAL)
    taken = [name.split(" ")[0] for name, _ in cells(always)]
    found = locked()
    assert sorted(taken) == sorted(name for name, by in found.items() if "resphere" in by)
    with_them = {
        (each, by) for by, names in cells(brought) for each in re.sub(r" \([^)]*\)", "", names).strip().split(", ")
    }
    assert {each for each, _ in with_them} == {name for name, by in found.items() if "resphere" not in by}
    assert all(by in taken for _, by in with_them)


def test_every_package_that_some_want_is_listed() -> None:
    optional = TEXT.partition("They bring:")[0].split("Two have an upper bound")[0].partition(OPTIONAL)[2]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {name for name, _ in cells(optional)} == {
        name for extra, packages in extras.items() if extra != "server" for name in names(packages)
    } - {"resphere"}


def test_what_the_client_needs_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    said = re.search(r"`pip install resphere` brings ([\w, -]+?), for", TEXT)
    assert said is not None
    assert sorted(re.split(", | and ", said[1])) == sorted(names(project["dependencies"]))
    assert not names(project["dependencies"]) & names(project["optional-dependencies"]["server"])


def names(packages: list[str]) -> set[str]:
    """What requirements are called."""
    return {re.match(r"[a-z0-9-]+", each)[0] for each in packages}  # type: ignore[index]
