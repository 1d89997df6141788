"""Addresses (URLs) from which something is fetched, taken apart once."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urljoin, urlsplit

import httpcore2
import msgspec

from resphere.fetching.errors import bad_address

PORTS = {"http": 80, "https": 443}
LONGEST = 4096
UNTOUCHED = "%/:=&?~#+!$,;'@()*[]"
"""What stands in an address for itself; all else that is not plain ASCII is escaped."""


class Address(msgspec.Struct, frozen=True):
    """Where something is: ``host`` in lower case, names of other scripts as DNS has them; ``target`` as HTTP asks."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def where(self) -> str:
        """The host as messages name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    @property
    def url(self) -> httpcore2.URL:
        """As the library takes it."""
        return httpcore2.URL(scheme=self.scheme, host=self.host, port=self.port, target=self.target)

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.scheme}://{self.where}{self.target}"

    def hop(self, location: str) -> Address:
        """Where a redirect, or a reference, leads from here.

        :raises BadAddress: nowhere, or out of TLS.
        """
        found = read_address(urljoin(self.text, location))
        if self.scheme == "https" and found.scheme != "https":
            raise bad_address(f"{self.where} leads from https to {found.scheme}")
        return found


def read_address(text: str) -> Address:
    """The address that is written so.

    :raises BadAddress: it is none of HTTP, or says too much.
    """
    if len(text) > LONGEST:
        raise bad_address(f"it is longer than {LONGEST} characters")
    try:
        split = urlsplit(text.strip())
        port = split.port
        host = host_of(split)
    except ValueError as error:
        raise bad_address(str(error)) from None
    if split.scheme not in PORTS:
        raise bad_address("it has to begin with http:// or https://")
    if "@" in split.netloc:
        raise bad_address("a user or a password may not stand in it")
    if not host or port == 0:
        raise bad_address("it has no host" if port != 0 else "0 is no port")
    path = split.path or "/"
    target = quote(f"{path}?{split.query}" if split.query else path, safe=UNTOUCHED)
    return Address(split.scheme, host, port or PORTS[split.scheme], target)


def host_of(split: SplitResult) -> str:
    """The host as DNS has it.

    :raises ValueError: it is none.
    """
    host = (split.hostname or "").removesuffix(".")
    return host if host.isascii() else host.encode("idna").decode("ascii")
