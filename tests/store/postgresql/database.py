"""Database servers of the tests' own: without the program the tests that need one are skipped."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

PROGRAMS = "usr/lib/postgresql/*/bin"
"""Where Debian has what nobody calls by hand."""
USER = "postgres"
WANTED = "needs PostgreSQL's server (apt install postgresql)"
READY_SECONDS = 60


def program(name: str) -> str:
    """The path of a program of the server, of the newest that there is."""
    there = sorted(Path("/").glob(f"{PROGRAMS}/{name}"))
    path = str(there[-1]) if there else shutil.which(name)
    if path is None:
        pytest.skip(WANTED)
    return path


class Database:
    """A server that listens on this machine, with one database for everybody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # It refuses to run as root.
        self._user = USER if os.geteuid() == 0 else None
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        # A process that is killed loses nothing of what the system has: only a machine that falls needs more.
        settings = (
            f"fsync = off\nunix_socket_directories = '{folder}'\nlisten_addresses = '127.0.0.1'\nport = {self.port}\n"
        )
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.write(settings)

    @property
    def dsn(self) -> str:
        """How clients find it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{USER}"

    def start(self) -> None:
        """Have it listen."""
        self._run("pg_ctl", "start", "-w", "-t", str(READY_SECONDS), "-l", str(self._folder / "log"))

    def stop(self, how: str = "immediate") -> None:
        """Have it end: ``fast`` tells its clients, ``immediate`` is as if it was killed."""
        self._run("pg_ctl", "stop", "-w", "-m", how)

    def restart(self, how: str) -> None:
        """Stop it, and start it again."""
        self.stop(how)
        self.start()

    def _run(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [program(name), "-D", str(self._folder / "data"), *arguments],
            user=self._user,
            cwd=self._folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def database() -> Iterator[Database]:
    """One of the caller's own."""
    program("initdb")
    folder = Path(tempfile.mkdtemp(prefix="resphere-database-"))
    try:
        made = Database(folder)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def shared() -> Database:
    """One that all tests of this process share, and that ends with it."""
    stack = ExitStack()
    made = stack.enter_context(database())
    atexit.register(stack.close)
    return made
