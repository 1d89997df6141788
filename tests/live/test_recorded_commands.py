"""Commands against a data directory are on the audit log of its server, whether that runs or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.audit import findings, records
from tests.support.cli import add_user, resphere
from tests.support.server import WITHOUT_TLS, Server, clean_environment, wait_until

ANN, SECRET = "ann@vsphere.local", "Marker-of-a-password-1!"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--vms", "1", WITHOUT_TLS) as server:
        yield server


def of_commands(data_dir: Path) -> list[tuple[Any, ...]]:
    """What commands were, on what, and what became of them."""
    found = [each for each in records(data_dir) if each["dialect"] == "cli"]
    assert all(each["authentication"] == "command line" and each["user"].endswith("@localos") for each in found)
    return [(each["operation"].removeprefix("resphere.cli."), each["target"], each["error_type"]) for each in found]


def run(data_dir: Path, *arguments: str, input: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command on the data directory."""
    return resphere(*arguments, "--data-dir", str(data_dir), input=input, **environment)


def test_beside_a_server_and_without(server: Server, tmp_path: Path) -> None:
    data_dir = server.data_dir
    add_user(data_dir, ANN, SECRET, "ReadOnly")
    assert run(data_dir, "user", "set", "nobody@vsphere.local", "--disable").returncode == 1
    made = run(data_dir, "token", "add", "nightly", "--user", ANN, "--days", "2")
    assert made.returncode == 0, made.stderr
    assert run(data_dir, "role", "add", "ReadOnly").returncode == 1
    assert run(data_dir, "secrets", "rotate").returncode == 1
    running = [
        ("user.add", ANN, None),
        ("user.set", "nobody@vsphere.local", "INVALID_ARGUMENT"),
        ("token.add", "nightly", None),
        ("role.add", "ReadOnly", "ALREADY_EXISTS"),
        ("secrets.rotate", None, "RESOURCE_IN_USE"),
    ]
    assert of_commands(data_dir) == running
    with server.session() as client:
        page = client.read("/api/resphere/audit?operations=resphere.cli.user&order=OLDEST_FIRST")
    assert [(each["target"], each["status"]) for each in page["records"]] == [
        (ANN, 200),
        ("nobody@vsphere.local", 400),
    ]
    assert findings(data_dir) == []
    assert server.stop() == 0
    backup = tmp_path / "backup.tar"
    assert run(data_dir, "user", "remove", ANN).returncode == 0
    assert run(data_dir, "backup", str(backup)).returncode == 0
    assert run(data_dir, "restore", str(backup)).returncode == 1
    assert run(data_dir, "restore", str(backup), "--replace").returncode == 0
    assert of_commands(data_dir) == [
        *running,
        ("user.remove", ANN, None),
        ("backup", str(backup), None),
        ("restore", str(backup), "ERROR"),
        ("restore", str(backup), None),
    ]
    assert findings(data_dir) == []
    written = b"".join(path.read_bytes() for path in (data_dir / "log").iterdir())
    assert SECRET.encode() not in written
    assert made.stdout.strip().encode() not in written


def test_a_restore_into_an_empty_directory(server: Server, tmp_path: Path) -> None:
    backup, elsewhere = tmp_path / "backup.tar", tmp_path / "elsewhere"
    assert run(server.data_dir, "backup", str(backup)).returncode == 0
    assert run(elsewhere, "restore", str(backup)).returncode == 0
    assert of_commands(elsewhere) == [("restore", str(backup), None)]
    assert findings(elsewhere) == []


def test_what_is_taken_from_the_record_is_missed(server: Server) -> None:
    add_user(server.data_dir, ANN, SECRET, "Admin")
    log = server.data_dir / "log" / "audit.1001.log"
    lines = log.read_bytes().splitlines(keepends=True)
    [told] = [line for line in lines if b"resphere.cli.user.add" in line]
    log.write_bytes(b"".join(line for line in lines if line != told))
    assert any(each.tampering for each in findings(server.data_dir))
    log.unlink()
    # Those of the server know how far this one had come.
    assert any("chain 1001" in str(each) for each in findings(server.data_dir))


def test_several_at_once_one_of_them_killed(server: Server) -> None:
    def begin(name: str) -> subprocess.Popen[bytes]:
        """`user add`, which waits for the password."""
        return subprocess.Popen(
            [sys.executable, "-m", "resphere", "user", "add", name, "--data-dir", str(server.data_dir)],
            env=clean_environment(),
            stdin=subprocess.PIPE,
        )

    names = [f"user{number}@vsphere.local" for number in range(3)]
    heads = [server.data_dir / "audit" / f"{chain}.head" for chain in (1001, 1002, 1003)]
    logs = [server.data_dir / "log" / f"audit.{chain}.log" for chain in (1001, 1002, 1003)]
    with ExitStack() as stack:
        begun = [stack.enter_context(begin(name)) for name in names]
        wait_until(lambda: all(path.exists() and path.stat().st_size > 0 for path in (*heads, *logs)), "a chain each")
        begun[0].send_signal(signal.SIGKILL)
        for each in begun:
            each.communicate(SECRET.encode() + b"\n")
    assert [each.returncode for each in begun] == [-signal.SIGKILL, 0, 0]
    assert {target for _, target, error in of_commands(server.data_dir) if error is None} == set(names[1:])
    assert findings(server.data_dir) == []
    assert run(server.data_dir, "user", "remove", names[1]).returncode == 0
    assert ("user.remove", names[1], None) in of_commands(server.data_dir)
    assert findings(server.data_dir) == []


def test_where_the_server_has_its_log(tmp_path: Path) -> None:
    data_dir, logs = tmp_path / "data", tmp_path / "logs"
    with Server(data_dir, "--vms", "1", WITHOUT_TLS, "--log-dir", str(logs)):
        add_user(data_dir, ANN, SECRET, "ReadOnly")
    assert b"resphere.cli.user.add" in (logs / "audit.1001.log").read_bytes()
    assert not (data_dir / "log").exists()
    verified = run(data_dir, "audit", "verify")
    assert verified.returncode == 0, verified.stdout
    assert "of 2 chains" in verified.stdout


def test_what_cannot_be_recorded(server: Server, tmp_path: Path) -> None:
    data_dir, nowhere = server.data_dir, {"RESPHERE_LOG_DIR": str(tmp_path / "nowhere")}
    refused = run(data_dir, "user", "add", ANN, input=SECRET + "\n", RESPHERE_AUDIT_POLICY="fail-closed", **nowhere)
    assert refused.returncode == 1
    assert f"the command cannot be recorded: {tmp_path / 'nowhere'}: No such file or directory" in refused.stderr
    assert ANN not in run(data_dir, "user", "list").stdout
    done = run(data_dir, "user", "add", ANN, input=SECRET + "\n", **nowhere)
    assert done.returncode == 0, done.stderr
    assert "the command cannot be recorded" in done.stderr
    assert ANN in run(data_dir, "user", "list").stdout
    assert of_commands(data_dir) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_has_written_belongs_to_whom_the_data_belong(server: Server) -> None:
    assert server.stop() == 0
    for path in (server.data_dir, *server.data_dir.rglob("*")):
        os.chown(path, 4242, 4243)
    add_user(server.data_dir, ANN, SECRET, "ReadOnly")
    for path in (server.data_dir / "audit" / "1001.head", server.data_dir / "log" / "audit.1001.log"):
        assert (path.stat().st_uid, path.stat().st_gid) == (4242, 4243)
