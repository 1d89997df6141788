"""Accounts and their roles, made and removed beside a running server, and the administrator's password."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import add_user, remove_user, resphere
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server
from tests.support.vms import OFF, any_vm, power_path, refusal, state_of, words

MISSING = (403, "UNAUTHORIZED", "vapi.authz.error.no.privs")
AUDITOR, GUEST = "auditor@vsphere.local", "guest@vsphere.local"


@pytest.fixture(scope="module")
def accounts(shared_server: Server) -> Server:
    """The shared server with an account of each lesser role."""
    add_user(shared_server.data_dir, AUDITOR, "secret", "ReadOnly")
    add_user(shared_server.data_dir, GUEST, "secret", "NoAccess")
    return shared_server


@pytest.fixture
def auditor(accounts: Server) -> Iterator[Client]:
    """Somebody who may read."""
    with accounts.session(AUDITOR, "secret") as client:
        yield client


@pytest.fixture
def guest(accounts: Server) -> Iterator[Client]:
    """Somebody who may nothing."""
    with accounts.session(GUEST, "secret") as client:
        yield client


def test_read_only_reads(auditor: Client) -> None:
    vm = auditor.read("/api/vcenter/vm")[0]["vm"]
    for path in (
        f"/api/vcenter/vm/{vm}",
        power_path(vm),
        "/api",
        "/api/vcenter/host",
        f"/api/vcenter/vm/{vm}/snapshot",
    ):
        assert auditor.get(path).status_code == 200
    assert auditor.post("/api/cis/tasks?action=list", json={}).status_code == 200


@pytest.mark.parametrize("form", ["?action=", "/"])
def test_read_only_changes_nothing(auditor: Client, client: Client, form: str) -> None:
    vm = any_vm(client, OFF)
    reply = auditor.post(f"{power_path(vm)}{form}start")
    assert refusal(reply) == MISSING
    assert "VirtualMachine.Interact.PowerOn" in words(reply)
    assert vm in words(reply)
    assert state_of(client, vm) == OFF


def test_privileges_are_asked_before_the_body_is_read(auditor: Client, client: Client) -> None:
    vm, host = any_vm(client, OFF), client.read("/api/vcenter/host")[0]["host"]
    for method, path, privilege in (
        ("POST", f"/api/vcenter/vm/{vm}/snapshot", "VirtualMachine.State.CreateSnapshot"),
        ("DELETE", f"/api/vcenter/vm/{vm}/snapshot", "VirtualMachine.State.RemoveSnapshot"),
        ("POST", f"/api/vcenter/vm/{vm}/snapshot/snapshot-1/revert", "VirtualMachine.State.RevertToSnapshot"),
        ("POST", f"/api/vcenter/host/{host}/maintenance", "Host.Config.Maintenance"),
        ("POST", "/api/cis/tasks/task-1?action=cancel", "Global.CancelTask"),
    ):
        reply = auditor.request(method, path, data=b"{", headers={"Content-Type": "application/json"})
        assert refusal(reply) == MISSING, path
        assert privilege in words(reply)


def test_no_access_sees_nothing_but_its_own_session(guest: Client) -> None:
    assert guest.read("/api/session")["user"] == GUEST
    assert guest.read("/api/vcenter/vm") == guest.read("/api/vcenter/host") == []
    for path in ("/api/vcenter/vm/vm-404", "/api", "/api/vcenter", "/api/vcenter/host/host-1"):
        assert refusal(guest.get(path)) == MISSING, path
    assert guest.delete("/api/session").status_code == 204


def test_kept_replies_never_cross_roles(client: Client, auditor: Client, guest: Client) -> None:
    kept = client.get("/api/vcenter/vm")
    etag = kept.headers["ETag"]
    assert client.get("/api/vcenter/vm", headers={"If-None-Match": etag}).status_code == 304
    for _ in range(2):
        of_auditor = auditor.get("/api/vcenter/vm", headers={"If-None-Match": etag})
        assert of_auditor.status_code == 200
        assert of_auditor.headers["ETag"] != etag
        assert of_auditor.json() == kept.json()
        of_guest = guest.get("/api/vcenter/vm", headers={"If-None-Match": f"{etag}, {of_auditor.headers['ETag']}"})
        assert (of_guest.status_code, of_guest.json()) == (200, [])
        # RFC 9110: there is something, whatever that is.
        anything = guest.get("/api/vcenter/vm", headers={"If-None-Match": "*"})
        assert (anything.status_code, anything.content) == (304, b"")
        assert anything.headers["ETag"] == of_guest.headers["ETag"]


def test_a_removed_account_is_out_at_once_and_for_good(shared_server: Server) -> None:
    name = "leaver@vsphere.local"
    add_user(shared_server.data_dir, name, "secret", "Admin")
    with shared_server.session(name, "secret") as leaver:
        assert leaver.get("/api/vcenter/vm").status_code == 200
        remove_user(shared_server.data_dir, name)
        assert leaver.get("/api/vcenter/vm").status_code == 401
        assert leaver.post("/api/session", auth=(name, "secret")).status_code == 401
        add_user(shared_server.data_dir, name, "other", "Admin")
        assert leaver.get("/api/vcenter/vm").status_code == 401


def test_a_changed_role_holds_at_once(shared_server: Server) -> None:
    name = "climber@vsphere.local"
    add_user(shared_server.data_dir, name, "secret", "NoAccess")
    with shared_server.session(name, "secret") as climber:
        assert climber.read("/api/vcenter/vm") == []
        add_user(shared_server.data_dir, name, "secret", "ReadOnly")
        assert climber.read("/api/vcenter/vm")


def test_a_changed_password_refuses_the_old_one(shared_server: Server) -> None:
    name = "changer@vsphere.local"
    add_user(shared_server.data_dir, name, "old", "ReadOnly")
    with Client(shared_server, None) as anonymous:
        for _ in range(2):  # the second one is answered from memory
            assert anonymous.post("/api/session", auth=(name, "old")).status_code == 201
        add_user(shared_server.data_dir, name, "new", "ReadOnly")
        assert anonymous.post("/api/session", auth=(name, "old")).status_code == 401
        assert anonymous.post("/api/session", auth=(name, "new")).status_code == 201


def test_accounts_are_listed(accounts: Server) -> None:
    done = resphere("user", "list", "--data-dir", str(accounts.data_dir))
    assert f"{ADMINISTRATOR}\tAdmin" in done.stdout.splitlines()
    assert f"{AUDITOR}\tReadOnly" in done.stdout.splitlines()


def test_the_administrator_s_password(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Server(data, password=None) as server:
        file = data / "admin-password"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        made = file.read_text().strip()
        assert len(made) >= 16
        server.session(password=made).close()
    with Server(data, password=None) as server:
        assert file.read_text().strip() == made
        server.session(password=made).close()
    given = tmp_path / "given"
    given.write_text("from a file\nsecond line\n")
    with Server(data, "--admin-password-file", str(given), password=None) as server, Client(server, None) as client:
        assert client.post("/api/session", auth=(ADMINISTRATOR, made)).status_code == 401
        assert client.post("/api/session", auth=(ADMINISTRATOR, "from a file")).status_code == 201
        assert "from a file" not in server.banner
    with Server(data, "--admin-password-file", str(given), password=PASSWORD) as server, Client(server, None) as client:
        assert client.post("/api/session", auth=(ADMINISTRATOR, "from a file")).status_code == 401
        assert client.post("/api/session", auth=(ADMINISTRATOR, PASSWORD)).status_code == 201
