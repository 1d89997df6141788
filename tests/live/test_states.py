"""States over HTTP: whichever worker is asked, and whoever is killed meanwhile."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import requests

from tests.live.test_tasks import at_another_worker, worker_of
from tests.support.exports import objects
from tests.support.kills import kills
from tests.support.server import WITHOUT_TLS, Client, Server

STATES = "/api/resphere/states"


def restore(client: Client, name: str = "fresh") -> requests.Response:
    return client.post(f"{STATES}/{name}?action=restore", json={"end_work": True})


def change_much(client: Client) -> None:
    """Delete some machines, rename others, add a folder."""
    machines = client.read("/api/vcenter/vm")
    for row in machines[:5]:
        client.post(f"/api/vcenter/vm/{row['vm']}/power?action=stop")
        assert client.delete(f"/api/vcenter/vm/{row['vm']}").status_code == 204
    for row in machines[5:10]:
        body = {"name": f"{row['name']}-x"}
        assert client.patch(f"/api/vcenter/vm/{row['vm']}", json=body).status_code == 204, row
    parent = client.read("/api/vcenter/folder?type=VIRTUAL_MACHINE")[0]["folder"]
    assert client.post("/api/vcenter/folder", json={"name": "added", "parent": parent}).status_code == 201


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "data", WITHOUT_TLS, "--workers", "2")


def test_every_worker_shows_what_one_has_restored(server: Server) -> None:
    with server, server.session() as client, server.session() as other:
        taken = client.post(STATES, json={"name": "fresh", "description": "as made"})
        assert taken.json() == "fresh"
        at_another_worker(other, worker_of(taken))
        before = client.get("/api/vcenter/vm")
        one = client.get(f"/api/vcenter/vm/{before.json()[0]['vm']}")
        noon = "2030-01-01T12:00:00.000Z"
        assert client.put("/api/resphere/clock", json={"time": noon, "frozen": True}).status_code == 204
        change_much(client)
        # One clock for all workers, by which tasks go, and what is on record does not.
        assert other.read("/api/resphere/clock")["time"] == noon
        snapshot = other.post(f"/api/vcenter/vm/{before.json()[-1]['vm']}/snapshot", json={"name": "s"})
        assert snapshot.status_code == 201, snapshot.text
        taken = client.read(f"/api/vcenter/vm/{before.json()[-1]['vm']}/snapshot")
        assert noon in str(taken)
        assert client.read("/api/resphere/audit?size=1")["records"][0]["start_time"] < noon
        changed = other.get("/api/vcenter/vm")
        assert changed.json() != before.json()
        result = restore(other).json()
        assert result["deleted"] >= 1
        assert result["tasks"] == []
        for each in (client, other):
            assert each.read("/api/resphere/clock")["set"] is False
            again = each.get("/api/vcenter/vm")
            assert again.json() == before.json()
            assert again.headers["ETag"] not in (before.headers["ETag"], changed.headers["ETag"])
            shown = each.get(one.request.path_url)
            assert shown.json() == one.json()
            assert shown.headers["ETag"] != one.headers["ETag"]
        # What somebody has begun with what was there before is refused.
        stale = client.patch(one.request.path_url, json={"name": "late"}, headers={"If-Match": one.headers["ETag"]})
        assert stale.status_code == 412
        (info,) = other.read(STATES)
        assert (info["state"], info["description"], info["restorations"]) == ("fresh", "as made", 1)


def test_a_server_that_is_killed_has_restored_all_or_nothing(server: Server) -> None:
    server.start()
    with server.session() as client:
        assert client.post(STATES, json={"name": "fresh"}).status_code == 201
    before = objects(server)
    outcomes = set()
    for number in range(kills(3)):
        with server.session() as client:
            restore(client)
            change_much(client)
            changed = objects(server)
            asking = threading.Thread(target=asked, args=(client,))
            asking.start()
            time.sleep(0.001 * (number * 3 % 10))  # somewhere in the middle; any moment is good
            server.kill()
            asking.join()
        found = objects(server)
        assert found in (before, changed)
        outcomes.add(found == before)
        server.start()
    with server.session() as client:
        assert restore(client).status_code == 200
        assert objects(server) == before
    server.stop()


def asked(client: Client) -> None:
    """Ask for the restoration, of a server that may be killed before it answers."""
    try:
        restore(client)
    except requests.RequestException:
        return


def test_who_may_not_and_what_is_refused(shared_server: Server, client: Client) -> None:
    assert client.post(STATES, json={"name": "one"}).status_code == 201
    user = {"name": "reader@vsphere.local", "password": "Reader-1234!"}
    assert client.post("/api/resphere/users", json=user).status_code == 201
    with shared_server.session(user["name"], user["password"]) as reader:
        assert reader.get(STATES).status_code == 403
        assert reader.post(STATES, json={"name": "y"}).status_code == 403
        assert restore(reader, "one").status_code == 403
        assert reader.delete(f"{STATES}/one").status_code == 403
    assert client.delete("/api/resphere/users/reader@vsphere.local").status_code == 204
    assert client.post(STATES, json={"name": "one"}).status_code == 400
    assert client.post(STATES, json={"name": "../up"}).status_code == 400
    assert restore(client, "none").status_code == 404
    assert client.delete(f"{STATES}/one").status_code == 204
    assert client.get(f"{STATES}/one").status_code == 404
