"""Calls under keys on a real server with two workers that is killed again and again: nothing is done twice."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import requests

from tests.support.kills import kills
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until

CLIENTS = 3
KILLS = 3
GONE = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
LOST = "resphere.idempotency.answer_lost"
FULL = ("resphere.vm.snapshot.too_deep", "resphere.vm.disk.no_room")
"""Refusals of what is made where much has been made."""
CATEGORY = {"description": "", "cardinality": "SINGLE", "associable_types": []}


class Made(msgspec.Struct):
    """A call under a key; ``answer`` is what it was answered, ``None`` as long as that is not known."""

    key: str
    path: str
    body: dict[str, Any]
    answer: tuple[int, bytes] | None = None


def call(client: Client, made: Made) -> requests.Response:
    return client.post(made.path, json=made.body, headers={"Idempotency-Key": made.key})


def is_full(reply: requests.Response) -> bool:
    """Whether there is no room for more of that: nothing is made."""
    return any(each in reply.text for each in FULL)


def make(client: Client, seed: int, vms: list[str], folder: str, goes_on: threading.Event) -> list[Made]:
    """Make one thing after the other until the server is gone; snapshots may have any name twice."""
    chance, calls = random.Random(seed), list[Made]()
    while True:
        name = f"{seed}-{len(calls)}"
        calls.append(
            chance.choice(
                (
                    Made(name, f"/api/vcenter/vm/{chance.choice(vms)}/snapshot", {"name": name}),
                    Made(name, "/api/vcenter/folder", {"name": name, "parent": folder}),
                    Made(name, "/api/vcenter/vm?action=clone&vmw-task=true", {"name": name, "source": vms[0]}),
                    Made(name, "/api/cis/tagging/category", {**CATEGORY, "name": name}),
                )
            )
        )
        try:
            reply = call(client, calls[-1])
        except GONE:
            return calls
        if reply.status_code != 500 and not is_full(reply):  # another works at that machine, or many have
            assert reply.ok, reply.text
            calls[-1].answer = (reply.status_code, reply.content)
        goes_on.set()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Server(tmp_path_factory.mktemp("once") / "data", "--workers", "2", WITHOUT_TLS) as server:
        yield server


def test_no_call_is_made_twice_whatever_is_killed(server: Server) -> None:
    chance, calls = random.Random(1), list[Made]()
    with ThreadPoolExecutor(CLIENTS) as pool, server.session() as client:
        vms = [each["vm"] for each in client.read("/api/vcenter/vm")]
        folder = client.read("/api/vcenter/folder?type=VIRTUAL_MACHINE")[0]["folder"]
        rounds = kills(KILLS)
        for kill in range(rounds):
            clients, begun = [server.session() for _ in range(CLIENTS)], threading.Event()
            making = [pool.submit(make, each, 100 * kill + n, vms, folder, begun) for n, each in enumerate(clients)]
            assert begun.wait(60)
            threading.Event().wait(chance.uniform(0.1, 0.4))  # a moment that has nothing to do with what goes on
            server.kill()
            calls += [made for each in making for made in each.result()]
            for each in clients:
                each.close()
            server.start()
    with server.session() as client:
        lost = [repeated(client, made) for made in calls]
        assert sum(lost) <= CLIENTS * rounds
        asked = {made.key for made in calls}
        counted = Counter(each["name"] for vm in vms for each in client.read(f"/api/vcenter/vm/{vm}/snapshot"))
        assert {counted[name] for name in asked & counted.keys()} == {1}
        names = Counter(each["name"] for each in client.read("/api/vcenter/vm"))
        assert set(names.values()) == {1}


def repeated(client: Client, made: Made) -> bool:
    """Whether the answer is lost; what is not gets the same one, or is made now."""

    def settled() -> list[requests.Response]:
        reply = call(client, made)
        is_under_way = reply.status_code in (409, 500) and LOST not in reply.text and not is_full(reply)
        return [] if is_under_way else [reply]  # one that is no success counts as false

    (reply,) = wait_until(settled, f"an answer to {made}")
    if reply.status_code == 409:
        assert made.answer is None, "what was answered is answered again"
        return True
    assert reply.ok or is_full(reply), (made, reply.text)
    if made.answer is not None:
        assert (reply.status_code, reply.content) == made.answer, made
    return False


def test_a_wait_ends_by_another_worker_and_when_the_client_leaves(server: Server) -> None:
    with server.session() as client, server.session() as other, ThreadPoolExecutor(1) as pool:
        path = f"/api/vcenter/vm/{client.read('/api/vcenter/vm')[0]['vm']}"
        known = client.get(path).headers["ETag"]
        waits = {"Prefer": "wait=60", "If-None-Match": known}
        waiting = pool.submit(client.get, path, headers=waits)
        boot = other.read(f"{path}/hardware/boot")
        assert other.patch(f"{path}/hardware/boot", json={"delay": boot["delay"] + 1}).status_code == 204
        reply = waiting.result(60)
        assert (reply.status_code, reply.headers["Preference-Applied"]) in ((200, "wait=60"),)
        for _ in range(120):  # more than may wait of one user: those who leave make room
            with socket.create_connection(("127.0.0.1", server.port)) as leaving:
                lines = (f"GET {path} HTTP/1.1", "Host: x", f"vmware-api-session-id: {client.token}", "Prefer: wait=60")
                known = f"If-None-Match: {reply.headers['ETag']}"
                leaving.sendall("\r\n".join((*lines, known, "", "")).encode())
        wait_until(
            lambda: (
                "Preference-Applied"
                in client.get(path, headers={"Prefer": "wait=1", "If-None-Match": reply.headers["ETag"]}).headers
            ),
            "room for another",
        )


def test_an_orderly_stop_waits_for_nobody_who_waits(server: Server) -> None:
    with server.session() as client, ThreadPoolExecutor(1) as pool:
        path = f"/api/vcenter/vm/{client.read('/api/vcenter/vm')[0]['vm']}"
        tag = client.get(path).headers["ETag"]
        waiting = pool.submit(client.get, path, headers={"Prefer": "wait=60", "If-None-Match": tag})
        threading.Event().wait(0.5)
        assert server.stop() == 0
        with suppress(*GONE):
            assert waiting.result(30).status_code == 304
    server.start()
