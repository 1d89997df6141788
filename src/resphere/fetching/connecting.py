"""Connections to where it is allowed, with those who are meant."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2

from resphere.fetching.addresses import Address
from resphere.fetching.allowed import Allowed
from resphere.fetching.errors import not_allowed, unreachable, untrusted
from resphere.fetching.looking_up import CheckedAddresses, looked_up
from resphere.fetching.trust import Pins


class AllowedAddresses(CheckedAddresses):
    """Connects to ``address`` where ``allowed`` lets it, and sees that who is there shows what ``pins`` hold."""

    def __init__(self, address: Address, allowed: Allowed, pins: Pins | None) -> None:
        super().__init__(lambda _host, _port: allowed_addresses(address, allowed))
        self._address = address
        self._pins = pins
        self._opened: list[httpcore2.AsyncNetworkStream] = []

    async def aclose(self) -> None:
        """Close what was opened: the library leaves connections open that are given up in their handshake."""
        for stream in self._opened:
            await stream.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - so the library calls it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the first of the allowed addresses of ``host`` that takes one.

        :raises NotAllowed: none of them is.
        :raises Unreachable: there are none.
        """
        where = self._address.where
        try:
            stream = await super().connect_tcp(host, port, timeout, local_address, socket_options)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            raise unreachable(where, plain_reason(error)) from error
        self._opened.append(stream)
        return stream if self._pins is None else PinnedStream(stream, self._pins, where)


async def allowed_addresses(address: Address, allowed: Allowed) -> tuple[str, ...]:
    """Those at which a host was found to be, as far as they are allowed.

    :raises NotAllowed: none of them is, or the host is not looked up at all.
    :raises Unreachable: there are none.
    """
    if not allowed.knows(address.host, address.port):
        raise not_allowed(address.where)
    try:
        found = await looked_up(address.host, address.port)
    except (OSError, UnicodeError) as error:
        raise unreachable(address.where, plain_reason(error)) from error
    good = tuple(each for each in found if allowed.allows(address.host, address.port, each))
    if not good:
        raise not_allowed(address.where)
    return good


def plain_reason(error: BaseException | None) -> str:
    """Why nothing was reached, without the addresses that this server has found."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return f"TLS fails ({error.reason or 'cut off'})"
        if isinstance(error, socket.gaierror):
            return "there is no such host"
        if isinstance(error, httpcore2.TimeoutException):
            return "no connection in time"
        if isinstance(error, ConnectionRefusedError):
            return "nobody listens there"
        error = error.__cause__ or error.__context__
    return "no connection"


class PinnedStream(httpcore2.AsyncNetworkStream):
    """A connection that goes on only with who shows the certificate that is meant: nothing is sent to anybody else."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream, pins: Pins, where: str) -> None:
        self._stream = stream
        self._pins = pins
        self._where = where

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """What comes."""
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """End."""
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        """What is known of it."""
        return self._stream.get_extra_info(info)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        """The connection over TLS.

        :raises Untrusted: another certificate is shown.
        """
        secured = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        shown = certificate_of(secured)
        if shown is None or not self._pins.hold(shown):
            await secured.aclose()
            raise untrusted(self._where, "it is another one than the one that was given")
        return secured


def certificate_of(stream: httpcore2.AsyncNetworkStream) -> bytes | None:
    """The certificate (DER) that the other side of a connection has shown."""
    secured = stream.get_extra_info("ssl_object")
    return None if secured is None else secured.getpeercert(binary_form=True)


def unchecked_context() -> ssl.SSLContext:
    """TLS 1.2 or later to whoever answers; what it shows is compared with what is meant."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
