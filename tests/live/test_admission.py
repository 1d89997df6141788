"""Requests that can be read in two ways, or that a foreign page has sent, at a running server."""

from __future__ import annotations

import http.client
import json
import ssl
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.support.attacks import Attacker
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server, wait_until
from tests.support.vms import OFF, ON, any_vm, refusal, state_of

HEADER = "vmware-api-session-id"
LIST = "/api/vcenter/vm"


def over_http2(server: Server) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(server.ca))
    return httpx.Client(http2=True, verify=context, trust_env=False, base_url=server.url, timeout=60)


def said(server: Server, method: str, path: str, *headers: tuple[str, str]) -> tuple[int, bytes]:
    """The answer to a request with just these headers, in that order."""
    context = ssl.create_default_context(cafile=str(server.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=60)
    connection.putrequest(method, path, skip_host=any(name == "Host" for name, _ in headers))
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, content


def has_lines(log: Path, text: str, count: int) -> bool:
    return log.read_text().count(text) >= count


def test_two_sessions_are_none(shared_server: Server, client: Client) -> None:
    for others in (("0" * 32, client.token), (client.token, "0" * 32), (client.token, client.token)):
        status, content = said(shared_server, "GET", LIST, *((HEADER, value) for value in others))
        assert (status, json.loads(content)["messages"][0]["id"]) == (400, "resphere.header_twice")
        with over_http2(shared_server) as other:
            reply = other.get(LIST, headers=[(HEADER, value) for value in others])
            assert (reply.http_version, reply.status_code) == ("HTTP/2", 400)


def test_cookies_in_several_fields_are_one(shared_server: Server, client: Client) -> None:
    fields = [("Cookie", "a=b"), ("Cookie", f"{HEADER}={client.token}"), ("Cookie", "c=d")]
    assert said(shared_server, "GET", LIST, *fields)[0] == 200
    with over_http2(shared_server) as other:
        reply = other.get(LIST, headers=fields)
        assert (reply.http_version, reply.status_code) == ("HTTP/2", 200)


def test_hosts_that_are_none(shared_server: Server, client: Client) -> None:
    session = (HEADER, client.token)
    for host in ("a b", "a/b", "a@b", "evil.example:x", "<script>"):
        status, content = said(shared_server, "GET", LIST, session, ("Host", host))
        assert status == 400
        assert host.encode() not in content
    assert said(shared_server, "GET", LIST, session, ("Host", "vcenter.example"))[0] == 200


def test_clients_of_http_1_0_have_no_host(shared_server: Server) -> None:
    with Attacker(shared_server) as attacker, attacker.secure("http/1.1") as connection:
        connection.sendall(b"GET /api HTTP/1.0\r\n\r\n")
        assert b" 401 Unauthorized\r\n" in connection.recv(65_536)


def test_a_foreign_page_starts_no_machine(shared_server: Server, client: Client) -> None:
    vm = any_vm(client, OFF)
    path, cookie = f"/rest/vcenter/vm/{vm}/power/start", ("Cookie", f"{HEADER}={client.token}")
    for sign in (("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example"), ("Origin", "null")):
        status, content = said(shared_server, "POST", path, cookie, sign, ("Content-Length", "0"))
        error = json.loads(content)
        assert (status, error["type"]) == (403, "com.vmware.vapi.std.errors.unauthorized")
        assert error["value"]["messages"][0]["id"] == "resphere.foreign_page"
    assert state_of(client, vm) == OFF
    own = ("Origin", shared_server.url)
    assert said(shared_server, "POST", path, cookie, own, ("Content-Length", "0"))[0] == 200


def test_no_other_site_is_let_read(client: Client) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method, path in (("OPTIONS", LIST), ("GET", LIST), ("GET", "/rest/vcenter/vm"), ("GET", "/api/openapi.json")):
        reply = client.request(method, path, headers=asked)
        assert reply.ok
        assert not [name for name in reply.headers if name.lower().startswith("access-control-")]


def test_a_stale_session_does_not_keep_from_logging_in(anonymous: Client) -> None:
    stale = "0" * 32
    for headers in ({HEADER: stale}, {"Cookie": f"{HEADER}={stale}"}):
        for path, status in (("/api/session", 201), ("/rest/com/vmware/cis/session", 200)):
            reply = anonymous.post(path, auth=(ADMINISTRATOR, PASSWORD), headers=headers)
            assert reply.status_code == status, path


@pytest.mark.parametrize(
    ("path", "anonymous_status"),
    [("/api/vcenter/nothing", 404), ("/api/nothing", 404), (LIST, 401), ("/api/vcenter/vm/vm-404", 401)],
)
def test_unknown_paths_are_told_before_a_session(anonymous: Client, path: str, anonymous_status: int) -> None:
    reply = anonymous.get(path)
    assert reply.status_code == anonymous_status
    if anonymous_status == 404:
        assert refusal(reply) == (404, "NOT_FOUND", "com.vmware.vapi.rest.httpNotFound")


def test_a_look_uses_up_no_ticket(shared_server: Server, client: Client, anonymous: Client) -> None:
    vm = any_vm(client, ON)
    made = client.post(f"/api/vcenter/vm/{vm}/console/tickets", json={"type": "WEBMKS"})
    ticket = made.json()["ticket"].rpartition("/")[2]
    for method in ("HEAD", "POST", "OPTIONS", "HEAD"):
        reply = anonymous.request(method, f"/ticket/{ticket}")
        assert reply.status_code == (204 if method == "OPTIONS" else 405)
        assert reply.headers["Allow"] == "GET, OPTIONS"
    logs = shared_server.data_dir / "log"
    assert anonymous.get(f"/ticket/{ticket}").status_code == 200
    assert anonymous.get(f"/ticket/{ticket}").status_code == 404
    for log in (logs / "audit.log", logs / "vpxd.log"):
        wait_until(partial(has_lines, log, "/ticket/*", 6), f"six calls in {log.name}")
        assert ticket not in log.read_text()
