"""Servers that are not there, hang, are not who they say, or are not ours: a sentence and a status, no traceback."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.support.commands import Shell
from tests.support.server import free_port

HOSTS = [{"host": "host-1", "name": "esx-1", "connection_state": "CONNECTED", "power_state": "POWERED_ON"}]


class Vcenter(BaseHTTPRequestHandler):
    """What a vCenter says of a few paths, and of all others that there is nothing."""

    answers: ClassVar[dict[str, object]] = {
        "/api/session": "an id",
        "/api/vcenter/vm": [{"vm": "vm-1", "name": "a", "power_state": "POWERED_ON"}],
        "/api/vcenter/host": HOSTS,
    }

    def answer(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = self.answers.get(self.path.partition("?")[0])
        content = b"" if found is None else json.dumps(found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Portal(Vcenter):
    """What is no vCenter at all: it answers everything with a page."""

    def answer(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"<html>")

    do_GET = do_POST = do_DELETE = answer


@contextmanager
def serving(handler: type[Vcenter]) -> Iterator[str]:
    """Its address while it serves."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Somebody who has a password."""
    return Shell({"XDG_CONFIG_HOME": str(tmp_path), "VSPHERE_USER": "ann", "VSPHERE_PASSWORD": "secret"})


def test_no_server_is_chosen(shell: Shell) -> None:
    done = shell("vm", "ls")
    assert (done.status, done.out) == (5, "")
    assert "no server is chosen; `resphere login HOST` chooses one" in done.err


def test_nobody_listens(shell: Shell) -> None:
    done = shell("vm", "ls", "--server", f"127.0.0.1:{free_port()}")
    assert done.status == 5
    assert "nobody listens there" in done.err


def test_there_is_no_such_host(shell: Shell) -> None:
    done = shell("vm", "ls", "--server", "nowhere.invalid")
    assert done.status == 5
    assert "there is no such host" in done.err


def test_it_hangs(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        done = shell("vm", "ls", "--server", f"http://127.0.0.1:{port}", "--timeout", "0.2")
    assert done.status == 5
    assert "did not answer in time" in done.err


def test_it_speaks_no_tls(shell: Shell) -> None:
    with serving(Vcenter) as url:
        done = shell("vm", "ls", "--server", url.removeprefix("http://"))
    assert done.status == 5
    assert "TLS fails" in done.err


def test_it_is_no_vcenter(shell: Shell) -> None:
    with serving(Portal) as url:
        done = shell("vm", "ls", "--server", url)
    assert (done.status, done.out) == (1, "")
    assert done.err.count("\n") == 1


def test_what_is_ours_alone_says_so_elsewhere(shell: Shell) -> None:
    with serving(Vcenter) as url:
        assert shell.done("vm", "ls", "--server", url, "-o", "name").lines == ["a"]
        done = shell("vm", "snapshot", "ls", "a", "--server", url)
        assert done.status == 8
        assert (
            f"resphere.vcenter.vm.snapshots.list is an operation of resphere's own, and {url} is no resphere"
            in done.err
        )
        shown = shell.done("host", "show", "esx-1", "--server", url, "-o", "json")
        assert shown.json == HOSTS[0]
        assert "vCenter's API tells no more of one host than of all" in shown.err
        assert shell("events", "ls", "--server", url).status == 8


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["vm", "ls", "--server", "https://a/b"], 2, "https://a/b is no server"),
        (["vm", "ls", "--server", "ftp://a"], 2, "ftp://a is no server"),
        (["vm", "ls", "--server", "a:b"], 2, "a:b"),
        (["vm", "ls", "--server", "a", "--ca-file", "/nowhere"], 5, "there is no file /nowhere"),
        (["vm", "ls", "--server", "a", "--ca-file", __file__], 2, "cannot be read as a file of PEM certificates"),
        (["vm", "ls", "--server", "a", "--timeout", "0"], 2, "0 is no number of seconds above 0"),
        (["vm", "ls", "--context", "lab"], 5, "there is no context lab"),
        (["login"], 2, "name a server: `resphere login HOST`"),
        (["logout"], 2, "no context is chosen"),
        (["contexts", "use", "lab"], 5, "there is no context lab"),
    ],
)
def test_what_is_no_server(shell: Shell, arguments: list[str], status: int, told: str) -> None:
    done = shell(*arguments)
    assert (done.status, done.out) == (status, "")
    assert told in done.err


def test_a_variable_that_is_neither_yes_nor_no(shell: Shell) -> None:
    shell.variables |= {"VSPHERE_SERVER": "a", "VSPHERE_ALLOW_UNVERIFIED_SSL": "maybe"}
    assert "VSPHERE_ALLOW_UNVERIFIED_SSL=maybe is neither true nor false" in shell("vm", "ls").err


def test_files_that_are_none_of_contexts(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "resphere"
    folder.mkdir()
    (folder / "contexts.json").write_text("{")
    done = shell("contexts", "ls")
    assert done.status == 1
    assert "is not a file of contexts" in done.err
