"""``resphere doctor`` finds what would keep a server from serving, and changes nothing."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Foreign
from tests.support.commands import Done, Shell
from tests.support.server import Server, free_port

SHELL = Shell({})


def examined(*arguments: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """The status, and the findings by what was looked at."""
    done: Done = SHELL("doctor", "-o", "json", *arguments)
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in done.json:
        found.setdefault(finding["check"], []).append(finding)
    return done.status, found


def test_what_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    status, found = examined("--data-dir", str(tmp_path / "data"), "--port", str(free_port()))
    assert status == 0
    assert [each["verdict"] for each in found["data directory"] + found["certificate"]] == ["note", "note"]
    assert not (tmp_path / "data").exists()


def test_a_server_that_runs_is_well_and_so_is_one_that_ran(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    flags = ("--data-dir", str(server.data_dir), "--port", str(server.port))
    with server:
        status, found = examined(*flags)
        assert status == 0, found
        assert f"process {server.process.pid} serves" in found["port"][0]["what"]
    before = {path: path.stat().st_mtime_ns for path in server.data_dir.rglob("*") if path.is_file()}
    status, found = examined(*flags)
    assert status == 0, found
    assert "objects that hold together" in found["store"][0]["what"]
    assert "is good until" in found["certificate"][0]["what"]
    assert "is free" in found["port"][0]["what"]
    kept = {path: path.stat().st_mtime_ns for path in server.data_dir.rglob("*") if path.is_file()}
    assert {path for path in before if not path.name.endswith(("-wal", "-shm"))} <= set(kept)
    status, found = examined(*flags, "--provider", "processes")
    assert status == 1
    assert "is that of --provider simulator, and not of processes" in found["store"][0]["what"]
    status, found = examined(*flags, "--tls-name", "vcenter.example.com")
    assert status == 0
    assert "does not cover vcenter.example.com" in found["certificate"][1]["what"]
    (server.data_dir / "resphere.db").write_bytes(b"nothing of the kind" * 1000)
    status, found = examined(*flags)
    assert status == 1
    assert found["store"][0]["verdict"] == "wrong"


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    (tmp_path / "bad.pem").write_text("no certificate")
    (tmp_path / "bad.key").write_text("no key")
    (tmp_path / "bad.key").chmod(0o600)
    tls = ("--tls-cert", str(tmp_path / "bad.pem"), "--tls-key", str(tmp_path / "bad.key"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, found = examined("--data-dir", str(data), "--port", port, "--provider", "simulater", *tls)
    assert status == 1
    assert f"chmod 700 {data}" in found["data directory"][0]["what"]
    assert "there is no store" in found["store"][0]["what"]
    assert "Address already in use" in found["port"][0]["what"]
    assert "holds no PEM certificate" in found["certificate"][0]["what"]
    assert "did you mean simulator?" in found["provider"][0]["what"]


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    status, found = examined("--data-dir", str(tmp_path / "data"), "--port", str(free_port()))
    assert status == 1
    assert "is no folder" in found["data directory"][0]["what"]


@pytest.mark.parametrize(("flag", "value"), [("--port", "many"), ("--workers", "0")])
def test_settings_that_are_none(flag: str, value: str) -> None:
    status, found = examined(flag, value)
    assert status == 1
    assert flag in found["settings"][0]["what"]


def test_a_certificate_that_has_ended(tmp_path: Path) -> None:
    foreign = Foreign()
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    for path, text in zip(
        (certificate, key), foreign.issue("127.0.0.1", now=foreign.now - timedelta(9), days=5), strict=True
    ):
        path.write_text(text)
        path.chmod(0o600)
    flags = ("--data-dir", str(tmp_path / "data"), "--port", str(free_port()))
    status, found = examined(*flags, "--tls-cert", str(certificate), "--tls-key", str(key))
    assert status == 1
    assert " ended on " in found["certificate"][0]["what"]
