"""Commands beside a running server."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import resphere
from tests.support.server import Server


def test_a_port_in_use_is_refused(shared_server: Server, tmp_path: Path) -> None:
    done = resphere("serve", "--port", str(shared_server.port), "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"--port {shared_server.port}" in done.stderr
    assert "in use" in done.stderr
    assert not (tmp_path / "data").exists()


def test_accounts_need_a_password(shared_server: Server) -> None:
    done = resphere("user", "add", "x@vsphere.local", "--data-dir", str(shared_server.data_dir), input="\n")
    assert (done.returncode, done.stderr) == (1, "resphere: the password must not be empty\n")


def test_an_account_that_is_not_there(shared_server: Server) -> None:
    done = resphere("user", "remove", "x@vsphere.local", "--data-dir", str(shared_server.data_dir))
    assert (done.returncode, done.stderr) == (1, "resphere: there is no account x@vsphere.local\n")
