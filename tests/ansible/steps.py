"""Playbooks written as tables: a module, what it is told, and what it reports."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tests.ansible.test_playbooks import play
from tests.sdk.bindings import RELEASES, bindings
from tests.support.server import Server


class Step(NamedTuple):
    """A task. Later ones name what it returned by ``name`` (``{{ name.id }}``). A ``module`` without a collection is
    one of vmware.vmware_rest; those of vmware.vmware find the official SDK.

    ``refused``: the error that the server answers, ``None`` where it does what it is told.
    """

    name: str
    module: str
    arguments: dict[str, Any]
    changed: bool
    refused: str | None


def step(name: str, module: str, /, *, changed: bool = False, refused: str | None = None, **arguments: Any) -> Step:
    """A task that changes nothing, unless told otherwise."""
    return Step(name, module, arguments, changed, refused)


def twice(name: str, module: str, /, **arguments: Any) -> list[Step]:
    """A change, and the same once more (``..._again``), which changes nothing."""
    return [step(name, module, changed=True, **arguments), step(f"{name}_again", module, **arguments)]


def take(server: Server, folder: Path, steps: Iterable[Step], **variables: Any) -> dict[str, Any]:
    """Take all steps in one play, those after a failure too; returns what each module returned."""
    wanted = list(steps)
    tasks: list[dict[str, Any]] = [
        {
            "name": each.name,
            each.module if "." in each.module else f"vmware.vmware_rest.{each.module}": each.arguments,
            "environment": environment_of(each, server),
            "register": each.name,
            "ignore_errors": True,
        }
        for each in wanted
    ]
    kept = ", ".join(f"'{each.name}': {each.name}" for each in wanted)
    write = {"dest": "{{ output }}", "mode": "0600", "content": f"{{{{ {{ {kept} }} | to_json }}}}"}
    tasks.append({"name": "Keep what happened", "ansible.builtin.copy": write})
    book = folder / "play.yml"
    book.write_text(json.dumps([{"name": "Steps", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    return play(server, str(book), folder, **variables)


def environment_of(step: Step, server: Server) -> dict[str, str]:
    """Variables of the module's process; the test is skipped where it needs the official SDK and that is not there."""
    if not step.module.startswith("vmware.vmware."):
        return {}
    return {"PYTHONPATH": str(bindings(RELEASES[-1])), "REQUESTS_CA_BUNDLE": str(server.ca)}


def surprises(steps: Iterable[Step], happened: dict[str, Any]) -> dict[str, Any]:
    """What the modules returned where that is not what the steps say, by the step's name."""
    return {each.name: happened[each.name] for each in steps if not as_told(each, happened[each.name])}


def as_told(step: Step, reply: dict[str, Any]) -> bool:
    """Whether the module returned what the step says."""
    failed = reply.get("failed", False)
    if step.refused is not None:
        told: bool = failed and not reply["changed"] and reply["value"]["error_type"] == step.refused
        return told
    # Modules leave `changed` out where vCenter answers without a body.
    return not failed and reply.get("changed", False) is step.changed
