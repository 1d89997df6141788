"""Where the system tells nothing of connections: what is held all the same, what is not, and that this is said."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.support.attacks import Attacker, is_closed
from tests.support.server import Server

QUICK = ("--connection-request-seconds", "1", "--connection-idle-seconds", "3", "--connection-stall-seconds", "1")


def is_open(connection: socket.socket) -> bool:
    """Whether the server has not ended it by now."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_what_is_held_and_what_is_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Server(data, *QUICK, "--no-tls", module="tests.support.elsewhere") as server, Attacker(server) as attacker:
        silent, unfinished = attacker.connect(), attacker.connect()
        unfinished.sendall(b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc")
        header, idle = attacker.connect(), attacker.connect()
        header.sendall(b"GET /api HTTP/1.1\r\nHost: localhost\r\n")
        idle.sendall(b"GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert is_closed(header)
        assert is_closed(idle)
        # Longer than these may take where connections are looked at.
        assert is_open(silent)
        assert is_open(unfinished)
        for connection in (silent, unfinished):
            connection.close()
        with server.session() as client:
            assert client.read("/api/vcenter/vm")
        told = (data / "log" / "resphere.log").read_text()
        assert told.count("only on Linux are all limits of connections held") == 1


def test_handshakes_are_held(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Server(data, *QUICK, module="tests.support.elsewhere") as server, Attacker(server) as attacker:
        assert is_closed(attacker.connect())


def test_nothing_is_said_where_all_is_held(shared_server: Server) -> None:
    assert "only on Linux" not in (shared_server.data_dir / "log" / "resphere.log").read_text()
