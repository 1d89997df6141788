"""Whether a server answers at all, where that is allowed: one of NTP or DNS, by one datagram, or a web proxy.

A datagram of 48 or 17 bytes, and one look at what comes back, need no library: nothing of the answer is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpcore2
import msgspec

from resphere.fetching.addresses import Address
from resphere.fetching.allowed import Allowed
from resphere.fetching.connecting import AllowedAddresses, allowed_addresses, plain_reason
from resphere.fetching.errors import FetchError, bad_answer, timed_out, unreachable
from resphere.fetching.fetcher import plain_errors

WAIT_SECONDS = 3.0
PROXY_SECONDS = 10.0
NTP_PORT = 123
DNS_PORT = 53

NTP_QUESTION = bytes([0b00_100_011]) + bytes(47)
"""As a client of version 4 asks (RFC 5905, 7.3); who answers a client is a server, whose mode is 4."""
NTP_MODE = 0b111
NTP_SERVER = 4

DNS_ID = b"\x72\x73"
DNS_QUESTION = DNS_ID + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + b"\x00\x00\x02\x00\x01"
"""The name servers of the root, asked recursively (RFC 1035, 4.1)."""
DNS_RESPONSE = 0b1000_0000

GATEWAY_FAILURES = frozenset({407, 502, 503, 504})
"""What a proxy answers where it let nobody through, or found nobody."""


class Credentials(msgspec.Struct, frozen=True):
    """How to log in at a proxy."""

    user: str
    password: str


async def ask_ntp(host: str, allowed: Allowed, port: int = NTP_PORT) -> None:
    """Have an NTP server answer.

    :raises FetchError: none does, or it may not be asked.
    """
    await ask(host, port, allowed, NTP_QUESTION, is_time)


async def ask_dns(host: str, allowed: Allowed, port: int = DNS_PORT) -> None:
    """Have a DNS server answer, whatever it says.

    :raises FetchError: none does, or it may not be asked.
    """
    await ask(host, port, allowed, DNS_QUESTION, is_response)


async def ask_proxy(proxy: Address, credentials: Credentials | None, target: Address, allowed: Allowed) -> None:
    """Have a web proxy bring an answer of ``target``, whatever that says.

    :raises FetchError: there is no such proxy, it may not be asked, or it brings none.
    """
    login = None if credentials is None else (credentials.user, credentials.password)
    backend = AllowedAddresses(proxy, allowed, None)
    way = httpcore2.Proxy(proxy.url, auth=login)
    try:
        async with asyncio.timeout(PROXY_SECONDS):
            with plain_errors(proxy.where):
                async with httpcore2.AsyncConnectionPool(proxy=way, network_backend=backend) as pool:
                    answer = await pool.request("HEAD", target.url, headers={"Host": target.where})
    except httpcore2.ProxyError:
        raise bad_answer(proxy.where, f"it does not bring the answer of {target.where}") from None
    except TimeoutError:
        raise timed_out(proxy.where, PROXY_SECONDS) from None
    finally:
        await backend.aclose()
    if answer.status in GATEWAY_FAILURES:
        raise bad_answer(proxy.where, f"it answers for {target.where} with the status {answer.status}")


async def ask(host: str, port: int, allowed: Allowed, question: bytes, is_answer: Callable[[bytes], bool]) -> None:
    """Send a datagram to the first allowed address of a host, until one comes back that answers it.

    :raises FetchError: none does, or it may not be asked.
    """
    where = Address("http", host.casefold(), port, "/")
    address = (await allowed_addresses(where, allowed))[0]
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[None] = loop.create_future()
    transport: asyncio.DatagramTransport | None = None
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Listener(answered, is_answer), remote_addr=(address, port)
        )
        transport.sendto(question)
        async with asyncio.timeout(WAIT_SECONDS):
            await answered
    except TimeoutError:
        raise timed_out(where.where, WAIT_SECONDS) from None
    except OSError as error:
        raise unreachable(where.where, plain_reason(error)) from None
    finally:
        if transport is not None:
            transport.close()


class Listener(asyncio.DatagramProtocol):
    """Waits for a datagram that answers."""

    def __init__(self, answered: asyncio.Future[None], is_answer: Callable[[bytes], bool]) -> None:
        self._answered = answered
        self._is_answer = is_answer

    def datagram_received(self, data: bytes, _: tuple[str | Any, int]) -> None:
        """One has come; what is none of the protocol is passed over."""
        if self._is_answer(data) and not self._answered.done():
            self._answered.set_result(None)

    def error_received(self, exc: Exception) -> None:
        """The machine says that nobody listens there."""
        if not self._answered.done():
            self._answered.set_exception(exc)


def is_time(data: bytes) -> bool:
    """Whether it is what an NTP server sends."""
    return len(data) >= len(NTP_QUESTION) and data[0] & NTP_MODE == NTP_SERVER


def is_response(data: bytes) -> bool:
    """Whether it is what a DNS server answers to our question."""
    return data[:2] == DNS_ID and len(data) > 2 and bool(data[2] & DNS_RESPONSE)


async def failure_of(asking: Awaitable[None]) -> FetchError | None:
    """What became of it: nothing where it was answered."""
    try:
        await asking
    except FetchError as error:
        return error
    return None
