"""``python -m resphere.probe``: what it says of a server that is well, of one that is not, and of none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from resphere.contract.extensions.probes import Probes
from resphere.probe import LIVE, READY, main
from tests.support.server import free_port


@contextmanager
def answering(statuses: list[int]) -> Iterator[tuple[int, list[str]]]:
    """A server that answers with these statuses, one after the other: its port, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = b'"as it is"'
            self.send_response(statuses.pop(0))
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


def test_the_paths_are_those_of_the_contract() -> None:
    assert Probes.live.api is not None
    assert Probes.ready.api is not None
    assert (Probes.live.api.path, Probes.ready.api.path) == (LIVE, READY)


@pytest.mark.parametrize(("flags", "path"), [((), "/readyz"), (("--live",), "/healthz")])
def test_one_that_is_well(flags: tuple[str, ...], path: str) -> None:
    with answering([200]) as (port, asked):
        assert main(flags, {"RESPHERE_PORT": str(port), "RESPHERE_TLS": "false", "RESPHERE_HOST": "0.0.0.0"}) == 0
    assert asked == [path]


def test_one_that_is_not_well(capsys: pytest.CaptureFixture[str]) -> None:
    with answering([503]) as (port, _):
        assert main(["--port", str(port)], {"RESPHERE_TLS": "no", "RESPHERE_PORT": "tcp://10.0.0.1:443"}) == 1
    assert capsys.readouterr().err == 'resphere: the server says 503: "as it is"\n'


def test_one_that_becomes_well() -> None:
    with answering([503, 503, 200]) as (port, asked):
        assert main(["--wait", "60", "--port", str(port)], {"RESPHERE_TLS": "off"}) == 0
    assert len(asked) == 3


@pytest.mark.parametrize("tls", ["true", "false"])
def test_none(tls: str, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main([], {"RESPHERE_PORT": str(port), "RESPHERE_TLS": tls}) == 1
    assert capsys.readouterr().err.startswith(f"resphere: no server answers at 127.0.0.1, port {port}: ")


def test_one_that_speaks_no_tls(capsys: pytest.CaptureFixture[str]) -> None:
    with answering([200]) as (port, asked):
        assert main(["--port", str(port)], {}) == 1
    assert not asked
    assert "no server answers" in capsys.readouterr().err
