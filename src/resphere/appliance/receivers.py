"""Connections to servers of syslog: to where the operator lets them, and trusting whom the server trusts."""

from __future__ import annotations

import socket
from collections.abc import Callable

import msgspec

from resphere.audit.syslog import Receiver, Sender, connect
from resphere.fetching.allowed import Allowed
from resphere.inventory.appliance.forwarding import LogReceiver

SETTING = "--syslog-to"
"""What says to where logs may be sent."""


class NotAllowed(OSError):
    """The operator does not let logs be sent there."""


class Connections(msgspec.Struct, frozen=True):
    """``allowed``: to where; ``trusted_pem`` gives the certificates that a server's may stand on, over TLS."""

    allowed: Allowed
    trusted_pem: Callable[[], str]

    def open(self, receiver: LogReceiver) -> Sender:
        """Connect; takes up to some seconds, and is to be done beside the event loop.

        :raises NotAllowed: it may not be.
        :raises OSError: nobody is there, or not the one that is meant.
        """
        return connect(
            Receiver(
                receiver.protocol.lower(),
                receiver.host,
                receiver.port,
                address=self._address(receiver),
                trusted_pem=self.trusted_pem(),
            )
        )

    def _address(self, receiver: LogReceiver) -> str:
        """Where it is, as far as that is allowed: what is looked up once is what is connected to."""
        host = receiver.host.lower().removesuffix(".")
        if not self.allowed.knows(host, receiver.port):
            raise NotAllowed(f"{SETTING} does not name {receiver.host} at port {receiver.port}")
        found = socket.getaddrinfo(host, receiver.port, type=socket.SOCK_STREAM)
        for *_, address in found:
            if self.allowed.allows(host, receiver.port, str(address[0])):
                return str(address[0])
        raise NotAllowed(f"{SETTING} does not allow the addresses of {receiver.host}")
