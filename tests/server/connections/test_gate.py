"""The gate of a listening socket: who connects while it is shut waits, and is told of when it opens."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from resphere.server.connections.gate import HELD_BACK, OPEN_FROM, SHUT_BELOW, Gate, find_gate
from resphere.server.connections.sockets import AVAILABLE
from resphere.server.retiring import stop_listening

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="only Linux tells of a process's connections")

EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET if AVAILABLE else 0
"""What Granian's runtime asks the kernel to tell of a listening socket."""
ENOUGH, SCARCE, BETWEEN = OPEN_FROM, SHUT_BELOW - 1, SHUT_BELOW


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        made.setblocking(False)
        yield made


@pytest.fixture
def gate(listener: socket.socket) -> Iterator[Gate]:
    found = find_gate(listener.getsockname()[1])
    assert found is not None
    with closing(found):
        yield found


def address_of(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()
    return host, port


def test_who_connects_while_it_is_shut_waits(listener: socket.socket, gate: Gate) -> None:
    address = address_of(listener)
    with select.epoll() as told:
        told.register(listener.fileno(), EDGES)
        assert gate.regulate(SCARCE) == OPEN_FROM - SCARCE
        with socket.create_connection(address) as client:
            assert told.poll(5)
            with pytest.raises(BlockingIOError):
                listener.accept()
            assert gate.regulate(BETWEEN) == OPEN_FROM - BETWEEN
            with pytest.raises(BlockingIOError):
                listener.accept()
            assert gate.regulate(ENOUGH) == 0
            # Nobody else comes, and yet it is told of.
            assert told.poll(5)
            accepted, came_from = listener.accept()
            with accepted:
                assert came_from == client.getsockname()


def test_it_stays_open_while_there_is_enough(listener: socket.socket, gate: Gate) -> None:
    assert gate.regulate(BETWEEN) == 0
    assert not gate.is_shut
    with socket.create_connection(address_of(listener)):
        listener.accept()[0].close()


def test_a_shut_one_gives_descriptors_back(gate: Gate) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count of names

    before = count()
    gate.regulate(SCARCE)
    assert count() == before - HELD_BACK
    gate.regulate(ENOUGH)
    assert count() == before


@pytest.mark.parametrize("shut", [False, True])
def test_a_socket_that_was_closed_stands_no_more_and_stays_closed(
    listener: socket.socket, gate: Gate, *, shut: bool
) -> None:
    if shut:
        gate.regulate(SCARCE)
    assert gate.stands
    listener.close()
    assert not gate.stands
    gate.regulate(SCARCE)
    gate.regulate(ENOUGH)
    assert not gate.stands


@pytest.mark.parametrize("shut", [False, True])
def test_a_worker_that_makes_room_does_not_listen_again(listener: socket.socket, gate: Gate, *, shut: bool) -> None:
    address = address_of(listener)
    if shut:
        gate.regulate(SCARCE)
    stop_listening(address[1])
    # It has not stopped: it serves those whom it has.
    assert gate.stands
    gate.regulate(SCARCE)
    gate.regulate(ENOUGH)
    assert gate.stands
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    listener.close()
    assert not gate.stands


def test_there_is_none_where_nothing_listens(listener: socket.socket) -> None:
    port = address_of(listener)[1]
    listener.close()
    assert find_gate(port) is None
