"""Ansible's collection vmware.vmware_rest, unmodified, against a server with TLS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.inventory.model import VirtualMachine
from tests.support.exports import objects
from tests.support.machines import host_of, place
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server, clean_environment
from tests.support.vms import OFF, any_vm

HERE = Path(__file__).parent
CACHE = Path(__file__).parents[2] / ".cache" / "ansible"
PLAYBOOK = CACHE / "venv" / "bin" / "ansible-playbook"

pytestmark = pytest.mark.skipif(
    not PLAYBOOK.exists(), reason="Ansible is not in .cache/ansible; `make ansible` fetches it"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("ansible") / "data") as server:
        yield server


def environment(server: Server, folder: Path) -> dict[str, str]:
    """What Ansible takes from its environment; ``folder`` is its home."""
    return clean_environment() | {
        "ANSIBLE_COLLECTIONS_PATH": str(CACHE),
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "HOME": str(folder),
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
        # A module goes to its interpreter without files and processes in between.
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_PYTHON_INTERPRETER": str(CACHE / "venv" / "bin" / "python"),
        "VMWARE_HOST": f"localhost:{server.port}",
        "VMWARE_USER": ADMINISTRATOR,
        "VMWARE_PASSWORD": PASSWORD,
        "VMWARE_VALIDATE_CERTS": "yes",
        "SSL_CERT_FILE": str(server.ca),
        "LC_ALL": "C.UTF-8",
    }


def play(server: Server, name: str, folder: Path, **variables: Any) -> dict[str, Any]:
    """Run a playbook; returns what it kept."""
    output = folder / "output.json"
    extra = json.dumps({"output": str(output), **variables})
    done = subprocess.run(
        [str(PLAYBOOK), "-e", extra, str(HERE / name)],
        env=environment(server, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stdout
    kept: dict[str, Any] = json.loads(output.read_text())
    return kept


def test_info_modules(server: Server, tmp_path: Path) -> None:
    with server.session() as client:
        expected = {
            name: client.get(f"/api/vcenter/{path_}").json()
            for name, path_ in {
                "vms": "vm",
                "clusters": "cluster",
                "datacenters": "datacenter",
                "datastores": "datastore",
                "hosts": "host",
                "networks": "network",
                "pools": "resource-pool",
                "folders": "folder?type=VIRTUAL_MACHINE",
            }.items()
        }
    found = play(server, "read.yml", tmp_path)
    for name, value in expected.items():
        assert found[name]["value"] == value, name
        assert found[name]["changed"] is False, name
    assert found["one_vm"]["value"]["name"] in [each["name"] for each in expected["vms"]]
    assert len(found["by_name"]["value"]) == 2
    assert found["power"]["value"]["state"] == "POWERED_ON"
    assert found["cpu"]["value"] == found["one_vm"]["value"]["cpu"]
    assert found["memory"]["value"] == found["one_vm"]["value"]["memory"]
    assert found["missing"]["failed"] is True


def test_the_second_run_changes_nothing(server: Server, tmp_path: Path) -> None:
    happened = play(server, "change.yml", tmp_path)
    # The collection says that it supports check mode, and sends its requests all the same, to a vCenter as to us.
    assert happened["after_check"]["value"]["state"] == "POWERED_ON"
    assert happened["checked"]["changed"] is False
    assert [happened[f"{act}_state"]["value"]["state"] for act in ("start", "stop")] == ["POWERED_ON", "POWERED_OFF"]
    for step in ("cpu", "memory"):
        assert happened[f"{step}_first"]["changed"] is True, step
    # The collection never reports a change of power where the server answers 204, as every vCenter since 7.0.2 does.
    for step in ("cpu", "memory", "start", "stop"):
        assert happened[f"{step}_second"]["changed"] is False, step


def test_a_vm_comes_and_goes(server: Server, tmp_path: Path) -> None:
    with server.session() as client:
        where = variables(client)
    happened = play(server, "machines.yml", tmp_path, **where)
    info = happened["info"]["value"]
    assert (info["name"], info["cpu"]["count"], info["memory"]["size_MiB"]) == ("ansible-vm", 2, 1024)
    assert [nic["backing"]["network"] for nic in info["nics"].values()] == [where["network"]]
    assert (happened["created"]["changed"], happened["created_again"]["changed"]) == (True, False)
    assert happened["created_again"]["id"] == happened["created"]["id"]
    assert happened["left"]["value"] == []
    (back,) = happened["back"]["value"]
    assert back["vm"] != happened["created"]["id"]
    assert happened["same"]["value"] == info
    assert (happened["deleted"]["changed"], happened["deleted_again"]["changed"]) == (True, False)


def test_clones_and_moves(server: Server, tmp_path: Path) -> None:
    with server.session() as client:
        source = any_vm(client, OFF)
        info = objects(server)[source]
        assert isinstance(info, VirtualMachine)
        here = client.read(f"/api/vcenter/host/{info.host}")
        others = client.read(f"/api/vcenter/host?clusters={here['cluster']}")
        host = next(each["host"] for each in others if each["host"] != info.host)
        happened = play(server, "moves.yml", tmp_path, vm=source, host=host)
        assert happened["cloned"]["changed"] is True
        assert happened["cloned_again"]["changed"] is False
        assert "NOT_FOUND" in str(happened["refused"])
        names = {each["name"]: each for each in client.read("/api/vcenter/vm")}
        assert names["ansible-clone"]["power_state"] == names["ansible-instant-clone"]["power_state"] == "POWERED_ON"
        on_host = [each["name"] for each in client.read(f"/api/vcenter/vm?hosts={host}")]
        assert {"ansible-clone", "ansible-instant-clone"} <= set(on_host)


def variables(client: Client) -> dict[str, str]:
    """Where the playbook's VM goes."""
    where = place(client)
    reached = host_of(client, where["cluster"])["networks"]
    networks = client.read("/api/vcenter/network?types=STANDARD_PORTGROUP")
    store = client.read(f"/api/vcenter/datastore/{where['datastore']}")
    return {
        "cluster": where["cluster"],
        "datastore": where["datastore"],
        "datastore_name": store["name"],
        "vm_folder": where["folder"],
        "network": next(each["network"] for each in networks if each["network"] in reached),
    }


def test_what_enters_the_repository() -> None:
    """The collection is under another licence: nothing of it may be tracked."""
    tracked = subprocess.run(["git", "ls-files"], cwd=HERE, stdout=subprocess.PIPE, text=True, check=True)
    assert not [name for name in tracked.stdout.splitlines() if "ansible_collections" in name]
