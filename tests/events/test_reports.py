"""Reports: what is in them, whose they are, and how long they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.access.roles import READ_ONLY
from resphere.contract.extensions.reports import Reports
from resphere.contract.generated.vcenter_vm import Power
from resphere.events.reports import Report
from resphere.inventory.model import Host, Snapshot, VirtualMachine
from resphere.services.resphere import reports
from tests.support.calls import ApiCall
from tests.support.events import told as events
from tests.support.scoped import ANN, ask_as_ann, permission
from tests.support.served import Served
from tests.support.world import NOW

PATH = "/api/resphere/reports"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as made:
        yield made


def ask(served: Served, method: str, path: str, body: object = None) -> tuple[int, Any]:
    reply = served.ask_api(ApiCall(method, path, None if body is None else json.dumps(body).encode()))
    return reply.status, json.loads(reply.body) if reply.body else None


def content(served: Served, **spec: Any) -> dict[str, Any]:
    status, report = ask(served, "POST", PATH, {"name": "weekly", **spec})
    assert status == 201, report
    status, info = ask(served, "GET", f"{PATH}/{report}")
    assert (status, info["name"], info["time"]) == (200, "weekly", "2026-01-02T03:04:05.000Z")
    found: dict[str, Any] = info["content"]
    return found


def machines(served: Served) -> list[VirtualMachine]:
    return [vm for vm in served.world.inventory.all(VirtualMachine).values() if not vm.template]


def test_what_there_is(served: Served) -> None:
    vms = machines(served)
    found = content(served)
    assert found["all"] == {
        "machines": len(vms),
        "powered_on": sum(vm.power_state is Power.State.POWERED_ON for vm in vms),
        "cpu_count": sum(vm.cpu.count for vm in vms),
        "memory_mib": sum(vm.memory.size_MiB for vm in vms),
        "disk_capacity_bytes": sum(disk.capacity or 0 for vm in vms for disk in vm.disks.values()),
    }
    assert sum(group["figures"]["machines"] for group in found["folders"]) == len(vms)
    by_cluster = {group["object"]: group["figures"]["machines"] for group in found["clusters"]}
    hosts = served.world.inventory.all(Host)
    for cluster, count in by_cluster.items():
        assert count == sum(hosts[vm.host].parent == cluster for vm in vms)
    running = sorted(vm.name for vm in vms if vm.power_state is Power.State.POWERED_ON)
    assert [each["name"] for each in found["powered_on"]] == running
    assert found["left_out"] == 0


def test_parts_and_days(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    vm = machines(served)[0]
    for number, days in enumerate((3, 40, 50)):
        made = Snapshot(
            id=f"snapshot-{9000 + number}",
            name=f"{days} days",
            parent=vm.id,
            created_time=NOW - timedelta(days=days),
            state=vm,
        )
        served.world.put(made)
    every = sorted(served.world.inventory.all(Snapshot).values(), key=lambda each: (each.created_time, each.id))
    assert len(every) > 3
    found = content(served, parts=["OLD_SNAPSHOTS"], snapshot_days=35)
    assert found.keys() == {"all", "old_snapshots", "left_out"}
    old = [each for each in every if each.created_time <= NOW - timedelta(days=35)]
    assert [each["snapshot"] for each in found["old_snapshots"]] == [each.id for each in old]
    told = {each["name"]: (each["vm"], each["vm_name"], each["age_days"]) for each in found["old_snapshots"]}
    assert told["40 days"] == (vm.id, vm.name, 40)
    assert "3 days" not in told
    assert len(content(served, parts=["OLD_SNAPSHOTS"])["old_snapshots"]) >= len(old)
    monkeypatch.setattr(reports, "MOST_ENTRIES", 1)
    short = content(served, parts=["OLD_SNAPSHOTS"], snapshot_days=35)
    assert ([each["snapshot"] for each in short["old_snapshots"]], short["left_out"]) == ([old[0].id], len(old) - 1)


def test_it_has_what_its_owner_sees_and_is_theirs(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(served, "POST", PATH, {"name": "everything"})[1]
    vm = machines(served)[0]
    ask_as_ann(served, [permission(vm.id, READ_ONLY)])
    found = content(served)
    assert (found["all"]["machines"], found["folders"], found["clusters"]) == (1, [], [])
    assert [each["name"] for each in ask(served, "GET", PATH)[1]] == ["weekly"]
    for method in ("GET", "DELETE"):
        assert ask(served, method, f"{PATH}/{first}")[0] == 404
    _, page = ask(served, "GET", "/api/resphere/events?types=resphere.report.created")
    assert [event["report"]["all"]["machines"] for event in page["events"]] == [1]
    monkeypatch.setattr(reports, "MOST_REPORTS", 2)
    for _ in range(3):
        content(served)
    assert len(ask(served, "GET", PATH)[1]) == 2
    owners = [report.owner for report in served.world.inventory.all(Report).values()]
    assert owners.count(ANN.name) == 2
    assert len(owners) == 3
    ((report, *_), _) = [[each["report"] for each in ask(served, "GET", PATH)[1]], None]
    assert ask(served, "DELETE", f"{PATH}/{report}")[0] == 204
    assert events(served.world)[-1].event.report is None


@pytest.mark.parametrize(
    ("spec", "status", "words"),
    [
        ({"name": ""}, 400, "name: must have 1 to 80 characters"),
        ({"snapshot_days": 0}, 400, "snapshot_days: must be from 1 to 3650"),
        ({"parts": ["NONE"]}, 400, "parts"),
        ({"webhook": "none"}, 404, "no webhook none that is the caller's"),
    ],
)
def test_what_cannot_be_is_refused(served: Served, spec: dict[str, Any], status: int, words: str) -> None:
    found, error = ask(served, "POST", PATH, {"name": "weekly", **spec})
    assert (found, words in error["messages"][0]["default_message"]) == (status, True)
    assert served.world.inventory.count(Report) == 0


def test_it_is_asked_for_by_json_rpc(served: Served) -> None:
    spec = Reports.CreateSpec(name="weekly", parts=frozenset())
    report = served.by_jsonrpc(Reports.create, Reports.CreateInput(spec=spec))
    info = served.by_jsonrpc(Reports.get, Reports.ReportInput(report=report))
    assert info.content.all.machines == len(machines(served))
    assert msgspec.structs.asdict(info.content)["folders"] is None
