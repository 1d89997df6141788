"""The inventory as a file: written beside a running server, read by another."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import resphere
from tests.support.exports import export
from tests.support.server import Server
from tests.support.vms import OFF, ON, any_vm, bring

LISTS = ("vm", "host", "cluster", "datacenter", "datastore", "folder", "network", "resource-pool")


def test_a_server_from_an_export_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "inventory.yaml"
    with Server(tmp_path / "one") as one, one.session() as client:
        vm = any_vm(client, OFF)
        client.post(f"/api/vcenter/vm/{vm}/snapshot", json={"name": "Größe", "description": "a: b # c"})
        bring(client, vm, ON)
        done = resphere("inventory", "export", str(file), "--data-dir", str(one.data_dir))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert resphere("inventory", "export", "--data-dir", str(one.data_dir)).stdout == file.read_text("utf-8")
        with Server(tmp_path / "two", "--inventory", str(file)) as two, two.session() as other:
            assert export(two) == file.read_text("utf-8")
            for name in LISTS:
                assert other.read(f"/api/vcenter/{name}") == client.read(f"/api/vcenter/{name}")
            for path in (f"/api/vcenter/vm/{vm}", f"/api/vcenter/vm/{vm}/snapshot"):
                assert other.read(path) == client.read(path)
            # And it goes on: new objects get ids that nothing has.
            made = other.post(f"/api/vcenter/vm/{vm}/snapshot", json={"name": "next"}).json()
            assert len({row["snapshot"] for row in other.read(f"/api/vcenter/vm/{vm}/snapshot")}) == 2
            assert made in other.read(f"/api/vcenter/vm/{vm}/snapshot")[-1].values()


def test_a_store_that_is_full_is_not_filled_again(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "5") as server, server.session() as client:
        before = client.read("/api/vcenter/vm")
    with Server(tmp_path / "data") as server, server.session() as client:
        assert client.read("/api/vcenter/vm") == before
