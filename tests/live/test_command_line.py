"""Commands beside a running server."""

from __future__ import annotations

from pathlib import Path

from resphere.store.engines import default_url
from tests.support.cli import resphere
from tests.support.invariants import require_sound_data
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


def test_a_store_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    url = default_url(elsewhere)
    server = Server(tmp_path / "data", "--store", url, "--vms", "3")
    server.start()
    try:
        with server.session() as client:
            names = {vm["name"] for vm in client.read("/api/vcenter/vm")}
        done = resphere("inventory", "export", "--store", url)
    finally:
        server.stop()
    assert done.returncode == 0, done.stderr
    assert len(names) == 3
    assert all(name in done.stdout for name in names)
    require_sound_data(elsewhere)
    done = resphere("user", "list", "--data-dir", str(server.data_dir))
    assert done.returncode == 1
    assert "there is no store at" in done.stderr


def test_a_store_of_no_known_engine(tmp_path: Path) -> None:
    done = resphere("serve", "--store", "oracle:x", "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "--store: oracle:x is no URL of a store that this server knows: " in done.stderr
    assert not (tmp_path / "data").exists()
