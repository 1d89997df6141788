"""A server of these tests' own: tags are state, which the shared server of ``tests/live`` must not have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Client, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers, so that what one has done is asked of the other."""
    with Server(tmp_path_factory.mktemp("tagging") / "data", "--workers", "2", "--durations", "none") as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """A logged-in client."""
    with server.session() as client:
        yield client
