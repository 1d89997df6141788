"""The official SDK end to end, wall time, and a session beside vcsim's where that could be built."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.client import Address, ask, basic, request
from bench.result import Outcome, Verdict, told
from bench.rounds import Effort
from bench.servers import PASSWORD, ROOT, USER, WORK, Inventory, environment, free_port, wait_for_answer
from bench.site import site

BINDINGS = ROOT / ".cache" / "bindings" / "9.1.1.0"
VCSIM = WORK / "vcsim"
"""Where ``make bench`` builds it, of what Debian has of govmomi: a release that knows no JSON-RPC yet."""
VMS = 1000
SESSION = "/rest/com/vmware/cis/session"
SESSIONS_A_ROUND = 20


def measure_sdk(effort: Effort) -> Outcome:
    """Told, not judged: most of it is the SDK's own work."""
    with site("sdk", Inventory(VMS)) as running:
        address = running.server.address
        taken = official(address, running.server.data / "data" / "tls" / "ca.pem", effort.rounds)
        own = session_seconds(address, USER, PASSWORD, effort.rounds)
    verdicts = [
        told("official SDK: session, wall time", f"{taken['session'] * 1e3:.1f} ms"),
        told(f"official SDK: list of {taken['vms']:,} VMs as objects, wall time", f"{taken['list'] * 1e3:.1f} ms"),
        told("session over /rest, each on a new connection, wall time", f"{own * 1e3:.1f} ms"),
        vcsims(effort.rounds),
    ]
    return Outcome(
        tuple(verdicts), (), ("A session of resphere's is on disk before it is answered; vcsim's is in memory.",)
    )


def vcsims(rounds: int) -> Verdict:
    """The same session of vcsim's."""
    name = "the same of vcsim 0.24 (it has no JSON-RPC)"
    if not VCSIM.exists():
        return told(name, "not built: no Go, or no source of govmomi")
    with vcsim() as address:
        return told(name, f"{session_seconds(address, 'user', 'pass', rounds) * 1e3:.1f} ms")


def official(address: Address, ca: Path, rounds: int) -> dict[str, Any]:
    """What ``bench/sdk_client.py`` measures among the bindings.

    :raises RuntimeError: they are not there.
    """
    if not BINDINGS.is_dir():
        raise RuntimeError("the official bindings are not there: make bindings")
    given = {"server": f"{address.host}:{address.port}", "ca": str(ca), "user": USER, "password": PASSWORD}
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "sdk_client.py")],
        env=environment(PYTHONPATH=str(BINDINGS), PYTHONWARNINGS="ignore"),
        input=json.dumps({**given, "rounds": rounds}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    taken: dict[str, Any] = json.loads(done.stdout)
    return taken


def session_seconds(address: Address, user: str, password: str, rounds: int) -> float:
    """Median seconds of logging in with a connection of its own."""
    login = request("POST", SESSION, basic(user, password))
    taken = []
    for _ in range(rounds * SESSIONS_A_ROUND):
        began = time.perf_counter()
        answer = ask(address, login)
        taken.append(time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"login: {answer.status} {answer.body[:300]!r}")
    return median(taken)


@contextmanager
def vcsim() -> Iterator[Address]:
    """A running vcsim of the same size."""
    address = Address(free_port())
    process = subprocess.Popen([str(VCSIM), "-port", str(address.port), "-vms", str(VMS)], env=environment())
    try:
        wait_for_answer(address, request("GET", "/"), process, time.perf_counter())
        yield address
    finally:
        process.terminate()
        process.wait()
