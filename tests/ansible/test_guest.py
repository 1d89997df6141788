"""Ansible's modules for guests and Tools, unmodified: what they report, and that doing it again changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ansible.test_playbooks import PLAYBOOK, play
from tests.live.test_guest import linux_vm
from tests.support.server import Server

pytestmark = pytest.mark.skipif(
    not PLAYBOOK.exists(), reason="Ansible is not in .cache/ansible; `make ansible` fetches it"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("ansible") / "data") as server:
        yield server


def test_a_guest_by_ansible(server: Server, tmp_path: Path) -> None:
    with server.session() as client:
        vm = linux_vm(client)
        address = f"/api/vcenter/vm/{vm}/guest/"
        paths = {
            "identity": "identity",
            "filesystems": "local-filesystem",
            "networking": "networking",
            "interfaces": "networking/interfaces",
            "routes": "networking/routes",
            "operations": "operations",
        }
        expected = {name: client.read(address + path) for name, path in paths.items()}
    found = play(server, "guest.yml", tmp_path, vm=vm)
    for name, value in expected.items():
        assert found[name]["value"] == value, name
    changed = {name: found[name]["changed"] for name in ("directory_first", "directory_second", "removed")}
    assert changed == {"directory_first": True, "directory_second": False, "removed": True}
    assert found["directory_second"]["value"]["error_type"] == "ALREADY_EXISTS"
    assert found["temporary"]["value"].startswith("/tmp/a")
    # The collection reports a change of the installer never, for the server answers 204.
    assert found["installer_second"]["value"]["error_type"] == "ALREADY_IN_DESIRED_STATE"
    assert found["customization"]["changed"] is True
    assert found["installer"]["value"] == {"is_connected": True}
    assert found["identity_after"]["value"]["host_name"] == "ansible.example.org"
