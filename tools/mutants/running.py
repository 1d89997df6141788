"""Runs tests against a mutant, in a process of its own: it may hang, or take everything down."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import CodeType, ModuleType

import msgspec
import pytest

import resphere.contract.generated
from tools.mutants.mutations import Mutant

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "resphere"
PRELOADED = (resphere.contract.generated,)
"""Imported once, as each process would otherwise: no mutant is made of what these are."""
OPTIONS = (
    *("-x", "-q", "-p", "tools.mutants.unshrunk", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts="),
    # Where a wheel was built resphere is a plugin of pytest's here, which would load its modules itself.
    "--disable-plugin-autoload",
)
PATIENCE = 6
"""Times as much CPU as the tests take without a fault, before a mutant counts as one that hangs."""
IDLE_PATIENCE = 4
"""Times as long as that by the clock: whatever else the machine does, a mutant that waits for nothing ends."""
IDLE_SECONDS = 20.0
"""A mutant that has used no processor for so long waits for what never comes."""
LOOK_SECONDS = 2.0
IDLE_CPU_SECONDS = 0.05
"""What looking itself uses, and more."""
MEMORY_BYTES = 6 * 2**30
"""What a mutant may take: one that goes on for ever may take all there is, and others with it."""
FORK = multiprocessing.get_context("fork")


class Outcome(StrEnum):
    """What the tests made of a mutant."""

    KILLED = "killed"
    HUNG = "hung"
    SURVIVED = "survived"
    UNTESTED = "untested"
    """The tests could not be run."""


class _Loader(importlib.abc.InspectLoader):
    """Loads one module from another source than its file's."""

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        self._source = source

    def get_source(self, fullname: str) -> str:
        return self._source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, str(self._path), "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the mutant where its module is looked for."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = module_name(mutant.module)
        self._loader = _Loader(SOURCES / mutant.module, mutant.source())

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self._loader)


class Run(msgspec.Struct, frozen=True):
    """What the tests made of a mutant (``None``: of the code as it is), in how many seconds by the clock."""

    mutant: Mutant | None
    outcome: Outcome
    seconds: float


def module_name(module: str) -> str:
    """``resphere.replica.edit`` of ``replica/edit.py``."""
    return f"resphere.{module.removesuffix('.py').replace('/', '.')}"


def run_all(mutants: Sequence[Mutant | None], tests: tuple[str, ...], cpu_seconds: float, jobs: int) -> Iterator[Run]:
    """Run the tests against each until one fails, so many at once; ``None`` stands for the code as it is.

    ``cpu_seconds`` is what one may take. So a loaded machine makes none of them hang.
    """
    timeout_seconds = IDLE_PATIENCE * cpu_seconds
    pending = list(reversed(mutants))
    working: dict[int, tuple[ForkProcess, Mutant | None, float]] = {}
    while pending or working:
        while pending and len(working) < jobs:
            mutant = pending.pop()
            process = FORK.Process(target=_tested, args=(mutant, tests, round(cpu_seconds)))
            process.start()
            working[process.sentinel] = process, mutant, time.monotonic()
        first = min(begun for _, _, begun in working.values())
        wait(list(working), max(0.0, first + timeout_seconds - time.monotonic()))
        for sentinel, (process, mutant, begun) in list(working.items()):
            seconds = time.monotonic() - begun
            if not process.is_alive():
                yield Run(mutant, _outcome(mutant, process.exitcode), seconds)
            elif seconds >= timeout_seconds:
                process.kill()
                process.join()
                yield Run(mutant, Outcome.HUNG, seconds)
            else:
                continue
            del working[sentinel]


def _outcome(mutant: Mutant | None, code: int | None) -> Outcome:
    if code == 0:
        return Outcome.SURVIVED
    if code == -signal.SIGXCPU and mutant is not None:
        return Outcome.HUNG
    # A mutant that nothing can be imported with is noticed as well.
    return Outcome.KILLED if code == 1 or mutant is not None else Outcome.UNTESTED


def _watch_idleness() -> None:
    """End this process as a mutant that hangs, once it does nothing any more."""
    busy, since = time.process_time(), time.monotonic()
    while time.monotonic() - since < IDLE_SECONDS:
        time.sleep(LOOK_SECONDS)
        if time.process_time() - busy > IDLE_CPU_SECONDS:
            busy, since = time.process_time(), time.monotonic()
    os.kill(os.getpid(), signal.SIGXCPU)


def _tested(mutant: Mutant | None, tests: tuple[str, ...], cpu_seconds: int) -> None:
    """What the process does: it says nothing but whether all tests have passed."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    threading.Thread(target=_watch_idleness, daemon=True).start()
    os.chdir(ROOT)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    if mutant is not None:
        sys.meta_path.insert(0, _Finder(mutant))
    # What is loaded already may know the module as it is, but for what knows nothing of it.
    for name in [name for name in sys.modules if name.startswith(("resphere.", "tests."))]:
        if not name.startswith("resphere.contract"):
            del sys.modules[name]
    os._exit(int(pytest.main([*OPTIONS, *tests])))
