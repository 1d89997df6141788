"""What commands change beside a running server, its readers are told at once, with the command as the cause."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import connect_sse

from tests.support.audit import records
from tests.support.cli import resphere
from tests.support.server import Client, Server

EVENTS = "/api/resphere/events"
ANN, SECRET, OTHER = "ann@vsphere.local", "Marker-of-a-password-1!", "Marker-of-a-password-2!"
SECONDS = 60
COMMANDS = (
    (("user", "add", ANN, "--role", "ReadOnly"), SECRET, ["AccountCreatedEvent", "PermissionAddedEvent"]),
    (("user", "set", ANN, "--description", "Ann"), "", ["AccountUpdatedEvent"]),
    (("user", "passwd", ANN), OTHER, ["AccountPasswordChangedEvent"]),
    (("role", "add", "Operator", "VirtualMachine.Interact.PowerOn"), "", ["RoleAddedEvent"]),
    (("role", "set", "Operator", "--rename", "Operators"), "", ["RoleUpdatedEvent"]),
    (("user", "set", ANN, "--role", "Operators"), "", ["PermissionUpdatedEvent"]),
    (("permission", "remove", "/", ANN), "", ["PermissionRemovedEvent"]),
    (("permission", "add", "/", ANN, "Operators"), "", ["PermissionAddedEvent"]),
    (("group", "add", "operators"), "", ["resphere.group.created"]),
    (("group", "join", "operators", "--user", ANN), "", ["resphere.group.updated"]),
    (("token", "add", "nightly", "--user", ANN), "", ["resphere.api_token.created"]),
    (("token", "revoke", "--user", ANN), "", ["resphere.api_token.deleted"]),
    (("permission", "remove", "/", ANN), "", ["PermissionRemovedEvent"]),
    (("role", "remove", "Operators"), "", ["RoleRemovedEvent"]),
    (("group", "remove", "operators"), "", ["resphere.group.deleted"]),
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--vms", "1", "--workers", "2") as server:
        yield server


def run(server: Server, *arguments: str, input: str = "") -> None:
    done = resphere(*arguments, "--data-dir", str(server.data_dir), input=input + "\n")
    assert done.returncode == 0, done.stderr


def reading(server: Server, client: Client) -> httpx.Client:
    tls = ssl.create_default_context(cafile=str(server.verify))
    headers = {"vmware-api-session-id": client.token}
    return httpx.Client(base_url=server.url, verify=tls, headers=headers, timeout=SECONDS)


def test_what_commands_change_is_told_with_the_command(server: Server) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    with server.session() as client, reading(server, client) as reader, connect_sse(reader, "GET", EVENTS) as source:
        events = (json.loads(each.data) for each in source.iter_sse() if each.data)
        for arguments, input, types in COMMANDS:
            run(server, *arguments, input=input)
            found = [next(events) for _ in types]
            assert sorted(each["type"] for each in found) == sorted(types), arguments
            told += [(".".join(arguments[:2]), each) for each in found]
    audited = {each["request_id"]: each for each in records(server.data_dir) if each["dialect"] == "cli"}
    for command, event in told:
        cause = event["cause"]
        record = audited[cause["request_id"]]
        assert cause["operation"] == record["operation"] == f"resphere.cli.{command}"
        assert cause["user"] == record["user"]
        assert cause["user"].endswith("@localos")
    assert SECRET not in json.dumps(told)
    assert OTHER not in json.dumps(told)


def test_a_stream_ends_with_the_session_that_a_command_ends(server: Server) -> None:
    with server.session() as client, reading(server, client) as reader, connect_sse(reader, "GET", EVENTS) as source:
        run(server, "session", "end", "--user", "administrator@vsphere.local")
        assert [each.event for each in source.iter_sse()][-1] == "end"
    with server.session() as client:
        page = client.read(f"{EVENTS}?types=SessionTerminatedEvent")
    [event] = page["events"]
    assert event["cause"]["operation"] == "resphere.cli.session.end"


def test_commands_while_no_server_runs_are_told_later(server: Server) -> None:
    with server.session() as client:
        after = client.read(f"{EVENTS}?size=1000")["next"]
    server.stop()
    run(server, "user", "add", ANN, "--role", "ReadOnly", input=SECRET)
    server.start()
    with server.session() as client:
        page = client.read(f"{EVENTS}?after={after}&kinds=ACCESS")
    assert [each["type"] for each in page["events"]] == ["AccountCreatedEvent", "PermissionAddedEvent"]
    assert {each["cause"]["operation"] for each in page["events"]} == {"resphere.cli.user.add"}
