"""A WebSocket for tests that wait: PyPI's ``websockets``, on an event loop of its own.

Not its client with threads: one of them reads a TLS connection while another writes to it, which OpenSSL does not take
and Python 3.11 does not prevent (issue 143756 of cpython): now and then a request is lost so, and comes to no server.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SECONDS = 60


class Socket:
    """An open WebSocket to ``address``, as a context.

    :raises InvalidStatus: the server refuses it.
    """

    def __init__(self, address: str, tls: ssl.SSLContext, headers: Mapping[str, str]) -> None:
        self._runner = asyncio.Runner()
        try:
            self._open: ClientConnection = self._runner.run(self._connect(address, tls, headers))
        except BaseException:
            self._runner.close()
            raise

    def __enter__(self) -> Socket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._open.close())
        self._runner.close()

    def next(self) -> Any:
        """The next message.

        :raises ConnectionClosed: there is none.
        """
        return json.loads(self._runner.run(asyncio.wait_for(self._open.recv(), SECONDS)))

    def rest(self) -> Iterator[Any]:
        """All messages until the server closes."""
        try:
            while True:
                yield self.next()
        except ConnectionClosed:
            return

    @property
    def close_code(self) -> int | None:
        return self._open.close_code

    @staticmethod
    async def _connect(address: str, tls: ssl.SSLContext, headers: Mapping[str, str]) -> ClientConnection:
        return await connect(address, ssl=tls, additional_headers=headers, open_timeout=SECONDS)
