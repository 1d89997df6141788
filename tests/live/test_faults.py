"""Faults on demand, as people who test clients need them: by a file, and by the API while the server runs."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.cli import resphere
from tests.support.server import Client, Server
from tests.support.vms import OFF, ON, act, any_vm, refusal, state_of, words

FILE = """
seed: 1
rules:
  - operation: com.vmware.vcenter.vm.power.start
    error: SERVICE_UNAVAILABLE
    message: The host is busy.
    times: 2
  - operation: com.vmware.vcenter.datacenter.*
    error: RESOURCE_BUSY
  - operation: com.vmware.vcenter.cluster.list
    latency_seconds: 0.3
  - operation: com.vmware.vcenter.network.list
    error: UNABLE_TO_ALLOCATE_RESOURCE
    rate: 0.5
  - operation: com.vmware.vcenter.folder.list
    error: NOT_FOUND
    rate: 0
"""
FAULTS = "/api/resphere/faults"
VMS, LIST = "/api/vcenter/vm", "com.vmware.vcenter.VM.list"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers, and rules of a file."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "faults.yaml").write_text(FILE)
    with Server(folder / "data", "--workers", "2", "--faults", str(folder / "faults.yaml")) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """Who makes rules, of which none stays."""
    with server.session() as client:
        yield client
    with server.session() as client:
        for each in client.read(FAULTS):
            if not each["from_file"]:
                assert client.delete(f"{FAULTS}/{each['fault']}").status_code == 204


def put(client: Client, operation: str = LIST, **fields: Any) -> str:
    """A rule; its id."""
    made = client.post(FAULTS, json={"operation": operation, **fields})
    assert made.status_code == 201, made.text
    assert made.json()["warnings"] == []
    fault: str = made.json()["fault"]
    return fault


def counts(client: Client, fault: str) -> tuple[int, int, bool]:
    """How often a rule has matched and acted, and whether it goes on."""
    info = client.read(f"{FAULTS}/{fault}")
    return info["matched"], info["acted"], info["active"]


def test_rules_of_a_file(server: Server, client: Client) -> None:
    vm = any_vm(client, ON)
    assert act(client, vm, "stop").status_code == 204
    for _ in range(2):
        reply = act(client, vm, "start")
        assert refusal(reply) == (503, "SERVICE_UNAVAILABLE", "resphere.fault_injected")
        assert words(reply) == "The host is busy."
        assert state_of(client, vm) == OFF
    assert act(client, vm, "start").status_code == 204
    for path in ("datacenter", "datacenter/datacenter-2"):
        assert refusal(client.get(f"/api/vcenter/{path}")) == (500, "RESOURCE_BUSY", "resphere.fault_injected")
    before = time.monotonic()
    assert client.get("/api/vcenter/cluster").status_code == 200
    assert time.monotonic() - before >= 0.3
    statuses = [client.get("/api/vcenter/network").status_code for _ in range(40)]
    assert 5 < statuses.count(500) < 35
    assert statuses.count(200) + statuses.count(500) == 40
    assert client.get("/api/vcenter/folder").status_code == 200
    # Replies are not kept meanwhile: they would hide the faults.
    assert "ETag" not in client.get(VMS).headers
    told = client.read(FAULTS)
    assert [each["order"] for each in told] == [0, 1, 2, 3, 4]
    assert all(each["from_file"] and each["owner"] == "--faults" for each in told)
    assert (told[0]["matched"], told[0]["acted"], told[0]["active"]) == (2, 2, False)


def test_a_rule_from_its_making_to_its_end(client: Client) -> None:
    fault = put(client, error="TIMED_OUT", message="Too late.", retry_after_seconds=7)
    reply = client.get(VMS)
    assert refusal(reply) == (500, "TIMED_OUT", "resphere.fault_injected")
    assert (words(reply), reply.headers["Retry-After"]) == ("Too late.", "7")
    assert counts(client, fault) == (1, 1, True)
    assert (
        client.put(f"{FAULTS}/{fault}", json={"operation": LIST, "error": "NOT_FOUND", "times": 1}).status_code == 204
    )
    assert counts(client, fault) == (0, 0, True)
    assert [client.get(VMS).status_code for _ in range(2)] == [404, 200]
    assert counts(client, fault) == (1, 1, False)
    assert client.delete(f"{FAULTS}/{fault}").status_code == 204
    for again in (client.get(f"{FAULTS}/{fault}"), client.delete(f"{FAULTS}/{fault}")):
        assert refusal(again) == (404, "NOT_FOUND", "resphere.faults.not_found")
    gone = client.put(f"{FAULTS}/{fault}", json={"operation": LIST, "drop": True})
    assert refusal(gone) == (404, "NOT_FOUND", "resphere.faults.not_found")


def test_times_are_those_of_all_workers(server: Server, client: Client) -> None:
    fault = put(client, error="TIMED_OUT", times=5)
    statuses = []
    for _ in range(15):
        # A connection of its own, which either worker may get.
        with Client(server, None) as other:
            statuses.append(other.get(VMS, headers={"vmware-api-session-id": client.token}).status_code)
    assert statuses == [500] * 5 + [200] * 10
    assert counts(client, fault) == (5, 5, False)


def test_callers_and_objects(client: Client) -> None:
    vm, other = (each["vm"] for each in client.read(VMS)[:2])
    fault = put(client, "com.vmware.vcenter.VM.get", error="TIMED_OUT", object=client.read(f"{VMS}/{vm}")["name"])
    assert [client.get(f"{VMS}/{each}").status_code for each in (vm, other, vm)] == [500, 200, 500]
    assert counts(client, fault) == (2, 2, True)
    put(client, error="NOT_FOUND", caller="Administrator@*")
    nobody = client.post(FAULTS, json={"operation": LIST, "order": 0, "drop": True, "caller": "bob@vsphere.local"})
    assert nobody.json()["warnings"] == ["there is no local user bob@vsphere.local"]
    assert client.get(VMS).status_code == 404


def raw(server: Server, client: Client, path: str) -> bytes:
    """All that comes back by a connection before it ends."""
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nvmware-api-session-id: {client.token}\r\nConnection: close\r\n\r\n"
    context = ssl.create_default_context(cafile=str(server.verify))
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", server.port)) as plain,
        context.wrap_socket(plain, suppress_ragged_eofs=True) as connection,
    ):
        connection.sendall(head.encode())
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
        except ConnectionError:
            pass
        return got


def test_connections_that_end(server: Server, client: Client) -> None:
    put(client, drop=True, times=1)
    put(client, truncate=True, times=1)
    assert raw(server, client, VMS) == b""
    head, _, body = raw(server, client, VMS).partition(b"\r\n\r\n")
    whole = client.get(VMS, headers={"Accept-Encoding": "identity"})
    assert head.startswith(b"HTTP/1.1 200")
    assert f"content-length: {len(whole.content)}".encode() in head.lower()
    assert body == whole.content[: len(whole.content) // 2]


@pytest.mark.parametrize("how", [{"drop": True}, {"page_status": 504}, {"error": "SERVICE_UNAVAILABLE"}])
def test_whether_it_was_carried_out(client: Client, how: dict[str, Any]) -> None:
    vm = any_vm(client, OFF)
    start, status = "com.vmware.vcenter.vm.power.st*", how.get("page_status", 503)
    put(client, start, order=-1, carried_out=True, times=1, **how)
    if "drop" in how:
        with pytest.raises(requests.ConnectionError):
            act(client, vm, "start")
    else:
        assert act(client, vm, "start").status_code == status
    assert state_of(client, vm) == ON
    put(client, start, order=-1, times=1, **how)
    if "drop" in how:
        with pytest.raises(requests.ConnectionError):
            act(client, vm, "stop")
    else:
        assert act(client, vm, "stop").status_code == status
    assert state_of(client, vm) == ON
    assert act(client, vm, "stop").status_code == 204


def test_a_proxy_in_front(client: Client) -> None:
    put(client, page_status=502, retry_after_seconds=3)
    reply = client.get(VMS)
    assert (reply.status_code, reply.headers["Content-Type"], reply.headers["Retry-After"]) == (502, "text/html", "3")
    assert "<h1>502 Bad Gateway</h1>" in reply.text


def test_slow_bodies(client: Client) -> None:
    whole = client.get(VMS, headers={"Accept-Encoding": "identity"}).content
    put(client, bytes_per_second=len(whole) * 2)
    before = time.monotonic()
    assert client.get(VMS, headers={"Accept-Encoding": "identity"}).content == whole
    assert time.monotonic() - before >= 0.4


def test_a_session_that_ends(server: Server, client: Client) -> None:
    put(client, expire_session=True, times=1)
    with server.session() as other:
        reply = other.get(VMS)
        assert refusal(reply) == (401, "UNAUTHENTICATED", "com.vmware.vapi.endpoint.method.authentication.required")
        assert other.get(VMS).status_code == 401
    assert client.get(VMS).status_code == 200


def test_rules_lock_nobody_out(server: Server, client: Client) -> None:
    fault = put(client, "*", order=-2, error="ERROR")
    assert client.get(VMS).status_code == 500
    with server.session() as other:
        assert other.get(VMS).status_code == 500
        assert counts(other, fault)[1] >= 2
        assert other.get("/readyz").status_code == 200
        assert other.delete(f"{FAULTS}/{fault}").status_code == 204
    assert client.get(VMS).status_code == 200


def test_the_command(server: Server, client: Client) -> None:
    def say(*arguments: str, status: int = 0) -> str:
        done = resphere("faults", *arguments, "--data-dir", str(server.data_dir))
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    fault = say("add", LIST, "--error", "TIMED_OUT", "--times", "2", "--rate", "1").strip()
    assert [client.get(VMS).status_code for _ in range(3)] == [500, 500, 200]
    assert f"{fault}\t2\t2\t{LIST} rate=1.0 times=2 error=TIMED_OUT" in say("list").splitlines()
    assert client.read(f"{FAULTS}/{fault}")["owner"].endswith("@localos")
    say("remove", fault)
    assert client.get(f"{FAULTS}/{fault}").status_code == 404
    assert f"there is no rule {fault}" in say("remove", fault, status=1)
    assert "did you mean TIMED_OUT?" in say("add", LIST, "--error", "TIME_OUT", status=1)
    assert "times" in say("add", LIST, "--drop", "--times", "often", status=1)


def test_rules_outlive_the_server(server: Server, client: Client) -> None:
    fault = put(client, error="TIMED_OUT", times=3)
    assert client.get(VMS).status_code == 500
    server.stop()
    server.start()
    with server.session() as again:
        assert [again.get(VMS).status_code for _ in range(3)] == [500, 500, 200]
        assert counts(again, fault) == (3, 3, False)
        assert [each["from_file"] for each in again.read(FAULTS)] == [True] * 5 + [False]


@pytest.mark.parametrize("absence", ["ERROR", "PAGE", "DROP"])
def test_a_vcenter_that_restarts(server: Server, client: Client, absence: str) -> None:
    token = client.post("/api/resphere/tokens", json={"name": absence}).json()["secret"]
    restart = f"{FAULTS}/vcenter?action=restart"
    assert client.post(restart, json={"away_seconds": 60, "absence": absence}).status_code == 204
    with Client(server, None) as nobody:
        if absence == "DROP":
            with pytest.raises(requests.ConnectionError):
                nobody.post("/api/session", auth=("ann", "secret"))
        else:
            away = nobody.post("/api/session", auth=("ann", "secret"))
            assert (away.status_code, away.headers["Retry-After"]) == (503, "60")
            assert away.headers["Content-Type"] == ("text/html" if absence == "PAGE" else "application/json")
        assert nobody.get("/healthz").status_code == 200
        back = nobody.post(restart, json={"away_seconds": 0}, headers={"Authorization": f"Bearer {token}"})
        assert back.status_code == 204
    assert client.get(VMS).status_code == 401


def test_what_is_refused(client: Client) -> None:
    for spec, said in (
        ({"operation": "x", "drop": True}, "no operation fits x."),
        ({"operation": LIST}, "this one does nothing."),
        ({"operation": "resphere.faults.*", "drop": True}, "no operation fits"),
        ({"operation": LIST, "error": "TIME_OUT"}, "did you mean TIMED_OUT?"),
    ):
        reply = client.post(FAULTS, json=spec)
        assert refusal(reply) == (400, "INVALID_ARGUMENT", "resphere.faults.rule")
        assert said in words(reply)
    made = client.post(FAULTS, json={"operation": LIST, "drop": True, "object": "nothing", "caller": "bob"})
    assert made.json()["warnings"] == ["there is no object of the id or name nothing", "there is no local user bob"]
