"""Fetches what identity providers publish: bounded in size and time, over TLS that is checked, from addresses at which
one can be, and without going where a reply points."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpcore2
import msgspec

from resphere.auth.oidc.providers import require_address
from resphere.certificates.tls import Roots, client_context, no_roots
from resphere.fetching.looking_up import CheckedAddresses, looked_up

MOST_BYTES = 512 * 1024
MOST_HEADERS = 100
SECONDS = 10.0


class ProviderUnavailable(Exception):
    """What a provider publishes could not be had; says why, for the log."""


class Fetcher(Protocol):
    """Fetches documents of providers."""

    async def get(self, address: str, ca: str | None) -> Any:
        """The JSON document at ``address``; ``ca`` (PEM) are the only authorities that may vouch for it.

        :raises ProviderUnavailable: it cannot be had.
        """


class HttpFetcher(msgspec.Struct, frozen=True):
    """Fetches by HTTP, within ``seconds``, up to ``most_bytes``. ``roots`` vouch for providers that name no ``ca``."""

    seconds: float = SECONDS
    most_bytes: int = MOST_BYTES
    roots: Roots = no_roots

    async def get(self, address: str, ca: str | None) -> Any:
        """The JSON document at ``address``."""
        try:
            require_address("the address", address)
            async with asyncio.timeout(self.seconds):
                body = await self._body(address, ca)
            return msgspec.json.decode(body)
        except TimeoutError:
            raise ProviderUnavailable(f"{address}: no answer within {self.seconds} seconds") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError, ValueError, RecursionError) as error:
            # msgspec's errors are ValueErrors.
            raise ProviderUnavailable(f"{address}: {str(error) or type(error).__name__}") from error

    async def _body(self, address: str, ca: str | None) -> bytes:
        split = urlsplit(address)
        target = f"{split.path or '/'}?{split.query}" if split.query else split.path or "/"
        url = httpcore2.URL(scheme=split.scheme, host=split.hostname or "", port=split.port, target=target)
        headers: dict[bytes | str, bytes | str] = {
            "Host": split.netloc,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "resphere",
            "Connection": "close",
        }
        tls = await asyncio.to_thread(client_context, ca, self.roots) if split.scheme == "https" else None
        # Of redirects, proxies and encodings of the body the library knows nothing.
        async with (
            httpcore2.AsyncConnectionPool(tls, network_backend=CheckedAddresses(provider_addresses)) as pool,
            pool.stream("GET", url, headers=headers) as response,
        ):
            if response.status != 200:
                raise ValueError(f"the answer is {response.status}")
            if len(response.headers) > MOST_HEADERS:
                raise ValueError(f"the answer has more than {MOST_HEADERS} headers")
            body = bytearray()
            async for piece in response.aiter_stream():
                body += piece
                if len(body) > self.most_bytes:
                    raise ValueError(f"the answer has more than {self.most_bytes} bytes")
            return bytes(body)


async def provider_addresses(host: str, port: int) -> tuple[str, ...]:
    """The addresses of ``host``.

    :raises ValueError: one of them is no place for a provider.
    :raises OSError: there is none.
    """
    addresses = await looked_up(host, port)
    for address in addresses:
        if not may_be_asked(address):
            raise ValueError(f"{host} is at {address}, where no identity provider can be")
    return addresses


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
