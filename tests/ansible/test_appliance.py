"""Ansible's modules for the appliance: services, settings, shutdowns, figures."""

from __future__ import annotations

import json
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
    with Server(tmp_path_factory.mktemp("ansible-appliance") / "data", "--vms", "1") as server:
        yield server


def test_the_appliance(server: Server, tmp_path: Path) -> None:
    found = play(server, "appliance.yml", tmp_path, start="2026-01-02T03:00:00.000Z", end="2026-01-02T04:00:00.000Z")
    assert not [name for name, each in found.items() if each.get("failed") and name != "own"]
    assert found["own"]["failed"] is True
    assert found["service"]["value"] == {"description": "Network Time Service", "state": "STOPPED"}
    assert found["fips_before"]["value"] == {"enabled": False}
    assert (found["fips"]["changed"], found["fips_again"]["changed"]) == (True, False)
    assert (found["plan"]["value"]["action"], found["plan"]["value"]["reason"]) == ("poweroff", "a patch")
    assert found["no_plan"]["value"] == {"action": "", "reason": ""}
    assert {"root", "log", "db"} == set(found["resized"]["value"])
    exported = json.loads(found["exported"]["value"])
    assert exported["profiles"]["ApplianceManagement"]["config"]["global_fips"] == {"enabled": True}
    (measured,) = found["measured"]["value"]
    assert measured["data"] == [""] * 13
    with server.session() as client:
        assert client.read("/api/appliance/services/ntpd")["state"] == "STARTED"
