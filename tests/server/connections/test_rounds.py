"""When all connections are looked at: the more there are the less often, unless something presses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from resphere.server.connections.gate import Gate, find_gate
from resphere.server.connections.sockets import AVAILABLE, Sockets
from resphere.server.connections.watch import (
    HASTY_LOOK_SECONDS,
    LONGEST_LOOK_SECONDS,
    LOOK_SECONDS,
    LOOKING_PART,
    Patience,
    Rounds,
)
from resphere.server.retiring import stop_listening

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="only Linux tells of a process's connections")

PATIENCE = Patience(most=100_000, request_seconds=20, idle_seconds=60, stall_seconds=30)


class Machine:
    """A listening socket, and a clock that stands still; each look takes so much of a processor."""

    def __init__(self, stack: ExitStack, patience: Patience = PATIENCE) -> None:
        self._stack = stack
        self.listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = self.listener.getsockname()[1]
        gate = find_gate(port)
        assert gate is not None
        self.gate: Gate = gate
        stack.callback(gate.close)
        self.now = 1000.0
        self.busy_seconds = 0.0
        self.look_seconds = 0.0
        self.rounds = Rounds(Sockets(port), patience, lambda: self.now, gate, self._busy)

    def open_files(self, count: int) -> None:
        for _ in range(count):
            self._stack.enter_context(socket.socket())

    def looked(self, took_seconds: float) -> float:
        """Look once; how long the next look can wait."""
        self.look_seconds = took_seconds
        self.rounds.make({})
        began, self.now = self.now, self.now + 0.25
        while not self.rounds.are_due():
            self.now += 0.25
        return self.now - began

    def _busy(self) -> float:
        found, self.busy_seconds = self.busy_seconds, self.busy_seconds + self.look_seconds
        return found


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.mark.parametrize(
    ("took_seconds", "seconds"),
    [(0.0, LOOK_SECONDS), (3 * LOOKING_PART, 3.0), (100 * LOOKING_PART, LONGEST_LOOK_SECONDS)],
)
def test_looks_take_a_part_of_a_processor(stack: ExitStack, took_seconds: float, seconds: float) -> None:
    assert Machine(stack).looked(took_seconds) == seconds


def test_nobody_waits_much_longer_than_is_set(stack: ExitStack) -> None:
    patience = Patience(most=100_000, request_seconds=20, idle_seconds=8, stall_seconds=30)
    assert Machine(stack, patience).looked(1.0) == 2.0
    patience = Patience(most=100_000, request_seconds=1, idle_seconds=60, stall_seconds=30)
    assert Machine(stack, patience).looked(1.0) == LOOK_SECONDS


def test_many_that_come_at_once_are_looked_at_at_once(stack: ExitStack) -> None:
    machine = Machine(stack)
    machine.open_files(40)
    machine.look_seconds = 1.0
    machine.rounds.make({})
    assert not machine.rounds.are_due()
    machine.open_files(40)
    assert machine.rounds.are_due()


def test_a_stop_is_noticed_at_once(stack: ExitStack) -> None:
    machine = Machine(stack)
    machine.look_seconds = 1.0
    machine.rounds.make({})
    assert not machine.rounds.are_due()
    stop_listening(machine.listener.getsockname()[1])
    machine.listener.close()
    assert machine.rounds.are_due()
    machine.rounds.make({})
    assert machine.rounds.stopping


def test_where_it_presses_no_look_is_put_off(stack: ExitStack) -> None:
    machine = Machine(stack, Patience(most=0, request_seconds=20, idle_seconds=60, stall_seconds=30))
    stack.enter_context(socket.create_connection(machine.listener.getsockname()))
    stack.enter_context(machine.listener.accept()[0])
    assert machine.looked(1.0) == 0.25
    assert machine.rounds.pause_seconds == HASTY_LOOK_SECONDS
