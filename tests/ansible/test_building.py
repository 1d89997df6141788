"""Ansible's modules for what an inventory is built of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ansible.test_playbooks import PLAYBOOK, play
from tests.support.server import Server

pytestmark = pytest.mark.skipif(
    not PLAYBOOK.exists(), reason="Ansible is not in .cache/ansible; `make ansible` fetches it"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("ansible-building") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def found(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each module returned."""
    return play(server, "building.yml", tmp_path_factory.mktemp("building"))


def test_what_is_built_twice_is_built_once(found: dict[str, Any]) -> None:
    for name in ("datacenter", "host", "pool"):
        assert (found[name]["changed"], found[f"{name}_again"]["changed"]) == (True, False), name
    for name in ("datacenter", "pool"):
        assert found[f"{name}_again"]["id"] == found[name]["id"], name
    assert [each["host"] for each in found["hosts"]["value"]] == [found["host"]["id"]]
    assert [each["name"] for each in found["datastores"]["value"]] == ["datastore1"]
    assert [each["name"] for each in found["networks"]["value"]] == ["VM Network"]
    assert found["clusters"]["value"] == []
    for name in ("pool_deleted", "deleted"):
        assert (found[name]["changed"], found[f"{name}_again"]["changed"]) == (True, False), name


def test_what_vcenter_refuses(found: dict[str, Any]) -> None:
    assert found["unreachable"]["failed"] is True
    assert "resphere.host.unreachable" in found["unreachable"]["msg"]
    # The collection asks for a deletion, and takes any refusal for an answer.
    assert found["not_empty"]["value"]["error_type"] == "RESOURCE_IN_USE"
    assert found["not_empty"]["changed"] is False
