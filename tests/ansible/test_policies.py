"""Ansible's modules for storage policies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ansible.test_playbooks import PLAYBOOK, play
from tests.support.server import Server

pytestmark = pytest.mark.skipif(
    not PLAYBOOK.exists(), reason="Ansible is not in .cache/ansible; `make ansible` fetches it"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("ansible-policies") / "data") as server:
        yield server


def test_storage_policies(server: Server, tmp_path: Path) -> None:
    with server.session() as client:
        vms = [row["vm"] for row in client.read("/api/vcenter/vm")]
        vm, disks = next((vm, found) for vm in vms if (found := client.read(f"/api/vcenter/vm/{vm}/hardware/disk")))
        policies = client.read("/api/vcenter/storage/policies")
    policy, disk = policies[0]["policy"], disks[0]["disk"]
    found = play(server, "policies.yml", tmp_path, vm=vm, disk=disk, policy=policy)
    assert found["policies"]["value"] == policies
    assert found["before"]["value"] == {"disks": {}}
    assert found["assigned"]["changed"] is False or found["assigned"]["value"] == {}
    assert found["after"]["value"] == {"vm_home": policy, "disks": {disk: policy}}
    for name in ("checked", "compliance"):
        assert found[name]["value"]["overall_compliance"] == "COMPLIANT", name
    assert found["unknown"]["failed"] is True
