"""Local users and groups by the API: made, changed, refused, and in force at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cli import add_user, resphere
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server, wait_until
from tests.support.vms import refusal, words

FAILED = (401, "UNAUTHENTICATED", "vapi.security.authentication.invalid")
REQUIRED = (401, "UNAUTHENTICATED", "com.vmware.vapi.endpoint.method.authentication.required")
MISSING = (403, "UNAUTHORIZED", "vapi.authz.error.no.privs")
GOOD, BETTER = "Secret-2026", "Better-2026"
USERS, GROUPS = "/api/resphere/users", "/api/resphere/groups"
TAKEN = iter(range(1000))


@pytest.fixture
def user(client: Client) -> Iterator[str]:
    """A user without any role."""
    reply = client.post(USERS, json={"name": f"user{next(TAKEN)}@vsphere.local", "password": GOOD})
    assert reply.status_code == 201, reply.text
    yield reply.json()
    client.delete(f"{USERS}/{reply.json()}")


@pytest.fixture
def group(client: Client) -> Iterator[str]:
    """A group without members."""
    reply = client.post(GROUPS, json={"name": f"Group{next(TAKEN)}", "description": "of a test"})
    assert reply.status_code == 201, reply.text
    yield reply.json()
    client.delete(f"{GROUPS}/{reply.json()}")


def login(server: Server, user: str, password: str) -> Any:
    """The reply to a login."""
    with Client(server, None) as anonymous:
        return anonymous.post("/api/session", auth=(user, password))


def test_a_user_is_made_shown_and_removed(shared_server: Server, client: Client) -> None:
    spec = {"name": "Ann@vsphere.local", "password": GOOD, "role": "ReadOnly", "description": "a test"}
    made = client.post(USERS, json=spec)
    assert (made.status_code, made.json()) == (201, "ann@vsphere.local")
    shown = client.read(f"{USERS}/ann@vsphere.local")
    assert (shown["name"], shown["roles"], shown["description"]) == ("Ann@vsphere.local", ["ReadOnly"], "a test")
    assert shown["groups"] == ["Everyone@vsphere.local", "Users@vsphere.local"]
    assert not shown["disabled"]
    assert GOOD not in client.get(f"{USERS}/ann@vsphere.local").text
    assert "ann@vsphere.local" in [each["user"] for each in client.read(USERS)]
    with shared_server.session("ANN@vsphere.local", GOOD) as ann:
        assert ann.get("/api/vcenter/vm").status_code == 200
        assert client.delete(f"{USERS}/ann@vsphere.local").status_code == 204
        assert refusal(ann.get("/api/vcenter/vm")) == REQUIRED
    assert refusal(client.get(f"{USERS}/ann@vsphere.local"))[:2] == (404, "NOT_FOUND")
    assert refusal(login(shared_server, "ann@vsphere.local", GOOD)) == FAILED


NO_NAMES = ["", " ", "a b", "a\nb@x", "a\0b", "a\x1b[2J@x", "a\u202eb", "a:b@x", "a@b@c", "@x", "x@", "a" * 256]


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_nobody_can_be_called(client: Client, name: str) -> None:
    for path in (USERS, GROUPS):
        reply = client.post(path, json={"name": name, "password": GOOD} if path == USERS else {"name": name})
        assert refusal(reply)[:2] == (400, "INVALID_ARGUMENT"), path


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("Aa-1", "at least 8 characters"),
        ("secret-2026", "upper-case"),
        ("SECRET-2026", "lower-case"),
        ("Secret-word", "digits"),
        ("Secret2026", "special characters"),
        ("Secret-20266666", "side by side"),
        ("Secret-2026\n", "line breaks"),
        ("Secret-2026" + "x-" * 200, "more than 256"),
    ],
)
def test_passwords_against_the_rules(client: Client, user: str, password: str, fault: str) -> None:
    made = client.post(USERS, json={"name": "weak@vsphere.local", "password": password})
    changed = client.post(f"{USERS}/{user}?action=set-password", json={"password": password})
    for reply in (made, changed):
        assert refusal(reply) == (400, "INVALID_ARGUMENT", "resphere.password.against_rules")
        assert fault in words(reply)
        assert password not in words(reply)


def test_a_new_password_ends_sessions_and_the_old_one(shared_server: Server, client: Client, user: str) -> None:
    with shared_server.session(user, GOOD) as session:
        assert session.get("/api/session").status_code == 200
        assert client.post(f"{USERS}/{user}?action=set-password", json={"password": BETTER}).status_code == 204
        assert refusal(session.get("/api/session")) == REQUIRED
    assert refusal(login(shared_server, user, GOOD)) == FAILED
    assert login(shared_server, user, BETTER).status_code == 201


def test_one_s_own_password(shared_server: Server, client: Client, user: str) -> None:
    with shared_server.session(user, GOOD) as session, Client(shared_server, None) as anonymous:
        for credentials in ((user, "wrong"), ("nobody@vsphere.local", GOOD)):
            reply = anonymous.post("/api/resphere/password", auth=credentials, json={"new_password": BETTER})
            assert refusal(reply) == FAILED
        assert refusal(session.post("/api/resphere/password", json={"new_password": BETTER})) == REQUIRED
        weak = anonymous.post("/api/resphere/password", auth=(user, GOOD), json={"new_password": "short"})
        assert refusal(weak)[2] == "resphere.password.against_rules"
        same = anonymous.post("/api/resphere/password", auth=(user, GOOD), json={"new_password": GOOD})
        assert refusal(same)[2] == "resphere.password.used_before"
        changed = anonymous.post("/api/resphere/password", auth=(user, GOOD), json={"new_password": BETTER})
        assert changed.status_code == 204
        assert refusal(session.get("/api/session")) == REQUIRED
    assert login(shared_server, user, BETTER).status_code == 201


def test_a_password_that_must_be_changed_opens_nothing_else(shared_server: Server, client: Client, user: str) -> None:
    spec = {"password": BETTER, "must_change_password": True}
    assert client.post(f"{USERS}/{user}?action=set-password", json=spec).status_code == 204
    reply = login(shared_server, user, BETTER)
    assert refusal(reply) == (401, "UNAUTHENTICATED", "resphere.password.change_first")
    assert refusal(login(shared_server, user, GOOD)) == FAILED
    with Client(shared_server, None) as anonymous:
        changed = anonymous.post("/api/resphere/password", auth=(user, BETTER), json={"new_password": "Third-2026"})
        assert changed.status_code == 204
    assert login(shared_server, user, "Third-2026").status_code == 201


def test_a_locked_user_is_told_nothing_more_and_unlocked_again(
    shared_server: Server, client: Client, user: str
) -> None:
    refused = [login(shared_server, user, "wrong").json() for _ in range(5)]
    reply = login(shared_server, user, GOOD)
    assert refusal(reply) == FAILED
    assert [each["messages"] for each in refused] == [reply.json()["messages"]] * 5
    log = shared_server.data_dir / "log" / "audit.log"

    def recorded() -> list[str]:
        records = [json.loads(line) for line in log.read_text().splitlines() if f'"{user}"' in line]
        reasons = [each["reason"] for each in records if each.get("tried_user") == user]
        return reasons if len(reasons) == 6 else []

    reasons = wait_until(recorded, "the records")
    assert reasons[:5] == ["the password is not correct"] * 5
    assert reasons[5].startswith("the account is locked until ")
    assert client.read(f"{USERS}/{user}")["locked_until"]
    assert client.post(f"{USERS}/{user}?action=unlock").status_code == 204
    assert login(shared_server, user, GOOD).status_code == 201


def test_the_administrator_is_never_locked_out(shared_server: Server) -> None:
    for _ in range(6):
        assert refusal(login(shared_server, ADMINISTRATOR, "wrong")) == FAILED
    assert login(shared_server, ADMINISTRATOR, PASSWORD).status_code == 201


def test_a_disabled_user_is_out_at_once(shared_server: Server, client: Client, user: str) -> None:
    with shared_server.session(user, GOOD) as session:
        assert client.patch(f"{USERS}/{user}", json={"disabled": True}).status_code == 204
        assert refusal(session.get("/api/session")) == REQUIRED
        assert refusal(login(shared_server, user, GOOD)) == FAILED
        assert client.patch(f"{USERS}/{user}", json={"disabled": False}).status_code == 204
        assert refusal(session.get("/api/session")) == REQUIRED
    assert login(shared_server, user, GOOD).status_code == 201


def test_the_built_in_administrator_stays(client: Client) -> None:
    path = f"{USERS}/{ADMINISTRATOR}"
    told = (400, "INVALID_ARGUMENT", "resphere.user.built_in")
    assert refusal(client.delete(path)) == told
    assert refusal(client.patch(path, json={"disabled": True})) == told
    members = {"users": [ADMINISTRATOR]}
    reply = client.post(f"{GROUPS}/administrators@vsphere.local?action=remove-members", json=members)
    assert refusal(reply) == (400, "INVALID_ARGUMENT", "resphere.group.keeps_administrator")
    assert refusal(client.delete(f"{GROUPS}/administrators@vsphere.local"))[2] == "resphere.group.built_in"


def test_groups_within_groups_give_what_they_may(shared_server: Server, client: Client, user: str, group: str) -> None:
    administrators = f"{GROUPS}/administrators@vsphere.local"
    with shared_server.session(user, GOOD) as session:
        assert session.read("/api/vcenter/vm") == []
        assert client.post(f"{GROUPS}/{group}?action=add-members", json={"users": [user]}).status_code == 204
        assert client.post(f"{administrators}?action=add-members", json={"groups": [group]}).status_code == 204
        assert len(session.read("/api/vcenter/vm")) > 0
        shown = client.read(f"{USERS}/{user}")
        assert shown["roles"] == ["Admin"]
        assert "Administrators@vsphere.local" in shown["groups"]
        reply = client.post(f"{GROUPS}/{group}?action=add-members", json={"groups": ["administrators@vsphere.local"]})
        assert refusal(reply)[2] == "resphere.group.in_itself"
        assert client.delete(f"{GROUPS}/{group}").status_code == 204
        assert client.read(administrators)["groups"] == []
        assert session.get("/api/resphere/users").status_code == 403


def test_members_that_are_none(client: Client, group: str, user: str) -> None:
    add, remove = (f"{GROUPS}/{group}?action={action}-members" for action in ("add", "remove"))
    for members in ({"users": ["nobody@vsphere.local"]}, {"groups": ["nobody@vsphere.local"]}):
        assert refusal(client.post(add, json=members))[:2] == (404, "NOT_FOUND")
    assert refusal(client.post(remove, json={"users": [user]}))[:2] == (404, "NOT_FOUND")
    assert client.post(add, json={"users": ["ann@corp.example"], "groups": ["CORP.EXAMPLE\\Staff"]}).status_code == 204
    shown = client.read(f"{GROUPS}/{group}")
    assert (shown["users"], shown["groups"]) == (["ann@corp.example"], ["staff@corp.example"])
    reply = client.post(f"{GROUPS}/everyone@vsphere.local?action=add-members", json={"users": [user]})
    assert refusal(reply)[2] == "resphere.group.implied"


def test_whoever_lacks_the_privileges(shared_server: Server, client: Client, user: str) -> None:
    add_user(shared_server.data_dir, "auditor@vsphere.local", "secret", "ReadOnly")
    with shared_server.session("auditor@vsphere.local", "secret") as auditor:
        for method, path in (
            ("GET", USERS),
            ("GET", GROUPS),
            ("GET", f"{USERS}/{user}"),
            ("DELETE", f"{USERS}/{user}"),
            ("POST", f"{USERS}/{user}?action=unlock"),
        ):
            assert refusal(auditor.request(method, path)) == MISSING, path
        reply = auditor.post(USERS, json={"name": "x@vsphere.local", "password": GOOD})
        assert refusal(reply) == MISSING


def test_sessions_are_one_s_own_or_everybody_s(shared_server: Server, client: Client, user: str) -> None:
    with shared_server.session(user, GOOD) as first, shared_server.session(user, GOOD) as second:
        shown = first.read("/api/resphere/sessions")
        assert [each["user"] for each in shown] == [user, user]
        assert sorted(each["current"] for each in shown) == [False, True]
        assert all(each["client"] == "127.0.0.1" and each["method"] == "password" for each in shown)
        [administrator] = [
            each for each in client.read("/api/resphere/sessions", params={"users": ADMINISTRATOR}) if each["current"]
        ]
        assert refusal(first.get(f"/api/resphere/sessions/{administrator['session']}")) == MISSING
        assert refusal(first.delete(f"/api/resphere/sessions/{administrator['session']}")) == MISSING
        [other] = [each["session"] for each in shown if not each["current"]]
        assert first.delete(f"/api/resphere/sessions/{other}").status_code == 204
        assert refusal(second.get("/api/session")) == REQUIRED
        [own] = client.read("/api/resphere/sessions", params={"users": user})
        assert client.delete(f"/api/resphere/sessions/{own['session']}").status_code == 204
        assert refusal(first.get("/api/session")) == REQUIRED
        assert refusal(client.get(f"/api/resphere/sessions/{own['session']}"))[:2] == (404, "NOT_FOUND")


def test_the_command_line(shared_server: Server, client: Client) -> None:
    at = ("--data-dir", str(shared_server.data_dir))

    def run(*arguments: str, input: str = "") -> str:
        done = resphere(*arguments, *at, input=input)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("user", "add", "cli@vsphere.local", "--description", "by hand", input=f"{GOOD}\n")
    run("group", "add", "Night", "--description", "at night")
    run("group", "join", "night", "--user", "cli@vsphere.local")
    shown = run("user", "show", "cli@vsphere.local")
    assert "by hand" in shown
    assert "Night@vsphere.local" in shown
    assert "Night@vsphere.local\tat night" in run("group", "list")
    assert "cli@vsphere.local" in run("group", "show", "Night")
    with shared_server.session("cli@vsphere.local", GOOD) as session:
        [line] = run("session", "list", "--user", "cli@vsphere.local").splitlines()
        run("session", "end", line.split("\t")[0])
        assert refusal(session.get("/api/session")) == REQUIRED
    run("user", "passwd", "cli@vsphere.local", "--must-change", input=f"{BETTER}\n")
    assert refusal(login(shared_server, "cli@vsphere.local", BETTER))[2] == "resphere.password.change_first"
    run("group", "leave", "night", "--user", "cli@vsphere.local")
    run("group", "remove", "night")
    run("user", "unlock", "cli@vsphere.local")
    run("user", "remove", "cli@vsphere.local")
    weak = resphere("user", "add", "weak@vsphere.local", *at, input="weak\n")
    assert weak.returncode == 0
    assert "must have at least 8 characters" in weak.stderr
    for arguments, told in (
        (("user", "remove", ADMINISTRATOR), "is built in"),
        (("user", "show", "cly@vsphere.local"), "there is no account cly@vsphere.local"),
        (("group", "remove", "Administrators"), "is built in"),
        (("group", "join", "Administrators"), "name a --user or a --group"),
        (("session", "end", "0123456789abcdef"), "there is no open session 0123456789abcdef"),
    ):
        done = resphere(*arguments, *at)
        assert done.returncode == 1, arguments
        assert told in done.stderr, arguments
