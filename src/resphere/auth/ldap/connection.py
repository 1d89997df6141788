"""Connections to the servers of a directory: one after the other until one answers, with TLS that is checked, and with
bounds on what they may send and how long they may take.

Blocking: for threads of their own, see :mod:`resphere.auth.ldap.source`.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ldap3
import msgspec
from ldap3.core.exceptions import LDAPException

from resphere.auth.ldap.settings import Directory, Endpoint
from resphere.certificates.tls import Roots, client_context, no_roots

MOST_BYTES = 4 * 1024 * 1024
"""What a server may send in answer to one question of ours, whatever it is."""
PIECE_BYTES = 65536
CONNECT_SECONDS = 5
RECEIVE_SECONDS = 10
WHOLE_SECONDS = 20.0
"""For one question, over all servers."""

INVALID_CREDENTIALS = 49
REFUSALS = {INVALID_CREDENTIALS, 19, 53}
"""Result codes by which a server says that a name and password let nobody in: also by its rules of passwords
(``constraintViolation``, ``unwillingToPerform``), as for an account that is locked."""


class DirectoryUnavailable(Exception):
    """No server of the directory could answer; says why, for the log."""


class Bounds(msgspec.Struct):
    """What is left for one question: until when (rising seconds of ``clock``), and how many bytes."""

    clock: Callable[[], float]
    until: float
    bytes_left: int = MOST_BYTES

    @property
    def seconds(self) -> float:
        """How long from now.

        :raises TimeoutError: it is over.
        """
        left = self.until - self.clock()
        if left <= 0:
            raise TimeoutError("it takes too long")
        return left

    def received(self, size: int) -> None:
        """Count what a server has sent.

        :raises OSError: it is too much.
        """
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise OSError(f"it sends more than {MOST_BYTES} bytes")


class BoundedSocket:
    """A socket as ldap3 uses it, within bounds: it waits for each piece alone, and takes as many as come."""

    def __init__(self, within: socket.socket, bounds: Bounds) -> None:
        self.within = within
        self._bounds = bounds

    def recv(self, size: int) -> bytes:
        """The next piece, which may be larger than ldap3 asks for: it copies all it has for each."""
        self.within.settimeout(min(self._bounds.seconds, RECEIVE_SECONDS))
        data = self.within.recv(max(size, PIECE_BYTES))
        self._bounds.received(len(data))
        return data

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        self.within.settimeout(min(self._bounds.seconds, RECEIVE_SECONDS))
        self.within.sendall(data)

    def shutdown(self, how: int) -> None:
        """As a socket does."""
        self.within.shutdown(how)

    def close(self) -> None:
        """As a socket does."""
        self.within.close()


class CheckedTls(ldap3.Tls):
    """TLS as the standard library checks it: certificate, and name or address of the host."""

    def __init__(self, directory: Directory, roots: Roots) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = client_context(directory.ca, roots)

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Go on with TLS."""
        plain = connection.socket
        raw = plain.within if isinstance(plain, BoundedSocket) else plain
        connection.socket = self._context.wrap_socket(
            raw, server_hostname=connection.server.host, do_handshake_on_connect=do_handshake
        )


class Session:
    """A connection to one server of the directory. Nobody is bound at its beginning."""

    def __init__(self, connection: ldap3.Connection, bounds: Bounds) -> None:
        self._connection = connection
        self._bounds = bounds

    def bind(self, name: str, password: str) -> bool:
        """Whether the server takes that name and password.

        An empty password is never sent: that would be a bind of nobody, which servers call a success.

        :raises DirectoryUnavailable: the server says neither yes nor no.
        """
        if not name or not password:
            return False
        # As bytes: ldap3 would refuse texts that RFC 4013 does, and change others.
        self._connection.user, self._connection.password = name, password.encode("utf-8", "surrogateescape")
        self._connection.authentication = ldap3.SIMPLE
        with told():
            good, result, _, _ = self._connection.bind()
        if good:
            return True
        if result["result"] in REFUSALS:
            return False
        raise DirectoryUnavailable(f"the server answers the bind with {result['description']}")

    def search(self, base: str, filter: str, attributes: tuple[str, ...], most: int) -> list[Entry]:
        """The entries below ``base`` that fit, and no referrals: those are never followed.

        :raises DirectoryUnavailable: it cannot be searched, or there are more than ``most``.
        """
        with told():
            good, result, response, _ = self._connection.search(
                base, filter, ldap3.SUBTREE, ldap3.DEREF_NEVER, attributes, size_limit=most + 1, time_limit=10
            )
        if result["description"] == "sizeLimitExceeded":
            raise DirectoryUnavailable(f"more than {most} entries fit {filter} below {base}")
        if not good and result["result"] != 0:
            raise DirectoryUnavailable(f"the server answers the search below {base} with {result['description']}")
        found = [Entry.of(each) for each in response or () if each["type"] == "searchResEntry"]
        if len(found) > most:
            raise DirectoryUnavailable(f"more than {most} entries fit {filter} below {base}")
        return found

    def close(self) -> None:
        """End it, whatever state it is in."""
        with suppress(LDAPException, OSError):
            self._connection.unbind()
        if self._connection.socket is not None:
            # One that was never open, which ldap3 leaves as it is.
            self._connection.socket.close()


class Entry(msgspec.Struct, frozen=True):
    """What a search has found: ``values`` by the attribute's name in lower case."""

    dn: str
    values: dict[str, tuple[bytes, ...]]

    @classmethod
    def of(cls, response: Any) -> Entry:
        """As ldap3 has it."""
        return cls(response["dn"], {name.casefold(): tuple(of) for name, of in response["raw_attributes"].items()})

    def data(self, attribute: str) -> bytes | None:
        """The first value of an attribute."""
        return next(iter(self.values.get(attribute.casefold(), ())), None)

    def first(self, attribute: str) -> str | None:
        """The same as text, ``None`` where it is none."""
        value = self.data(attribute)
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            return None


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong with a connection is that the directory cannot be asked.

    :raises DirectoryUnavailable: so it is.
    """
    try:
        yield
    except Exception as error:
        # ldap3 raises whatever comes of it where a server talks nonsense: KeyError, IndexError...
        raise DirectoryUnavailable(str(error) or type(error).__name__) from error


@contextmanager
def connected(directory: Directory, endpoint: Endpoint, bounds: Bounds, roots: Roots = no_roots) -> Iterator[Session]:
    """A connection to one server, encrypted as the directory says. ``roots`` vouch for it where the directory names no
    ``ca``.

    :raises DirectoryUnavailable: there is none, or its certificate is not good.
    """
    encrypted = endpoint.tls or not directory.unencrypted
    session = None
    try:
        with told():
            server = ldap3.Server(
                endpoint.host,
                endpoint.port,
                use_ssl=endpoint.tls,
                tls=CheckedTls(directory, roots) if encrypted else None,
                get_info=ldap3.NONE,
                connect_timeout=max(1, min(CONNECT_SECONDS, int(bounds.seconds))),
            )
            connection = ldap3.Connection(
                server,
                client_strategy=ldap3.SAFE_SYNC,
                authentication=ldap3.ANONYMOUS,
                auto_bind=ldap3.AUTO_BIND_NONE,
                auto_referrals=False,
                auto_escape=False,
                check_names=False,
                read_only=True,
                receive_timeout=RECEIVE_SECONDS,
            )
            session = Session(connection, bounds)
            connection.open(read_server_info=False)
            connection.socket = BoundedSocket(connection.socket, bounds)
            if encrypted and not endpoint.tls:
                connection.start_tls(read_server_info=False)
                connection.socket = BoundedSocket(connection.socket, bounds)
        yield session
    finally:
        if session is not None:
            session.close()
