"""Tells processes at once that one of them has committed: each that listens has a socket in one folder, and whoever has
committed sends a byte to all of them.

A bell says that it is time to look, and nothing else. Many commits may ring once, and a bell may be lost: whoever
rings may die first.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from resphere.store.sqlite.schema import WriterLock

log = logging.getLogger(__name__)

FOLDER = "bells"
LONGEST_ADDRESS_BYTES = 100
"""Of a socket's address; systems take 103 or 107."""
OF_DESCRIPTOR = "/proc/self/fd/{}"
NOBODY_YET = 0
RING = b"."


class Bells:
    """Those of the processes that use one store: rung by the thread that writes, and hung up on event loops."""

    def __init__(self, database: Path, lock: WriterLock) -> None:
        self._folder = database.parent / FOLDER
        self._lock = lock
        self._listeners = NOBODY_YET
        self._names: list[str] = []
        self._socket: socket.socket | None = None

    def ring(self) -> None:
        """Wake all who listen: never fails, and takes next to nothing where nobody does."""
        listeners = self._lock.listeners
        if listeners != self._listeners:
            self._listeners = listeners
            self._names = names_in(self._folder)
        if self._names:
            self._names = [name for name in self._names if self._reaches(name)]

    def hang(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have ``wake`` called on the present event loop whenever it rings; the result ends that.

        Where there can be no socket it never rings, which is logged.
        """
        loop = asyncio.get_running_loop()
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        bell = new_socket()
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with address_of(self._folder, name) as address:
                bell.bind(address)
        except OSError as error:
            bell.close()
            log.warning("others' commits are noticed late, as there can be no socket in %s: %s", self._folder, error)
            return lambda: None
        self._lock.listeners = int.from_bytes(secrets.token_bytes(8))

        def rung() -> None:
            drain(bell)
            wake()

        def take_down() -> None:
            loop.remove_reader(bell)
            bell.close()
            (self._folder / name).unlink(missing_ok=True)

        loop.add_reader(bell, rung)
        return take_down

    def close(self) -> None:
        """Ring no more."""
        if self._socket is not None:
            self._socket.close()

    def _reaches(self, name: str) -> bool:
        """Ring one; whether there is anybody still."""
        # Whatever else cannot be done may be at the next commit: it has rung often and nobody has heard it yet, or this
        # process has too many files open.
        with suppress(OSError):
            if self._socket is None:
                self._socket = new_socket()
            try:
                with address_of(self._folder, name) as address:
                    self._socket.sendto(RING, address)
            except FileNotFoundError:
                return False
            except ConnectionRefusedError:
                (self._folder / name).unlink()  # its process was killed, and no other has that name
                return False
        return True


def new_socket() -> socket.socket:
    """One that never waits."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def names_in(folder: Path) -> list[str]:
    """The sockets in the folder."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - names, and no paths
    except OSError:
        return []


@contextmanager
def address_of(folder: Path, name: str) -> Iterator[str]:
    """The address of a socket in a folder, however long its path is.

    :raises OSError: it is too long, and the system has no way round that.
    """
    address = str(folder / name)
    if len(os.fsencode(address)) <= LONGEST_ADDRESS_BYTES:
        yield address
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"{OF_DESCRIPTOR.format(descriptor)}/{name}"
    finally:
        os.close(descriptor)


def drain(bell: socket.socket) -> None:
    """Take all that has rung."""
    while True:
        try:
            bell.recv(len(RING))
        except OSError:
            return
