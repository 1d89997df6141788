"""``resphere inventory``: the inventory as a file."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from resphere.cli.store import add_store, opened_store, store_url
from resphere.inventory.model import KINDS
from resphere.inventory.tables import TABLES
from resphere.providers.simulator.inventory_file import write_inventory
from resphere.replica.replica import Replica


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("inventory", help="write the inventory to a file")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    export = verbs.add_parser(
        "export", help="write the inventory as YAML, for resphere serve --inventory", description=export_.__doc__
    )
    export.add_argument("file", nargs="?", type=Path, help="where to write it (default: standard output)")
    add_store(export)
    export.set_defaults(run=export_)


def export_(options: argparse.Namespace) -> int:
    """Write the inventory as a YAML file that resphere serve --inventory reads. The server may be running."""
    text = asyncio.run(exported(store_url(options)))
    if options.file is None:
        sys.stdout.write(text)
    else:
        options.file.write_text(text, encoding="utf-8")
    return 0


async def exported(url: str) -> str:
    """The inventory of a store as YAML."""
    async with opened_store(url) as store:
        replica = Replica(store, TABLES)
        await replica.load()
        return write_inventory([obj for cls in KINDS.values() for obj in replica.all(cls).values()])
