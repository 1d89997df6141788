"""What govc does with packages, templates and sessions of content libraries, by govmomi's clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.go import build, needs_govmomi, said_by
from tests.support.machines import place
from tests.support.server import Server
from tests.support.tiny_package import DESCRIPTOR, DISK
from tests.support.vms import OFF, any_vm

SOURCE = Path(__file__).parent / "govmomi_deployment" / "main.go"

pytestmark = needs_govmomi


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program got."""
    folder = tmp_path_factory.mktemp("govmomi-deployment")
    (folder / "tiny.ovf").write_bytes(DESCRIPTOR)
    (folder / "disk.vmdk").write_bytes(DISK)
    program = build(SOURCE, folder)
    with Server(folder / "data", "--workers", "2") as server:
        with server.session() as client:
            where = place(client)
            pool = client.read(f"/api/vcenter/cluster/{where['cluster']}")["resource_pool"]
            vm = any_vm(client, OFF)
        return said_by(program, server, where["datastore"], pool, where["folder"], vm, folder)


def test_paths(seen: dict[str, Any]) -> None:
    assert seen["paths"] == ["/govmomi work", "/govmomi work/tiny", "/govmomi work/tiny/disk.vmdk"]


def test_a_package_is_deployed_once(seen: dict[str, Any]) -> None:
    assert seen["filtered"]["name"] == "tiny"
    assert seen["deployed"].startswith("vm-")
    assert seen["taken"].startswith("deploy error: ")


def test_a_machine_is_captured_and_exported(seen: dict[str, Any]) -> None:
    captured = seen["captured"]
    assert (captured["name"], captured["type"], captured["description"]) == ("captured", "ovf", "by govmomi")
    assert {"captured.ovf", "captured.mf"} < seen["exported"].keys()
    assert sum(seen["exported"].values()) == captured["size"]
    assert seen["downloads"] == 1


def test_a_template_is_deployed_and_worked_on(seen: dict[str, Any]) -> None:
    assert (seen["template"]["name"], seen["template"]["type"]) == ("golden", "vm-template")
    assert len({seen["deployed"], seen["made"], seen["checked_out"]}) == 3
    assert seen["version"] == "2"


def test_sessions_are_listed_and_ended(seen: dict[str, Any]) -> None:
    # That of the import is there yet: govmomi deletes none.
    assert len(seen["updates"]) == 2
    assert seen["states"] == ["ERROR", "CANCELED"]
    assert seen["left"] == []


def test_what_is_not_published(seen: dict[str, Any]) -> None:
    assert "400" in seen["published"]
