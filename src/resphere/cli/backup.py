"""``resphere backup`` and ``resphere restore``: all that a server keeps, as one file."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

from resphere.cli.store import add_store
from resphere.private_files import Exposed, require_private
from resphere.server.backup import Done, back_up, restore
from resphere.server.prepare import first_line
from resphere.server.recovery import give_up
from resphere.server.settings import Settings


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    backing = commands.add_parser(
        "backup", help="write all that a server keeps to a file, while it runs", description=run_backup.__doc__
    )
    backing.add_argument("file", type=Path, help="the tar archive to write; it must not exist")
    backing.set_defaults(run=run_backup, recorded=("file",))
    restoring = commands.add_parser(
        "restore", help="make a data directory what it was when a backup was made", description=run_restore.__doc__
    )
    restoring.add_argument("file", type=Path, help="the archive")
    restoring.add_argument(
        "--replace", action="store_true", help="delete the server's data that are there, if the archive is whole"
    )
    restoring.set_defaults(run=run_restore, recorded=("file", "replace"))
    for command in (backing, restoring):
        command.add_argument(
            "--password-file", type=Path, help="file whose first line is the password that the archive is encrypted by"
        )
        add_store(command)


def run_backup(options: argparse.Namespace) -> int:
    """Write the inventory, contents of guests, keys, certificates and the administrator's password to a tar archive.
    The server may be running. Whoever has the archive has the secrets in it, unless it is encrypted by a password: only
    its owner may read it."""
    done = asyncio.run(back_up(settings(options), options.file, datetime.now(UTC), password(options)))
    print(f"{options.file}: {told(done)}")
    if done.manifest.library_storage is not None:
        print(f"not in it: the files of content libraries, which lie in {done.manifest.library_storage}")
    return 0


def run_restore(options: argparse.Namespace) -> int:
    """Put what a backup holds into an empty data directory. The server must not be running."""
    where, now = settings(options), datetime.now(UTC)
    done = asyncio.run(restore(where, options.file, now, replace=options.replace, password=password(options)))
    # What the API was about to restore is overtaken.
    give_up(where)
    print(f"{options.data_dir}: {told(done)}, as of {done.manifest.created_time:%Y-%m-%d %H:%M:%S} UTC")
    if done.manifest.library_storage is not None:
        print(f"not in it: the files of content libraries, which must be in {done.manifest.library_storage} as then")
    return 0


def settings(options: argparse.Namespace) -> Settings:
    """The settings that say where the data are."""
    return Settings(data_dir=options.data_dir, store=options.store)


def password(options: argparse.Namespace) -> str | None:
    """The password of the archive, ``None``: it has none.

    :raises ValueError: there is none in the file, or others may read it.
    """
    if options.password_file is None:
        return None
    try:
        require_private(options.password_file)
        return first_line(options.password_file)
    except Exposed as error:
        raise ValueError(f"--password-file: {error}") from None
    except OSError as error:
        raise ValueError(f"--password-file: cannot read {options.password_file}: {error.strerror}") from None


def told(done: Done) -> str:
    """How much it was."""
    return f"{done.size.files} files, {done.size.bytes:,} bytes"
