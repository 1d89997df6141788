"""httpx, over HTTP/2: log in, list, be refused, log out."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from tests.support.server import ADMINISTRATOR, PASSWORD, Server


@pytest.fixture
def http2(shared_server: Server) -> Iterator[httpx.Client]:
    """A logged-in client of HTTP/2."""
    trust = ssl.create_default_context(cafile=str(shared_server.ca))
    with httpx.Client(http1=False, http2=True, base_url=shared_server.url, verify=trust, trust_env=False) as client:
        reply = client.post("/api/session", auth=(ADMINISTRATOR, PASSWORD))
        assert (reply.status_code, reply.http_version) == (201, "HTTP/2")
        client.headers["vmware-api-session-id"] = reply.json()
        yield client


def test_lists_virtual_machines(http2: httpx.Client) -> None:
    reply = http2.get("/api/vcenter/vm", params={"power_states": ["POWERED_ON", "SUSPENDED"]})
    assert reply.http_version == "HTTP/2"
    assert {vm["power_state"] for vm in reply.json()} == {"POWERED_ON", "SUSPENDED"}


def test_many_calls_share_a_connection(http2: httpx.Client) -> None:
    found = [vm["vm"] for vm in http2.get("/api/vcenter/vm").json()]
    assert [http2.get(f"/api/vcenter/vm/{vm}").status_code for vm in found] == [200] * len(found)


def test_an_unchanged_inventory_is_not_sent_again(http2: httpx.Client) -> None:
    etag = http2.get("/api/vcenter/host").headers["etag"]
    assert http2.get("/api/vcenter/host", headers={"If-None-Match": etag}).status_code == 304


def test_an_error_is_an_object(http2: httpx.Client) -> None:
    reply = http2.get("/api/vcenter/vm/vm-none")
    assert reply.status_code == 404
    assert reply.json()["error_type"] == "NOT_FOUND"


def test_logs_out(http2: httpx.Client) -> None:
    assert http2.delete("/api/session").status_code == 204
    assert http2.get("/api/vcenter/vm").status_code == 401
