"""``python -m tools.unpack WHEEL PREFIX TARGET``: what a wheel holds below a prefix, and nothing else of it."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path


def unpack(wheel: Path, prefix: str, target: Path) -> int:
    """Write the members below ``prefix`` into ``target``; returns how many there were."""
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name.startswith(prefix)]
        archive.extractall(target, members)
    return len(members)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.unpack", description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("prefix")
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    if not unpack(options.wheel, options.prefix, options.target):
        parser.error(f"{options.wheel} holds nothing below {options.prefix}")


if __name__ == "__main__":
    main()
