"""``resphere inventory``: the inventory as a file."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from resphere.cli import inventory_import
from resphere.cli.store import add_secrets_key, add_store, opened_store, secrets_key, store_url
from resphere.inventory.model import VirtualMachine
from resphere.replica.replica import Replica
from resphere.replica.sealing import open_sealing
from resphere.replica.table import Stored
from resphere.server.exports.file import file_parts
from resphere.server.exports.tables import EXPORTED, LEFT_OUT, ON_DISKS
from resphere.server.wiring import WIRING


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("inventory", help="the inventory as a file: write it, make it of others")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    export = verbs.add_parser(
        "export", help="write the inventory as YAML, for resphere serve --inventory", description=export_.__doc__
    )
    export.add_argument("file", nargs="?", type=Path, help="where to write it (default: standard output)")
    export.add_argument(
        "--passwords",
        action="store_true",
        help="write passwords of customization specifications too, in plain text; nobody else may read the file then",
    )
    add_store(export)
    add_secrets_key(export)
    export.add_argument(
        "--form",
        choices=("yaml", "rvtools"),
        default="yaml",
        help="an inventory file, or a workbook with the sheets of RVTools, which holds less (default: yaml)",
    )
    export.set_defaults(run=export_, recorded=("file", "passwords"))
    inventory_import.add(verbs)


def export_(options: argparse.Namespace) -> int:
    """Write the inventory, and what belongs to it, as a YAML file that resphere serve --inventory reads; say what of it
    is left out. The server may be running."""
    if options.form == "rvtools":
        return export_workbook(options)
    text, left_out = asyncio.run(exported(store_url(options), secrets_key(options), passwords=options.passwords))
    if options.file is None:
        sys.stdout.write(text)
    else:
        write(options.file, text, private=options.passwords)
    for line in left_out:
        print(f"resphere: left out: {line}", file=sys.stderr)
    return 0


def export_workbook(options: argparse.Namespace) -> int:
    """The same as a workbook; what that does not hold is told, too."""
    if options.file is None or options.passwords:
        raise ValueError("--form rvtools: needs a file to write, and has no passwords")
    # The library is loaded by those alone who write with it.
    workbook: Any = import_module("resphere.importing.writing.workbook")
    documents, left_out = asyncio.run(documents_of(store_url(options), secrets_key(options)))
    cut = workbook.write_workbook(options.file, workbook.sheets_of(documents))
    if cut:
        left_out = [f"the ends of {cut} texts: a cell has {workbook.LONGEST_TEXT} characters at most", *left_out]
    for line in (*workbook.not_held(documents), *left_out):
        print(f"resphere: left out: {line}", file=sys.stderr)
    return 0


def write(path: Path, text: str, *, private: bool) -> None:
    """Write a file, which nobody else may read where it is ``private``."""
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600 if private else 0o666)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if private:
            os.fchmod(descriptor, 0o600)
        file.write(text)


async def exported(url: str, key: bytes | None = None, *, passwords: bool = False) -> tuple[str, list[str]]:
    """The inventory of a store as YAML, and a line for each kind of what it has and the file has not."""
    documents, left_out = await documents_of(url, key)
    return "".join(file_parts(documents, passwords=passwords)), left_out


async def documents_of(url: str, key: bytes | None = None) -> tuple[list[Stored], list[str]]:
    """What of a store is exported, and a line for each kind of what is not."""
    async with opened_store(url) as store:
        replica = Replica(store, WIRING.tables, sealing=await open_sealing(store, secrets.token_bytes, key))
        await replica.load()
        documents: list[Stored] = [document for cls in EXPORTED for document in replica.all(cls).values()]
        return documents, list(lines_of_left_out(replica))


def lines_of_left_out(replica: Replica) -> Iterable[str]:
    """What is there that no file has, and somebody may miss."""
    for cls, left in LEFT_OUT.items():
        count = sum(map(left.counts, replica.all(cls).values()))
        if count:
            yield f"{left.what} ({count}): {left.why}"
    disks = sum(len(vm.disk_contents) for vm in replica.all(VirtualMachine).values())
    if disks:
        yield f"{ON_DISKS.what} ({disks}): {ON_DISKS.why}"
