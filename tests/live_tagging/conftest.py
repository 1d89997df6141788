"""A server of these tests' own: tags are state, which the shared server of ``tests/live`` must not have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from requests.adapters import HTTPAdapter, Retry

from tests.support.server import Client, Server


class PatientServer(Server):
    """A server that may be slow to listen: it says where it is before its port takes connections."""

    def start(self) -> PatientServer:
        try:
            super().start()
        except requests.ConnectionError:
            with requests.Session() as session:
                session.trust_env = False
                session.mount("https://", HTTPAdapter(max_retries=Retry(connect=10, backoff_factor=0.1)))
                session.options(f"{self.url}/api", verify=self.verify)
        return self


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers, so that what one has done is asked of the other."""
    with PatientServer(tmp_path_factory.mktemp("tagging") / "data", "--workers", "2", "--durations", "none") as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """A logged-in client."""
    with server.session() as client:
        yield client
