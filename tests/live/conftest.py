"""Servers that live tests share: one for each test process, and only what does not change it may use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Client, Server


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the default inventory, for tests that only read or that undo what they do."""
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
