"""Connections to names that are looked up once: what was checked is what is connected to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable

import httpcore2

MOST_TRIED = 4
"""So many addresses of a name are tried, one after the other."""

Find = Callable[[str, int], Awaitable[tuple[str, ...]]]
"""The addresses of a host that may be connected to; raises something where none may, or there are none."""


async def looked_up(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host, in the order in which they are tried.

    :raises OSError: there are none.
    :raises UnicodeError: it is no name of a host.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class CheckedAddresses(httpcore2.AnyIOBackend):
    """Connects to what ``find`` finds, and to nothing else."""

    def __init__(self, find: Find) -> None:
        self._find = find

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - so the library calls it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the first of the addresses that takes one.

        :raises ConnectError: none does.
        :raises ConnectTimeout: the last one has not in time.
        """
        failure: httpcore2.ConnectError | httpcore2.ConnectTimeout = httpcore2.ConnectError("no address")
        for found in (await self._find(host, port))[:MOST_TRIED]:
            try:
                return await super().connect_tcp(found, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure
