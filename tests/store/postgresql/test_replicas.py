"""Two servers on one database: what one does the other shows, and goes on with when that one dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.store.postgresql.database import Database, database
from tests.store.postgresql.place import url_in
from tests.support.server import Client, Server, wait_until

VM = "/api/vcenter/vm"
SIZES = ("--datacenters", "1", "--clusters", "1", "--hosts", "3", "--vms", "30", "--workers", "1")
ROUNDS = 40
LEASE_AND_MORE_SECONDS = 60


@pytest.fixture(scope="module")
def own_database() -> Iterator[Database]:
    with database() as own:
        yield own


@pytest.fixture(scope="module")
def url(own_database: Database, tmp_path_factory: pytest.TempPathFactory) -> str:
    return url_in(own_database, tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def replicas(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder = tmp_path_factory.mktemp("replicas")
    one, other = (Server(folder / name, "--store", url, *SIZES) for name in ("one", "other"))
    with ExitStack() as stack:
        for each in (one, other):
            each.start()
            stack.callback(stop, each)
        yield one, other


def stop(server: Server) -> None:
    """Stop it, unless a test that failed has left it killed."""
    if server.runs:
        server.stop()


@pytest.fixture
def clients(replicas: tuple[Server, Server]) -> Iterator[tuple[Client, Client]]:
    """With one session for both servers."""
    one, other = replicas
    with one.session() as here, Client(other, None) as there:
        there.http.headers["vmware-api-session-id"] = here.token
        yield here, there


def power_state(client: Client, vm: str) -> str:
    state: str = client.read(f"{VM}/{vm}/power")["state"]
    return state


def test_what_one_does_the_other_shows_at_once(clients: tuple[Client, Client]) -> None:
    here, there = clients
    vm = here.read(VM)[0]["vm"]
    for number in range(ROUNDS):
        before = power_state(there, vm)
        action = "start" if before == "POWERED_OFF" else "stop"
        assert here.post(f"{VM}/{vm}/power?action={action}").status_code == 204
        assert power_state(there, vm) != before, f"stale in round {number}"
        here, there = there, here


def test_both_make_tags_at_once_and_none_is_lost(clients: tuple[Client, Client]) -> None:
    spec = {"name": "numbers", "cardinality": "MULTIPLE", "description": "", "associable_types": []}
    category = clients[0].post("/api/cis/tagging/category", json=spec).json()
    made: list[str] = []

    def add(client: Client, name: str) -> None:
        for number in range(10):
            tag = {"category_id": category, "name": f"{name}{number}", "description": ""}
            reply = client.post("/api/cis/tagging/tag", json=tag)
            assert reply.status_code == 201, reply.text
            made.append(reply.json())

    threads = [threading.Thread(target=add, args=pair) for pair in zip(clients, "ab", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 20, "no id is given twice"
    for client in clients:
        assert set(made) <= set(client.read("/api/cis/tagging/tag"))


def test_each_tells_its_metrics(clients: tuple[Client, Client]) -> None:
    for client in clients:
        reply = client.get("/metrics")
        assert reply.status_code == 200, reply.text
        (size,) = [line for line in reply.text.splitlines() if line.startswith("resphere_store_size_bytes")]
        assert float(size.split()[-1]) > 0


def test_a_database_that_restarts_is_told_by_readiness_and_forgotten(
    own_database: Database, clients: tuple[Client, Client]
) -> None:
    own_database.stop("fast")
    wait_until(lambda: all(client.get("/readyz").status_code == 503 for client in clients), "both are not ready")
    assert all(client.get("/healthz").status_code == 200 for client in clients), "but alive"
    own_database.start()
    wait_until(lambda: all(client.get("/readyz").status_code == 200 for client in clients), "both are ready")
    vm = clients[0].read(VM)[0]["vm"]
    assert power_state(clients[0], vm) == power_state(clients[1], vm)


def test_what_one_has_begun_another_finishes(replicas: tuple[Server, Server], clients: tuple[Client, Client]) -> None:
    """A bulk operation of a server that is killed in the middle of it: once for each machine."""
    here, there = clients
    machines = [each["vm"] for each in here.read(VM) if each["power_state"] == "POWERED_ON"][:20]
    each = {"operation": "com.vmware.vcenter.vm.power.stop", "parameter": "vm", "values": machines}
    made = here.post("/api/resphere/bulk", json={"each": each, "concurrency": 1, "rate": 4})
    assert made.ok, made.text
    bulk = f"/api/resphere/bulk/{made.json()}"
    wait_until(lambda: there.read(bulk)["counts"].get("succeeded", 0) > 0, "it has begun")
    replicas[0].kill()
    wait_until(lambda: there.read(bulk)["status"] != "RUNNING", "the other has finished it", LEASE_AND_MORE_SECONDS)
    info = there.read(bulk)
    # Each was on before: one that was stopped twice would be told to be off already.
    assert (info["status"], info["counts"]["succeeded"]) == ("SUCCEEDED", len(machines))
    assert {power_state(there, vm) for vm in machines} == {"POWERED_OFF"}
    uptime = there.read("/api/appliance/system/uptime")
    replicas[0].start()
    assert there.read("/api/appliance/system/uptime") >= uptime, "who joins does not boot the appliance for all"
    with replicas[0].session() as again:
        assert again.read(bulk) == info
