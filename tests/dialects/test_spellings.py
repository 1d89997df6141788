"""What clients write otherwise than the contract has it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.content.libraries import add_library
from tests.services.content.templates import source
from tests.services.vcenter.ovf.packages import add_package, target
from tests.support.calls import ApiCall
from tests.support.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def ask(served: Served, target: str, body: Any) -> tuple[int, Any]:
    """Status and document of the answer to a POST."""
    call = ApiCall("POST", target, json.dumps(body).encode())
    reply = served.ask_api(call) if target.startswith("/api") else served.ask(served.rest, call)
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize("spelling", ["accept_all_EULA", "accept_all_eula"])
@pytest.mark.parametrize("dialect", ["/api", "/rest"])
def test_agreements_are_accepted(served: Served, dialect: str, spelling: str) -> None:
    item, pool = add_package(served.world), target(served.world).resource_pool_id
    body = {"target": {"resource_pool_id": pool}, "deployment_spec": {"name": "web", spelling: True}}
    path = {
        "/api": f"/api/vcenter/ovf/library-item/{item}?action=deploy",
        "/rest": f"/rest/com/vmware/vcenter/ovf/library-item/id:{item}?~action=deploy",
    }[dialect]
    status, document = ask(served, path, body)
    assert status == 200, document
    result = document["value"] if dialect == "/rest" else document
    assert result["succeeded"], result


@pytest.mark.parametrize("dialect", ["/api", "/rest"])
def test_the_policy_of_the_source(served: Served, dialect: str) -> None:
    vm, library = source(served.world), add_library(served.world, name="templates")
    storage = {"storage_policy": {"type": "USE_SOURCE_POLICY"}}
    spec: dict[str, Any] = {
        "source_vm": vm.id,
        "name": "golden",
        "library": library,
        "vm_home_storage": storage,
        "disk_storage": storage,
        "disk_storage_overrides": {},
    }
    key = next(iter(vm.disks))
    spec["disk_storage_overrides"] = [{"key": key, "value": storage}] if dialect == "/rest" else {key: storage}
    path = f"{dialect}/vcenter/vm-template/library-items"
    status, document = ask(served, path, {"spec": spec} if dialect == "/rest" else spec)
    assert status in (200, 201), document
    spec["name"] = "other"
    spec["disk_storage"] = {"storage_policy": {"type": "USE_OTHER"}}
    status, document = ask(served, path, {"spec": spec} if dialect == "/rest" else spec)
    assert status == 400
    assert "USE_SPECIFIED_POLICY" in json.dumps(document)
