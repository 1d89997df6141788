"""New virtual machines on a real server: two workers, one name; and what is acknowledged stays, however it ends."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.exports import objects
from tests.support.machines import place, spec
from tests.support.server import Client, Server
from tests.support.soundness import problems

WRITERS = 8
KILLS = 3
SMALL = [{"new_vmdk": {"capacity": 1 << 20}}]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Where requests wait that the test does not."""
    with ThreadPoolExecutor(WRITERS) as pool:
        yield pool


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--workers", "2") as server:
        yield server


class Creator:
    """Creates VMs until the server is gone, deletes every third, and remembers what it was told."""

    def __init__(self, client: Client, where: dict[str, str], name: str) -> None:
        self.client = client
        self.where = where
        self.name = name
        self.there: set[str] = set()
        self.gone: set[str] = set()
        self.doubtful: set[str] = set()

    def run(self, goes_on: threading.Event) -> None:
        """Work until the connection breaks."""
        number = 0
        while True:
            name = f"{self.name}-{number}"
            number += 1
            self.doubtful = {name}
            try:
                reply = self.client.post("/api/vcenter/vm", json=spec(self.where, name, disks=SMALL))
                assert reply.status_code == 201, reply.text
                self.there.add(name)
                if number % 3 == 0:
                    self.there.remove(name)
                    reply = self.client.delete(f"/api/vcenter/vm/{reply.json()}")
                    assert reply.status_code == 204, reply.text
                    self.gone.add(name)
            except requests.ConnectionError:
                return
            goes_on.set()


def test_kills_lose_no_vm_that_was_acknowledged(server: Server, pool: ThreadPoolExecutor) -> None:
    chance = random.Random(1)
    with server.session() as client:
        where = place(client)
    for kill in range(KILLS):
        clients = [server.session() for _ in range(WRITERS)]
        creators = [Creator(client, where, f"kill{kill}-{number}") for number, client in enumerate(clients)]
        begun = threading.Event()
        working = [pool.submit(creator.run, begun) for creator in creators]
        assert begun.wait(60)
        # A moment that has nothing to do with what the server does just then.
        threading.Event().wait(chance.uniform(0, 0.3))
        server.kill()
        for each in working:
            each.result()
        for client in clients:
            client.close()
        server.start()
        with server.session() as client:
            names = {vm["name"] for vm in client.read("/api/vcenter/vm")}
        for creator in creators:
            assert creator.there - creator.doubtful <= names
            assert not creator.gone & names
        assert any(creator.there for creator in creators)
    with server.session() as client:
        free = {each["datastore"]: each["free_space"] for each in client.read("/api/vcenter/datastore")}
    # Counted anew, it is what was kept up to date; and the inventory holds together.
    server.stop()
    assert problems(list(objects(server).values())) == []
    server.start()
    with server.session() as client:
        assert {each["datastore"]: each["free_space"] for each in client.read("/api/vcenter/datastore")} == free


def test_one_name_many_clients_two_workers(server: Server, pool: ThreadPoolExecutor) -> None:
    clients = [server.session() for _ in range(WRITERS)]
    where = place(clients[0])
    for name in ("race-1", "race-2", "race-3"):
        start = threading.Barrier(WRITERS)

        def create(client: Client, name: str = name, start: threading.Barrier = start) -> requests.Response:
            start.wait(60)
            return client.post("/api/vcenter/vm", json=spec(where, name))

        replies = list(pool.map(create, clients))
        assert sorted(reply.status_code for reply in replies) == [201] + [400] * (WRITERS - 1)
        errors = [reply.json() for reply in replies if reply.status_code == 400]
        assert {(error["error_type"], error["messages"][0]["id"]) for error in errors} == {
            ("ALREADY_EXISTS", "vmsg.DuplicateName.summary")
        }
        assert len(clients[0].read(f"/api/vcenter/vm?names={name}")) == 1
    for client in clients:
        client.close()


def test_on_rest_for_older_clients(server: Server) -> None:
    with server.session() as client:
        where = place(client)
        made = client.post("/rest/vcenter/vm", json={"spec": spec(where, "on-rest")})
        assert made.status_code == 200, made.text
        vm = made.json()["value"]
        info = client.read(f"/rest/vcenter/vm/{vm}")["value"]
        (disk,) = info["disks"]
        assert client.post(f"/rest/vcenter/vm/{vm}?action=unregister").status_code == 200
        path = disk["value"]["backing"]["vmdk_file"].replace(".vmdk", ".vmx")
        wanted = {"datastore_path": path, "placement": {key: where[key] for key in ("folder", "cluster")}}
        back = client.post("/rest/vcenter/vm?action=register", json={"spec": wanted})
        assert back.status_code == 200, back.text
        assert client.read(f"/rest/vcenter/vm/{back.json()['value']}")["value"]["name"] == "on-rest"
        refused = client.post("/rest/vcenter/vm", json={"spec": spec(where, "on-rest")})
        assert (refused.status_code, refused.json()["type"]) == (400, "com.vmware.vapi.std.errors.already_exists")
        assert client.delete(f"/rest/vcenter/vm/{back.json()['value']}").status_code == 200


def test_the_last_room_on_a_datastore(server: Server, pool: ThreadPoolExecutor) -> None:
    clients = [server.session() for _ in range(WRITERS)]
    where = place(clients[0])

    def free() -> int:
        return int(clients[0].read(f"/api/vcenter/datastore/{where['datastore']}")["free_space"])

    # A quarter of what is free for each of eight: four find room.
    size = free() // 4
    disks = [{"new_vmdk": {"capacity": size}}]
    replies = list(
        pool.map(
            lambda number: clients[number].post("/api/vcenter/vm", json=spec(where, f"big-{number}", disks=disks)),
            range(WRITERS),
        )
    )
    assert sorted(reply.status_code for reply in replies) == [201] * 4 + [500] * 4
    errors = [reply.json() for reply in replies if reply.status_code == 500]
    assert {(error["error_type"], error["messages"][0]["id"]) for error in errors} == {
        ("UNABLE_TO_ALLOCATE_RESOURCE", "resphere.vm.disk.no_room")
    }
    assert free() < 4
    for client in clients:
        client.close()
