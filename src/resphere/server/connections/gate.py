"""Whether this worker accepts connections: not while it could hardly open another file.

Granian accepts all there are before it looks at the TLS handshakes that it has, however many those be. Where no
descriptor is left it tries again and again, and never gets to them: not even to those that have ended. A shut gate
gives it nothing to accept, so that it gets there; who connects meanwhile waits with the kernel.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from resphere.server.listening import nobodys_socket, sockets

SHUT_BELOW = 24
"""With fewer free descriptors nothing is accepted..."""
OPEN_FROM = 56
"""...until there are so many."""
HELD_BACK = 8
"""What a shut gate sets free, so that files can be opened where none is left, and Granian finds nothing to accept."""
TCP_NOTSENT_LOWAT = 25
AS_BEFORE = 0


class Gate:
    """Of the listening socket of this process, which is ``descriptor`` of Granian's."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._kept = socket.socket(fileno=os.dup(descriptor))
        self._nobodys = nobodys_socket()
        self._held_back: list[socket.socket] = []
        self._hold_back()
        self.is_shut = False

    @property
    def stands(self) -> bool:
        """Whether Granian has a socket there still: at a stop it closes that first, and tells nobody.

        A worker that makes room for another has one of nobody's, and has not stopped.
        """
        expected = self._nobodys if self.is_shut else self._kept
        try:
            return os.path.sameopenfile(self._descriptor, expected.fileno())
        except OSError:
            return False  # closed

    def regulate(self, free: int) -> int:
        """Shut it or open it, by how many descriptors are free; returns how many are to come free that it may open."""
        if not self.is_shut and free < SHUT_BELOW and self.stands:
            self._shut()
        elif self.is_shut and free >= OPEN_FROM and self.stands:
            self._open()
        return max(0, OPEN_FROM - free) if self.is_shut else 0

    def close(self) -> None:
        """Let go of it as it is."""
        self._kept.close()
        self._nobodys.close()
        self._give_back()

    def _shut(self) -> None:
        os.dup2(self._nobodys.fileno(), self._descriptor, inheritable=False)
        self.is_shut = True
        self._give_back()

    def _open(self) -> None:
        self._hold_back()
        os.dup2(self._kept.fileno(), self._descriptor, inheritable=False)
        self.is_shut = False
        # Who waits is told of only when another comes. This option, which stays as it is, has the kernel tell again
        # what there is (as it may have become possible to send, of which it thinks here).
        with suppress(OSError):  # this worker makes room: nobody waits for it
            self._kept.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, AS_BEFORE)

    def _hold_back(self) -> None:
        self._held_back += [self._nobodys.dup() for _ in range(HELD_BACK)]

    def _give_back(self) -> None:
        while self._held_back:
            self._held_back.pop().close()


def find_gate(port: int) -> Gate | None:
    """The gate of the port, ``None`` where this process does not listen on it."""
    descriptors = [descriptor for descriptor, listens in sockets(port) if listens]
    return Gate(descriptors[0]) if len(descriptors) == 1 else None
