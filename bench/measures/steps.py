"""What each step of a request costs: the list of steps as it stands, each step with a clock around it."""

from __future__ import annotations

import asyncio
import inspect
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from types import FunctionType
from typing import Any

import msgspec

from bench.measures.audit import NoBody
from bench.result import Outcome, told
from bench.rounds import Effort
from bench.servers import PASSWORD, USER
from resphere.access.principal import Principal
from resphere.contract.lookup import api_routes
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Request
from resphere.inventory.model import VirtualMachine
from resphere.server import pipeline as steps
from resphere.server.assembly import running
from resphere.server.exchange import Exchange
from resphere.server.pipeline import Pipeline
from resphere.server.prepare import prepare
from resphere.server.settings import Settings

VMS, TURNS, CALLS_A_TURN = 200, 25, 8
STEPS = (
    "admit",
    "resolve",
    "throttle",
    "authenticate",
    "accept",
    "limit",
    "authorize",
    "recall",
    "decode",
    "authorize_references",
    "disturb",
    "take_turn",
    "invoke",
    "encode",
)
Times = dict[str, list[int]]


def measure_steps(effort: Effort) -> Outcome:
    """The median of each step, of reads that are kept and of one that is not, in this process and without HTTP."""
    verdicts = []
    with folder() as path:
        settings = Settings(data_dir=path / "data", admin_password=PASSWORD, vms=VMS, hosts=20, clusters=4)
        prepare(settings)
        for asked, times in asyncio.run(measured(settings, effort.rounds)).items():
            for step, taken in times.items():
                cost = statistics.median(taken) / 1000
                verdicts.append(told(f"{asked}: {step}", f"{cost:.2f} µs"))
    return Outcome(tuple(verdicts))


async def measured(settings: Settings, rounds: int) -> dict[str, Times]:
    """What is asked, and what its steps took, in nanoseconds."""
    found: dict[str, Times] = {}
    async with running(settings) as worker:
        pipeline = worker.pipeline
        token = await pipeline.sessions.open(Principal(USER), "password")
        machines = pipeline.environment.inventory.all(VirtualMachine).values()
        ids = [vm.id for vm in machines if not vm.template]
        for asked, paths in (
            ("GET vm/{vm}", [f"/api/vcenter/vm/{id}" for id in ids]),
            ("list of VMs", ["/api/vcenter/vm"]),
            ("GET session", ["/api/session"]),
        ):
            times: Times = {}
            handle = timed_handle(pipeline, times)
            for each in range(rounds + 1):
                if each == 1:
                    times.clear()  # what the first round took was making what is kept
                await ask(handle, token, paths)
            found[asked] = times
    return found


async def ask(handle: Callable[[Exchange], Any], token: str, paths: list[str]) -> None:
    """Ask in turns of the loop, several calls in each."""
    headers = {b"host": b"127.0.0.1", b"vmware-api-session-id": token.encode(), b"user-agent": b"bench"}
    path = cycle(paths)
    for _ in range(TURNS):
        calls = [Request("GET", next(path), b"", headers, "127.0.0.1") for _ in range(CALLS_A_TURN)]
        await asyncio.gather(*(handle(Exchange(call, "bench", DIALECT, NoBody())) for call in calls))


def timed_handle(pipeline: Pipeline, times: Times) -> Callable[[Exchange], Any]:
    """``Pipeline.handle`` with a clock around each step: the same code, which finds other functions by their names."""
    watched = {name: timed(name, getattr(steps, name), times) for name in STEPS}
    answer = timed("answer, all of these", renamed(steps.answer, watched), times)
    recorder = Watched(pipeline.recorder, times)
    handle = renamed(Pipeline.handle, {"answer": answer})
    return partial(handle, msgspec.structs.replace(pipeline, recorder=recorder))


class Watched:
    """The recorder, with a clock around what it does at once."""

    def __init__(self, recorder: Any, times: Times) -> None:
        self.require = recorder.require
        self.record = timed("record, but for writing", recorder.record, times)
        self.released = recorder.released


def renamed(function: Any, others: dict[str, Any]) -> Any:
    """The same function among other names."""
    return FunctionType(function.__code__, {**function.__globals__, **others}, function.__name__)


def timed(name: str, function: Callable[..., Any], times: Times) -> Callable[..., Any]:
    """The function, which notes how long it takes."""
    clock = time.perf_counter_ns

    async def later(*arguments: Any) -> Any:
        began = clock()
        try:
            return await function(*arguments)
        finally:
            times.setdefault(name, []).append(clock() - began)

    def now(*arguments: Any) -> Any:
        began = clock()
        try:
            return function(*arguments)
        finally:
            times.setdefault(name, []).append(clock() - began)

    return later if inspect.iscoroutinefunction(function) else now


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for as long as it is used."""
    path = Path(tempfile.mkdtemp(prefix="bench-steps-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


DIALECT = ApiDialect(api_routes())
