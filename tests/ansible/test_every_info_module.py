"""Every ``_info`` module of vmware.vmware_rest whose operation the server implements, in one playbook.

What a module asks for is read from its own text, so that operations implemented later are tried without a line here.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from resphere import services
from resphere.contract.catalogue import Catalogue
from resphere.contract.lookup import operation_at
from resphere.dialects.router import Router
from resphere.services.registry import load
from tests.ansible.test_playbooks import CACHE, play
from tests.ansible.test_playbooks import pytestmark as pytestmark
from tests.ansible.test_playbooks import server as server
from tests.support.examples import AT_NIGHT
from tests.support.server import Client, Server

MODULES = CACHE / "ansible_collections" / "vmware" / "vmware_rest" / "plugins" / "modules"
FORMAT = re.compile(r"^PAYLOAD_FORMAT = (\{.*?\n\})", re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(r'"(/api/[^"]*)"')
READS_EACH = {"appliance_localaccounts_info"}
"""Modules that go on and read whatever a list names."""

OF_THE_MOMENT = {"appliance_system_storage_info", "appliance_system_time_info"}
"""Modules that read what is another thing a moment later."""


def asked_for(module: Path) -> str | None:
    """The path that a module asks for with no more than a VM given, ``None`` where it needs to be told more."""
    text = module.read_text()
    ways = FORMAT.search(text)
    assert ways is not None, module
    formats = ast.literal_eval(ways[1])
    needed = set(formats.get("list", formats.get("get"))["path"])
    addresses = ADDRESS.findall(text)
    return addresses[-1] if addresses and needed <= {"vm"} else None


def implemented_modules() -> dict[str, str]:
    """Module -> path, for those whose operation has an implementation."""
    router, implementations = Router(Catalogue().api_routes()), load(services)
    found = {}
    for module in sorted(MODULES.glob("*_info.py")):
        path = asked_for(module)
        resource = router.find([part for part in path.split("/") if part]) if path else None
        match = resource.select("GET", {}) if resource else None
        if path and match and operation_at(match.place).id in implementations:
            found[module.stem] = path
    return found


def playbook(modules: dict[str, str], vm: str) -> list[dict[str, Any]]:
    """A play with a task for each module, and one that keeps what they returned."""
    tasks: list[dict[str, Any]] = [
        {
            "name": name,
            f"vmware.vmware_rest.{name}": {"vm": vm} if "{vm}" in path else {},
            "register": name,
            "ignore_errors": True,
        }
        for name, path in modules.items()
    ]
    kept = ", ".join(f"'{name}': {name}" for name in modules)
    write = {"dest": "{{ output }}", "mode": "0600", "content": f"{{{{ {{ {kept} }} | to_json }}}}"}
    tasks.append({"name": "Keep what was found", "ansible.builtin.copy": write})
    return [{"name": "Read", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]


def machine_with_tools(client: Client) -> str:
    """A VM whose guest answers."""
    for vm in client.read("/api/vcenter/vm?power_states=POWERED_ON"):
        if client.get(f"/api/vcenter/vm/{vm['vm']}/guest/identity").status_code == 200:
            return str(vm["vm"])
    pytest.fail("no VM runs Tools")


@AT_NIGHT
def test_every_info_module_returns_what_the_api_says(server: Server, tmp_path: Path) -> None:
    modules = implemented_modules()
    assert len(modules) > 25
    with server.session() as client:
        vm = machine_with_tools(client)
        book = tmp_path / "play.yml"
        book.write_text(json.dumps(playbook(modules, vm)))
        found = play(server, str(book), tmp_path)
        for name, path in modules.items():
            reply = client.get(path.replace("{vm}", vm))
            assert found[name]["changed"] is False, name
            assert found[name]["failed"] is (reply.status_code >= 400), (name, found[name])
            if reply.status_code == 200:
                told = reply.json()
                if name in READS_EACH:
                    told = [client.read(f"{path}/{id}") for id in told]
                if name in OF_THE_MOMENT:
                    continue
                # The collection shows null as an empty dictionary.
                assert found[name]["value"] == ({} if told is None else told), name
