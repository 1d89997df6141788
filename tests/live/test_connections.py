"""Connections that keep the server waiting, and bodies that fill its memory: it lets go of them, and answers others."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import hpack
import pytest
from hyperframe.frame import DataFrame, HeadersFrame, SettingsFrame

from resphere.server.assembly import MOST_UNFINISHED
from resphere.server.serve import HTTP2_STREAMS
from tests.support.attacks import Attacker, is_closed, many_files, resident_bytes
from tests.support.http2 import PREFACE, Frames
from tests.support.jsonrpc import invocation
from tests.support.server import Client, Server, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells of connections")

MB = 1024 * 1024
STRANGER = "127.0.0.66"
"""An address that nobody else calls from: all of 127/8 is this machine."""
SESSION_LESS = b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
TLS_BEGINS = b"\x16"
"""The first byte of a handshake."""
QUICK = (
    *("--connection-request-seconds", "2"),
    *("--connection-idle-seconds", "6"),
    *("--connection-stall-seconds", "2"),
)


@pytest.fixture(scope="module")
def quick_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that loses patience soon."""
    with Server(tmp_path_factory.mktemp("quick") / "data", *QUICK) as server:
        yield server


@pytest.fixture
def attacker(quick_server: Server) -> Iterator[Attacker]:
    with Attacker(quick_server, STRANGER) as made:
        yield made


def test_silence_after_the_handshake_and_before_it(attacker: Attacker) -> None:
    assert is_closed(attacker.secure())
    assert is_closed(attacker.connect())


def test_headers_that_do_not_end(attacker: Attacker) -> None:
    connection = attacker.secure()
    connection.sendall(b"GET /api HTTP/1.1\r\nHost: localhost\r\n")
    assert is_closed(connection)


def test_half_a_preface_of_http2(attacker: Attacker) -> None:
    connection = attacker.secure("h2")
    connection.sendall(b"PRI * HTTP/2.0")
    assert is_closed(connection)


@pytest.mark.parametrize(
    "path", ["/api", "/api/session", "/rest/com/vmware/cis/session", "/api/vcenter/vm", "/nothing"]
)
def test_bodies_that_do_not_come(attacker: Attacker, path: str) -> None:
    connection = attacker.secure()
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc".encode())
    assert is_closed(connection)


def test_a_refusal_does_not_wait_for_the_body(attacker: Attacker) -> None:
    connection = attacker.secure()
    connection.sendall(b"POST /api/vcenter/vm HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
    began = b""
    while b"com.vmware.vapi.endpoint.method.authentication.required" not in began:
        piece = connection.recv(65_536)
        assert piece, began
        began += piece
    assert began.startswith(b"HTTP/1.1 401")


def test_a_long_reply_that_is_not_read(attacker: Attacker, quick_server: Server) -> None:
    with Client(quick_server, None) as other:
        other.read("/api/openapi.json")  # which is made once, and takes its time
    connection = attacker.secure(receive_buffer_bytes=4096)
    connection.sendall(b"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_until(lambda: "neither sent nor read" in log(quick_server), "the end of the connection")


def log(server: Server) -> str:
    return (server.data_dir / "log" / "resphere.log").read_text()


def test_who_comes_again_in_time_stays(attacker: Attacker, quick_server: Server) -> None:
    connection = attacker.secure()
    for _ in range(5):
        connection.sendall(b"GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401")
        time.sleep(1.5)  # a client's own pause, longer in all than it may be idle
    assert is_closed(connection)


def test_a_stop_does_not_wait_for_strangers(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server, Attacker(server, STRANGER) as attacker:
        for path in ("/api", "/api/vcenter/vm", "/api/session"):
            attacker.secure().sendall(
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc".encode()
            )
        attacker.secure()
        attacker.connect()
        with server.session() as client:
            client.read("/api")
            assert server.stop(25) == 0
        assert "SIGKILL" not in server.errors()
        assert "stopped" in server.errors()


def test_many_are_held_and_others_are_answered(tmp_path: Path) -> None:
    with (
        many_files(),
        Server(tmp_path / "data", "--max-connections", "400") as server,
        Attacker(server, STRANGER) as attacker,
        server.session() as client,
    ):
        for count in range(600):
            # Once all places are taken nobody shakes hands with those who come.
            attacker.connect() if count >= 300 else attacker.secure()
        assert client.read("/api/vcenter/vm")
        with server.session() as other:
            assert other.read("/api/vcenter/vm")
        wait_until(lambda: "too many" in log(server), "room being made")
        assert "127.0.0.1 (" not in log(server)


@pytest.mark.parametrize("sent", [b"", TLS_BEGINS], ids=["nothing", "a byte"])
def test_handshakes_that_do_not_come_take_no_descriptor_from_others(tmp_path: Path, sent: bytes) -> None:
    with (
        many_files(),
        Server(tmp_path / "data", open_files=300) as server,
        server.session() as client,
    ):
        workers = server.workers
        with Attacker(server, STRANGER) as attacker:
            for _ in range(1000):
                push(attacker.connect(), sent)
            for _ in range(5):
                assert client.read("/api/vcenter/vm")
                with server.session() as other:
                    assert other.read("/api/vcenter/vm")
        with server.session() as other:
            assert other.read("/api/vcenter/vm")
        assert server.workers == workers
        assert "127.0.0.1 (" not in log(server)


# --- memory ----------------------------------------------------------------------------------------------------------


def large_start(size: int, token: str | None = None) -> bytes:
    """The headers of a JSON-RPC call with a body of that size."""
    session = f"vmware-api-session-id: {token}\r\n".encode() if token else b""
    return SESSION_LESS + session + f"Content-Length: {size}\r\n\r\n".encode()


def push(connection: socket.socket, content: bytes) -> None:
    """Send as much as is taken."""
    try:
        connection.sendall(content)
    except OSError:
        return


def test_unfinished_bodies_of_strangers_take_little(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server, Attacker(server, STRANGER) as attacker, server.session() as client:
        [worker] = server.workers
        before = resident_bytes(worker)
        content = b" " * (4 * MB)
        for _ in range(60):
            connection = attacker.secure()
            push(connection, large_start(16 * MB))
            push(connection, content)
        for _ in range(100):
            connection = attacker.secure()
            push(connection, large_start(200_000))
            push(connection, content[:190_000])
        assert client.read("/api/vcenter/vm")
        with server.session() as other:
            assert other.read("/api")
        assert resident_bytes(worker, "VmHWM") - before < 80 * MB


def test_unfinished_bodies_of_those_who_were_let_in_have_a_bound(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server, Attacker(server, STRANGER) as attacker, server.session() as client:
        [worker] = server.workers
        before = resident_bytes(worker)
        content = b" " * (12 * MB)
        refused = 0
        for _ in range(20):
            connection = attacker.secure()
            push(connection, large_start(16 * MB, client.token))
            push(connection, content)
            connection.settimeout(0.01)
            try:
                head = connection.recv(65_536)
            except TimeoutError:
                continue
            assert b"retry-after: 2" in head
            assert b"vapi-error: com.vmware.vapi.std.errors.service_unavailable" in head
            refused += 1
        assert refused >= 10
        # Another address has room for a large one of its own.
        vm = json.dumps(invocation("com.vmware.vcenter.VM", "list", {})).encode()
        reply = client.post("/api", data=vm.ljust(10 * MB), headers={"Content-Type": "application/json"})
        assert (reply.status_code, "error" in reply.json()) == (200, False)
        assert resident_bytes(worker, "VmHWM") - before < 200 * MB


class Unfinished:
    """A connection of HTTP/2 on which as many requests were begun as may be, and none has all of its body."""

    def __init__(self, attacker: Attacker) -> None:
        self._connection = attacker.secure("h2")
        self._connection.sendall(PREFACE + SettingsFrame(0).serialize())
        encoder = hpack.Encoder()
        fields = ((":method", "POST"), (":path", "/api"), (":scheme", "https"), (":authority", "localhost"))
        length = ("content-length", "5000")
        for stream in range(1, 2 * HTTP2_STREAMS, 2):
            begun = HeadersFrame(stream, encoder.encode((*fields, length)), flags=["END_HEADERS"])
            self._connection.sendall(begun.serialize() + DataFrame(stream, b" " * 500).serialize())
        self._connection.setblocking(False)
        self._frames, self._decoder = Frames(), hpack.Decoder()
        self.answers: list[str | None] = []
        """``Retry-After`` of each."""

    def look(self) -> int:
        """How many have been answered by now."""
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            while piece := self._connection.recv(65_536):
                for frame in self._frames.take(piece):
                    if isinstance(frame, HeadersFrame):
                        fields = {str(name): str(value) for name, value in self._decoder.decode(frame.data)}
                        self.answers.append(fields.get("retry-after"))
        return len(self.answers)


def test_so_many_requests_are_waited_for_the_rest_of(tmp_path: Path) -> None:
    with (
        Server(tmp_path / "data") as server,
        Attacker(server, STRANGER) as attacker,
        Attacker(server, "127.0.0.67") as other,
        server.session() as client,
    ):
        [worker] = server.workers
        before = resident_bytes(worker)
        count = MOST_UNFINISHED // HTTP2_STREAMS
        begun = [Unfinished(attacker) for _ in range(count)]
        # An address that is alone may have half of them.
        wait_until(lambda: sum(each.look() for each in begun) >= MOST_UNFINISHED // 2, "refusals")
        assert {seconds for each in begun for seconds in each.answers} == {"2"}
        # Another one has room: its login comes in two pieces.
        login = json.dumps(invocation("com.vmware.cis.session", "create", {})).encode()
        connection = other.secure()
        connection.sendall(large_start(len(login)) + login[:10])
        assert client.read("/api/vcenter/vm")
        connection.sendall(login[10:])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        assert resident_bytes(worker, "VmHWM") - before < 192 * MB


def test_what_a_stranger_sends_is_not_read_on(shared_server: Server) -> None:
    with Attacker(shared_server, STRANGER) as attacker:
        connection = attacker.secure()
        connection.sendall(large_start(16 * MB))
        reply = connection.recv(65_536)
        assert b"must not be larger than 262144 bytes" in reply + connection.recv(65_536)


def test_the_sdks_send_large_calls_where_they_have_called_before(shared_server: Server, client: Client) -> None:
    # They show the session in the body only, behind everything else.
    body = json.dumps(invocation("com.vmware.vcenter.VM", "list", {})).encode().ljust(MB)
    for first, wanted in ((True, "error"), (False, "result")):
        with Client(shared_server, None) as other:
            if not first:
                other.http.headers["vmware-api-session-id"] = client.token
                other.read("/api")
                del other.http.headers["vmware-api-session-id"]
            reply = other.post("/api", data=body, headers={"Content-Type": "application/json"}).json()
            assert wanted in reply
