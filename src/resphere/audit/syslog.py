"""Lines of the audit log as messages of syslog (RFC 5424), over UDP (RFC 5426), TCP (RFC 6587, counted octets) and TLS
(RFC 5425)."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from resphere.audit.chain import Line
from resphere.audit.escape import bounded, token
from resphere.contract.moments import wire_time

AUDIT_FACILITY = 13
ERROR, WARNING, INFO = 3, 4, 6
PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
"""Those that are assigned to syslog."""
CONNECT_SECONDS = 10.0
_URL = re.compile(r"syslog\+(udp|tcp|tls)://(\[[0-9A-Fa-f:.%a-z]+\]|[^\[\]/:@?#\s]+)(?::([0-9]{1,5}))?/?")
_STATUS = re.compile(rb'"status":([0-9]{3}),')


class Receiver(msgspec.Struct, frozen=True):
    """Where messages go. Over TLS, ``ca`` is the file of certificates that the receiver's must stand on (the system's
    unless set), or one of ``trusted_pem``, if that is set; ``certificate`` and ``key`` what this side shows of itself.
    ``address`` is where it is, if that has been looked up."""

    transport: str
    host: str
    port: int
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    address: str | None = None
    trusted_pem: str | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Where to connect to."""
        return self.address or self.host, self.port

    @classmethod
    def parse(cls, url: str) -> Receiver:
        """The receiver at ``syslog+tls://host:port``.

        :raises ValueError: it is no such URL.
        """
        found = _URL.fullmatch(url)
        if found is None or (found[3] is not None and not 0 < int(found[3]) < 65536):
            raise ValueError(f"{url} must be like syslog+tls://host:6514; syslog+tcp and syslog+udp are there, too")
        return cls(found[1], found[2].strip("[]"), int(found[3] or PORTS[found[1]]))


class Sender(Protocol):
    """Sends messages to one receiver."""

    def send(self, messages: Iterable[bytes]) -> None:
        """Send them.

        :raises OSError: the receiver is not there, or not the one that is meant.
        """

    def close(self) -> None:
        """End the connection."""


def syslog(line: Line, time: datetime, text: bytes, host: str, application: str = "resphere") -> bytes:
    """A line of the audit log, which ``text`` tells, as a message."""
    priority = AUDIT_FACILITY * 8 + severity(line)
    kind = "anchor" if line.is_anchor else "call"
    return syslog_text(priority, time, host, application, kind, text)


def syslog_text(priority: int, time: datetime, host: str, application: str, kind: str, text: bytes) -> bytes:
    """A message; ``priority`` is 8 times the facility, and the severity."""
    head = f"<{priority}>1 {wire_time(time)} {bounded(token(host), 200)} {application} - {kind} - "
    return head.encode("ascii") + text


def severity(line: Line) -> int:
    """As syslog has it: the lower, the worse."""
    if line.is_anchor or b',"error_type":"' not in line.content:
        return INFO
    found = _STATUS.search(line.content)
    return ERROR if found is not None and int(found[1]) >= 500 else WARNING


class Datagrams:
    """Sends each message as a datagram: nobody says whether it arrives."""

    def __init__(self, receiver: Receiver) -> None:
        """:raises OSError: the receiver has no address."""
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(*receiver.place, type=socket.SOCK_DGRAM)
        self._socket = socket.socket(family, kind, protocol)
        self._socket.connect(address)

    def send(self, messages: Iterable[bytes]) -> None:
        for message in messages:
            self._socket.send(message)

    def close(self) -> None:
        self._socket.close()


class Stream:
    """Sends messages over a connection, each with its length before it."""

    def __init__(self, receiver: Receiver) -> None:
        """:raises OSError: nobody is there, or (over TLS) somebody else."""
        plain = socket.create_connection(receiver.place, CONNECT_SECONDS)
        try:
            self._socket = secured(plain, receiver) if receiver.transport == "tls" else plain
        except BaseException:
            plain.close()
            raise

    def send(self, messages: Iterable[bytes]) -> None:
        self._require_open()
        self._socket.sendall(b"".join([b"%d %b" % (len(message), message) for message in messages]))

    def close(self) -> None:
        self._socket.close()

    def _require_open(self) -> None:
        """Notice a receiver that has gone before anything is lost to it: it never says anything else."""
        self._socket.setblocking(False)
        try:
            if self._socket.recv(1) == b"":
                raise ConnectionResetError("the receiver has closed the connection")
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        finally:
            self._socket.settimeout(CONNECT_SECONDS)


def secured(plain: socket.socket, receiver: Receiver) -> ssl.SSLSocket:
    """The connection with TLS, once the receiver has shown that it is the one that is meant.

    :raises OSError: it has not, or a file cannot be read.
    """
    context = ssl.create_default_context(cafile=receiver.ca)
    if receiver.trusted_pem:
        context.load_verify_locations(cadata=receiver.trusted_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if receiver.certificate is not None:
        context.load_cert_chain(receiver.certificate, receiver.key)
    return context.wrap_socket(plain, server_hostname=receiver.host)


def connect(receiver: Receiver) -> Sender:
    """What sends to a receiver.

    :raises OSError: it is not there, or not the one that is meant.
    """
    return Datagrams(receiver) if receiver.transport == "udp" else Stream(receiver)
