"""Fetches what identity providers publish: bounded in size and time, over TLS that is checked, from addresses at which
one can be, and without going where a reply points."""

from __future__ import annotations

import asyncio
import io
import ipaddress
import socket
import ssl
from http.client import HTTPException, HTTPResponse
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from resphere.auth.oidc.providers import require_address

MOST_BYTES = 512 * 1024
SECONDS = 10.0
PIECE_BYTES = 65536


class ProviderUnavailable(Exception):
    """What a provider publishes could not be had; says why, for the log."""


class Fetcher(Protocol):
    """Fetches documents of providers."""

    async def get(self, address: str, ca: str | None) -> Any:
        """The JSON document at ``address``; ``ca`` (PEM) are the only authorities that may vouch for it.

        :raises ProviderUnavailable: it cannot be had.
        """


class HttpFetcher(msgspec.Struct, frozen=True):
    """Fetches by HTTP, within ``seconds``, up to ``most_bytes``."""

    seconds: float = SECONDS
    most_bytes: int = MOST_BYTES

    async def get(self, address: str, ca: str | None) -> Any:
        """The JSON document at ``address``."""
        try:
            require_address("the address", address)
            async with asyncio.timeout(self.seconds):
                raw = await self._exchange(address, ca)
            return msgspec.json.decode(body_of(raw))
        except TimeoutError:
            raise ProviderUnavailable(f"{address}: no answer within {self.seconds} seconds") from None
        except (OSError, ValueError, HTTPException, RecursionError) as error:
            # msgspec's errors are ValueErrors, those of TLS OSErrors.
            raise ProviderUnavailable(f"{address}: {str(error) or type(error).__name__}") from error

    async def _exchange(self, address: str, ca: str | None) -> bytes:
        split = urlsplit(address)
        tls = split.scheme == "https"
        port = split.port or (443 if tls else 80)
        host = split.hostname or ""
        at = await where(host, port)
        context = tls_context(ca) if tls else None
        reader, writer = await asyncio.open_connection(
            at, port, ssl=context, server_hostname=host if tls else None, limit=PIECE_BYTES
        )
        try:
            path = split.path or "/"
            target = f"{path}?{split.query}" if split.query else path
            head = (
                f"GET {target} HTTP/1.1\r\nHost: {split.netloc}\r\nAccept: application/json\r\n"
                "Accept-Encoding: identity\r\nUser-Agent: resphere\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode("ascii"))
            await writer.drain()
            pieces, size = [], 0
            while piece := await reader.read(PIECE_BYTES):
                size += len(piece)
                if size > self.most_bytes:
                    raise ValueError(f"the answer has more than {self.most_bytes} bytes")
                pieces.append(piece)
            return b"".join(pieces)
        finally:
            writer.transport.abort()


def tls_context(ca: str | None) -> ssl.SSLContext:
    """TLS 1.2 or later, with certificate and name checked."""
    context = ssl.create_default_context(cadata=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def where(host: str, port: int) -> str:
    """The address of ``host``, looked up once: what is checked is what is connected to.

    :raises ValueError: one of them is no place for a provider.
    :raises OSError: there is none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    for address in addresses:
        if not may_be_asked(address):
            raise ValueError(f"{host} is at {address}, where no identity provider can be")
    return addresses[0]


def may_be_asked(address: str) -> bool:
    """Whether a provider can be at an address: this machine and private networks are such, but not what answers on
    links alone, as the metadata services of clouds, or everybody."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    checked = found if mapped is None else mapped
    return not (
        checked.is_link_local
        or checked.is_multicast
        or checked.is_unspecified
        or (checked.is_reserved and not checked.is_loopback)
    )


class _Received:
    """What has come, as ``http.client`` reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        """A file of it."""
        return io.BytesIO(self._content)


def body_of(raw: bytes) -> bytes:
    """The body of a good answer.

    :raises ValueError: it is none.
    :raises HTTPException: it is no HTTP.
    """
    received: Any = _Received(raw)
    response = HTTPResponse(received)
    response.begin()
    if response.status != 200:
        raise ValueError(f"the answer is {response.status}")
    return response.read()
