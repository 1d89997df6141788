"""HTTP/2 while workers are replaced: every request is answered that a client may have sent."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import hpack
import pytest
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.support.attacks import Attacker
from tests.support.examples import AT_NIGHT
from tests.support.http2 import PREFACE, Frames
from tests.support.server import Server, wait_until

UNBOUNDED = 2**30
IN_FLIGHT = 10
NO_ERROR = 0


class Caller:
    """A client of one connection that has so many requests under way, until it is told that the connection ends
    (RFC 9113, 6.8): then it sends none any more, and waits for those that it has sent."""

    def __init__(self, attacker: Attacker, token: str) -> None:
        self._connection = attacker.secure("h2")
        fields = ((":method", "GET"), (":path", "/api/vcenter/vm"), (":scheme", "https"), (":authority", "localhost"))
        self._request = (*fields, ("vmware-api-session-id", token))
        self._encoder, self._decoder = hpack.Encoder(), hpack.Decoder()
        self.sent: list[int] = []
        self.statuses: dict[int, str] = {}
        self.ended: set[int] = set()
        self.farewells: list[tuple[int, int]] = []
        """The last stream that is or will be answered, and the error: of each GOAWAY."""

    def run(self) -> None:
        """Ask until the server has ended the connection."""
        window = WindowUpdateFrame(0, UNBOUNDED)
        self._connection.sendall(PREFACE + SettingsFrame(0).serialize() + window.serialize())
        for _ in range(IN_FLIGHT):
            self._ask()
        for frame in self._frames():
            self._take(frame)

    def _ask(self) -> None:
        stream = 2 * len(self.sent) + 1
        frame = HeadersFrame(stream, self._encoder.encode(self._request), flags=["END_HEADERS", "END_STREAM"])
        self.sent.append(stream)
        self._connection.sendall(frame.serialize())

    def _frames(self) -> Iterator[Frame]:
        frames = Frames()
        while piece := self._connection.recv(65_536):
            yield from frames.take(piece)

    def _take(self, frame: Frame) -> None:
        if isinstance(frame, SettingsFrame | PingFrame) and "ACK" not in frame.flags:
            answer = SettingsFrame(0) if isinstance(frame, SettingsFrame) else PingFrame(0, frame.opaque_data)
            answer.flags.add("ACK")
            self._connection.sendall(answer.serialize())
        elif isinstance(frame, GoAwayFrame):
            self.farewells.append((frame.last_stream_id, frame.error_code))
        elif isinstance(frame, HeadersFrame):
            fields = {str(name): str(value) for name, value in self._decoder.decode(frame.data)}
            self.statuses[frame.stream_id] = fields[":status"]
        if isinstance(frame, HeadersFrame | DataFrame) and "END_STREAM" in frame.flags:
            self.ended.add(frame.stream_id)
            if not self.farewells:
                self._ask()


@pytest.mark.parametrize("workers", [pytest.param(1, marks=AT_NIGHT), 2])
def test_all_that_was_sent_before_the_farewell_is_answered(
    tmp_path_factory: pytest.TempPathFactory, workers: int
) -> None:
    data = tmp_path_factory.mktemp("reload") / "data"
    with (
        Server(data, "--vms", "5", "--workers", str(workers)) as server,
        server.session() as client,
        Attacker(server) as attacker,
    ):
        callers = [Caller(attacker, client.token) for _ in range(4)]
        threads = [threading.Thread(target=caller.run) for caller in callers]
        for thread in threads:
            thread.start()
        wait_until(lambda: all(caller.ended for caller in callers), "answers")
        before = set(server.workers)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(server.workers) == workers and not before & set(server.workers), "new workers", 90)
        for thread in threads:
            thread.join()
        assert "SIGKILL" not in server.errors()
    for caller in callers:
        assert caller.ended == set(caller.sent)
        assert set(caller.statuses.values()) == {"200"}
        # It is told that the connection will end, and then, when all on its way has come, which was the last.
        assert [error for _, error in caller.farewells] == [NO_ERROR, NO_ERROR]
        assert caller.farewells[-1][0] == caller.sent[-1]


def test_all_that_was_sent_is_answered_where_the_server_stops(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("stop") / "data"
    with (
        Server(data, "--vms", "5") as server,
        server.session() as client,
        Attacker(server) as attacker,
    ):
        caller = Caller(attacker, client.token)
        thread = threading.Thread(target=caller.run)
        thread.start()
        wait_until(lambda: caller.ended, "answers")
        assert server.stop() == 0
        thread.join()
    assert caller.ended == set(caller.sent)
    assert caller.farewells[-1] == (caller.sent[-1], NO_ERROR)
