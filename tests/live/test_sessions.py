"""Sessions: who gets one, what carries it, how long and where it lasts."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from tests.support.cli import add_user
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server
from tests.support.vms import refusal

REQUIRED = (401, "UNAUTHENTICATED", "com.vmware.vapi.endpoint.method.authentication.required")
FAILED = (401, "UNAUTHENTICATED", "vapi.security.authentication.invalid")
TOO_MANY = (503, "SERVICE_UNAVAILABLE", "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached")
CHALLENGE = 'Basic realm="VAPI endpoint",SIGN realm="VAPI endpoint",service="VAPI endpoint"'
HEADER = "vmware-api-session-id"


def basic(text: bytes) -> str:
    """An ``Authorization`` header."""
    return "Basic " + base64.b64encode(text).decode()


GOOD = f"{ADMINISTRATOR}:{PASSWORD}".encode()


@pytest.mark.parametrize(
    ("authorization", "refused"),
    [
        pytest.param(basic(f"{ADMINISTRATOR}:wrong".encode()), FAILED, id="wrong password"),
        pytest.param(basic(f"{ADMINISTRATOR}:".encode()), FAILED, id="empty password"),
        pytest.param(basic(GOOD + b" "), FAILED, id="password and a blank"),
        pytest.param(basic(f"nobody@vsphere.local:{PASSWORD}".encode()), FAILED, id="unknown user"),
        pytest.param(basic(f":{PASSWORD}".encode()), FAILED, id="empty user"),
        pytest.param(basic(b"\0:\0"), FAILED, id="NUL"),
        pytest.param(None, REQUIRED, id="no header"),
        pytest.param("", REQUIRED, id="empty header"),
        pytest.param("Basic", REQUIRED, id="nothing"),
        pytest.param("Basic !!!", REQUIRED, id="no base64"),
        pytest.param("Basic YQ", REQUIRED, id="cut base64"),
        pytest.param(basic(b"no colon"), REQUIRED, id="no colon"),
        pytest.param(basic(b"\xff:\xff"), REQUIRED, id="no UTF-8"),
        pytest.param("Digest " + base64.b64encode(GOOD).decode(), REQUIRED, id="another scheme"),
    ],
)
def test_login_refusals(anonymous: Client, authorization: str | None, refused: tuple[int, str, str]) -> None:
    reply = anonymous.post("/api/session", headers={"Authorization": authorization})
    assert refusal(reply) == refused
    assert reply.headers["WWW-Authenticate"] == reply.json()["challenge"] == CHALLENGE


@pytest.mark.parametrize("user", ["Administrator@VSPHERE.LOCAL", "VSPHERE.LOCAL\\administrator"])
def test_one_account_however_it_is_written(anonymous: Client, user: str) -> None:
    reply = anonymous.post("/api/session", auth=(user, PASSWORD))
    assert reply.status_code == 201
    assert anonymous.read("/api/session", headers={HEADER: reply.json()})["user"] == ADMINISTRATOR


def test_the_scheme_s_case_does_not_matter(anonymous: Client) -> None:
    header = basic(GOOD).replace("Basic", "bASIC")
    assert anonymous.post("/api/session", headers={"Authorization": header}).status_code == 201


def test_a_session_and_its_end(shared_server: Server) -> None:
    with shared_server.session() as client:
        shown = client.read("/api/session")
        assert shown.keys() == {"user", "created_time", "last_accessed_time"}
        assert shown["user"] == ADMINISTRATOR
        created, accessed = (datetime.fromisoformat(shown[key]) for key in ("created_time", "last_accessed_time"))
        assert created <= accessed <= datetime.now(UTC)
        ended = client.delete("/api/session")
        assert (ended.status_code, ended.content) == (204, b"")
        assert "Content-Type" not in ended.headers
        for reply in (client.get("/api/session"), client.delete("/api/session"), client.get("/api/vcenter/vm")):
            assert refusal(reply) == REQUIRED


def test_name_and_password_open_sessions_only(anonymous: Client) -> None:
    assert refusal(anonymous.get("/api/vcenter/vm", auth=(ADMINISTRATOR, PASSWORD))) == REQUIRED


def test_the_header_beats_the_cookie(anonymous: Client, client: Client) -> None:
    good, bad = client.token, "0" * 32

    def status(header: str | None, cookie: str | None) -> int:
        headers = {HEADER: header, "Cookie": f"other=1; {HEADER}={cookie}" if cookie else None}
        return anonymous.get("/api/vcenter/vm", headers=headers).status_code

    assert status(None, good) == status(good, None) == status(good, bad) == 200
    assert status(bad, good) == status(None, bad) == status("", good) == 401


@pytest.mark.parametrize("token", ["x", "0" * 32, "../../etc", "é", "a" * 5000])
def test_tokens_that_nobody_was_given(anonymous: Client, token: str) -> None:
    reply = anonymous.get("/api/vcenter/vm", headers={HEADER: token.encode()})
    assert refusal(reply) == REQUIRED


def test_the_token_stands_nowhere_on_disk(shared_server: Server, client: Client) -> None:
    client.read("/api/vcenter/vm")
    token = client.token.encode()
    for path in shared_server.data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert token not in content, path
            assert PASSWORD.encode() not in content, path


def test_session_limits(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--max-sessions-per-user", "2", "--max-sessions", "3") as server:
        add_user(server.data_dir, "auditor@vsphere.local", "secret", "ReadOnly")
        first, second = server.session(), server.session()
        with Client(server, None) as anonymous:
            for of_whom in ((ADMINISTRATOR, PASSWORD), ("ADMINISTRATOR@vsphere.local", PASSWORD)):
                reply = anonymous.post("/api/session", auth=of_whom)
                assert refusal(reply) == TOO_MANY
                assert reply.json()["messages"][0]["args"] == ["2"]
            auditor = server.session("auditor@vsphere.local", "secret")
            reply = anonymous.post("/api/session", auth=("auditor@vsphere.local", "secret"))
            assert refusal(reply) == (503, "SERVICE_UNAVAILABLE", "resphere.session.too_many_in_all")
            assert reply.json()["messages"][0]["args"] == ["3", "1"]
            assert first.delete("/api/session").status_code == 204
            assert anonymous.post("/api/session", auth=(ADMINISTRATOR, PASSWORD)).status_code == 201
        assert second.get("/api/vcenter/vm").status_code == auditor.get("/api/vcenter/vm").status_code == 200


def test_workers_share_sessions_and_restarts_keep_them(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", "--workers", "2")
    with server:
        client = server.session()
        assert statuses_by_worker(client, 200)
        server.kill()
        server.start()
        assert statuses_by_worker(client, 200)
        server.stop()
        server.start()
        assert client.delete("/api/session").status_code == 204
        assert statuses_by_worker(client, 401)


def statuses_by_worker(client: Client, status: int) -> bool:
    """Ask over new connections until both workers have answered, all alike; request ids begin with the worker's own."""
    workers = set()
    for _ in range(200):
        client.http.close()
        reply: requests.Response = client.get("/api/session")
        assert reply.status_code == status
        workers.add(reply.headers["x-request-id"].partition("-")[0])
        if len(workers) == 2:
            return True
    return False
