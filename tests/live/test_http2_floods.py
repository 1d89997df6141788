"""Floods of HTTP/2 frames: the connection ends or stands still, the memory does not grow, others are answered."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path

import hpack
import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from tests.support.attacks import Attacker, resident_bytes
from tests.support.server import Client, Server

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells of memory")

MB = 1024 * 1024
MOST_GROWTH_BYTES = 112 * MB
"""What long replies may take of one address (half of 64 MiB, as Python and as Granian have it), and a reserve."""
FRAMES = 20_000
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize()
REQUEST = ((":method", "GET"), (":path", "/api"), (":scheme", "https"), (":authority", "localhost"))
POST = ((":method", "POST"), (":path", "/api"), (":scheme", "https"), (":authority", "localhost"))


def headers(stream: int, fields: tuple[tuple[str, str], ...], *flags: str) -> bytes:
    frame = HeadersFrame(stream, hpack.Encoder().encode(fields))
    return flagged(frame, *flags)


def flagged(frame: Frame, *flags: str) -> bytes:
    for flag in flags:
        frame.flags.add(flag)
    return frame.serialize()


def rapid_reset() -> Iterator[bytes]:
    """CVE-2023-44487."""
    for stream in range(1, 2 * FRAMES, 2):
        yield headers(stream, REQUEST, "END_HEADERS", "END_STREAM") + RstStreamFrame(stream, 8).serialize()


def continuation() -> Iterator[bytes]:
    """CVE-2024-27316: headers that never end."""
    fields = hpack.Encoder().encode((("a", "b"),)) * 2000
    yield headers(1, REQUEST)
    yield from repeat(ContinuationFrame(1, fields[:16_000]).serialize(), FRAMES)


def empty_continuation() -> Iterator[bytes]:
    yield headers(1, REQUEST)
    yield from repeat(ContinuationFrame(1, b"").serialize() * 20, FRAMES)


def settings() -> Iterator[bytes]:
    """CVE-2019-9515: each wants an answer that nobody reads."""
    yield from repeat(SettingsFrame(0, {4: 65_535}).serialize() * 50, FRAMES)


def pings() -> Iterator[bytes]:
    """CVE-2019-9512."""
    yield from repeat(PingFrame(0, b"12345678").serialize() * 50, FRAMES)


def empty_data() -> Iterator[bytes]:
    """CVE-2019-9518."""
    yield headers(1, POST, "END_HEADERS")
    yield from repeat(DataFrame(1, b"").serialize() * 50, FRAMES)


def priorities() -> Iterator[bytes]:
    for stream in range(1, 2 * FRAMES, 2):
        yield PriorityFrame(stream, depends_on=0, stream_weight=1).serialize() * 10


def window_updates() -> Iterator[bytes]:
    yield headers(1, POST, "END_HEADERS")
    yield from repeat(WindowUpdateFrame(1, 1).serialize() * 50, FRAMES)


def hpack_bomb() -> Iterator[bytes]:
    """A kilobyte that unpacks to megabytes: one large field, named again and again by its number."""
    encoder = hpack.Encoder()
    first = encoder.encode((*REQUEST, ("bomb", "x" * 3000)))
    for stream in range(1, 2001, 2):
        yield flagged(HeadersFrame(stream, first + b"\xbe" * 10_000), "END_HEADERS", "END_STREAM")


def unread_replies() -> Iterator[bytes]:
    """Replies for which there is no room at the client, as many as are allowed."""
    yield SettingsFrame(0, {4: 0}).serialize()
    large = ((":method", "GET"), (":path", "/api/openapi.json?implemented=true"), *REQUEST[2:])
    for stream in range(1, 401, 2):
        yield headers(stream, large, "END_HEADERS", "END_STREAM")


def unfinished_bodies() -> Iterator[bytes]:
    """As many large bodies at a time as one connection may have, of which none ends."""
    session = (*POST, ("content-type", "application/json"))
    streams = range(1, 81, 2)
    yield from (headers(stream, session, "END_HEADERS") for stream in streams)
    yield from chain.from_iterable(repeat([DataFrame(s, b" " * 16_000).serialize() for s in streams], 100))


FLOODS = (
    *(rapid_reset, continuation, empty_continuation, settings, pings, empty_data, priorities, window_updates),
    *(hpack_bomb, unread_replies, unfinished_bodies),
)


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_floods(shared_server: Server, client: Client, flood: Callable[[], Iterator[bytes]]) -> None:
    client.read("/api/openapi.json", params={"implemented": "true"})  # made before memory is looked at
    [worker] = shared_server.workers
    before = resident_bytes(worker)
    with Attacker(shared_server, "127.0.0.67") as attacker:
        for _ in range(3):
            connection = attacker.secure("h2")
            assert connection.selected_alpn_protocol() == "h2"
            connection.sendall(PREFACE)
            send_all(connection, flood())
            assert client.read("/api/vcenter/vm")
            assert resident_bytes(worker) - before < MOST_GROWTH_BYTES
        with shared_server.session() as other:
            assert other.read("/api")
    assert shared_server.workers == [worker]


def send_all(connection: ssl.SSLSocket, frames: Iterator[bytes]) -> None:
    """Send until the server ends the connection, or takes no more."""
    connection.settimeout(2)
    try:
        for content in frames:
            connection.sendall(content)
    except OSError:
        return
