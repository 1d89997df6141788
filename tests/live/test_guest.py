"""Guest operations as a client sees them: files in and out over TLS, programs, and what outlives the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.server import Client, Server
from tests.support.vms import bring, refusal

GUEST_PASSWORD = "a very particular guest secret"
CREDENTIALS = {
    "type": "USERNAME_PASSWORD",
    "user_name": "root",
    "password": GUEST_PASSWORD,
    "interactive_session": False,
}
LARGE = bytes(range(256)) * 8192


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--workers", "2", environment={"RESPHERE_GUEST_PASSWORD": GUEST_PASSWORD}) as server:
        yield server


def linux_vm(client: Client) -> str:
    """A running VM with a Linux guest."""
    for vm in client.read("/api/vcenter/vm", params={"power_states": "POWERED_ON"}):
        reply = client.get(f"/api/vcenter/vm/{vm['vm']}/guest/identity")
        if reply.ok and reply.json()["family"] == "LINUX":
            identity: str = vm["vm"]
            return identity
    raise AssertionError("no VM runs a Linux guest")


def ask(client: Client, vm: str, what: str, **body: Any) -> requests.Response:
    """A guest operation."""
    return client.post(f"/api/vcenter/vm/{vm}/guest/{what}", json={"credentials": CREDENTIALS, **body})


def put(client: Client, vm: str, path: str, data: bytes) -> str:
    """Put a file into the guest by a plain client without a session; returns the address that did it."""
    attributes = {"size": len(data), "overwrite": True}
    reply = ask(client, vm, "filesystem?action=create", spec={"path": path, "attributes": attributes})
    assert reply.status_code == 201, reply.text
    address: str = reply.json()
    sent = requests.put(address, data=data, verify=client.http.verify, timeout=60)
    assert sent.status_code == 200, sent.text
    return address


def fetch(client: Client, vm: str, path: str) -> bytes:
    """A file of the guest, by a plain client without a session."""
    reply = ask(client, vm, "filesystem?action=create", spec={"path": path})
    assert reply.status_code == 201, reply.text
    got = requests.get(reply.json(), verify=client.http.verify, timeout=60)
    assert got.status_code == 200, got.text
    assert got.headers["Content-Type"] == "application/octet-stream"
    return got.content


def test_files_and_programs_outlive_the_server(server: Server) -> None:
    with server.session() as client:
        vm = linux_vm(client)
        address = put(client, vm, "/srv/in", LARGE)
        assert fetch(client, vm, "/srv/in") == LARGE
        again = requests.put(address, data=LARGE, verify=server.verify, timeout=60)
        assert refusal(again) == (404, "NOT_FOUND", "resphere.vm.guest.no_transfer")
        spec = {"path": "/bin/sh", "arguments": "-c 'cat /etc/hostname > /srv/name; sleep 1h'"}
        reply = ask(client, vm, "processes?action=create", spec=spec)
        assert reply.status_code == 201, reply.text
        pid = reply.json()
    server.kill()
    with server, server.session() as client:
        assert fetch(client, vm, "/srv/in") == LARGE
        name = client.read(f"/api/vcenter/vm/{vm}/guest/identity")["host_name"].partition(".")[0]
        assert fetch(client, vm, "/srv/name") == f"{name}\n".encode()
        process = ask(client, vm, f"processes/{pid}?action=get").json()
        assert process["name"] == "sh"
        assert "exit_code" not in process
        found = ask(client, vm, "filesystem/files/%2Fsrv%2Fin?action=get").json()
        assert (found["type"], found["size"]) == ("FILE", len(LARGE))


def test_no_secret_is_in_any_log(server: Server) -> None:
    with server.session() as client:
        vm = linux_vm(client)
        address = put(client, vm, "/srv/in", b"x")
        wrong = client.post(
            f"/api/vcenter/vm/{vm}/guest/processes?action=list",
            json={"credentials": {**CREDENTIALS, "password": "another guest secret"}},
        )
        assert refusal(wrong) == (401, "UNAUTHENTICATED", "vmsg.InvalidGuestLogin.summary")
        unsent = requests.get(address.replace("token=", "token=x"), verify=server.verify, timeout=60)
        assert unsent.status_code == 404
        reply = client.post(f"/api/vcenter/vm/{vm}/console/tickets", json={"type": "WEBMKS"})
        assert reply.status_code == 201, reply.text
        ticket = reply.json()["ticket"].rpartition("/")[2]
        screen = requests.get(f"{server.url}/ticket/{ticket}", verify=server.verify, timeout=60)
        assert "login:" in screen.text
    server.stop()
    secrets = [GUEST_PASSWORD, "another guest secret", ticket, address.partition("token=")[2]]
    logs = {path.name: path.read_text() for path in (server.data_dir / "log").iterdir()}
    # Each worker has a log of its own.
    assert "guestFile" in "".join(text for name, text in logs.items() if name.startswith("audit"))
    for secret in secrets:
        assert not [name for name, text in logs.items() if secret in text]
    assert not [secret for secret in secrets if secret in server.errors()]


def test_a_body_that_is_not_as_announced(server: Server) -> None:
    with server.session() as client:
        vm = linux_vm(client)
        spec = {"path": "/srv/x", "attributes": {"size": 3}}
        address = ask(client, vm, "filesystem?action=create", spec=spec).json()
        short = requests.put(address, data=b"x", verify=server.verify, timeout=60)
        assert refusal(short) == (400, "INVALID_ARGUMENT", "resphere.vm.guest.other_size")
        chunked = requests.put(address, data=iter([b"a", b"bc"]), verify=server.verify, timeout=60)
        assert chunked.status_code == 200, chunked.text
        assert fetch(client, vm, "/srv/x") == b"abc"
        bring(client, vm, "POWERED_OFF")
        off = ask(client, vm, "filesystem?action=create", spec=spec)
        assert refusal(off)[:2] == (400, "NOT_ALLOWED_IN_CURRENT_STATE")


def test_errors_have_their_details(server: Server) -> None:
    with server.session() as client:
        vm = linux_vm(client)
        body = ask(client, vm, "filesystem/files/%2Fnone?action=get").json()
        assert body["data"] == {"reason": "FILE_NOT_FOUND", "file_path": "/none"}
        body = ask(client, vm, "processes/99999?action=get").json()
        assert body["data"] == {"pid": 99999}


def test_data_sets_are_in_every_worker(server: Server) -> None:
    with server.session() as client:
        vms = client.read("/api/vcenter/vm")
        vm = next(
            each["vm"]
            for each in vms
            if client.read(f"/api/vcenter/vm/{each['vm']}/hardware")["version"] in ("VMX_20", "VMX_21")
        )
        bring(client, vm, "POWERED_OFF")
        spec = {"name": "com.example", "description": "", "host": "READ_WRITE", "guest": "NONE"}
        made = client.post(f"/api/vcenter/vm/{vm}/data-sets", json=spec)
        assert (made.status_code, made.json()) == (201, "com.example")
        for number in range(8):
            with server.session() as other:
                key = f"/api/vcenter/vm/{vm}/data-sets/com.example/entries/k"
                assert other.put(key, json=f"value {number}").status_code == 204
                assert client.read(key) == f"value {number}"
