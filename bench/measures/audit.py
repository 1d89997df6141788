"""What it costs to have a call on record, and to verify what is."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop

from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from resphere.access.principal import Principal
from resphere.access.roles import ADMIN
from resphere.access.view import RootView
from resphere.audit.signing import PUBLIC_KEYS, PublicKeys
from resphere.audit.syncing import Sync
from resphere.audit.verify import Verification
from resphere.auth.credentials import Credentials
from resphere.contract.generated import vcenter
from resphere.contract.lookup import api_routes
from resphere.contract.model import ByteStream
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Reply, Request, Resolved
from resphere.server.exchange import Caller, Exchange
from resphere.server.recorder import Policy, Recorder, heads_folder, open_trail
from resphere.server.settings import Settings

RECORDS = 20_000
AT_ONCE = 4000
CALLS_A_TURN = 8
"""Calls that end in one turn of the loop: with 32 connections, a busy server has 5 to 15."""
MOST_MICROSECONDS = 10.0
HEADERS = {b"user-agent": b"python-requests/2.34.2", b"vmware-api-session-id": b"x" * 32}


class Session(msgspec.Struct, frozen=True):
    """The session of an administrator, as far as records tell of it."""

    principal: Principal = Principal("administrator@vsphere.local")
    token: str | None = None
    handle: str | None = None
    created_time: datetime = datetime.fromtimestamp(0, UTC)
    last_accessed_time: datetime = datetime.fromtimestamp(0, UTC)

    @property
    def user(self) -> str:
        """The user's name."""
        return self.principal.name

    async def open(self) -> str:
        """No part of this."""
        raise NotImplementedError

    async def close(self) -> None:
        """No part of this."""
        raise NotImplementedError


class NoBody(msgspec.Struct):
    """The body of a request that has none."""

    vouched: bool = True
    announced_bytes: int = 0

    async def read(self, limit_bytes: int) -> bytes:
        """Nothing."""
        return b""

    async def gone(self) -> None:
        """Nobody leaves."""
        await asyncio.Event().wait()

    def stream(self, limit_bytes: int) -> ByteStream:
        """No part of this."""
        raise NotImplementedError


def measure_audit(effort: Effort) -> Outcome:
    """CPU for a record, in the audit log and in ``vpxd.log``, to the system calls that write them; and for a line that
    is verified."""
    with log_folder() as folder:
        settings = Settings(data_dir=folder, audit_file_bytes=0)
        trail = open_trail(settings, bytes(range(32)), lambda: datetime.now(UTC))
        recorder = Recorder(trail, settings.logs / "vpxd.log", Policy.DROP_AND_COUNT, Sync.NEVER, trail_clock)
        costs = [uvloop.run(recording_microseconds(recorder)) for _ in range(effort.rounds)]
        recorder.close()
        heads = heads_folder(folder)
        verification = Verification(settings.logs, PublicKeys.read(heads / PUBLIC_KEYS), heads)
        began = time.process_time()
        wrong = list(verification.run())
        seconds = time.process_time() - began
        if wrong:
            raise RuntimeError(f"the audit log is not right: {wrong[0]}")
        lines = verification.summary.lines
        size = (settings.logs / "audit.log").stat().st_size
    return Outcome(
        (
            at_most("a call on record, in both logs: CPU", min(costs), MOST_MICROSECONDS, " µs"),
            told("verification of the audit log: lines a second", f"{lines / seconds:,.0f}"),
            told("a line of the audit log", f"{size / lines:,.0f} bytes"),
        )
    )


def trail_clock() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@contextmanager
def log_folder() -> Iterator[Path]:
    """A data directory for as long as it is used."""
    folder = Path(tempfile.mkdtemp(prefix="bench-audit-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


async def recording_microseconds(recorder: Recorder) -> float:
    """CPU of this process for one record, of several calls that end in one turn of the event loop."""
    calls = [answered(f"{number:x}") for number in range(AT_ONCE)]
    costs = []
    for _ in range(RECORDS // AT_ONCE):
        began = time.process_time()
        for first in range(0, AT_ONCE, CALLS_A_TURN):
            turn = calls[first : first + CALLS_A_TURN]
            for call in turn:
                recorder.record(call, 0.0004)
            for call in turn:
                await recorder.released(call, EMPTY)
        costs.append((time.process_time() - began) / AT_ONCE * 1e6)
    # Not the least: what the other log's thread does falls on one run in five or so.
    return statistics.median(costs)


def answered(request_id: str) -> Exchange:
    """A call that is over: the list of VMs, as the Python SDK or a script asks for it."""
    request = Request("GET", "/api/vcenter/vm", b"", HEADERS, "127.0.0.1")
    call = Exchange(request, request_id, DIALECT, NoBody())
    call.started = datetime.now(UTC)
    call.outcome = Resolved(vcenter.VM.list, Credentials("x" * 32), {}, {})
    call.caller = Caller(Session(), RootView(ADMIN), "a1b2c3d4", "session")
    call.authorized = True
    call.reply = EMPTY
    return call


EMPTY = Reply(200, b"[]")
DIALECT = ApiDialect(api_routes())
