"""Sends by HTTP: to where the operator allows, within bounds. No redirect is followed, and no answer kept."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack

import httpcore2

from resphere.certificates.tls import Roots, client_context, no_roots
from resphere.fetching.addresses import Address, read_address
from resphere.fetching.allowed import Allowed
from resphere.fetching.connecting import AllowedAddresses
from resphere.fetching.errors import refused, timed_out
from resphere.fetching.fetcher import plain_errors
from resphere.tracing.context import outgoing

SETTING = "--webhook-to"
"""The setting that says to where is sent."""
CONNECT_SECONDS = 5.0
WHOLE_SECONDS = 15.0
MOST_ANSWER_BYTES = 64 * 1024
KEPT_SECONDS = 60.0
GOOD = range(200, 300)


class Poster:
    """Sends to addresses that are ``allowed``; ``roots`` are trusted besides the system's."""

    def __init__(self, allowed: Allowed, roots: Roots = no_roots, whole_seconds: float = WHOLE_SECONDS) -> None:
        self.allowed = allowed
        self._roots = roots
        self._whole_seconds = whole_seconds
        self._context: tuple[float, ssl.SSLContext] | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send; an answer that is good says that it was taken.

        :raises FetchError: it was not, for whatever reason.
        """
        address = read_address(url)
        try:
            async with asyncio.timeout(self._whole_seconds), AsyncExitStack() as stack:
                with plain_errors(address.where):
                    status = await self._ask(address, headers, body, stack)
        except TimeoutError:
            raise timed_out(address.where, self._whole_seconds) from None
        if status not in GOOD:
            raise refused(address.where, status)

    async def _ask(self, address: Address, headers: Mapping[str, str], body: bytes, stack: AsyncExitStack) -> int:
        tls = await self._tls() if address.scheme == "https" else None
        backend = AllowedAddresses(address, self.allowed, None)
        stack.push_async_callback(backend.aclose)
        pool = await stack.enter_async_context(httpcore2.AsyncConnectionPool(tls, network_backend=backend))
        asked = {"Host": address.where, "User-Agent": "resphere", "Connection": "close", **outgoing(), **headers}
        answer = await stack.enter_async_context(
            pool.stream(
                "POST",
                address.url,
                headers=[(name.encode(), value.encode()) for name, value in asked.items()],
                content=body,
                extensions={"timeout": {"connect": CONNECT_SECONDS}},
            )
        )
        size_bytes = 0
        async for piece in answer.aiter_stream():
            size_bytes += len(piece)
            if size_bytes > MOST_ANSWER_BYTES:
                break
        status: int = answer.status
        return status

    async def _tls(self) -> ssl.SSLContext:
        now = asyncio.get_running_loop().time()
        if self._context is None or now - self._context[0] >= KEPT_SECONDS:
            self._context = now, await asyncio.to_thread(client_context, None, self._roots)
        return self._context[1]
