"""The server that only needs reading, and one that may be changed at will."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.conftest import anonymous, client, shared_server
from tests.support.server import Server

__all__ = ["anonymous", "client", "shared_server"]


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that tests of one module may change."""
    with Server(tmp_path_factory.mktemp("fuzzed") / "data", "--vms", "60") as server:
        yield server
