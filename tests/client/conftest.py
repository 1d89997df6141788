"""The server that the clients speak to, and both clients, asked alike."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from resphere.client import AsyncClient, Client
from tests.live.conftest import shared_server
from tests.support.server import ADMINISTRATOR, PASSWORD, Server

Ask = Callable[[Callable[[Any], Any]], Any]
"""What a function of a client results in, of whichever client, awaited where that has to be."""

KINDS = ("blocking", "awaited")


class Asked:
    """One of the clients, by its name."""

    def __init__(self, kind: str, *where: Any, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self.client: Any = (Client if kind == "blocking" else AsyncClient)(*where, **options)

    def __call__(self, function: Callable[[Any], Any]) -> Any:
        return self._settled(function(self.client))

    def _settled(self, result: Any) -> Any:
        if inspect.isawaitable(result):
            return self._runner.run(awaited(result))
        if isinstance(result, AsyncIterator):
            return self._runner.run(gathered(result))
        return list(result) if isinstance(result, Iterator) else result

    def close(self) -> None:
        self(lambda client: client.close())
        self._runner.close()


async def awaited(result: Any) -> Any:
    return await result


async def gathered(result: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in result]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the clients."""
    name: str = request.param
    return name


@pytest.fixture
def ask(kind: str, shared_server: Server) -> Iterator[Ask]:
    """A client of the shared server, logged in when it first calls."""
    asked = Asked(kind, shared_server.url, user=ADMINISTRATOR, password=PASSWORD, ca_file=shared_server.ca)
    yield asked
    asked.close()


__all__ = ["ask", "kind", "shared_server"]
