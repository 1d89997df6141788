"""Readers that lose their stream: the worker that served it was killed, or they were too slow. They go on where they
were, and are told everything once."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import websockets.sync.client as sockets
from httpx_sse import connect_sse
from websockets.exceptions import ConnectionClosed

from tests.support.server import WITHOUT_TLS, Client, Server, wait_until

EVENTS = "/api/resphere/events"
SECONDS = 60
STALL_SECONDS = 2
SMALL_SEGMENT_BYTES = 1000
"""The kernel keeps little for a connection with such segments, so that a reader who does not read is noticed soon."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    stall = ("--connection-stall-seconds", str(STALL_SECONDS))
    with Server(tmp_path / "data", "--workers", "2", "--vms", "4", *stall, WITHOUT_TLS) as server:
        yield server


def toggle(client: Client, times: int) -> int:
    """Change the power state of a machine so often; the number of the latest event then."""
    vm = client.read("/api/vcenter/vm")[0]
    actions = ["stop", "start"] if vm["power_state"] == "POWERED_ON" else ["start", "stop"]
    for count in range(times):
        assert client.post(f"/api/vcenter/vm/{vm['vm']}/power?action={actions[count % 2]}").status_code == 204
    latest: int = client.read(f"{EVENTS}?size=1")["latest"]
    return latest


def numbers_of(events: list[dict[str, Any]]) -> list[int]:
    return [event["sequence"] for event in events]


def by_sse(server: Server, client: Client, after: int, until: int | None = None) -> Iterator[int]:
    """The numbers of events of a stream, until it ends or breaks."""
    headers = {"vmware-api-session-id": client.token, "Last-Event-ID": str(after)}
    query = "" if until is None else f"?until={until}"
    with (
        httpx.Client(base_url=server.url, headers=headers, timeout=SECONDS) as reader,
        connect_sse(reader, "GET", EVENTS + query) as source,
    ):
        try:
            yield from (int(each.id) for each in source.iter_sse() if each.event == "message" and each.data)
        except httpx.TransportError:
            return


def by_websocket(server: Server, client: Client, after: int, until: int | None = None) -> Iterator[int]:
    """The same of the messages of a WebSocket."""
    query = f"?after={after}" + ("" if until is None else f"&until={until}")
    address = server.url.replace("http", "ws") + EVENTS + query
    headers = {"vmware-api-session-id": client.token}
    with sockets.connect(address, additional_headers=headers, open_timeout=SECONDS) as socket:
        try:
            yield from (event["sequence"] for event in map(json.loads, socket) if "sign" not in event)
        except ConnectionClosed:
            return


def by_long_poll(server: Server, client: Client, after: int, until: int | None = None) -> Iterator[int]:
    """The same by one call after the other."""
    query = "" if until is None else f"&until={until}"
    while until is None or after < until:
        try:
            page = client.read(f"{EVENTS}?after={after}&wait=30&size=3{query}")
        except requests.RequestException:
            return
        yield from numbers_of(page["events"])
        after = page["next"]


def kill_workers(server: Server) -> None:
    """Kill all of them, and wait for others."""
    killed = set(server.workers)
    for process in killed:
        os.kill(process, signal.SIGKILL)
    wait_until(lambda: len(set(server.workers) - killed) == len(killed), "new workers")


@pytest.mark.parametrize("read", [by_sse, by_websocket, by_long_poll])
def test_a_reader_goes_on_after_the_worker_was_killed_that_served_it(server: Server, read: Any) -> None:
    with server.session() as client:
        begin = client.read(f"{EVENTS}?size=1")["latest"]
        toggle(client, 3)
        reading = read(server, client, begin)
        found = [next(reading) for _ in range(4)]
        kill_workers(server)
        if read is not by_long_poll:  # whose next call another worker answers
            found += reading  # what came before the end
        reading.close()
    with server.session() as client:
        end = toggle(client, 3)
        found += read(server, client, found[-1], end)
    assert found == list(range(begin + 1, end + 1))


def test_a_slow_reader_is_cut_off_and_goes_on_where_it_was(server: Server) -> None:
    with server.session() as client:
        begin = client.read(f"{EVENTS}?size=1")["latest"]
        with socket.socket() as slow:
            slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SMALL_SEGMENT_BYTES)
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(SECONDS)
            slow.connect(("127.0.0.1", server.port))
            head = f"GET {EVENTS} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
            session = f"vmware-api-session-id: {client.token}\r\nLast-Event-ID: {begin}\r\n\r\n"
            slow.sendall((head + session).encode())
            end = toggle(client, 250)
            log = server.data_dir / "log" / "resphere.log"
            wait_until(lambda: "neither sent nor read" in log.read_text(), "the end of the slow reader", SECONDS)
            received = everything(slow)
        found = [int(each) for each in re.findall(rb"id: (\d+)\ndata: [^\n]+\n\n", received)]
        assert found == list(range(begin + 1, begin + 1 + len(found)))
        assert 0 < len(found) < end - begin
        found += by_sse(server, client, found[-1], end)
    assert found == list(range(begin + 1, end + 1))


def everything(connection: socket.socket) -> bytes:
    """What comes until the connection's end, without the marks of chunks."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    body = received.partition(b"\r\n\r\n")[2]
    return re.sub(rb"(?:\r\n)?[0-9a-fA-F]+\r\n(?=id: |: )", b"", body)
