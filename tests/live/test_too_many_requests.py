"""Each kind of refusal with 429, in each dialect: the standard error, when to try again, and which limit it was."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
import requests

from tests.support.jsonrpc import SECURITY, error_of, invocation, session_context
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until

LIMITS = """
rates:
  - {per: user, operation: com.vmware.vcenter.cluster.list, per_second: 0.001, burst: 1, name: clusters}
logins: {free: 1, longest_seconds: 3600, forget_seconds: 7200, first_seconds: 3600, longest_known_seconds: 3600}
concurrency: {per_user: 1, total: 2, waiting_per_user: 0, waiting: 0}
"""
CATEGORY = {"name": "taken", "description": "", "cardinality": "SINGLE", "associable_types": []}
FLOODING = 4
NUMBERS = itertools.count()

Ask = Callable[[Server, Client], requests.Response]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("limits")
    file = folder / "limits.yaml"
    file.write_text(LIMITS)
    with Server(folder / "data", "--limits", str(file), WITHOUT_TLS) as server:
        yield server


def rpc(server: Server, *call: Any) -> requests.Response:
    """A call of JSON-RPC."""
    return requests.post(f"{server.url}/api", json=invocation(*call), timeout=60)


RATE: dict[str, Ask] = {
    "api": lambda server, client: client.get("/api/vcenter/cluster"),
    "rest": lambda server, client: client.get("/rest/vcenter/cluster"),
    "jsonrpc": lambda server, client: rpc(
        server, "com.vmware.vcenter.cluster", "list", None, session_context(client.token)
    ),
}
LOGINS: dict[str, Ask] = {
    "api": lambda server, _: requests.post(f"{server.url}/api/session", auth=("nobody", "x"), timeout=60),
    "rest": lambda server, _: requests.post(
        f"{server.url}/rest/com/vmware/cis/session", auth=("nobody", "x"), timeout=60
    ),
    "jsonrpc": lambda server, _: rpc(
        server,
        "com.vmware.cis.session",
        "create",
        None,
        {"schemeId": f"{SECURITY}user_pass", "userName": "nobody", "password": "x"},
    ),
}
TURNS: dict[str, Ask] = {
    "api": lambda server, client: client.post("/api/cis/tagging/category", json=CATEGORY),
    "rest": lambda server, client: client.post("/rest/com/vmware/cis/tagging/category", json={"create_spec": CATEGORY}),
    "jsonrpc": lambda server, client: rpc(
        server, "com.vmware.cis.tagging.category", "list", None, session_context(client.token)
    ),
}
KINDS: dict[str, tuple[dict[str, Ask], str, str, str]] = {
    "rate": (RATE, "clusters", r"q=1;w=1000", "resphere.limits.rate"),
    "logins": (LOGINS, "failed-logins", r"q=1;w=7200", "resphere.limits.logins"),
    "turns": (TURNS, "user-waiting", r'q=0;qu="concurrent-requests"', "resphere.limits.waiting"),
}


def error_in(dialect: str, reply: requests.Response) -> tuple[str, list[str]] | None:
    """The error's type and messages' ids, ``None`` where it is another status than that of such an error."""
    if reply.status_code != (200 if dialect == "jsonrpc" else 429):
        return None
    body = reply.json()
    if dialect == "jsonrpc":
        return error_of(body) if "error" in body["result"] else None
    if dialect == "rest":
        return body["type"].rpartition(".")[2], [each["id"] for each in body["value"]["messages"]]
    return body["error_type"].lower(), [each["id"] for each in body["messages"]]


@contextmanager
def flood(server: Server, session_id: str) -> Iterator[None]:
    """Changes of one user, all the time."""
    over = Event()
    url, headers = f"{server.url}/api/cis/tagging/category", {"vmware-api-session-id": session_id}

    def work() -> None:
        with requests.Session() as session:
            while not over.is_set():
                session.post(url, json=CATEGORY | {"name": f"category {next(NUMBERS)}"}, headers=headers, timeout=60)

    with ThreadPoolExecutor(FLOODING) as threads:
        begun = [threads.submit(work) for _ in range(FLOODING)]
        try:
            yield
        finally:
            over.set()
    for each in begun:
        each.result()


@pytest.mark.parametrize("dialect", ["api", "rest", "jsonrpc"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_429_says(server: Server, kind: str, dialect: str) -> None:
    asks, name, policy, message = KINDS[kind]

    def refused() -> Mapping[str, str] | None:
        """The headers of a refusal."""
        reply = asks[dialect](server, client)
        return reply.headers if error_in(dialect, reply) == ("service_unavailable", [message]) else None

    with server.session() as client:
        if kind == "turns":
            with flood(server, client.token):
                headers = wait_until(refused, "a call that finds no turn")
        else:
            headers = wait_until(refused, "a call too many")
    assert headers is not None
    wait_seconds = int(headers["Retry-After"])
    assert wait_seconds >= 1
    assert headers["RateLimit"] == f'"{name}";r=0;t={wait_seconds}'
    assert headers["RateLimit-Policy"] == f'"{name}";{policy}'
