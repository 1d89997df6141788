"""What every place can do, and what is needed to reach one."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from resphere.fetching.allowed import Allowed
from resphere.recovery.places.errors import PlaceError, failed, not_allowed, of_system, unreachable
from resphere.recovery.places.location import Location
from resphere.recovery.sealed import Sink, Source

MOST_TRIED = 4
"""So many addresses of a name are tried, one after the other."""


class Patience(msgspec.Struct, frozen=True):
    """How long the other side may take to be there, and to say something, in seconds."""

    connect_seconds: float = 10.0
    silent_seconds: float = 60.0


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator gives: which hosts are ``allowed``, ``folders`` that stand for NFS exports,
    ``known_hosts`` with keys of SSH servers, and how TLS is checked."""

    allowed: Allowed
    folders: tuple[tuple[Location, Path], ...] = ()
    known_hosts: Path | None = None
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    patience: Patience = Patience()


class Place(Protocol):
    """An opened location; paths are relative to it, ``""`` is the folder itself. Everything raises
    :class:`PlaceError`."""

    def make_folder(self, path: str) -> None:
        """Make it and those above it, as far as they are not there."""

    def writing(self, path: str) -> AbstractContextManager[Sink]:
        """Write a new file. It is whole at the end of the block, if that ends without an exception."""

    def reading(self, path: str) -> AbstractContextManager[Source]:
        """Read a file.

        :raises NothingThere: there is none.
        """

    def size_bytes(self, path: str) -> int | None:
        """How large a file is that was written, ``None`` where the server does not tell.

        :raises NothingThere: there is none.
        """

    def names(self, path: str) -> tuple[str, ...]:
        """What is in a folder.

        :raises NothingThere: there is none.
        """

    def remove(self, folder: str, files: Iterable[str]) -> None:
        """Delete the files of a folder, and it; what is not there is passed over."""


def connected(location: Location, means: Means) -> socket.socket:
    """A connection to the first of the allowed addresses of the host that takes one.

    :raises PlaceError: none does, or none is allowed.
    """
    failure: PlaceError | None = None
    for address in addresses(location, means.allowed)[:MOST_TRIED]:
        try:
            found = socket.create_connection((address, location.port), timeout=means.patience.connect_seconds)
        except TimeoutError:
            failure = unreachable(location.where, "no connection in time")
        except OSError as error:
            failure = of_system(error, location.where)
        else:
            found.settimeout(means.patience.silent_seconds)
            return found
    raise failure or unreachable(location.where, "there is no such host")


def require_allowed(location: Location, allowed: Allowed) -> None:
    """Refuse a host of which no address can be allowed.

    :raises NotAllowed: it is one.
    """
    if not allowed.knows(location.host, location.port):
        raise not_allowed(location.where)


def addresses(location: Location, allowed: Allowed) -> tuple[str, ...]:
    """Those at which a host was found to be, as far as they are allowed.

    :raises PlaceError: none of them is, or there are none.
    """
    require_allowed(location, allowed)
    try:
        found = socket.getaddrinfo(location.host, location.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error if isinstance(error, OSError) else OSError()
        raise of_system(why, location.where) from error
    distinct = dict.fromkeys(str(each[4][0]) for each in found)
    good = tuple(each for each in distinct if allowed.allows(location.host, location.port, each))
    if not good:
        raise not_allowed(location.where)
    return good


def require_all(place: Place, path: str, size_bytes: int, where: str) -> None:
    """See that a file is as long as what was sent: some servers say that all is well when their disks are full.

    :raises PlaceError: it is not.
    """
    kept = place.size_bytes(path)
    if kept is not None and kept != size_bytes:
        raise failed(where, f"it has kept {kept} bytes of {size_bytes}")
