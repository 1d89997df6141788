"""A database server of the tests' own, for as long as they run: without it they are skipped."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

FOLDERS = "/usr/lib/postgresql/*/bin"
"""Where Debian has what nobody calls by hand."""
USER = "postgres"
WANTED = "needs PostgreSQL's server (apt install postgresql)"
READY_SECONDS = 60


def program(name: str) -> str | None:
    """The path of a program of the server."""
    there = sorted(Path("/").glob(f"{FOLDERS}/{name}".lstrip("/")))
    return str(there[-1]) if there else shutil.which(name)


@cache
def address() -> str:
    """Where a server listens that was started for this process, and ends with it: ``127.0.0.1:PORT``."""
    initdb, server = program("initdb"), program("postgres")
    if initdb is None or server is None:
        pytest.skip(WANTED)
    folder = Path(tempfile.mkdtemp(prefix="resphere-database-"))
    # It refuses to run as root.
    user = USER if os.geteuid() == 0 else None
    if user is not None:
        owner = pwd.getpwnam(USER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"],
        user=user,
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    port = free_port()
    # A process that is killed loses nothing of what the system has: only a machine that falls needs more.
    settings = {"fsync": "off", "unix_socket_directories": folder, "listen_addresses": "127.0.0.1", "port": port}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([server, "-D", data, *options], user=user, cwd=folder, stderr=log)

    def end() -> None:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    ready = program("pg_isready") or "pg_isready"
    subprocess.run([ready, "-q", "-h", "127.0.0.1", "-p", str(port), "-t", str(READY_SECONDS)], check=False)
    return f"127.0.0.1:{port}"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
