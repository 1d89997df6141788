"""Any life of virtual machines on a real server: several clients at once, killed in the middle, again and again."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from tests.support.exports import objects
from tests.support.server import WITHOUT_TLS, Client, Server
from tests.support.soundness import problems

CLIENTS = 4
KILLS = 3
FORESEEN = {
    "ALREADY_EXISTS",
    "ALREADY_IN_DESIRED_STATE",
    "CONCURRENT_CHANGE",
    "ERROR",
    "INVALID_ARGUMENT",
    "NOT_ALLOWED_IN_CURRENT_STATE",
    "NOT_FOUND",
    "RESOURCE_BUSY",
    "RESOURCE_INACCESSIBLE",
    "UNABLE_TO_ALLOCATE_RESOURCE",
    "UNSUPPORTED",
}


def live(client: Client, seed: int, goes_on: threading.Event) -> None:
    """Do anything to any of a few machines, all clients the same ones, until the server is gone."""
    chance = random.Random(seed)
    vms = [each["vm"] for each in client.read("/api/vcenter/vm")][:6]
    stores = [each["datastore"] for each in client.read("/api/vcenter/datastore")]
    hosts = [each["host"] for each in client.read("/api/vcenter/host")]
    while True:
        try:
            reply = act(client, chance, chance.choice(vms), chance.choice(stores), chance.choice(hosts))
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return  # the latter where it was killed in the middle of a reply
        if not reply.ok:
            assert reply.json()["error_type"] in FORESEEN, reply.text
        elif isinstance(found := reply.json() if reply.content else None, str) and found.startswith("vm-"):
            vms.append(found)
        goes_on.set()


def act(client: Client, chance: random.Random, vm: str, store: str, host: str) -> requests.Response:
    """One request."""
    path, name = f"/api/vcenter/vm/{vm}", chance.choice("abcdef")
    spec: dict[str, Any] = {"source": vm, "name": name}
    task = "&vmw-task=true" if chance.random() < 0.5 else ""
    match chance.randrange(9):
        case 0:
            return client.post(f"/api/vcenter/vm?action=clone{task}", json={**spec, "placement": {"datastore": store}})
        case 1:
            return client.post("/api/vcenter/vm?action=instant-clone", json=spec)
        case 2:
            return client.post(f"{path}?action=relocate{task}", json={"placement": {"datastore": store}})
        case 3:
            return client.post(f"{path}?action=relocate{task}", json={"placement": {"host": host}})
        case 4 | 5:
            return client.post(f"{path}/power?action={chance.choice(['start', 'stop', 'suspend'])}")
        case 6:
            return client.post(f"{path}/snapshot", json={"name": name, "memory": True})
        case 7:
            return client.post(f"{path}/hardware/disk", json={"new_vmdk": {"capacity": 1 << 20}})
        case _:
            return client.delete(path)


def test_kills_in_the_middle_of_anything(tmp_path: Path) -> None:
    chance = random.Random(1)
    with Server(tmp_path / "data", "--workers", "2", WITHOUT_TLS) as server, ThreadPoolExecutor(CLIENTS) as pool:
        for kill in range(KILLS):
            clients = [server.session() for _ in range(CLIENTS)]
            begun = threading.Event()
            living = [pool.submit(live, client, 10 * kill + n, begun) for n, client in enumerate(clients)]
            assert begun.wait(60)
            # A moment that has nothing to do with what the server does just then.
            threading.Event().wait(chance.uniform(0.2, 0.8))
            server.kill()
            for each in living:
                each.result()
            for client in clients:
                client.close()
            assert problems(list(objects(server).values())) == []
            server.start()
            with server.session() as client:
                listed = client.post("/api/cis/tasks?action=list", json={"filter_spec": {"status": ["RUNNING"]}})
                assert listed.json() == {}
                free = {each["datastore"]: each["free_space"] for each in client.read("/api/vcenter/datastore")}
            server.stop()
            server.start()
            with server.session() as client:
                assert {e["datastore"]: e["free_space"] for e in client.read("/api/vcenter/datastore")} == free
