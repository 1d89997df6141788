"""Invariants 1 to 3 of the resource manager, with real processes that are killed at any moment.

Two processes write to one database. Again and again one of them, or both, get SIGKILL after a random number of
acknowledged commits, and another takes their place. Meanwhile a follower in this process reads the change log.
"""

from __future__ import annotations

import asyncio
import os
import random
import selectors
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

import resphere
from resphere.store.engines import DEFAULT, open_store
from tests.store import kill_worker
from tests.store.contract import NewUrl, put, transaction
from tests.store.kill_worker import Counter
from tests.store.model import Documents, documents_of, replay

ROUNDS = 100
ROUNDS_ELSEWHERE = 30
"""With engines that are no part of the process that is killed."""
BOTH_EVERY = 5
MOST_ACKNOWLEDGEMENTS = 60
COUNTER_TASKS = 1

# Small, so that each turn serves both processes and the follower.
READ_BYTES = 2048


@dataclass
class Acknowledged:
    """What the processes have said to be committed, and what must be true of that alone."""

    sequences: set[int] = field(default_factory=set)
    totals: set[int] = field(default_factory=set)
    counted: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    unchecked: list[str] = field(default_factory=list)
    last_triple: int = 0

    def take(self, name: str, line: str) -> None:
        kind, subject, number = line.split(" ")
        sequence = int(number)
        assert sequence not in self.sequences, f"sequence {sequence} was given out twice"
        self.sequences.add(sequence)
        if kind == "counter":
            assert int(subject) not in self.totals, f"two increments came to {subject}: one is lost"
            self.totals.add(int(subject))
            self.counted[name] = self.counted.get(name, 0) + 1
        elif kind == "triple":
            self.last_triple = max(self.last_triple, sequence)
        else:
            self.items[subject] = sequence
            self.unchecked.append(subject)


class Process:
    def __init__(self, url: str, name: str, acknowledged: Acknowledged) -> None:
        self.name = name
        self.lines = 0
        self._acknowledged = acknowledged
        self._rest = ""
        source = Path(resphere.__file__).parent.parent
        self._process = subprocess.Popen(
            [sys.executable, kill_worker.__file__, url, name],
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": str(source)},
        )
        assert self._process.stdout is not None
        self.output = self._process.stdout

    def read(self) -> bool:
        """Take over what it has said; false at the end."""
        data = os.read(self.output.fileno(), READ_BYTES).decode()
        *lines, self._rest = (self._rest + data).split("\n")
        for line in lines:
            self._acknowledged.take(self.name, line)
        self.lines += len(lines)
        return bool(data)

    def kill(self) -> None:
        """Kill it, if that is still to be done, and hear out what it had said before."""
        if self.output.closed:
            return
        self._process.kill()
        while self.read():
            pass
        assert self._process.wait() == -signal.SIGKILL, f"{self.name} had ended by itself"
        self.output.close()


class Follower:
    """Knows the database only by its change log, and looks at each state that it passes through."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._store = self._runner.run(open_store(url))
        self.documents: Documents = {}
        self.sequence = 0
        self._next_item: dict[str, int] = {}

    def open(self) -> None:
        epoch = self._store.epoch
        self._runner = asyncio.Runner()
        self._store = self._runner.run(open_store(self._url))
        assert self._store.epoch == epoch

    def close(self) -> None:
        with self._runner as runner:
            runner.run(self._store.close())

    def poll(self) -> None:
        changes = self._runner.run(self._store.changes_since(self.sequence))
        assert changes.complete
        assert changes.sequence >= self.sequence
        sequences = [change.sequence for change in changes.changes]
        assert sequences == sorted(sequences)
        assert all(self.sequence < sequence <= changes.sequence for sequence in sequences)
        self.documents = replay(self.documents, changes)
        self.sequence = changes.sequence
        for change in changes.changes:
            if change.kind == "item":
                # A task writes its items one after another: none may show without all before it.
                task, _, number = change.id.rpartition("-")
                assert int(number) == self._next_item.get(task, 0)
                self._next_item[task] = int(number) + 1
        triple = {self.documents.get(("triple", str(n))) for n in range(3)}
        assert len(triple) == 1, f"a transaction is torn: {triple}"

    def settle(self) -> None:
        """See that what those who were killed had handed in is stored or is not: a commit comes after all others."""
        self._runner.run(self._store.commit(transaction(put("settled"))))

    def assert_same_as_loaded(self) -> None:
        """Only while nobody writes."""
        snapshot = self._runner.run(self._store.load())
        assert snapshot.sequence == self.sequence
        assert documents_of(snapshot) == self.documents


def assert_nothing_lost(acknowledged: Acknowledged, documents: Documents) -> None:
    """All that was acknowledged is in ``documents``, which were read later."""
    for id in acknowledged.unchecked:
        assert documents[("item", id)] == (acknowledged.items[id], id.encode())
    acknowledged.unchecked.clear()
    if acknowledged.last_triple:
        assert documents[("triple", "0")][0] >= acknowledged.last_triple
    if acknowledged.totals:
        counter = msgspec.json.decode(documents[("counter", "shared")][1], type=Counter)
        assert counter.total >= max(acknowledged.totals)
        assert counter.total == sum(counter.added.values()), "an update is lost"
        for name, count in acknowledged.counted.items():
            assert counter.added[name] >= count


def assert_only_in_flight_more(acknowledged: Acknowledged, documents: Documents) -> None:
    """Of what was not acknowledged, only what each killed process had under way is there."""
    if ("counter", "shared") in documents:
        counter = msgspec.json.decode(documents[("counter", "shared")][1], type=Counter)
        for name, count in counter.added.items():
            assert count <= acknowledged.counted.get(name, 0) + COUNTER_TASKS


@pytest.mark.parametrize("seed", [20_260_101])
def test_killed_processes_lose_nothing_acknowledged_and_leave_nothing_torn(
    engine: str, new_url: NewUrl, seed: int
) -> None:
    chance = random.Random(seed)
    url = new_url()
    rounds = ROUNDS if engine == DEFAULT else ROUNDS_ELSEWHERE
    acknowledged = Acknowledged()
    follower = Follower(url)
    started = 0

    def start() -> Process:
        nonlocal started
        started += 1
        return Process(url, f"p{started}", acknowledged)

    processes: list[Process] = []
    kills = 0
    try:
        processes += [start(), start()]
        for round in range(rounds):
            victim = chance.choice(processes)
            until = victim.lines + chance.randrange(MOST_ACKNOWLEDGEMENTS)
            listen(processes, victim, until, follower)
            both = round % BOTH_EVERY == BOTH_EVERY - 1
            if both:
                # So that nobody has the file open in the end: the next one to open it must make it whole from its log.
                follower.close()
            for process in processes if both else [victim]:
                process.kill()
                kills += 1
            if both:
                follower.open()
                follower.settle()
            follower.poll()
            assert_nothing_lost(acknowledged, follower.documents)
            if both:
                follower.assert_same_as_loaded()
                assert_only_in_flight_more(acknowledged, follower.documents)
            processes = [start() if both or process is victim else process for process in processes]
        assert kills >= rounds
        assert len(acknowledged.totals) > 0
        assert len(acknowledged.items) > 0
    finally:
        for process in processes:
            process.kill()
        follower.close()


def listen(processes: list[Process], victim: Process, until: int, follower: Follower) -> None:
    """Hear all ``processes`` until ``victim`` has said ``until`` lines in all."""
    with selectors.DefaultSelector() as selector:
        for process in processes:
            selector.register(process.output, selectors.EVENT_READ, process)
        while victim.lines < until:
            for key, _ in selector.select():
                assert key.data.read(), f"{key.data.name} ended by itself"
            follower.poll()
