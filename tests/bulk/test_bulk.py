"""Bulk operations in the test's own process: what is asked for, what becomes of items, whose rights they have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.auth.tokens import digest
from resphere.bulk.bulks import Bulks
from resphere.bulk.record import BulkRecord, Mark, Outcomes, Part
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.server.exchange import Exchange
from resphere.server.record import audit_record
from resphere.tasks.record import Task
from tests.support.bulk import PATH, START, STOP, BulkClient, carried_out, is_over
from tests.support.served import Served, Unrecorded
from tests.support.world import NOW

CLONE_TASK = "com.vmware.vcenter.VM.clone$task"
POWER_OFF = Power.State.POWERED_OFF
POWER_ON = Power.State.POWERED_ON
OPERATOR = "operator@vsphere.local"
SECRET = "Operator-2026!"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BulkClient]:
    """One for tests that begin nothing."""
    with Served(tmp_path_factory.mktemp("shared")) as served:
        yield BulkClient(served)


@pytest.fixture
def client(served: Served) -> BulkClient:
    return BulkClient(served)


def vms(client: BulkClient, state: Power.State | None = None) -> list[str]:
    """Those in that state, or all."""
    found = client.served.world.inventory.all(VirtualMachine).values()
    return [vm.id for vm in found if not vm.template and state in (None, vm.power_state)]


def state_of(client: BulkClient, vm: str) -> Power.State:
    found = client.served.world.inventory.get(VirtualMachine, vm)
    assert found is not None
    return found.power_state


def power_tasks(client: BulkClient, vm: str) -> list[Task]:
    """The tasks that have powered the VM on."""
    found = client.served.world.inventory.all(Task).values()
    return [task for task in found if task.target == vm and f"{task.service}.{task.operation}" == START]


def as_user(client: BulkClient, role: str | None, token: bool = False) -> BulkClient:
    """A client of a user with that role, by a session or by an API token."""
    status, user = client.ask("POST", "/api/resphere/users", {"name": OPERATOR, "password": SECRET, "role": role})
    assert status == 201, user
    served = client.served
    principal = served.accounts.principal(OPERATOR)
    assert principal is not None
    served.token = served.world.run(served.world.environment.identities.sessions.open(principal, "password"))
    return BulkClient(served)


# --- what becomes of items ---


def test_one_operation_on_many(client: BulkClient) -> None:
    off, on = vms(client, POWER_OFF), vms(client, POWER_ON)
    info = client.done(each={"operation": START, "parameter": "vm", "values": [*off, on[0]]}, name="morning")
    assert info["status"] == "FAILED"
    assert info["name"] == "morning"
    assert info["counts"] == {
        "total": len(off) + 1,
        "pending": 0,
        "succeeded": len(off),
        "failed": 1,
        "skipped": 0,
    }
    assert all(state_of(client, vm) is POWER_ON for vm in off)
    items = client.items(info["bulk"])
    assert [item["number"] for item in items] == list(range(len(off) + 1))
    assert [item["target"] for item in items] == [*off, on[0]]
    assert [item["state"] for item in items] == ["SUCCEEDED"] * len(off) + ["FAILED"]
    assert items[-1]["error"]["error_type"] == "ALREADY_IN_DESIRED_STATE"
    assert items[0]["request"] == f"{info['bulk']}.0"
    for item in items[:-1]:
        status, task = client.ask("GET", f"/api/cis/tasks/{item['task']}")
        assert (status, task["status"], task["target"]["id"]) == (200, "SUCCEEDED", item["target"])


def test_it_is_a_task_of_its_id(client: BulkClient) -> None:
    info = client.done(each={"operation": START, "parameter": "vm", "values": vms(client, POWER_OFF)})
    assert client.ask("GET", f"/api/cis/tasks/{info['bulk']}")[1]["status"] == info["status"] == "SUCCEEDED"
    failed = client.done(items=[{"operation": START, "input": {"vm": "vm-none"}}])
    task = client.ask("GET", f"/api/cis/tasks/{failed['bulk']}")[1]
    assert task["status"] == "FAILED"
    assert task["error"] == failed["error"]


def test_one_operation_on_what_a_list_finds(client: BulkClient) -> None:
    on = vms(client, POWER_ON)
    listing = {"operation": "com.vmware.vcenter.VM.list", "input": {"filter": {"power_states": ["POWERED_ON"]}}}
    info = client.done(each={"operation": STOP, "parameter": "vm", "filter": listing})
    assert (info["status"], info["counts"]["succeeded"]) == ("SUCCEEDED", len(on))
    assert all(state_of(client, vm) is POWER_OFF for vm in on)


def test_the_list_takes_the_options_of_lists(client: BulkClient) -> None:
    on = [client.served.world.inventory.get(VirtualMachine, vm) for vm in vms(client, POWER_ON)]
    names = sorted(vm.name for vm in on if vm is not None)
    options = {"$filter": f"power_state eq 'POWERED_ON' and name ne '{names[0]}'", "$orderby": "name desc", "$top": "2"}
    listing = {"operation": "com.vmware.vcenter.VM.list", "input": {"filter": {"names": names}, **options}}
    info = client.done(each={"operation": STOP, "parameter": "vm", "filter": listing})
    assert (info["status"], info["counts"]["succeeded"]) == ("SUCCEEDED", min(2, len(names) - 1))
    stopped = [client.served.world.inventory.get(VirtualMachine, item["target"]) for item in client.items(info["bulk"])]
    assert [vm.name for vm in stopped if vm is not None] == names[:0:-1][:2]


@pytest.mark.parametrize(
    ("input", "words"),
    [
        ({"$filter": "nmae eq 'x'"}, "$filter, character 1: an item has no field nmae; did you mean name?"),
        ({"$filter": 5}, "each.filter.input.$filter: must be text."),
        ({"$select": "vm"}, "of the options of lists there are $filter, $orderby, $top here, and not '$select'."),
        ({"$top": "x"}, "$top: is a whole number from 0"),
        ({"filter": {"name": "x"}, "$top": "2"}, "each.filter.input.filter: Object contains unknown field 'name'"),
        ({"full": "true"}, "each.filter.input: Object contains unknown field 'full'"),
    ],
)
def test_options_that_cannot_be_are_refused(shared: BulkClient, input: dict[str, Any], words: str) -> None:
    listing = {"operation": "com.vmware.vcenter.VM.list", "input": input}
    assert words in shared.refusal(each={"operation": STOP, "parameter": "vm", "filter": listing})


def test_an_item_takes_no_options_of_lists(shared: BulkClient) -> None:
    item = {"operation": "com.vmware.vcenter.VM.list", "input": {"$filter": "cpu_count gt 1"}}
    assert "items[0].input: Object contains unknown field '$filter'" in shared.refusal(items=[item])


def test_a_list_that_finds_nothing_succeeds(client: BulkClient) -> None:
    listing = {"operation": "com.vmware.vcenter.VM.list", "input": {"filter": {"names": ["nobody"]}}}
    info = client.done(each={"operation": STOP, "parameter": "vm", "filter": listing})
    assert (info["status"], info["counts"]["total"]) == ("SUCCEEDED", 0)
    assert client.items(info["bulk"]) == []


def test_several_operations_and_their_results(client: BulkClient) -> None:
    vm = vms(client, POWER_OFF)[0]
    info = client.done(
        items=[
            {"operation": "com.vmware.vcenter.vm.power.get", "input": {"vm": vm}},
            {
                "operation": "resphere.vcenter.vm.snapshots.create",
                "input": {"vm": vm, "spec": {"name": "before", "memory": False}},
            },
            {"operation": "com.vmware.vcenter.VM.list"},
        ],
        concurrency=1,
    )
    assert info["status"] == "SUCCEEDED"
    state, snapshot, listed = client.items(info["bulk"])
    assert state["result"] == {"state": "POWERED_OFF", "clean_power_off": state["result"]["clean_power_off"]}
    assert snapshot["result"].startswith("snapshot-")
    assert "target" not in listed
    assert len(listed["result"]) == len(vms(client))


def test_results_that_are_large_are_left_out(client: BulkClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resphere.bulk.run.LARGEST_RESULT_BYTES", 10)
    info = client.done(items=[{"operation": "com.vmware.vcenter.VM.list"}])
    (item,) = client.items(info["bulk"])
    assert (item["state"], item["result_omitted"], item.get("result")) == ("SUCCEEDED", True, None)


def test_an_item_that_begins_a_task_has_its_outcome(client: BulkClient) -> None:
    source = vms(client, POWER_OFF)[0]
    info = client.done(
        items=[
            {"operation": CLONE_TASK, "input": {"spec": {"source": source, "name": "one"}}},
            {"operation": CLONE_TASK, "input": {"spec": {"source": "vm-none", "name": "two"}}},
        ]
    )
    good, bad = client.items(info["bulk"])
    assert (good["state"], good["result"]) == ("SUCCEEDED", good["task"])
    assert client.ask("GET", f"/api/cis/tasks/{good['task']}")[1]["status"] == "SUCCEEDED"
    assert (bad["state"], bad["error"]["error_type"]) == ("FAILED", "NOT_FOUND")


def test_more_items_than_one_part_has(client: BulkClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("record", "bulks", "run"):
        monkeypatch.setattr(f"resphere.bulk.{module}.ITEMS_OF_PART", 7)
    monkeypatch.setattr("resphere.services.resphere.bulk.ITEMS_OF_PART", 7)
    values = vms(client) * 4
    info = client.done(each={"operation": "com.vmware.vcenter.vm.power.get", "parameter": "vm", "values": values})
    assert info["counts"]["succeeded"] == len(values)
    items = client.items(info["bulk"], "page_size=5")
    assert [item["target"] for item in items] == values
    assert client.served.world.inventory.count(Mark) == 0


def test_nothing_of_a_dry_run_is_done(client: BulkClient) -> None:
    off, on = vms(client, POWER_OFF), vms(client, POWER_ON)
    sequence = len(client.served.world.inventory.all(Task))
    info = client.done(
        items=[
            {"operation": START, "input": {"vm": off[0]}},
            {"operation": START, "input": {"vm": on[0]}},
            {"operation": CLONE_TASK, "input": {"spec": {"source": off[0], "name": "twin"}}},
            {"operation": "com.vmware.vcenter.vm.power.get", "input": {"vm": off[0]}},
        ],
        dry_run=True,
        concurrency=1,
    )
    states = [item["state"] for item in client.items(info["bulk"])]
    assert states == ["SUCCEEDED", "FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert info["dry_run"]
    assert state_of(client, off[0]) is POWER_OFF
    # But for its own.
    assert len(client.served.world.inventory.all(Task)) == sequence + 1
    assert not [vm for vm in client.served.world.inventory.all(VirtualMachine).values() if vm.name == "twin"]


# --- stopping and going on ---


def test_it_stops_at_an_error_and_the_rest_is_tried_again(client: BulkClient) -> None:
    off, on = vms(client, POWER_OFF), vms(client, POWER_ON)
    values = [off[0], on[0], *off[1:]]
    info = client.done(
        each={"operation": START, "parameter": "vm", "values": values}, concurrency=1, stop_on_error=True
    )
    assert info["counts"] == {
        "total": len(values),
        "pending": 0,
        "succeeded": 1,
        "failed": 1,
        "skipped": len(off) - 1,
    }
    assert info["error"]["messages"][0]["id"] == "resphere.bulk.stopped_at_error"
    assert [item["state"] for item in client.items(info["bulk"], "states=SKIPPED")] == ["SKIPPED"] * (len(off) - 1)
    client.ask("POST", f"/api/vcenter/vm/{on[0]}/power?action=stop")
    status, again = client.ask("POST", f"{PATH}/{info['bulk']}?action=retry")
    assert status == 201
    retried = client.run(again)
    assert retried["retried"] == info["bulk"]
    assert (retried["status"], retried["counts"]["total"]) == ("SUCCEEDED", len(off))
    assert [item["target"] for item in client.items(again)] == values[1:]
    assert client.ask("POST", f"{PATH}/{again}?action=retry")[0] == 400


@pytest.mark.parametrize("path", [f"{PATH}/{{}}?action=cancel", "/api/cis/tasks/{}?action=cancel"])
def test_canceled_it_begins_nothing_more(client: BulkClient, path: str) -> None:
    off = vms(client, POWER_OFF)
    bulk = client.create(each={"operation": START, "parameter": "vm", "values": off})
    assert client.info(bulk)["status"] == "PENDING"
    assert client.ask("POST", f"{PATH}/{bulk}?action=retry")[0] == 400
    assert client.ask("DELETE", f"{PATH}/{bulk}")[0] == 400
    assert client.ask("POST", path.format(bulk))[0] == 204
    info = client.run(bulk)
    assert (info["status"], info["counts"]["skipped"]) == ("FAILED", len(off))
    assert info["error"]["error_type"] == "CANCELED"
    assert all(state_of(client, vm) is POWER_OFF for vm in off)
    assert client.ask("POST", f"{PATH}/{bulk}?action=cancel")[0] == 400


def test_a_second_request_with_the_same_key_is_the_same(client: BulkClient) -> None:
    spec: dict[str, Any] = {"each": {"operation": STOP, "parameter": "vm", "values": vms(client, POWER_ON)}}
    first = client.create(**spec, idempotency_key="monday")
    assert client.create(**spec, idempotency_key="monday") == first
    assert client.run(first)["status"] == "SUCCEEDED"
    assert client.create(**spec, idempotency_key="monday") == first
    status, error = client.ask("POST", PATH, {**spec, "concurrency": 3, "idempotency_key": "monday"})
    assert (status, error["error_type"]) == (422, "INVALID_ARGUMENT")
    assert client.create(**spec, idempotency_key="tuesday") != first


def test_what_is_finished_is_forgotten_in_time(client: BulkClient) -> None:
    world = client.served.world
    info = client.done(each={"operation": STOP, "parameter": "vm", "values": vms(client, POWER_ON)})
    assert world.run(world.environment.bulks.sweep()) == 0
    later = Bulks(
        world.inventory, world.environment.bulks.operations, lambda: NOW + timedelta(days=7), "test", timedelta(days=7)
    )
    assert world.run(later.sweep()) == 1
    assert client.ask("GET", f"{PATH}/{info['bulk']}")[0] == 404
    assert [world.inventory.count(cls) for cls in (BulkRecord, Part, Outcomes, Mark)] == [0] * 4


def test_the_oldest_is_forgotten_where_there_are_too_many(client: BulkClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resphere.bulk.bulks.MOST_KEPT_ITEMS", 3)
    item = {"operation": "com.vmware.vcenter.vm.power.get", "input": {"vm": "vm-1"}}
    first, second = (client.done(items=[item, item])["bulk"] for _ in range(2))
    assert client.served.world.run(client.served.world.environment.bulks.sweep()) == 1
    assert client.ask("GET", f"{PATH}/{first}")[0] == 404
    assert client.ask("DELETE", f"{PATH}/{second}")[0] == 204
    assert client.ask("GET", f"{PATH}/{second}")[0] == 404


def test_there_are_only_so_many_at_a_time(client: BulkClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resphere.bulk.bulks.MOST_OPEN_OF_USER", 1)
    item = {"operation": "com.vmware.vcenter.vm.power.get", "input": {"vm": "vm-1"}}
    client.create(items=[item])
    status, error = client.ask("POST", PATH, {"items": [item]})
    assert (status, error["messages"][0]["id"]) == (503, "resphere.bulk.too_many_of_user")


# --- whose rights ---


def test_items_have_the_rights_of_the_moment(client: BulkClient) -> None:
    off = vms(client, POWER_OFF)
    admin = client.served.token
    user = as_user(client, "Admin")
    bulk = user.create(each={"operation": START, "parameter": "vm", "values": off})
    user_token, client.served.token = client.served.token, admin
    assert client.ask("PATCH", f"/api/resphere/users/{OPERATOR}", {"role": "ReadOnly"})[0] == 204
    info = client.run(bulk)
    assert (info["user"], info["counts"]["failed"]) == (OPERATOR, len(off))
    assert {item["error"]["error_type"] for item in client.items(bulk)} == {"UNAUTHORIZED"}
    assert all(state_of(client, vm) is POWER_OFF for vm in off)
    # The user's own, and nobody's who may not cancel others' tasks.
    client.served.token = user_token
    assert user.info(bulk)["bulk"] == bulk
    other = client.served.world.inventory.get(BulkRecord, bulk)
    assert other is not None
    client.served.world.put(
        msgspec.structs.replace(
            other, requester=msgspec.structs.replace(other.requester, user="somebody@vsphere.local")
        )
    )
    assert user.ask("GET", f"{PATH}/{bulk}")[0] == 404
    assert user.ask("GET", PATH)[1] == []


def test_a_disabled_user_does_nothing_more(client: BulkClient) -> None:
    off = vms(client, POWER_OFF)
    admin = client.served.token
    bulk = as_user(client, "Admin").create(
        each={"operation": START, "parameter": "vm", "filter": {"operation": "com.vmware.vcenter.VM.list"}}
    )
    client.served.token = admin
    assert client.ask("PATCH", f"/api/resphere/users/{OPERATOR}", {"disabled": True})[0] == 204
    info = client.run(bulk)
    assert (info["status"], info["error"]["error_type"]) == ("FAILED", "UNAUTHENTICATED")
    assert all(state_of(client, vm) is POWER_OFF for vm in off)


@pytest.mark.parametrize("revoked", [True, False])
def test_a_token_narrows_items_and_may_be_revoked(client: BulkClient, revoked: bool) -> None:
    off = vms(client, POWER_OFF)
    status, made = client.ask(
        "POST", "/api/resphere/tokens", {"name": "night", "privileges": ["VirtualMachine.Interact.PowerOn"]}
    )
    assert status == 201
    world = client.served.world
    identity = digest(made["secret"])
    requester = {"user": "administrator@vsphere.local", "token": identity}
    bulk = client.create(
        items=[
            {"operation": START, "input": {"vm": off[0]}},
            {"operation": STOP, "input": {"vm": vms(client, POWER_ON)[0]}},
        ]
    )
    record = world.inventory.get(BulkRecord, bulk)
    assert record is not None
    world.put(msgspec.structs.replace(record, requester=msgspec.convert(requester, type(record.requester))))
    if revoked:
        assert client.ask("DELETE", f"/api/resphere/tokens/{made['token']}")[0] == 204
    client.run(bulk)
    errors = [item.get("error", {}).get("error_type") for item in client.items(bulk)]
    assert errors == (["UNAUTHENTICATED"] * 2 if revoked else [None, "UNAUTHORIZED"])


class Records(Unrecorded):
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.of: dict[str, Any] = {}

    def record(self, exchange: Exchange, duration_seconds: float) -> None:
        record = audit_record(exchange, duration_seconds)
        self.of[exchange.request_id] = record


def test_each_item_is_on_record_by_itself(served: Served, client: BulkClient) -> None:
    records = Records()
    served.pipeline = msgspec.structs.replace(served.pipeline, recorder=records)
    off, on = vms(client, POWER_OFF), vms(client, POWER_ON)
    info = client.done(each={"operation": START, "parameter": "vm", "values": [off[0], on[0]]})
    good, bad = (records.of[f"{info['bulk']}.{number}"] for number in range(2))
    assert (good.operation, good.target, good.user, good.dialect) == (
        START,
        off[0],
        "administrator@vsphere.local",
        "bulk",
    )
    assert good.client == "192.0.2.1"
    assert (bad.target, bad.error_type) == (on[0], "ALREADY_IN_DESIRED_STATE")


# --- refusals before anything is begun ---

ITEM = {"operation": START, "input": {"vm": "vm-1"}}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "items, each: one of both"),
        ({"items": [ITEM], "each": {"operation": START, "parameter": "vm", "values": ["vm-1"]}}, "items, each"),
        ({"items": []}, "items: there must be 1 to"),
        ({"items": [ITEM, {"operation": f"{START}s"}]}, "items[1].operation: there is no operation"),
        ({"items": [ITEM, {"operation": START}]}, "items[1].input: Object missing required field 'vm'"),
        ({"items": [{"operation": START, "input": {"vm": 5}}]}, "items[0].input.vm: Expected"),
        (
            {"items": [{"operation": "com.vmware.vcenter.VM.clone", "input": {"spec": {"name": "x"}}}]},
            "items[0].input.spec: Object missing required field 'source'",
        ),
        ({"items": [{"operation": "com.vmware.cis.session.create"}]}, "items[0].operation: com.vmware.cis.session"),
        ({"items": [{"operation": "com.vmware.cis.session.delete"}]}, "the caller's own session"),
        ({"items": [{"operation": "resphere.bulk.create"}]}, "it begins others"),
        ({"items": [{"operation": "resphere.bulk.retry", "input": {"bulk": "task-1"}}]}, "it begins others"),
        ({"items": [{"operation": "resphere.content.transfers.upload"}]}, "cannot be part of a bulk operation"),
        ({"items": [{"operation": "resphere.openapi.get"}]}, "cannot be part of a bulk operation"),
        ({"items": [ITEM], "concurrency": 0}, "concurrency: must be from 1 to 64"),
        ({"items": [ITEM], "concurrency": 65}, "concurrency: must be from 1 to 64"),
        ({"items": [ITEM], "rate": 0}, "rate: must be from"),
        ({"items": [ITEM], "name": ""}, "name: must have 1 to"),
        ({"items": [ITEM], "idempotency_key": "k" * 129}, "idempotency_key: must have 1 to"),
        ({"each": {"operation": START, "parameter": "vm"}}, "each.values, each.filter"),
        ({"each": {"operation": START, "parameter": "vn", "values": ["vm-1"]}}, "has no parameter 'vn', but vm."),
        (
            {"each": {"operation": START, "parameter": "vm", "values": ["vm-1"], "input": {"vm": "vm-2"}}},
            "cannot be part of input as well",
        ),
        (
            {"each": {"operation": START, "parameter": "vm", "filter": {"operation": STOP}}},
            "each.filter.operation: com.vmware.vcenter.vm.power.stop does not list anything",
        ),
        (
            {
                "each": {
                    "operation": START,
                    "parameter": "vm",
                    "filter": {"operation": "com.vmware.vcenter.VM.list", "field": "id"},
                }
            },
            "each.filter.field: what com.vmware.vcenter.VM.list lists has no member 'id', but",
        ),
        (
            {
                "each": {
                    "operation": START,
                    "parameter": "vm",
                    "filter": {"operation": "com.vmware.vcenter.VM.list", "input": {"filter": {"name": "x"}}},
                }
            },
            "each.filter.input.filter: Object contains unknown field 'name'",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(shared: BulkClient, spec: dict[str, Any], words: str) -> None:
    assert words in shared.refusal(**spec)
    assert shared.served.world.inventory.count(BulkRecord) == 0


def test_too_many_items_are_refused(client: BulkClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resphere.bulk.orders.MOST_ITEMS", 2)
    monkeypatch.setattr("resphere.bulk.finding.MOST_ITEMS", 2)
    assert "items: there must be 1 to 2 of them, not 3" in client.refusal(items=[ITEM] * 3)
    info = client.done(
        each={"operation": START, "parameter": "vm", "filter": {"operation": "com.vmware.vcenter.VM.list"}}
    )
    assert (info["status"], info["error"]["messages"][0]["id"]) == ("FAILED", "resphere.bulk.too_many_found")


def test_a_marker_is_one_of_a_page_before(client: BulkClient) -> None:
    info = client.done(items=[ITEM])
    assert client.ask("GET", f"{PATH}/{info['bulk']}/items?marker=x")[0] == 400
    assert client.ask("GET", f"{PATH}/{info['bulk']}/items?page_size=0")[0] == 400


def test_it_is_asked_for_by_json_rpc(served: Served, client: BulkClient) -> None:
    off = vms(client, POWER_OFF)
    spec = Bulk.CreateSpec(items=tuple(Bulk.Item(operation=START, input={"vm": vm}) for vm in off))
    bulk = served.by_jsonrpc(Bulk.create, Bulk.CreateInput(spec=spec))
    served.world.run(carried_out(served, lambda replica: is_over(replica, bulk)))
    assert served.by_jsonrpc(Bulk.get, Bulk.BulkInput(bulk=bulk)).counts.succeeded == len(off)
    page = served.by_jsonrpc(Bulk.items, Bulk.ItemsInput(bulk=bulk))
    assert [item.target for item in page.items] == off


def test_what_holds_secrets_is_sealed(served: Served, client: BulkClient) -> None:
    spec = {"name": "new@vsphere.local", "password": "Unheard-of-2026"}
    info = client.done(items=[{"operation": "resphere.users.create", "input": {"spec": spec}}])
    assert info["status"] == "SUCCEEDED"
    stored = served.world.run(served.world.store.load())
    assert not [each for each in stored.documents if b"Unheard-of" in each.body]


# --- when a worker dies ---


def test_what_a_dead_worker_has_begun_is_not_done_again(client: BulkClient) -> None:
    """Marks as they are left: done, with a task, and with nothing."""
    off, on = vms(client, POWER_OFF), vms(client, POWER_ON)
    done, noted, torn, fresh = off[0], on[0], on[1], off[1]
    bulk = client.create(each={"operation": START, "parameter": "vm", "values": [done, noted, torn, fresh]})
    client.ask("POST", f"/api/vcenter/vm/{done}/power?action=start")
    (task,) = power_tasks(client, done)
    world = client.served.world
    record = world.inventory.get(BulkRecord, bulk)
    assert record is not None
    world.put(
        msgspec.structs.replace(record, holder="dead"),
        Mark(id=f"{bulk}/0", bulk=bulk, number=0, task=task.id),
        Mark(id=f"{bulk}/1", bulk=bulk, number=1, task=task.id, done=True),
        Mark(id=f"{bulk}/2", bulk=bulk, number=2),
    )
    info = client.run(bulk)
    items = client.items(bulk)
    assert [item["state"] for item in items] == ["SUCCEEDED", "SUCCEEDED", "FAILED", "SUCCEEDED"]
    assert items[2]["error"]["messages"][0]["id"] == "resphere.bulk.interrupted"
    assert info["counts"]["succeeded"] == 3
    assert [len(power_tasks(client, vm)) for vm in (done, noted, torn, fresh)] == [1, 0, 0, 1]
    assert world.inventory.count(Mark) == 0


def test_a_change_and_the_mark_of_its_item_are_one_transaction(client: BulkClient) -> None:
    world = client.served.world
    seen: list[tuple[str, ...]] = []
    commit = world.store.commit

    async def watched(transaction: Any) -> int:
        kinds = tuple(sorted(write.kind for write in transaction.writes if write.body is not None))
        seen.append(kinds)
        return await commit(transaction)

    world.store.commit = watched  # type: ignore[method-assign]
    client.done(items=[{"operation": START, "input": {"vm": vms(client, POWER_OFF)[0]}}])
    changing = [kinds for kinds in seen if "vm" in kinds or "virtual_machine" in kinds]
    assert changing
    assert all("bulk_mark" in kinds and "task" in kinds for kinds in changing)


def test_no_mark_rides_along_elsewhere(client: BulkClient) -> None:
    """What is changed after an item is not the item's."""
    client.done(items=[{"operation": START, "input": {"vm": vms(client, POWER_OFF)[0]}}])

    def plan(edit: Edit) -> None:
        found = edit.get(VirtualMachine, vms(client)[0])
        assert found is not None
        edit.put(msgspec.structs.replace(found, name="other"))

    client.served.world.run(client.served.world.inventory.change(plan))
    assert client.served.world.inventory.count(Mark) == 0
