"""The sockets of this process, as Linux tells of them: Granian accepts them, and shows nobody what they do.

They are looked at by their numbers, and are never this module's own: what is closed meanwhile is no longer there.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from resphere.server.connections.registry import Client

AVAILABLE = sys.platform == "linux"

DESCRIPTORS = Path("/proc/self/fd")
SO_COOKIE = 57
"""A number that the kernel gives each socket, and no other one ever."""
LISTENING = 10
"""``TCP_LISTEN`` of the kernel's states."""

_STATE = struct.Struct("=B")
_UNACKED = struct.Struct("=I")
_UNACKED_AT = 24
_BYTES = struct.Struct("=QQ")
_BYTES_AT = 120
_NOT_SENT = struct.Struct("=I")
_NOT_SENT_AT = 144
INFO_BYTES = 152
"""What is read of ``struct tcp_info`` (``linux/tcp.h``): state, segments not acknowledged, bytes acknowledged and
received, bytes not yet sent."""
BREATH = 64
"""After so many connections others have a turn."""
ADDRESS_BYTES = 28  # struct sockaddr_in6
ABORT = struct.pack("ii", 1, 0)
"""``struct linger``: what was not sent is thrown away."""

# Called thousands of times in a row, each for a microsecond: the interpreter is not let go for that.
_libc = ctypes.PyDLL(None)


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One accepted connection at one moment. ``cookie`` says which it is, ``descriptor`` where it is found.

    ``owed``: bytes for the client are on their way, or wait for it to take them.
    """

    descriptor: int
    cookie: int
    client: Client
    received_bytes: int
    taken_bytes: int
    owed: bool


class Sockets:
    """The connections that were accepted at ports by this process. Whether it listens is a matter of the first."""

    def __init__(self, *ports: int) -> None:
        self._port = ports[0]
        self._ports = frozenset(ports)
        self._clients: dict[int, Client | None] = {}
        self._info = ctypes.create_string_buffer(INFO_BYTES)
        self._cookie = ctypes.c_uint64()
        self._address = ctypes.create_string_buffer(ADDRESS_BYTES)
        self.listens = False
        """Whether it accepted more at the last look."""
        self.descriptors = 0
        """How many files this process had open then."""
        self.free_descriptors = 0
        """How many more it could have opened."""

    def look(self, breathe: Callable[[], None] = lambda: None) -> list[Seen]:
        """All connections that are there now. ``breathe`` is called now and then."""
        found = []
        clients: dict[int, Client | None] = {}
        listens = False
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        descriptors = open_descriptors(limit)
        self.descriptors = len(descriptors)
        self.free_descriptors = limit - len(descriptors)
        for count, descriptor in enumerate(descriptors):
            if count % BREATH == BREATH - 1:
                breathe()
            info = self._read_info(descriptor)
            if info is None:
                continue
            (state,) = _STATE.unpack_from(info)
            if state == LISTENING:
                listens = listens or self._port_of(descriptor) == self._port
                continue
            cookie = self._cookie_of(descriptor)
            client = clients[cookie] = self._clients[cookie] if cookie in self._clients else self._client(descriptor)
            if client is not None:
                found.append(seen(descriptor, cookie, client, info))
        self._clients = clients
        self.listens = listens
        return found

    def count(self) -> int:
        """How many files this process has open."""
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        names = names_of_open()
        return limit if names is None else len(names)

    def end(self, connection: Seen, *, abort: bool) -> bool:
        """End a connection, whoever has it, unless it has ended; ``abort`` throws away what it was to be sent."""
        try:
            own = os.dup(connection.descriptor)
        except OSError as error:
            # Where no descriptor is left it is done without: then nothing is accepted in its place meanwhile, either.
            return error.errno == errno.EMFILE and self._shut(connection.descriptor, connection.cookie, abort=abort)
        try:
            return self._shut(own, connection.cookie, abort=abort)
        finally:
            os.close(own)

    def _shut(self, descriptor: int, cookie: int, *, abort: bool) -> bool:
        if self._cookie_of(descriptor) != cookie:
            return False
        if abort:
            _libc.setsockopt(descriptor, socket.SOL_SOCKET, socket.SO_LINGER, ABORT, len(ABORT))
        return int(_libc.shutdown(descriptor, socket.SHUT_RDWR)) == 0

    def _read_info(self, descriptor: int) -> bytes | None:
        size = ctypes.c_uint(INFO_BYTES)
        if _libc.getsockopt(descriptor, socket.IPPROTO_TCP, socket.TCP_INFO, self._info, ctypes.byref(size)) != 0:
            return None  # no connection at all: a file, a pipe, or gone
        return self._info.raw if size.value == INFO_BYTES else None

    def _cookie_of(self, descriptor: int) -> int:
        size = ctypes.c_uint(8)
        cookie = ctypes.byref(self._cookie)
        if _libc.getsockopt(descriptor, socket.SOL_SOCKET, SO_COOKIE, cookie, ctypes.byref(size)) != 0:
            return 0
        return self._cookie.value

    def _client(self, descriptor: int) -> Client | None:
        """The other end, where this end is the port: the server has connections of its own, too."""
        if self._port_of(descriptor) not in self._ports:
            return None
        return self._read_address(_libc.getpeername, descriptor)

    def _port_of(self, descriptor: int) -> int | None:
        address = self._read_address(_libc.getsockname, descriptor)
        return None if address is None else address[1]

    def _read_address(self, read: Callable[..., int], descriptor: int) -> Client | None:
        size = ctypes.c_uint(ADDRESS_BYTES)
        if read(descriptor, self._address, ctypes.byref(size)) != 0:
            return None
        return address_of(self._address.raw[: size.value])


def open_descriptors(limit: int) -> Sequence[int]:
    """The numbers of all that is open here; where none is left to look with, those that may be."""
    names = names_of_open()
    return range(limit) if names is None else [int(name) for name in names]


def names_of_open() -> list[str] | None:
    """All that is open here; ``None`` where nothing is left to look with."""
    try:
        return os.listdir(DESCRIPTORS)  # noqa: PTH208 - thousands of names, and no paths
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
        return None


def address_of(content: bytes) -> Client | None:
    """Address and port of a ``struct sockaddr_in`` or ``sockaddr_in6``, written as Granian writes them."""
    (family,) = struct.unpack_from("=H", content)
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, content[4:8]), int.from_bytes(content[2:4], "big")
    if family == socket.AF_INET6:
        return socket.inet_ntop(socket.AF_INET6, content[8:24]), int.from_bytes(content[2:4], "big")
    return None


def seen(descriptor: int, cookie: int, client: Client, info: bytes) -> Seen:
    """A connection from what the kernel tells of it."""
    taken, received = _BYTES.unpack_from(info, _BYTES_AT)
    (unacked,) = _UNACKED.unpack_from(info, _UNACKED_AT)
    (not_sent,) = _NOT_SENT.unpack_from(info, _NOT_SENT_AT)
    return Seen(descriptor, cookie, client, received, taken, bool(unacked or not_sent))
