"""Events through clients that nobody here wrote: an SSE client and a WebSocket client, on a server with two workers."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource, connect_sse
from websockets.exceptions import InvalidStatus

from tests.support.server import Client, Server
from tests.support.websocket import Socket

EVENTS = "/api/resphere/events"
SECONDS = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("events"), "--workers", "2") as server:
        yield server


@pytest.fixture
def client(server: Server) -> Client:
    return server.session()


def tls(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.verify))


@pytest.fixture
def reader(server: Server, client: Client) -> Iterator[httpx.Client]:
    headers = {"vmware-api-session-id": client.token}
    with httpx.Client(base_url=server.url, verify=tls(server), headers=headers, timeout=SECONDS) as reader:
        yield reader


def position(client: Client) -> int:
    page = client.get(f"{EVENTS}?size=1").json()
    found: int = page["latest"]
    return found


def toggle(client: Client, times: int = 1) -> str:
    """Change the power state of a machine so often: two events each time. Its id."""
    vm = client.get("/api/vcenter/vm").json()[0]
    actions = ["stop", "start"] if vm["power_state"] == "POWERED_ON" else ["start", "stop"]
    for count in range(times):
        assert client.post(f"/api/vcenter/vm/{vm['vm']}/power?action={actions[count % 2]}").status_code == 204
    return str(vm["vm"])


def first(source: EventSource, count: int) -> list[dict[str, Any]]:
    """So many events of a stream."""
    found = []
    for event in source.iter_sse():
        if event.data:
            found.append(json.loads(event.data))
        if len(found) == count:
            break
    return found


def test_a_stream_has_what_every_worker_commits_in_order(client: Client, reader: httpx.Client) -> None:
    with connect_sse(reader, "GET", EVENTS) as source:
        toggle(client, 10)
        events = first(source, 20)
    numbers = [event["sequence"] for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + 20))
    assert {event["type"] for event in events} == {"VmPoweredOnEvent", "VmPoweredOffEvent", "TaskEvent"}


def test_a_client_that_was_cut_off_goes_on(client: Client, reader: httpx.Client) -> None:
    with connect_sse(reader, "GET", EVENTS) as source:
        toggle(client)
        last = first(source, 1)[0]["sequence"]
    toggle(client)
    with connect_sse(reader, "GET", EVENTS, headers={"Last-Event-ID": str(last)}) as source:
        assert [event["sequence"] for event in first(source, 3)] == [last + 1, last + 2, last + 3]


def test_a_stream_over_http_2(server: Server, client: Client) -> None:
    headers = {"vmware-api-session-id": client.token}
    with (
        httpx.Client(base_url=server.url, verify=tls(server), headers=headers, timeout=SECONDS, http2=True) as reader,
        connect_sse(reader, "GET", f"{EVENTS}?kinds=INVENTORY") as source,
    ):
        assert source.response.http_version == "HTTP/2"
        toggle(client)
        assert [event["kind"] for event in first(source, 1)] == ["INVENTORY"]


def test_a_stream_ends_when_its_session_does(server: Server, client: Client, reader: httpx.Client) -> None:
    with connect_sse(reader, "GET", EVENTS) as source:
        other = server.session()
        assert client.http.delete(f"{server.url}/api/session").status_code == 204
        signs = [event.event for event in source.iter_sse()]
    assert signs[-1] == "end"
    assert other.get(EVENTS).status_code == 200


def open_socket(server: Server, client: Client, query: str = "", **headers: str) -> Socket:
    return Socket(
        server.url.replace("https", "wss") + EVENTS + query,
        tls(server),
        {"vmware-api-session-id": client.token, **headers},
    )


def test_a_websocket_has_a_message_for_each_event(server: Server, client: Client) -> None:
    with open_socket(server, client, "?kinds=INVENTORY") as socket:
        begin = socket.next()
        assert begin["sign"] == "position"
        vm = toggle(client, 3)
        events = [socket.next() for _ in range(3)]
        assert {event["object"]["id"] for event in events} == {vm}
        assert events[0]["sequence"] > begin["sequence"]
    with open_socket(server, client, f"?after={events[0]['sequence']}&kinds=INVENTORY") as socket:
        socket.next()
        assert socket.next() == events[1]


def test_a_websocket_ends_when_its_session_does(server: Server, client: Client) -> None:
    with open_socket(server, client) as socket:
        socket.next()
        client.http.delete(f"{server.url}/api/session")
        signs = [message["sign"] for message in socket.rest()]
        assert socket.close_code == 1001
    assert signs == ["end"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (EVENTS, {}, 401),
        (f"{EVENTS}?after=99999999", None, 410),
        ("/api/vcenter/vm", None, 400),
        ("/api/nowhere", None, 404),
    ],
)
def test_what_is_no_websocket_is_refused(
    server: Server, client: Client, path: str, headers: dict[str, str] | None, status: int
) -> None:
    session = {"vmware-api-session-id": client.token}
    address = server.url.replace("https", "wss") + path
    with pytest.raises(InvalidStatus) as refused:
        Socket(address, tls(server), session if headers is None else headers)
    assert refused.value.response.status_code == status


def test_a_page_of_another_site_opens_no_websocket(server: Server, client: Client) -> None:
    cookie = f"vmware-api-session-id={client.token}"
    address = server.url.replace("https", "wss") + EVENTS
    foreign = {"Cookie": cookie, "Origin": "https://elsewhere.example"}
    with pytest.raises(InvalidStatus) as refused:
        Socket(address, tls(server), foreign)
    assert refused.value.response.status_code == 403
    with Socket(address, tls(server), {"Cookie": cookie, "Origin": server.url}) as own:
        assert own.next()["sign"] == "position"


def test_streams_are_on_record(server: Server, client: Client, reader: httpx.Client) -> None:
    with connect_sse(reader, "GET", EVENTS) as source:
        assert source.response.status_code == 200
    query = "operations=resphere.events.follow&size=1"
    [record] = client.get(f"/api/resphere/audit?{query}").json()["records"]
    assert (record["status"], record["operation"]) == (200, "resphere.events.follow")


def test_a_server_with_open_streams_stops_at_once(server: Server, client: Client, reader: httpx.Client) -> None:
    with connect_sse(reader, "GET", EVENTS) as source, open_socket(server, client) as socket:
        socket.next()
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 20
        assert [event.event for event in source.iter_sse()][-1] == "end"
    server.start()
