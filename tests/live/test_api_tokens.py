"""API tokens: what they open, how narrow they are, and how they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.support.cli import add_user, remove_user, resphere
from tests.support.jsonrpc import JsonRpcClient, error_of
from tests.support.server import ADMINISTRATOR, Client, Server, wait_until
from tests.support.vms import OFF, any_vm, power_path, refusal, state_of

REQUIRED = (401, "UNAUTHENTICATED", "com.vmware.vapi.endpoint.method.authentication.required")
MISSING = (403, "UNAUTHORIZED", "vapi.authz.error.no.privs")
OWNER, PASSWORD = "owner@vsphere.local", "Owner-2026"
POWER_ON = "VirtualMachine.Interact.PowerOn"


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    """The shared server, with a user who has the role Admin."""
    add_user(shared_server.data_dir, OWNER, PASSWORD, "Admin")
    return shared_server


@pytest.fixture
def owner(server: Server) -> Iterator[Client]:
    """That user, without tokens."""
    with server.session(OWNER, PASSWORD) as client:
        for each in client.read("/api/resphere/tokens", params={"owners": OWNER}):
            assert client.delete(f"/api/resphere/tokens/{each['token']}").status_code == 204
        yield client


def make(client: Client, name: str = "ci", **spec: Any) -> dict[str, Any]:
    """A token of the client's user."""
    reply = client.post("/api/resphere/tokens", json={"name": name, **spec})
    assert reply.status_code == 201, reply.text
    made: dict[str, Any] = reply.json()
    return made


def bearing(server: Server, secret: str) -> Client:
    """A client that shows a token and nothing else."""
    client = Client(server, None)
    client.http.headers["Authorization"] = f"Bearer {secret}"
    return client


def test_a_token_opens_what_its_owner_may(server: Server, owner: Client) -> None:
    made = make(owner)
    assert made["secret"].startswith("rsp_")
    assert len(made["secret"]) == 53
    with bearing(server, made["secret"]) as ci:
        assert ci.read("/api/vcenter/vm") == owner.read("/api/vcenter/vm")
        assert ci.http.get(f"{server.url}/rest/vcenter/vm").json()["value"]
    [shown] = owner.read("/api/resphere/tokens", params={"owners": OWNER})
    assert shown["token"] == made["token"]
    assert (shown["name"], shown["owner"], shown["expired"]) == ("ci", OWNER, False)
    assert datetime.fromisoformat(shown["last_used_time"]) >= datetime.fromisoformat(shown["created_time"])
    assert made["secret"] not in json.dumps(shown)


def test_the_secret_stands_nowhere_on_disk(server: Server, owner: Client) -> None:
    secret = make(owner)["secret"]
    with bearing(server, secret) as ci:
        assert ci.get("/api/vcenter/vm").status_code == 200
    for path in server.data_dir.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


def test_by_json_rpc_in_the_header_and_in_the_context(server: Server, owner: Client) -> None:
    secret = make(owner)["secret"]
    oauth = {"schemeId": "com.vmware.vapi.std.security.oauth", "accessToken": secret}
    service = "com.vmware.vcenter.VM"
    with JsonRpcClient(server, log_in=False) as sdk:
        assert "output" in sdk.call(service, "list", {}, oauth)["result"]
        assert (
            error_of(sdk.call(service, "list", {}, {**oauth, "accessToken": secret[:-1] + "!"}))[0] == "unauthenticated"
        )
        assert error_of(sdk.call(service, "list", {}))[0] == "unauthenticated"
        sdk.http.headers["Authorization"] = f"Bearer {secret}"
        assert "output" in sdk.call(service, "list", {})["result"]


def test_privileges_narrow(server: Server, owner: Client, client: Client) -> None:
    vm = any_vm(client, OFF)
    with bearing(server, make(owner, "reader", privileges=[])["secret"]) as reader:
        assert reader.get(f"/api/vcenter/vm/{vm}").status_code == 200
        assert refusal(reader.post(f"{power_path(vm)}?action=start")) == MISSING
        assert state_of(client, vm) == OFF
    with bearing(server, make(owner, "starter", privileges=[POWER_ON])["secret"]) as starter:
        assert starter.post(f"{power_path(vm)}?action=start").status_code == 204
        assert refusal(starter.post(f"{power_path(vm)}?action=stop")) == MISSING
    assert client.post(f"{power_path(vm)}?action=stop").status_code == 204


def test_objects_narrow(server: Server, owner: Client) -> None:
    one, other = [vm["vm"] for vm in owner.read("/api/vcenter/vm")[:2]]
    cluster = owner.read("/api/vcenter/cluster")[0]["cluster"]
    inside = {vm["vm"] for vm in owner.read("/api/vcenter/vm", params={"clusters": cluster})}
    with bearing(server, make(owner, "one", objects=[one])["secret"]) as narrow:
        assert [vm["vm"] for vm in narrow.read("/api/vcenter/vm")] == [one]
        assert refusal(narrow.get(f"/api/vcenter/vm/{other}")) == MISSING
        assert narrow.read("/api/vcenter/host") == []
        assert refusal(narrow.post(f"{power_path(other)}?action=start")) == MISSING
    with bearing(server, make(owner, "cluster", objects=[cluster])["secret"]) as narrow:
        assert {vm["vm"] for vm in narrow.read("/api/vcenter/vm")} == inside


def test_a_narrowed_token_has_not_the_tasks_of_its_owner(server: Server, owner: Client) -> None:
    one, other = [vm["vm"] for vm in owner.read("/api/vcenter/vm")[:2]]
    made = [
        owner.post(f"/api/vcenter/vm/{vm}/snapshot", json={"name": "kept", "description": ""}) for vm in (one, other)
    ]
    assert [reply.status_code for reply in made] == [201, 201]
    whole, narrow = make(owner, "whole")["secret"], make(owner, "one", objects=[one], privileges=[])["secret"]

    def targets(client: Client) -> set[str]:
        tasks = client.post("/api/cis/tasks?action=list", json={"filter_spec": {"users": [OWNER]}}).json()
        return {task["target"]["id"] for task in tasks.values()}

    with bearing(server, whole) as all_of_it, bearing(server, narrow) as part:
        assert targets(all_of_it) >= {one, other}
        assert targets(part) == {one}
        tasks = owner.post("/api/cis/tasks?action=list", json={"filter_spec": {"users": [OWNER]}}).json()
        [elsewhere, *_] = [id for id, task in tasks.items() if task["target"]["id"] == other]
        assert refusal(part.get(f"/api/cis/tasks/{elsewhere}"))[:2] == (404, "NOT_FOUND")
        assert refusal(part.post(f"/api/cis/tasks/{elsewhere}?action=cancel")) == MISSING


def test_a_token_has_no_more_than_its_owner_and_loses_what_that_loses(server: Server) -> None:
    name = "loser@vsphere.local"
    add_user(server.data_dir, name, PASSWORD, "Admin")
    with server.session(name, PASSWORD) as loser:
        vm = any_vm(loser, OFF)
        secret = make(loser, privileges=[POWER_ON, "VirtualMachine.Interact.PowerOff"])["secret"]
    with bearing(server, secret) as ci:
        assert ci.post(f"{power_path(vm)}?action=start").status_code == 204
        assert ci.post(f"{power_path(vm)}?action=stop").status_code == 204
        add_user(server.data_dir, name, PASSWORD, "ReadOnly")
        assert refusal(ci.post(f"{power_path(vm)}?action=start")) == MISSING
        assert ci.get(f"/api/vcenter/vm/{vm}").status_code == 200
        assert resphere("user", "set", name, "--disable", "--data-dir", str(server.data_dir)).returncode == 0
        assert refusal(ci.get("/api/vcenter/vm")) == REQUIRED
        assert resphere("user", "set", name, "--enable", "--data-dir", str(server.data_dir)).returncode == 0
        assert ci.get("/api/vcenter/vm").status_code == 200
        remove_user(server.data_dir, name)
        assert refusal(ci.get("/api/vcenter/vm")) == REQUIRED
        add_user(server.data_dir, name, PASSWORD, "ReadOnly")
        assert refusal(ci.get("/api/vcenter/vm")) == REQUIRED


def test_a_session_by_token_is_as_narrow_and_ends_with_it(server: Server, owner: Client) -> None:
    made = make(owner, privileges=[])
    with bearing(server, made["secret"]) as ci:
        session = ci.post("/api/session")
        assert session.status_code == 201
        del ci.http.headers["Authorization"]
        ci.http.headers["vmware-api-session-id"] = session.json()
        vm = any_vm(ci, OFF)
        assert refusal(ci.post(f"{power_path(vm)}?action=start")) == MISSING
        assert refusal(ci.post("/api/resphere/tokens", json={"name": "more"}))[:2] == (403, "UNAUTHORIZED")
        [own] = ci.read("/api/resphere/sessions")
        assert (own["user"], own["method"], own["token"], own["current"]) == (OWNER, "token", "ci", True)
        assert owner.delete(f"/api/resphere/tokens/{made['token']}").status_code == 204
        assert refusal(ci.get("/api/vcenter/vm")) == REQUIRED


def test_a_token_makes_no_tokens_and_reaches_no_other(server: Server, owner: Client) -> None:
    other = make(owner, "other")
    made = make(owner, privileges=[])
    with bearing(server, made["secret"]) as ci:
        reply = ci.post("/api/resphere/tokens", json={"name": "more"})
        assert refusal(reply) == (403, "UNAUTHORIZED", "resphere.token.by_token")
        assert [each["token"] for each in ci.read("/api/resphere/tokens")] == [made["token"]]
        assert refusal(ci.delete(f"/api/resphere/tokens/{other['token']}")) == MISSING
        assert ci.delete(f"/api/resphere/tokens/{made['token']}").status_code == 204
        assert refusal(ci.get("/api/vcenter/vm")) == REQUIRED


def test_an_administrator_s_scoped_token_changes_no_administrator(server: Server, owner: Client) -> None:
    scope = ["VcIdentityProviders.Manage", "VcIdentityProviders.Read", "Authorization.ModifyPermissions"]
    with bearing(server, make(owner, privileges=scope)["secret"]) as ci:
        path = f"/api/resphere/users/{ADMINISTRATOR}"
        assert ci.get(path).status_code == 200
        assert refusal(ci.post(f"{path}?action=set-password", json={"password": "Taken-2026"})) == MISSING
        members = {"users": [OWNER]}
        path = "/api/resphere/groups/administrators@vsphere.local?action=add-members"
        assert refusal(ci.post(path, json=members)) == MISSING


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: secret[:-1],
        lambda secret: secret + "0",
        lambda secret: secret[:-1] + ("0" if secret[-1] != "0" else "1"),
        lambda secret: "rsp_" + "0" * 49,
        lambda secret: secret.lower(),
        lambda secret: secret.removeprefix("rsp_"),
        lambda secret: "rsp_",
        lambda secret: "rsp_" + "é" * 49,
        lambda secret: "x" * 4000,
        lambda secret: secret + " " + secret,
    ],
    ids=["cut", "longer", "checksum", "zeros", "case", "no prefix", "prefix", "no ASCII", "long", "twice"],
)
def test_what_is_no_token(server: Server, owner: Client, change: Any) -> None:
    secret = make(owner)["secret"]
    reply = requests.get(
        f"{server.url}/api/vcenter/vm",
        headers={"Authorization": f"Bearer {change(secret)}".encode()},
        verify=server.verify,
        timeout=60,
    )
    assert refusal(reply) == REQUIRED


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"privileges": ["VirtualMachine.Interact.PowerOm"]}, "privilege"),
        ({"privileges": ["x" * 100_000]}, "privilege"),
        ({"objects": []}, "objects"),
        ({"objects": ["vm-404404"]}, "no_object"),
        ({"expiration_time": "2020-01-01T00:00:00Z"}, "expiration_time"),
        ({"expiration_time": "2999-01-01T00:00:00Z"}, "expiration_time"),
        ({"name": "TAKEN"}, "name_taken"),
    ],
)
def test_what_no_token_can_be_like(owner: Client, spec: dict[str, Any], told: str) -> None:
    make(owner, "taken")
    status, error, id = refusal(owner.post("/api/resphere/tokens", json={"name": "ci", **spec}))
    assert id == f"resphere.token.{told}"
    assert (status, error) == {"no_object": (404, "NOT_FOUND"), "name_taken": (400, "ALREADY_EXISTS")}.get(
        told, (400, "INVALID_ARGUMENT")
    )
    assert len(owner.read("/api/resphere/tokens", params={"owners": OWNER})) == 1


def test_expiry_is_as_asked(owner: Client) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    made = make(owner, expiration_time=until.isoformat())
    assert datetime.fromisoformat(made["expiration_time"]) == until


def test_the_command_line(server: Server) -> None:
    at = ("--data-dir", str(server.data_dir))
    done = resphere("token", "add", "nightly", "--user", OWNER, "--read-only", "--days", "1", *at)
    assert done.returncode == 0, done.stderr
    secret = done.stdout.strip()
    with bearing(server, secret) as ci:
        assert ci.get("/api/vcenter/vm").status_code == 200
        listed = resphere("token", "list", "--user", OWNER, *at).stdout
        [handle] = [line.split("\t")[0] for line in listed.splitlines() if "\tnightly\t" in line]
        assert secret not in listed
        assert resphere("token", "revoke", handle, *at).returncode == 0
        assert refusal(ci.get("/api/vcenter/vm")) == REQUIRED
    again = resphere("token", "revoke", handle, *at)
    assert (again.returncode, again.stderr) == (1, f"resphere: there is no token {handle}\n")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--privilege", "nosuch"), "There is no privilege 'nosuch'"),
        (("--days", "9999"), "days"),
    ],
)
def test_what_no_token_can_be_like_by_command_line(server: Server, flags: tuple[str, ...], told: str) -> None:
    done = resphere("token", "add", "nightly", "--user", OWNER, *flags, "--data-dir", str(server.data_dir))
    assert done.returncode == 1
    assert done.stderr.startswith("resphere: ")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_the_audit_trail_names_the_token(server: Server, owner: Client) -> None:
    with bearing(server, make(owner, "named")["secret"]) as ci:
        request = ci.get("/api/vcenter/vm").headers["x-request-id"]
    log = server.data_dir / "log" / "audit.log"

    def written() -> list[dict[str, Any]]:
        return [json.loads(line) for line in log.read_text().splitlines() if request in line]

    [record] = wait_until(written, "the record")
    assert (record["user"], record["token"]) == (OWNER, "named")
