"""Locations as the API writes them, taken apart once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath
from urllib.parse import SplitResult, quote, unquote, urlsplit

import msgspec

from resphere.recovery.places.errors import bad_location

LONGEST = 2048


class Protocol(StrEnum):
    """How a location is spoken to."""

    FTP = "FTP"
    FTPS = "FTPS"
    HTTP = "HTTP"
    HTTPS = "HTTPS"
    NFS = "NFS"
    SCP = "SCP"
    SFTP = "SFTP"
    SMB = "SMB"


PORTS = {
    Protocol.FTP: 21,
    Protocol.FTPS: 990,
    Protocol.HTTP: 80,
    Protocol.HTTPS: 443,
    Protocol.NFS: 2049,
    Protocol.SCP: 22,
    Protocol.SFTP: 22,
    Protocol.SMB: 445,
}


class Location(msgspec.Struct, frozen=True):
    """A folder elsewhere: ``path`` is absolute, without a slash at its end; ``host`` in lower case."""

    protocol: Protocol
    host: str
    port: int
    path: str

    @property
    def where(self) -> str:
        """The host as messages name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if PORTS[self.protocol] == self.port else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """All of it; neither user nor password stand in it."""
        return f"{self.protocol.lower()}://{self.where}{quote(self.path)}"

    def below(self, *names: str) -> Location:
        """A folder in it."""
        return msgspec.structs.replace(self, path="/".join((self.path, *names)))


class Login(msgspec.Struct, frozen=True):
    """Who logs in at a location; ``None``: nobody."""

    user: str | None = None
    password: str | None = None


def read_location(text: str, given: str | None = None) -> Location:
    """The location that is written as a URL; ``given`` is its protocol where that is said besides, and the URL may be
    without it.

    :raises BadLocation: it is none.
    """
    text = text.strip()
    if not text:
        raise bad_location("it is empty")
    if len(text) > LONGEST:
        raise bad_location(f"it is longer than {LONGEST} characters")
    if any(not each.isprintable() for each in text):
        raise bad_location("there are characters in it that are not visible")
    if "://" not in text and given is not None:
        text = f"{given.lower()}://{text.lstrip('/')}"
    try:
        split = urlsplit(text)
        port = split.port
        host = host_of(split)
    except ValueError:
        # Whose words may have what was taken for a port, and is a password.
        raise bad_location("its host or its port is none") from None
    protocol = protocol_of(split.scheme, given)
    if "@" in split.netloc:
        raise bad_location("a user or a password may not stand in it, but in location_user and location_password")
    if split.query or split.fragment:
        raise bad_location("a query or a fragment may not stand in it")
    if not host or port == 0:
        raise bad_location("it has no host" if port != 0 else "0 is no port")
    return Location(protocol, host, port or PORTS[protocol], path_of(split.path))


def protocol_of(scheme: str, given: str | None) -> Protocol:
    """What the URL says, which must be what is said besides.

    :raises BadLocation: it is none, or another.
    """
    known = {each.lower(): each for each in Protocol}
    protocol = known.get(scheme)
    if protocol is None:
        raise bad_location(f"it has to begin with one of {', '.join(f'{each}://' for each in known)}")
    if given is not None and protocol != given:
        raise bad_location(f"it is one of {protocol}, and location_type is {given}")
    return protocol


def host_of(split: SplitResult) -> str:
    """The host as DNS has it.

    :raises ValueError: it is none.
    """
    host = (split.hostname or "").removesuffix(".")
    return host if host.isascii() else host.encode("idna").decode("ascii")


def path_of(written: str) -> str:
    """The path in plain text.

    :raises BadLocation: it leads upwards, or has characters that no path has.
    """
    try:
        path = unquote(written, errors="strict")
    except UnicodeDecodeError:
        raise bad_location("its path is not UTF-8") from None
    parts = [part for part in PurePosixPath(path).parts if part.strip("/")]
    if ".." in parts or "\\" in path or any(not each.isprintable() for each in path):
        raise bad_location("its path may have neither .. nor \\ nor characters that are not visible")
    return "".join(f"/{part}" for part in parts)
