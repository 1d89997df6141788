"""What HTTP itself promises: TLS, versions, validators, compression, ids, headers."""

from __future__ import annotations

import gzip
import io
import socket
import ssl
import warnings
import zipfile
from pathlib import Path

import httpx
import pytest
import requests

from tests.support.server import Client, Server
from tests.support.vms import OFF, act, any_vm, refusal

LIST = "/api/vcenter/vm"


def trusting(server: Server) -> ssl.SSLContext:
    """A client's TLS that trusts the server's CA only."""
    return ssl.create_default_context(cafile=str(server.ca))


def handshake(server: Server, context: ssl.SSLContext) -> str | None:
    """The version of TLS that both sides settle on."""
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        return secure.version()


def test_the_server_s_own_ca_is_needed_and_enough(shared_server: Server) -> None:
    url = f"{shared_server.url}/api"
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(url, verify=str(shared_server.ca), timeout=60).status_code == 401
        with pytest.raises(requests.exceptions.SSLError):
            session.get(url, timeout=60)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_of_tls(shared_server: Server, version: ssl.TLSVersion) -> None:
    context = trusting(shared_server)
    context.minimum_version = context.maximum_version = version
    assert handshake(shared_server, context) == version.name.replace("_", ".")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(shared_server: Server, version: ssl.TLSVersion) -> None:
    context = trusting(shared_server)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(shared_server, context)


@pytest.mark.parametrize(("http2", "version"), [(True, "HTTP/2"), (False, "HTTP/1.1")])
def test_versions_of_http(shared_server: Server, client: Client, http2: bool, version: str) -> None:
    headers = {"vmware-api-session-id": client.token}
    with httpx.Client(
        http2=http2, verify=trusting(shared_server), headers=headers, trust_env=False, base_url=shared_server.url
    ) as other:
        replies = [
            other.get(LIST),
            other.post("/api/vcenter/vm/vm-404/power?action=start"),
            other.post("/api/cis/tasks?action=list", json={}),
            other.delete("/api/vcenter/vm/vm-404/snapshot"),
        ]
        assert [reply.http_version for reply in replies] == [version] * 4
        assert [reply.status_code for reply in replies] == [200, 404, 200, 404]
        assert replies[0].json() == client.read(LIST)


def test_the_certificate_can_be_had_by_anybody(shared_server: Server, anonymous: Client) -> None:
    reply = anonymous.get("/certs/download.zip")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        held = [archive.read(name) for name in archive.namelist() if name.endswith((".0", ".crt"))]
    assert held
    assert set(held) == {shared_server.ca.read_bytes()}


def test_without_tls(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--no-tls") as server, server.session() as client:
        assert server.url.startswith("http://")
        assert client.read("/api")["server"] == "resphere"
        reply = client.get("/certs/download.zip")
        assert refusal(reply) == (404, "NOT_FOUND", "resphere.certificates.none")
        assert not (server.data_dir / "tls").exists()


def test_nothing_new_is_not_sent_again(client: Client) -> None:
    vm = any_vm(client, OFF)
    for path in (
        LIST,
        f"{LIST}/{vm}",
        f"{LIST}/{vm}/power",
        f"{LIST}?power_states=POWERED_OFF",
        "/api",
        "/api/vcenter/host",
    ):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b""), path
        assert again.headers["ETag"] == first.headers["ETag"]
        assert "Content-Type" not in again.headers
        assert client.get(path, headers={"If-None-Match": '"something else"'}).json() == first.json()


def test_a_write_changes_the_tag(client: Client) -> None:
    vm = any_vm(client, OFF)
    before = client.get(LIST)
    assert act(client, vm, "start").status_code == 204
    after = client.get(LIST, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.json() != before.json()


def test_logins_and_tasks_change_no_tag(shared_server: Server, client: Client) -> None:
    before = client.get(LIST).headers["ETag"]
    with shared_server.session() as other:
        other.delete("/api/session")
    assert client.get(LIST).headers["ETag"] == before


def test_gzip_holds_the_same(client: Client) -> None:
    plain = client.get(LIST, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    for accepted in ("gzip", "br, GZIP;q=0.5", "deflate, gzip"):
        for _ in range(2):  # the second one is kept
            packed = client.get(LIST, headers={"Accept-Encoding": accepted}, stream=True)
            raw = packed.raw.read(decode_content=False)
            assert packed.headers["Content-Encoding"] == "gzip"
            assert int(packed.headers["Content-Length"]) == len(raw) < len(plain.content)
            assert gzip.decompress(raw) == plain.content
            assert packed.headers["Vary"] == "Accept-Encoding"
    for refused in ("", "br", "gzip;q=0", "gzip; q=0.000", "xgzip"):
        reply = client.get(LIST, headers={"Accept-Encoding": refused})
        assert "Content-Encoding" not in reply.headers
        assert reply.content == plain.content


def test_errors_and_small_replies_are_not_compressed(client: Client) -> None:
    for path in ("/api/session", "/api/vcenter/vm/vm-404"):
        assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize("header", ["vapi-ctx-opid", "x-request-id"])
def test_request_ids_come_back(client: Client, header: str) -> None:
    for given in ("abc-123", "a.b_c:d@e", "x" * 128, "0f0d8dc6-3c4b-4f6f-8f54-1a2b3c4d5e6f"):
        assert client.get("/api", headers={header: given}).headers["x-request-id"] == given
        assert client.get("/api/nothing", headers={header: given}).headers["x-request-id"] == given


def test_request_ids_that_could_harm_a_log_are_replaced(client: Client) -> None:
    made = set()
    for given in ("", "x" * 129, "a b", "a\tb", 'a"b', "<script>", "ä".encode()):
        reply = client.get("/api", headers={"vapi-ctx-opid": given})
        assert reply.headers["x-request-id"] not in (given, "")
        made.add(reply.headers["x-request-id"])
    assert len(made) == 7


def test_headers_of_every_reply(client: Client, anonymous: Client) -> None:
    kept, error, login = client.get(LIST), client.get("/api/nothing"), anonymous.post("/api/session")
    for reply in (kept, error, login):
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Content-Type"] == "application/json"
        assert int(reply.headers["Content-Length"]) > 0
    assert kept.headers["Cache-Control"] == "private, no-cache"
    session, tasks = client.get("/api/session"), client.post("/api/cis/tasks?action=list", json={})
    for reply in (error, login, session, tasks):
        assert reply.headers["Cache-Control"] == "no-store"
        assert ("ETag" in reply.headers) == (reply is session)


def test_connections_go_on_after_errors(client: Client) -> None:
    """Each of these must leave the connection where the next request can begin."""
    for _ in range(3):
        client.get("/api/nothing")
        client.post("/api/vcenter/vm/vm-404/power?action=start", data=b"x" * 100_000)
        client.put(LIST, data=b"x" * 100_000)
        client.post("/api/vcenter/host/host-1/maintenance", data=b"{" * 100_000)
        assert client.get("/api").status_code == 200
