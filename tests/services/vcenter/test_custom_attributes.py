"""Custom attributes: defined, set, seen in lists, copied by clones, and gone with what they are of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from resphere.access.roles import READ_ONLY, users_role
from resphere.contract.extensions.custom_attributes import CustomAttributes
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue
from resphere.inventory.model import Datastore, Host, VirtualMachine
from resphere.services.resphere.vcenter import custom_attributes
from tests.support.calls import ApiCall
from tests.support.events import latest
from tests.support.events import told as events_after
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Served

PATH = "/api/vcenter/custom-attributes"
VMS = "/api/vcenter/vm"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as made:
        yield made


def ask(served: Served, method: str, path: str, body: object = None) -> tuple[int, Any]:
    reply = served.ask_api(ApiCall(method, path, None if body is None else json.dumps(body).encode()))
    return reply.status, json.loads(reply.body) if reply.body else None


def define(served: Served, name: str, type: str | None = None) -> str:
    status, key = ask(served, "POST", PATH, {"name": name} if type is None else {"name": name, "type": type})
    assert status == 201, key
    assert isinstance(key, str)
    return key


def note(served: Served, object: str, attribute: str, value: str) -> int:
    return ask(served, "PUT", f"{PATH}/values/{object}/{attribute}", {"value": value})[0]


def values(served: Served, object: str) -> dict[str, str]:
    status, found = ask(served, "GET", f"{PATH}/values/{object}")
    assert status == 200, found
    return {each["name"]: each["value"] for each in found}


def listed(served: Served, path: str = VMS, **options: str) -> Any:
    query = urlencode({name if name == "full" else f"${name}": value for name, value in options.items()})
    status, found = ask(served, "GET", f"{path}?{query}")
    assert status == 200, found
    return found


def names(items: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in items]


def vms(served: Served) -> list[VirtualMachine]:
    found = served.world.inventory.all(VirtualMachine).values()
    return [vm for vm in found if not vm.template]


def refusal(served: Served, method: str, path: str, body: object = None) -> tuple[int, str, str]:
    status, error = ask(served, method, path, body)
    return status, error["error_type"], error["messages"][0]["default_message"]


def test_they_are_defined_renamed_and_deleted(served: Served) -> None:
    owner, slot = define(served, "Owner"), define(served, "Slot", "HostSystem")
    assert ask(served, "GET", PATH)[1] == [
        {"attribute": owner, "key": int(owner), "name": "Owner"},
        {"attribute": slot, "key": int(slot), "name": "Slot", "type": "HostSystem"},
    ]
    assert [each["name"] for each in ask(served, "GET", f"{PATH}?types=VirtualMachine")[1]] == ["Owner"]
    assert [each["name"] for each in ask(served, "GET", f"{PATH}?names=Slot&names=x")[1]] == ["Slot"]
    vm = vms(served)[0].id
    assert note(served, vm, owner, "ops") == 204
    assert ask(served, "PATCH", f"{PATH}/{owner}", {"name": "Team"})[0] == 204
    assert ask(served, "GET", f"{PATH}/{owner}")[1]["name"] == "Team"
    assert values(served, vm) == {"Team": "ops"}
    assert ask(served, "DELETE", f"{PATH}/{owner}")[0] == 204
    assert values(served, vm) == {}
    assert served.world.inventory.count(CustomValue) == 0
    assert ask(served, "GET", f"{PATH}/{owner}")[0] == 404
    # A key never comes again.
    assert int(define(served, "Owner")) > int(slot)


@pytest.mark.parametrize(
    ("first", "second", "is_taken"),
    [
        (None, None, True),
        (None, "HostSystem", True),
        ("HostSystem", None, True),
        ("HostSystem", "HostSystem", True),
        ("HostSystem", "VirtualMachine", False),
    ],
)
def test_no_object_has_two_of_one_name(served: Served, first: str | None, second: str | None, is_taken: bool) -> None:
    define(served, "Owner", first)
    spec = {"name": "Owner"} if second is None else {"name": "Owner", "type": second}
    status, found = ask(served, "POST", PATH, spec)
    assert (status == 400 and found["error_type"] == "ALREADY_EXISTS") is is_taken
    other = define(served, "Other", second)
    assert ask(served, "PATCH", f"{PATH}/{other}", {"name": "Owner"})[0] == 400
    assert ask(served, "PATCH", f"{PATH}/{other}", {"name": "Other"})[0] == 204


def test_what_cannot_be_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    vm, host = vms(served)[0].id, next(iter(served.world.inventory.all(Host)))
    slot = define(served, "Slot", "HostSystem")
    assert "type: must be one of Folder, Datacenter" in refusal(served, "POST", PATH, {"name": "n", "type": "X"})[2]
    for name in ("", "  ", "n" * 256):
        assert "name: must have 1 to 255" in refusal(served, "POST", PATH, {"name": name})[2]
    status, _, words = refusal(served, "PUT", f"{PATH}/values/{vm}/{slot}", {"value": "1"})
    assert (status, words) == (400, "attribute: it is for HostSystem, and not for VirtualMachine.")
    assert "4096 characters at most" in refusal(served, "PUT", f"{PATH}/values/{host}/{slot}", {"value": "v" * 4097})[2]
    for method, path in (("PUT", f"{PATH}/values/{vm}/7"), ("PUT", f"{PATH}/values/vm-none/{slot}")):
        assert refusal(served, method, path, {"value": "1"})[:2] == (404, "NOT_FOUND")
    assert refusal(served, "DELETE", f"{PATH}/values/snapshot-1/{slot}")[:2] == (404, "NOT_FOUND")
    assert refusal(served, "PATCH", f"{PATH}/7", {"name": "n"})[:2] == (404, "NOT_FOUND")
    monkeypatch.setattr(custom_attributes, "MOST_ATTRIBUTES", 1)
    assert refusal(served, "POST", PATH, {"name": "more"})[:2] == (503, "SERVICE_UNAVAILABLE")


def test_they_are_set_and_cleared_on_any_object(served: Served) -> None:
    owner = define(served, "Owner")
    world = served.world
    targets = [vms(served)[0].id, next(iter(world.inventory.all(Host))), next(iter(world.inventory.all(Datastore)))]
    after = latest(world)
    for target in targets:
        assert note(served, target, owner, "ops") == 204
        assert note(served, target, owner, "net") == 204
        assert values(served, target) == {"Owner": "net"}
    assert ask(served, "DELETE", f"{PATH}/values/{targets[0]}/{owner}")[0] == 204
    assert ask(served, "DELETE", f"{PATH}/values/{targets[0]}/{owner}")[0] == 204
    assert note(served, targets[1], owner, "") == 204
    assert [values(served, each) for each in targets] == [{}, {}, {"Owner": "net"}]
    events = [each.event for each in events_after(world, after)]
    assert {each.type for each in events} == {"CustomFieldValueChangedEvent"}
    assert events[0].details == {"key": owner, "value": "ops"}
    assert (events[0].about, len(events)) == (targets[0], 8)


def test_a_clone_has_what_its_source_has(served: Served) -> None:
    owner, source = define(served, "Owner"), vms(served)[0]
    assert note(served, source.id, owner, "ops") == 204
    status, clone = ask(served, "POST", f"{VMS}?action=clone", {"name": "clone", "source": source.id})
    assert status == 200, clone
    assert values(served, clone) == {"Owner": "ops"}
    assert ask(served, "DELETE", f"{VMS}/{clone}")[0] == 204
    assert values(served, source.id) == {"Owner": "ops"}
    assert served.world.inventory.count(CustomValue) == 1


def test_lists_filter_sort_and_tell_them(served: Served) -> None:
    first, second, *others = vms(served)
    owner, room = define(served, "Owner"), define(served, "Room no.", "VirtualMachine")
    for vm, attribute, value in ((first, owner, "ops"), (second, owner, "net"), (second, room, "'12")):
        assert note(served, vm.id, attribute, value) == 204
    assert names(listed(served, filter="custom_attributes/Owner eq 'ops'")) == [first.name]
    assert names(listed(served, filter="startswith(custom_attributes/Owner, 'n')")) == [second.name]
    assert names(listed(served, filter="custom_attributes/any(a: a/key eq 'Room no.' and a eq '''12')")) == [
        second.name
    ]
    assert names(listed(served, filter="custom_attributes/$count gt 1")) == [second.name]
    assert len(listed(served, filter="custom_attributes/Owner eq null")) == len(others)
    assert len(listed(served, filter="custom_attributes/Owner ne 'ops'")) == len(others) + 1
    assert listed(served, filter="custom_attributes/Nobody eq 'ops'") == []
    full = "custom_attributes/Owner eq 'ops' and cpu/count gt 0"
    assert names(listed(served, filter=full, full="true")) == [first.name]
    ordered = names(listed(served, orderby="custom_attributes/Owner desc,name", top="2"))
    assert ordered == [first.name, second.name]
    assert names(listed(served, orderby="custom_attributes/Owner", full="true"))[-2:] == [second.name, first.name]
    told = listed(served, filter="custom_attributes/$count gt 0", orderby="name", select="name,custom_attributes")
    assert {each["name"]: each["custom_attributes"] for each in told} == {
        first.name: {"Owner": "ops"},
        second.name: {"Owner": "net", "Room no.": "'12"},
    }
    narrow = listed(served, filter="custom_attributes/$count gt 1", select="custom_attributes/Owner", full="true")
    assert narrow == [{"custom_attributes": {"Owner": "net"}}]
    # What depends on them is not told from what was kept.
    assert note(served, first.id, owner, "net") == 204
    assert names(listed(served, filter="custom_attributes/Owner eq 'ops'")) == []
    assert names(listed(served, orderby="custom_attributes/Owner desc,name desc", top="1"))
    status, error = ask(served, "GET", f"{VMS}?{urlencode({'$select': 'custom_attributes/Owner/x'})}")
    assert (status, "Owner is a single value" in error["messages"][0]["default_message"]) == (400, True)
    status, error = ask(served, "GET", f"{PATH}?{urlencode({'$select': 'custom_attributes'})}")
    assert (status, "has no field custom_attributes" in error["messages"][0]["default_message"]) == (400, True)
    for bad in ("custom_attributes eq 'x'", "custom_attributes/$foo eq 'x'", "custom_attributes/Owner gt 3"):
        assert ask(served, "GET", f"{VMS}?{urlencode({'$filter': bad})}")[0] == 400


def test_who_may_do_what(served: Served) -> None:
    mine, readable, hidden = (vm.id for vm in vms(served)[:3])
    owner = define(served, "Owner")
    for vm in (mine, readable, hidden):
        assert note(served, vm, owner, "ops") == 204
    setter = users_role("2001", "setter", ["Global.SetCustomField"])
    ask_as_ann(served, [permission(mine, setter), permission(readable, READ_ONLY)])
    assert [each["name"] for each in ask(served, "GET", PATH)[1]] == ["Owner"]
    assert values(served, mine) == values(served, readable) == {"Owner": "ops"}
    assert ask(served, "GET", f"{PATH}/values/{hidden}")[0] == 404
    assert note(served, mine, owner, "net") == 204
    assert note(served, readable, owner, "net") == 403
    assert note(served, hidden, owner, "net") == 404
    assert ask(served, "DELETE", f"{PATH}/values/{readable}/{owner}")[0] == 403
    for method, path, body in (
        ("POST", PATH, {"name": "n"}),
        ("PATCH", f"{PATH}/{owner}", {"name": "n"}),
        ("DELETE", f"{PATH}/{owner}", None),
    ):
        assert ask(served, method, path, body)[0] == 403
    seen = {each["vm"] for each in listed(served, filter="custom_attributes/Owner ne null")}
    assert seen == {mine, readable}


def test_they_are_asked_for_by_json_rpc(served: Served) -> None:
    key = served.by_jsonrpc(
        CustomAttributes.create, CustomAttributes.CreateInput(spec=CustomAttributes.CreateSpec(name="Owner"))
    )
    vm = vms(served)[0].id
    spec = CustomAttributes.SetSpec(value="ops")
    served.by_jsonrpc(CustomAttributes.set, CustomAttributes.SetInput(object=vm, attribute=key, spec=spec))
    found = served.by_jsonrpc(CustomAttributes.list_values, CustomAttributes.ObjectInput(object=vm))
    assert found == (CustomAttributes.Value(attribute=key, name="Owner", value="ops"),)
    assert served.world.inventory.get(CustomAttribute, key) == CustomAttribute(id=key, name="Owner")
