"""Where the server listens: the address that it binds, and the one by which people reach it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import msgspec

FAMILIES = (socket.AF_INET, socket.AF_INET6)
"""Of a name that has addresses of both, the first is listened on: what is typed as ``127.0.0.1`` is ``localhost``."""


class Address(msgspec.Struct, frozen=True):
    """An address to listen on. ``host`` is a number; ``name`` is what it was given as."""

    name: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """``host:port`` as URLs have it: by the name, and where every address is meant by that of this machine."""
        number = ip_address(self.host)
        if number.is_unspecified:
            number = ip_address("::1" if number.version == 6 else "127.0.0.1")
        elif ":" not in self.name and any(character.isalpha() for character in self.name):
            return f"{self.name}:{self.port}"
        return f"[{number}]:{self.port}" if number.version == 6 else f"{number}:{self.port}"


@contextmanager
def claimed(host: str, port: int, flag: str = "--port") -> Iterator[Address]:
    """The address that the flags mean, on which nobody else listens. Port 0 is a free one, kept meanwhile.

    :raises OSError: names the flags.
    """
    try:
        family, number = looked_up(host)
        probe = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise refusal(host, port, error, flag) from error
    with probe:
        try:
            # A chosen port is not shared here, as workers share it: the kernel would share it out with another server.
            # What a stopped one has left behind is not in the way. A free one may be shared: as nobody listens on this
            # socket, nobody is sent to it.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR if port else socket.SO_REUSEPORT, 1)
            probe.bind((number, port))
        except OSError as error:
            raise refusal(host, port, error, flag) from error
        address = Address(host, number, probe.getsockname()[1])
        if port:
            probe.close()
        yield address


def refusal(host: str, port: int, error: Exception, flag: str) -> OSError:
    """What is told of an address that cannot be listened on."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return OSError(f"cannot listen on --host {host} {flag} {port}: {reason}")


def looked_up(host: str) -> tuple[socket.AddressFamily, str]:
    """The family and the number of the address that ``host`` means; brackets are those of URLs.

    :raises OSError: it means none.
    """
    name = host.removeprefix("[").removesuffix("]")
    if not name:
        raise OSError("it must not be empty")
    if "%" in name:
        raise OSError("an address with a zone cannot be listened on")
    known = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    for family in FAMILIES:
        for of, _, _, _, address in known:
            if of == family:
                return family, str(address[0])
    raise OSError("it has no address")
