"""Commands beside a running server."""

from __future__ import annotations

import errno
import json
import re
import shutil
import socket
import subprocess
from contextlib import chdir, closing
from pathlib import Path

import pytest

from resphere.store.engines import default_url
from tests.support.cli import resphere
from tests.support.invariants import require_sound_data
from tests.support.server import WITHOUT_TLS, Server, clean_environment


def test_a_port_in_use_is_refused(shared_server: Server, tmp_path: Path) -> None:
    done = resphere("serve", "--port", str(shared_server.port), "--data-dir", str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"--port {shared_server.port}" in done.stderr
    assert "in use" in done.stderr
    assert not (tmp_path / "data").exists()


LOOPBACK_6 = "::1"


def has_ipv6() -> bool:
    """Whether this machine has the loopback address of IPv6."""
    with closing(socket.socket(socket.AF_INET6)) as probe:
        return probe.connect_ex((LOOPBACK_6, 1)) in (0, errno.ECONNREFUSED)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", LOOPBACK_6],
        ["--host", "::"],
        ["--host", "0.0.0.0"],
        ["--host", "localhost", WITHOUT_TLS],
        ["--workers", "2"],
        ["--admin-password-file", "own password"],
        [],
    ],
    ids=" ".join,
)
def test_the_printed_line_works(tmp_path: Path, arguments: list[str]) -> None:
    """At a free port, wherever the server listens, wherever the password is from, and in every shell that is here."""
    if ":" in "".join(arguments) and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    (tmp_path / "own password").write_text("it's $mine\nnot this\n")
    environment = {} if arguments else {"RESPHERE_ADMIN_PASSWORD": 'quite "$long"'}
    with (
        chdir(tmp_path),
        Server(tmp_path / "data", *arguments, "--port", "0", password=None, environment=environment) as server,
    ):
        counted = re.search(r"(\d+) VMs, (\d+) template", server.banner)
        assert counted is not None, server.banner
        line = server.banner.rpartition("Try it:\n")[2]
        for shell in filter(shutil.which, ("bash", "sh", "zsh")):
            done = subprocess.run(
                [shell, "-c", line],
                env={**clean_environment(), **environment},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert len(json.loads(done.stdout)) == int(counted[1]) == 40 - int(counted[2])


def test_accounts_need_a_password(shared_server: Server) -> None:
    done = resphere("user", "add", "x@vsphere.local", "--data-dir", str(shared_server.data_dir), input="\n")
    assert (done.returncode, done.stderr) == (1, "resphere: the password must not be empty\n")


def test_an_account_that_is_not_there(shared_server: Server) -> None:
    done = resphere("user", "remove", "x@vsphere.local", "--data-dir", str(shared_server.data_dir))
    assert (done.returncode, done.stderr) == (1, "resphere: there is no account x@vsphere.local\n")
    done = resphere("user", "remove", "administator", "--data-dir", str(shared_server.data_dir))
    assert done.stderr == ("resphere: there is no account administator; did you mean administrator@vsphere.local?\n")


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
