"""``resphere secrets``: the key by which secrets are encrypted."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from resphere.cli.store import add_secrets_key, add_store, opened_store, secrets_key, store_url
from resphere.server.rotation import rotate
from resphere.server.secrets_key import key_of_command, key_of_file
from resphere.server.serve import only_server
from resphere.server.settings import Settings


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("secrets", help="the key by which secrets are encrypted")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    rotating = verbs.add_parser("rotate", help="encrypt them by another key", description=run_rotate.__doc__)
    where = rotating.add_mutually_exclusive_group()
    where.add_argument("--new-key-file", type=Path, metavar="FILE", help="file of the new key")
    where.add_argument("--new-key-command", metavar="COMMAND", help="command that writes the new key")
    add_store(rotating)
    add_secrets_key(rotating)
    rotating.set_defaults(run=run_rotate, recorded=())


def run_rotate(options: argparse.Namespace) -> int:
    """Encrypt all secrets of a data directory by another key: by one that is given, else by a new secrets.key. The
    server must not be running. If this is interrupted, call it again; the server starts either way."""
    new = None
    if options.new_key_file is not None:
        new = key_of_file(options.new_key_file, "--new-key-file")
    elif options.new_key_command is not None:
        new = key_of_command(options.new_key_command, "--new-key-command")
    url = store_url(options)
    with only_server(Settings(data_dir=options.data_dir, store=options.store)):
        count = asyncio.run(rotated(url, secrets_key(options), new))
    print(f"{count} documents are encrypted by the new key")
    return 0


async def rotated(url: str, old: bytes | None, new: bytes | None) -> int:
    """Go from one key to another in a store."""
    async with opened_store(url) as store:
        return await rotate(store, old, new)
