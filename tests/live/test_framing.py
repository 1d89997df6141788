"""Bytes that are no request, or two: refused, with no second answer and never a 5xx."""

from __future__ import annotations

import random
import re

import pytest

from tests.support.attacks import Attacker
from tests.support.framing import Case, cases
from tests.support.server import Client, Server

STATUS = re.compile(rb"HTTP/1\.[01] (\d\d\d)")
ROUNDS = 300
REQUESTS = (
    b"GET /api/vcenter/vm?names=a&power_states=POWERED_ON HTTP/1.1\r\nHost: localhost\r\n",
    b"GET /rest/vcenter/vm?filter.names.1=a HTTP/1.1\r\nHost: localhost\r\n",
    b"POST /api/cis/tasks?action=list HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
    b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
    b"POST /api/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic YTpi\r\n",
    b"POST /rest/com/vmware/cis/session HTTP/1.1\r\nHost: localhost\r\nCookie: vmware-api-session-id=0\r\n",
)
BODIES = (
    b"",
    b'{"filter_spec": {"tasks": ["a"]}}',
    b'{"jsonrpc": "2.0", "id": "1", "method": "invoke", "params": {"serviceId": "com.vmware.vcenter.VM", '
    b'"operationId": "list", "input": {"STRUCTURE": {"operation-input": {}}}, "ctx": {}}}',
)
STRANGE = (
    b"\xff",
    b"\xc0\xae",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x00",
    b"%ff",
    b"\r",
    b"\n",
    b"\\",
    b'"',
    b"\x7f" * 9,
)


def answers(attacker: Attacker, content: bytes) -> list[int]:
    """The statuses of all that is answered, until the server ends the connection."""
    with attacker.secure("http/1.1") as connection:
        received = b""
        try:
            connection.sendall(content)
            while piece := connection.recv(65_536):
                received += piece
        except TimeoutError:
            raise
        except OSError:
            pass  # ended in the middle of what was sent
    return [int(status) for status in STATUS.findall(received)]


def test_there_are_about_a_hundred() -> None:
    assert len(list(cases())) > 100


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_no_request_hides_behind_another(shared_server: Server, case: Case) -> None:
    with Attacker(shared_server) as attacker:
        statuses = answers(attacker, case.content)
    assert len(statuses) <= 1
    assert set(statuses) <= case.statuses


def test_no_header_of_ours_is_written_by_others(shared_server: Server) -> None:
    with Attacker(shared_server) as attacker, attacker.secure("http/1.1") as connection:
        connection.sendall(
            b"GET /%0d%0aSet-Cookie:%20a=b?%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n"
            b"X-Request-Id: a%0d%0aSet-Cookie: a=b\r\nConnection: close\r\n\r\n"
        )
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    head, _, _ = received.partition(b"\r\n\r\n")
    assert b"set-cookie" not in head.lower()


@pytest.mark.parametrize("seed", range(4))
def test_streams_of_bytes(shared_server: Server, client: Client, seed: int) -> None:
    chance = random.Random(seed)
    session = f"vmware-api-session-id: {client.token}\r\n".encode()
    with Attacker(shared_server) as attacker:
        for _ in range(ROUNDS):
            head, body = chance.choice(REQUESTS), chance.choice(BODIES)
            for _ in range(chance.randrange(4)):
                at = chance.randrange(len(head))
                head = head[:at] + chance.choice(STRANGE) + head[at + chance.randrange(3) :]
            if body:
                at = chance.randrange(len(body))
                body = body[:at] + chance.choice(STRANGE) + body[at + chance.randrange(3) :]
            if chance.random() < 0.5:
                head += session
            content = head + f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            statuses = answers(attacker, content)
            assert all(status < 500 for status in statuses), content
    assert client.read("/api")["server"] == "resphere"
