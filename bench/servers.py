"""Starts and stops the servers that are measured, each in processes of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.client import PATIENCE_SECONDS, Address, ask, basic, request
from bench.processes import family

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".cache" / "bench"
FASTAPI = WORK / "fastapi"
"""Where ``make bench`` installs FastAPI, out of the way of everything else."""

USER = "administrator@vsphere.local"
PASSWORD = secrets.token_urlsafe(12)
POLL_SECONDS = 0.002


class Server(msgspec.Struct, frozen=True):
    """A server that answers. ``first_answer_seconds`` are from the start of its process."""

    address: Address
    pid: int
    first_answer_seconds: float
    data: Path

    @property
    def processes(self) -> list[int]:
        """Its processes: the one that was started, and the workers."""
        return family(self.pid)


class Inventory(msgspec.Struct, frozen=True):
    """The size of a simulated vCenter."""

    vms: int
    hosts: int = 20
    clusters: int = 4

    @property
    def flags(self) -> list[str]:
        """For ``resphere serve``."""
        return ["--vms", str(self.vms), "--hosts", str(self.hosts), "--clusters", str(self.clusters)]


def fresh(name: str) -> Path:
    """An empty directory on the disk of the working copy."""
    path = WORK / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**more: str) -> dict[str, str]:
    """This process's environment, as a user would have it: bytecode is kept, and no setting of ours is set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RESPHERE_") and k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **more}


@contextmanager
def running(
    arguments: Sequence[str], data: Path, first: bytes, variables: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """``python <arguments> --port <port>`` from its first answer, to the request ``first``, until its orderly end.

    :raises RuntimeError: it ends, or gives no answer.
    """
    address = Address(free_port())
    log = data / "output.log"
    with log.open("ab") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments, "--port", str(address.port)],
            cwd=ROOT,
            env=environment(**(variables or {})),
            stdout=output,
            stderr=output,
        )
    try:
        wait_for_answer(address, first, process, began)
        yield Server(address, process.pid, time.perf_counter() - began, data)
    except RuntimeError as error:
        raise RuntimeError(f"{error}; see {log}") from error
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def wait_for_answer(address: Address, first: bytes, process: subprocess.Popen[bytes], began: float) -> None:
    """Ask until there is an answer, whatever it says."""
    while True:
        try:
            ask(address, first)
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with status {process.returncode}") from None
            if time.perf_counter() - began > 2 * PATIENCE_SECONDS:
                raise RuntimeError("the server gives no answer") from None
            time.sleep(POLL_SECONDS)
        else:
            return


@contextmanager
def resphere(data: Path, inventory: Inventory, workers: int = 1, flags: Sequence[str] = ()) -> Iterator[Server]:
    """The server, as users start it."""
    arguments = ["-m", "resphere", "serve", "--data-dir", str(data / "data"), "--workers", str(workers)]
    first = request("GET", "/api/vcenter/vm")
    variables = {"RESPHERE_ADMIN_PASSWORD": PASSWORD}
    with running([*arguments, *inventory.flags, *flags], data, first, variables) as server:
        yield server


@contextmanager
def beside(name: str, data: Path, workers: int = 1) -> Iterator[Server]:
    """Another application of this package, ``bench.apps.<name>``, on the same Granian with the same certificate.

    ``data`` is that of a resphere that has run.
    """
    arguments = ["-m", f"bench.apps.{name}", "--data", str(data), "--workers", str(workers)]
    with running(arguments, data, request("GET", "/"), {"PYTHONPATH": str(FASTAPI)}) as server:
        yield server


def log_in(server: Server, user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    """The header of a new session."""
    answer = ask(server.address, request("POST", "/api/session", basic(user, password)))
    if answer.status != 201:
        raise RuntimeError(f"login: {answer.status} {answer.body[:300]!r}")
    return {"vmware-api-session-id": msgspec.json.decode(answer.body, type=str)}
