"""What a task resulted in, where that is a structure: each dialect tells it in its own way, by the contract's names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.access.roles import NO_ACCESS, READ_ONLY
from resphere.contract.generated import cis, ids, vcenter, vcenter_vm
from resphere.contract.generated.cis_task import Status
from resphere.contract.generated.vcenter_cluster import EvcMode
from resphere.contract.generated.vcenter_evc_mode import EvcMode as Mode
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.inventory.model import Cluster, Host
from resphere.services import registry
from resphere.tasks.record import Task
from tests.support.calls import api_call
from tests.support.guests import ended
from tests.support.jsonrpc import invocation, session_context
from tests.support.rest_calls import rest_call
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Served
from tests.support.world import IMPLEMENTATIONS, NOW

SKYLAKE = "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz"
TASK = ids.CisTaskId("task-of-a-structure")
SISTERLESS = "com.vmware.vcenter.cluster.evc_mode.check_set$task"
Result = vcenter.VM.Summary
RESULT = Result(
    vm=ids.VirtualMachineId("vm-1"),
    name="web",
    power_state=vcenter_vm.Power.State.POWERED_ON,
    cpu_count=2,
)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A vCenter that keeps a task of an operation whose result only its implementation tells."""
    operation = next(each for each in all_operations() if each.id == SISTERLESS)
    handler = IMPLEMENTATIONS["com.vmware.vcenter.VM.list"].handler
    known = registry.Implementation(operation, handler, kept=False, result=tuple[Result, ...])
    monkeypatch.setitem(registry._implementations, operation.id, known)
    with Served(tmp_path) as served:
        task = Task(
            id=TASK,
            service=operation.service,
            operation=operation.name,
            description="x",
            owner="test",
            status=Status.SUCCEEDED,
            progress=100,
            result=[msgspec.to_builtins(RESULT)],
            queued_time=NOW,
            start_time=NOW,
            end_time=NOW,
        )
        served.world.run(served.world.inventory.change(lambda edit: edit.put(task)))
        yield served


def answer(served: Served, dialect: str, task: str = TASK) -> Any:
    """The body that ``get`` of the task is answered with."""
    operation: AnyOperation = cis.Tasks.get
    value = operation.input(task=task, spec=None)
    if dialect == "api":
        reply = served.ask(served.api, api_call(operation, value))
    elif dialect == "rest":
        reply = served.ask(served.rest, rest_call(operation, value))
    else:
        body = invocation(operation.service, "get", {"task": task}, session_context(served.token))
        call = msgspec.structs.replace(api_call(operation, value), method="POST", target="/api")
        call = msgspec.structs.replace(call, body=json.dumps(body).encode())
        reply = served.ask(served.jsonrpc, call)
    assert reply.status == 200
    return json.loads(reply.body)


PLAIN = {"vm": "vm-1", "name": "web", "power_state": "POWERED_ON", "cpu_count": 2}


def test_api(served: Served) -> None:
    assert answer(served, "api")["result"] == [PLAIN]


def test_rest(served: Served) -> None:
    assert answer(served, "rest")["value"]["result"] == [PLAIN]


def test_jsonrpc(served: Served) -> None:
    info = answer(served, "jsonrpc")["result"]["output"]["STRUCTURE"]["com.vmware.cis.task.info"]
    [structure] = info["result"]["OPTIONAL"]
    assert list(structure["STRUCTURE"]) == ["com.vmware.vcenter.VM.summary"]
    fields = structure["STRUCTURE"]["com.vmware.vcenter.VM.summary"]
    assert {name: fields[name] for name in ("vm", "name", "power_state")} == {
        name: PLAIN[name] for name in ("vm", "name", "power_state")
    }
    assert fields["cpu_count"] == {"OPTIONAL": 2}


def test_errors_within_are_in_the_words_for_who_reads_them(tmp_path: Path) -> None:
    """What keeps two hosts from an EVC mode, of which the reader sees one."""
    with Served(tmp_path) as served:
        inventory = served.world.inventory
        cluster = next(iter(inventory.all(Cluster).values()))
        seen, hidden, *_ = sorted(inventory.by(Host, "parent", cluster.id).values(), key=lambda host: host.id)
        for host in (seen, hidden):
            served.world.change(host, hardware=msgspec.structs.replace(host.hardware, cpu_model=SKYLAKE))
        spec = EvcMode.SetSpec(evc_mode=Mode(key="intel-icelake", masks=()))
        task = served.world.call(EvcMode.check_set_task, ids.ClusterComputeResourceId(cluster.id), spec)
        assert ended(served.world, task) == "SUCCEEDED"
        found = answer(served, "api", task)["result"]
        assert {each["host_system"] for each in found} >= {seen.id, hidden.id}
        ask_as_ann(served, [permission(cluster.id, READ_ONLY), permission(hidden.id, NO_ACCESS)])
        for dialect in ("api", "rest", "jsonrpc"):
            text = json.dumps(answer(served, dialect, task))
            assert seen.id in text
            assert seen.name in text
            assert hidden.id not in text
            assert hidden.name not in text
            assert "parts" not in text
