"""What Linux tells of the connections of this very process."""

from __future__ import annotations

import os
import resource
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from resphere.server.connections.sockets import AVAILABLE, Sockets, address_of

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="only Linux tells of a process's connections")


class Pair:
    """A connection of this process with itself: the client's end, and the one that was accepted."""

    def __init__(self, listener: socket.socket, stack: ExitStack) -> None:
        self.client = stack.enter_context(socket.create_connection(listener.getsockname()[:2]))
        self.accepted = stack.enter_context(listener.accept()[0])
        self.name = self.client.getsockname()[:2]


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    host = "127.0.0.1" if request.param == socket.AF_INET else "::1"
    with socket.socket(request.param) as made:
        try:
            made.bind((host, 0))
        except OSError:
            pytest.skip("there is no IPv6 here")
        made.listen()
        yield made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def test_what_was_accepted_and_nothing_else(listener: socket.socket, stack: ExitStack) -> None:
    sockets = Sockets(port_of(listener))
    assert (sockets.look(), sockets.listens) == ([], True)
    pairs = [Pair(listener, stack) for _ in range(3)]
    stack.enter_context(socket.socket())
    for _ in range(2):
        assert sorted(each.client for each in sockets.look()) == sorted(pair.name for pair in pairs)
    pairs[0].accepted.close()
    assert len(sockets.look()) == 2
    listener.close()
    sockets.look()
    assert not sockets.listens


def test_how_much_came_and_went(listener: socket.socket, stack: ExitStack) -> None:
    sockets = Sockets(port_of(listener))
    pair = Pair(listener, stack)
    [before] = sockets.look()
    assert not before.owed
    pair.client.sendall(b"x" * 100)
    assert len(pair.accepted.recv(1000)) == 100
    pair.accepted.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            pair.accepted.send(b"x" * 65536)
    [full] = sockets.look()
    assert full.received_bytes - before.received_bytes == 100
    assert full.owed
    assert full.cookie == before.cookie
    assert full.taken_bytes > before.taken_bytes


def test_an_end_is_noticed_on_both_sides(listener: socket.socket, stack: ExitStack) -> None:
    sockets = Sockets(port_of(listener))
    pair = Pair(listener, stack)
    [seen] = sockets.look()
    assert sockets.end(seen, abort=False)
    assert pair.client.recv(1) == b""
    assert pair.accepted.recv(1) == b""


def test_what_was_not_sent_is_thrown_away(listener: socket.socket, stack: ExitStack) -> None:
    sockets = Sockets(port_of(listener))
    pair = Pair(listener, stack)
    [seen] = sockets.look()
    assert sockets.end(seen, abort=True)
    linger = pair.accepted.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
    assert struct.unpack("ii", linger) == (1, 0)


def test_another_connection_in_its_place_is_left_alone(listener: socket.socket, stack: ExitStack) -> None:
    sockets = Sockets(port_of(listener))
    pair = Pair(listener, stack)
    [seen] = sockets.look()
    pair.accepted.close()
    pair.client.close()
    other = Pair(listener, stack)
    moved = other.accepted.detach()
    with socket.socket(fileno=moved) as kept:
        assert not sockets.end(seen, abort=True)
        other.client.sendall(b"x")
        assert kept.recv(1) == b"x"


def test_with_no_descriptor_left(listener: socket.socket, stack: ExitStack) -> None:
    sockets = Sockets(port_of(listener))
    pair = Pair(listener, stack)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, limits[0]), limits[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        with pytest.raises(OSError, match="Too many open files"):
            os.dup(0)
        [seen] = sockets.look()
        assert seen.client == pair.name
        assert sockets.end(seen, abort=True)
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert pair.accepted.recv(1) == b""


def test_addresses() -> None:
    ipv4 = struct.pack("=H", socket.AF_INET) + (443).to_bytes(2, "big") + bytes([192, 0, 2, 1]) + bytes(8)
    assert address_of(ipv4) == ("192.0.2.1", 443)
    mapped = struct.pack("=H", socket.AF_INET6) + (80).to_bytes(2, "big") + bytes(4)
    mapped += socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.1") + bytes(4)
    assert address_of(mapped) == ("::ffff:192.0.2.1", 80)
    assert address_of(struct.pack("=H", socket.AF_UNIX)) is None
