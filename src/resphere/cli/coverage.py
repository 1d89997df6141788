"""``resphere coverage``: which operations of the contract this server implements."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from resphere import services
from resphere.contract.coverage import Area, Count, coverage, total
from resphere.contract.lookup import all_operations
from resphere.contract.releases import ALL_RELEASES
from resphere.services.registry import load


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command of this module."""
    command = commands.add_parser(
        "coverage", help="which operations are implemented", description="Which operations are implemented, by area."
    )
    command.add_argument("--operations", action="store_true", help="list the implemented operations instead")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table, or the list."""
    implemented = set(load(services))
    if options.operations:
        for operation in all_operations():
            if operation.id in implemented:
                print(operation.id)
    else:
        for line in table(coverage(implemented)):
            print(line)
    return 0


def table(areas: list[Area]) -> Iterator[str]:
    """The areas that have something implemented, the rest in one line, and the sum."""
    yield f"{'area':<28}{'operations':>14}{'used by clients':>18}" + "".join(f"{r:>12}" for r in ALL_RELEASES)
    shown = [area for area in areas if area.operations.implemented]
    for area in shown:
        yield row(area)
    rest = total(area for area in areas if not area.operations.implemented)
    yield row(rest, f"({len(areas) - len(shown)} other areas)")
    yield row(total(areas))


def row(area: Area, name: str | None = None) -> str:
    """One line of the table."""
    cells = "".join(f"{text(area.releases[r]):>12}" for r in ALL_RELEASES)
    return f"{name or area.name:<28}{text(area.operations):>14}{text(area.used_by_clients):>18}{cells}"


def text(count: Count) -> str:
    """``12/143``."""
    return f"{count.implemented}/{count.total}"
