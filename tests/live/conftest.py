"""The server that live tests share: one for each test process.

Tests may change what is in it; none may take it for fresh, lean on another test, or leave it without what the next one
needs: running and stopped virtual machines, and hosts that take them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Client, Server


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the default inventory, for tests that change nothing global."""
    with Server(tmp_path_factory.mktemp("shared") / "data") as server:
        yield server


@pytest.fixture
def client(shared_server: Server) -> Iterator[Client]:
    """A logged-in client of the shared server."""
    with shared_server.session() as client:
        yield client


@pytest.fixture
def anonymous(shared_server: Server) -> Iterator[Client]:
    """A client of the shared server without a session."""
    with Client(shared_server, None) as client:
        yield client
