"""The lookup plugins of vmware.vmware_rest in a playbook, unmodified, against a server with TLS."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.ansible.test_playbooks import CACHE, environment, play
from tests.ansible.test_playbooks import pytestmark as pytestmark
from tests.ansible.test_playbooks import server as server
from tests.support.server import Client, Server, wait_until

HELPER = CACHE / "ansible_collections/cloud/common/plugins/module_utils/turbo/server.py"
STAYS_SECONDS = 3600


@pytest.fixture(scope="module")
def home(server: Server) -> Iterator[Path]:
    """A home directory in which the plugins find their helper.

    They would start it themselves, but wait only a second for it, and nobody would end it. Its socket lies below the
    home directory, whose path must be short.
    """
    with tempfile.TemporaryDirectory() as name:
        address = Path(name, ".ansible", "tmp", "turbo_lookup.vmware.vmware_rest.socket")
        address.parent.mkdir(parents=True)
        python = CACHE / "venv" / "bin" / "python"
        command = [str(python), str(HELPER), "--socket-path", str(address), "--ttl", str(STAYS_SECONDS)]
        with subprocess.Popen(command, env=environment(server, Path(name))) as helper:
            try:
                wait_until(lambda: helper.poll() is not None or accepts(address), "the start of the helper")
                yield Path(name)
                assert helper.poll() is None
            finally:
                helper.terminate()


def accepts(address: Path) -> bool:
    """Whether somebody listens at a socket."""
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        return probe.connect_ex(str(address)) == 0


def look_up(server: Server, home: Path, wanted: list[tuple[str, str]]) -> list[Any]:
    """What each lookup finds, given its object type and path."""
    found: list[list[Any]] = play(server, "look_up.yml", home, wanted=[list(each) for each in wanted])["found"]
    return [each[0] if each else None for each in found]


def first(client: Client, path: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/vcenter/{path}").json()[0]
    return found


def machine_below(client: Client, folder: str, path: str) -> tuple[str, str] | None:
    """Path and id of the first VM at any depth of a folder."""
    for vm in client.get(f"/api/vcenter/vm?folders={folder}").json():
        return f"{path}/{vm['name']}", vm["vm"]
    for below in client.get(f"/api/vcenter/folder?parent_folders={folder}").json():
        found = machine_below(client, below["folder"], f"{path}/{below['name']}")
        if found:
            return found
    return None


def test_lookups_find_what_is_at_a_path(server: Server, home: Path) -> None:
    with server.session() as client:
        datacenter = first(client, "datacenter")
        root = f"/{datacenter['name']}"
        inside = f"datacenters={datacenter['datacenter']}"
        vm_folder = client.get(f"/api/vcenter/datacenter/{datacenter['datacenter']}").json()["vm_folder"]
        cluster = first(client, f"cluster?{inside}")
        datastore, network = first(client, f"datastore?{inside}"), first(client, f"network?{inside}")
        machine = first(client, f"vm?clusters={cluster['cluster']}")
        host = first(client, f"host?clusters={cluster['cluster']}")
        [pool] = client.get(f"/api/vcenter/resource-pool?clusters={cluster['cluster']}&names=Resources").json()
    expected = {
        ("datacenter", root): datacenter["datacenter"],
        ("cluster", f"{root}/host/{cluster['name']}"): cluster["cluster"],
        ("host", f"{root}/host/{host['name']}"): host["host"],
        ("datastore", f"{root}/datastore/{datastore['name']}"): datastore["datastore"],
        ("network", f"{root}/network/{network['name']}"): network["network"],
        ("folder", f"{root}/vm"): vm_folder,
        ("vm", f"{root}/{cluster['name']}/{machine['name']}"): machine["vm"],
        ("resource_pool", f"{root}/{cluster['name']}/Resources"): pool["resource_pool"],
    }
    assert look_up(server, home, list(expected)) == list(expected.values())


def test_a_machine_below_several_folders(server: Server, home: Path) -> None:
    """The collection asks for pools in the folder too, and must not find any of a folder's name: hence the new one."""
    with server.session() as client:
        datacenter = first(client, "datacenter")
        vm_folder = client.get(f"/api/vcenter/datacenter/{datacenter['datacenter']}").json()["vm_folder"]
        [upper] = client.get(f"/api/vcenter/folder?parent_folders={vm_folder}&names=Production").json()
        assert client.patch(f"/api/vcenter/folder/{upper['folder']}", json={"name": "Estate"}).status_code == 204
        machine = machine_below(client, upper["folder"], f"/{datacenter['name']}/vm/Estate")
    assert machine is not None
    assert machine[0].count("/") > 4
    assert look_up(server, home, [("vm", machine[0])]) == [machine[1]]


def test_lookups_of_what_is_not_there(server: Server, home: Path) -> None:
    with server.session() as client:
        root = f"/{first(client, 'datacenter')['name']}"
    assert look_up(server, home, [("vm", f"{root}/vm/nobody"), ("datacenter", "/nowhere")]) == [None, None]
