"""Lists by their options, in every dialect: what they answer, whom they show what, what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest

from resphere.access.roles import READ_ONLY
from resphere.contract.generated import cis_tagging, ids, vcenter
from resphere.contract.generated.cis_tagging import CategoryModel
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.dialects.base import Reply
from resphere.inventory.model import KINDS, VirtualMachine
from resphere.inventory.tagging import Attachment, Category, Tag, attachment_id
from resphere.queries.lists import Listing, listing_of
from resphere.queries.options import MOST_FULL, NAMES, wire_name
from resphere.services.vcenter.vm import machines
from tests.support.calls import ApiCall, api_call, minimal_input
from tests.support.jsonrpc import invocation, session_context
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Served
from tests.support.world import IMPLEMENTATIONS

VMS = "/api/vcenter/vm"
LISTS = [
    listing
    for operation in all_operations()
    if operation.id in IMPLEMENTATIONS and operation.api is not None
    for listing in [listing_of(operation)]
    if listing is not None
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as made:
        yield made


def query_of(options: dict[str, str]) -> str:
    return urlencode({name if name == "full" else f"${name}": value for name, value in options.items()})


def get(served: Served, path: str = VMS, **options: str) -> Reply:
    dialect = served.rest if path.startswith("/rest") else served.api
    return served.ask(dialect, ApiCall("GET", f"{path}?{query_of(options)}", None))


def told(served: Served, path: str = VMS, **options: str) -> Any:
    """The items, which must be an answer."""
    reply = get(served, path, **options)
    assert reply.status == 200, reply.body
    found = json.loads(reply.body)
    return found["value"] if path.startswith("/rest") else found


def header(reply: Reply, name: str) -> str | None:
    return dict(reply.headers).get(name)


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def test_filters_answer_what_the_whole_list_has(served: Served) -> None:
    every = told(served)
    expected = [vm for vm in every if vm["cpu_count"] >= 4 and "app" in vm["name"]]
    assert expected
    filter = "cpu_count ge 4 and contains(name, 'app')"
    assert told(served, filter=filter) == told(served, "/rest/vcenter/vm", filter=filter) == expected
    assert told(served, filter=filter, select="name") == [{"name": vm["name"]} for vm in expected]
    assert header(get(served, filter=filter, count="true"), "Resphere-Count") == str(len(expected))


def test_vcenters_own_filters_go_before(served: Served) -> None:
    name = told(served)[0]["name"]
    reply = served.ask(served.api, ApiCall("GET", f"{VMS}?names={name}&%24filter=cpu_count%20gt%200", None))
    assert names(json.loads(reply.body)) == [name]
    reply = served.ask(served.rest, ApiCall("GET", f"/rest/vcenter/vm?filter.names={name}&%24top=5", None))
    assert names(json.loads(reply.body)["value"]) == [name]


def test_links_lead_through_all_pages(served: Served) -> None:
    every = sorted(told(served), key=lambda vm: vm["name"], reverse=True)
    reply, found = get(served, orderby="name desc", top="5", skip="1"), []
    while True:
        found += json.loads(reply.body)
        link = header(reply, "Link")
        if link is None:
            break
        address, _, relation = link.partition(">; ")
        assert relation == 'rel="next"'
        assert dict(parse_qsl(address))["$skiptoken"] == header(reply, "Resphere-Cursor")
        reply = served.ask(served.api, ApiCall("GET", address.removeprefix("<"), None))
        assert reply.status == 200
    assert found == every[1:]


def by_jsonrpc(served: Served, operation: AnyOperation, options: dict[str, str], **fields: Any) -> Reply:
    body = invocation(operation.service, operation.name, fields, session_context(served.token))
    body["params"]["ctx"]["appCtx"] = {"opId": "x", **options}
    return served.ask(served.jsonrpc, ApiCall("POST", "/api", json.dumps(body).encode()))


def test_what_the_runtime_says_of_a_call_is_no_option(served: Served) -> None:
    reply = by_jsonrpc(served, vcenter.VM.list, {"$showUnreleasedAPIs": "True", "$userAgent": "dcli", "$top": "1"})
    assert len(json.loads(reply.body)["result"]["output"]) == 1
    refused = by_jsonrpc(served, vcenter.VM.list, {"$tops": "1"})
    assert "error" in json.loads(refused.body)["result"]


def test_jsonrpc_has_them_in_its_application_context(served: Served) -> None:
    options = {"$orderby": "name", "$top": "2", "$count": "true"}
    reply = by_jsonrpc(served, vcenter.VM.list, options)
    items = json.loads(reply.body)["result"]["output"]
    found = [item["STRUCTURE"]["com.vmware.vcenter.VM.summary"]["name"] for item in items]
    assert found == names(told(served, orderby="name", top="2"))
    assert header(reply, "Resphere-Count") == str(len(told(served)))
    assert header(reply, "Link") is None
    cursor = header(reply, "Resphere-Cursor")
    assert cursor is not None
    reply = by_jsonrpc(served, vcenter.VM.list, {**options, "$skiptoken": cursor})
    items = json.loads(reply.body)["result"]["output"]
    found = [item["STRUCTURE"]["com.vmware.vcenter.VM.summary"]["name"] for item in items]
    assert found == names(told(served, orderby="name", top="4"))[2:]
    refused = json.loads(by_jsonrpc(served, vcenter.VM.list, {"$filter": "x"}).body)
    assert "com.vmware.vapi.std.errors.invalid_argument" in refused["result"]["error"]["ERROR"]


def test_full_is_what_get_answers(served: Served) -> None:
    for item in told(served, full="true"):
        identifier = item.pop("vm")
        assert item == told(served, f"{VMS}/{identifier}")
    found = told(served, full="true", filter="cpu/count ge 8 and disks/any(d: d/key eq '2000')", select="vm,cpu/count")
    assert found == [{"vm": vm["vm"], "cpu": {"count": vm["cpu_count"]}} for vm in told(served) if vm["cpu_count"] >= 8]
    by_size = told(served, full="true", orderby="cpu/count desc,name", top="3")
    expected = sorted(told(served), key=lambda vm: (-vm["cpu_count"], vm["name"]))
    assert names(by_size) == names(expected)[:3]


def test_full_has_pages(served: Served) -> None:
    found, options = [], {"full": "true", "top": "2", "filter": "cpu/count gt 0 and not contains(name, 'web')"}
    reply = get(served, **options)
    while True:
        found += names(json.loads(reply.body))
        cursor = header(reply, "Resphere-Cursor")
        if cursor is None:
            break
        reply = get(served, **options, skiptoken=cursor)
    assert found == [name for name in names(told(served)) if "web" not in name]


def lines(served: Served, path: str, **options: str) -> list[Any]:
    """The documents of a stream."""
    headers = {b"vmware-api-session-id": served.token.encode(), b"accept": b"application/x-ndjson"}
    dialect = served.rest if path.startswith("/rest") else served.api
    reply = served.send(dialect, ApiCall("GET", f"{path}?{query_of(options)}", None), headers)
    assert reply.media_type == "application/x-ndjson"
    stream = reply.stream
    assert stream is not None

    async def drained() -> bytes:
        content = b"".join([piece async for piece in stream])
        await stream.close()
        return content

    return [json.loads(line) for line in served.world.run(drained()).splitlines()]


def test_lines_are_the_items(served: Served) -> None:
    assert lines(served, VMS) == told(served)
    assert lines(served, VMS, full="true", top="3", select="vm,disks") == told(
        served, full="true", top="3", select="vm,disks"
    )
    assert [line["value"]["name"] for line in lines(served, "/rest/vcenter/vm")] == names(told(served))
    services = lines(served, "/api/vcenter/services", orderby="key", top="1")
    assert [*services[0]] == ["key", "value"]


def test_what_is_kept_is_of_the_options(served: Served) -> None:
    reply = get(served, filter="cpu_count gt 4")
    assert get(served, filter="cpu_count gt 4").body == reply.body != get(served, filter="cpu_count gt 2").body
    etag = header(reply, "ETag")
    assert etag is not None
    headers = {b"vmware-api-session-id": served.token.encode(), b"if-none-match": etag.encode()}
    call = ApiCall("GET", f"{VMS}?{query_of({'filter': 'cpu_count gt 4'})}", None)
    assert served.send(served.api, call, headers).status == 304
    vm = next(iter(served.world.inventory.all(VirtualMachine).values()))
    served.world.change(vm, name=f"{vm.name}-renamed")
    assert served.send(served.api, call, headers).status == 200
    assert f"{vm.name}-renamed" in names(told(served, filter="endswith(name, '-renamed')"))
    served.world.change(vm, name=vm.name)


def test_pages_work_however_many_there_are(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "MOST_LISTED", 5)
    environment = msgspec.structs.replace(served.pipeline.environment, list_limits=True)
    pipeline, served.pipeline = served.pipeline, msgspec.structs.replace(served.pipeline, environment=environment)
    try:
        served.pipeline.kept._replies.clear()
        assert get(served).status == 500
        assert len(told(served, top="2")) == 2
        assert len(told(served, filter="cpu_count gt 0")) > 5
    finally:
        served.pipeline = pipeline


def test_tags_are_those_that_the_caller_may_know_of(served: Served) -> None:
    vm = next(iter(served.world.inventory.all(VirtualMachine).values()))
    category = Category(id=ids.CisTaggingCategoryId("c"), name="stage", cardinality=CategoryModel.Cardinality.SINGLE)
    tag = Tag(id=ids.CisTaggingTagId("t"), name="prod", category=category.id)
    attachment = Attachment(
        id=attachment_id(tag.id, vm.id), tag=tag.id, category=category.id, type="VirtualMachine", object=vm.id
    )
    filter = "tags/any(t: t/category eq 'stage' and t/name eq 'prod')"
    assert told(served, filter=filter) == []
    served.world.put(category, tag, attachment)
    assert names(told(served, filter=filter)) == [vm.name]
    assert names(told(served, filter=f"{filter} and cpu/count gt 0", full="true")) == [vm.name]
    assert vm.name not in names(told(served, filter=f"not {filter}"))
    full = told(served, "/api/cis/tagging/tag", full="true")
    assert [item["name"] for item in full] == ["prod"]
    assert told(served, "/api/cis/tagging/tag", filter="startswith($it, 't')") == ["t"]


@pytest.mark.parametrize("listing", LISTS, ids=lambda listing: listing.operation.id)
def test_every_list_has_pages(served: Served, listing: Listing) -> None:
    """The first page of one is one of the items, and where nothing can be told without options nothing is with them."""
    operation = listing.operation
    real = {f"{cls.resource_type}Id": list(served.world.inventory.all(cls)) for cls in KINDS.values()}
    call = api_call(operation, minimal_input(operation, real))
    sign = "&" if "?" in call.target else "?"
    whole = served.ask_api(call)
    page = served.ask_api(
        msgspec.structs.replace(call, target=f"{call.target}{sign}{query_of({'top': '1', 'count': 'true'})}")
    )
    assert page.status == whole.status
    if whole.status != 200:
        assert page.body == whole.body
        return
    every, some = json.loads(whole.body), json.loads(page.body)
    assert header(page, "Resphere-Count") == str(len(every))
    assert len(some) == min(1, len(every))
    assert all(every[key] == value for key, value in some.items()) if listing.is_map else all(e in every for e in some)
    assert (header(page, "Resphere-Cursor") is not None) == (len(every) > 1)


@pytest.mark.parametrize(
    "listing",
    [each for each in LISTS if each.getter is not None and each.getter.operation.id in IMPLEMENTATIONS],
    ids=lambda listing: listing.operation.id,
)
def test_what_lists_and_get_both_tell_is_the_same(served: Served, listing: Listing) -> None:
    """So that filters over both may be asked of the list first."""
    operation = listing.operation
    real = {f"{cls.resource_type}Id": list(served.world.inventory.all(cls)) for cls in KINDS.values()}
    call = api_call(operation, minimal_input(operation, real))
    sign = "&" if "?" in call.target else "?"
    whole = served.ask_api(call)
    full = served.ask_api(msgspec.structs.replace(call, target=f"{call.target}{sign}full=true"))
    assert full.status == whole.status, full.body
    if whole.status != 200:
        assert full.body == whole.body
        return
    every, some = json.loads(whole.body), json.loads(full.body)
    assert len(some) == min(len(every), MOST_FULL)
    if not listing.is_map and not listing.is_plain:
        name = wire_name(listing)
        every, some = ({item[name]: item for item in items} for items in (every, some))
    for key in some if isinstance(every, dict) else ():
        assert {name: value for name, value in every[key].items() if some[key].get(name, value) != value} == {}


def test_no_operation_has_a_parameter_of_such_a_name() -> None:
    for operation in all_operations():
        for route in filter(None, (operation.api, operation.rest)):
            assert not {path.rpartition(".")[2] for path in route.query} & {*NAMES}


def test_others_refuse_them_as_ever(served: Served) -> None:
    reply = get(served, "/api/vcenter/vm/vm-1", filter="name eq 'x'")
    assert b"Unsupported property with name: $filter." in reply.body


def test_nothing_leaks_by_filters(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        every = told(served)
        mine, other = every[0], every[1]
        ask_as_ann(served, [permission(mine["vm"], READ_ONLY)])
        assert names(told(served)) == [mine["name"]]
        for filter in (f"name eq '{other['name']}'", f"name ne '{mine['name']}'"):
            assert told(served, filter=filter) == []
            assert told(served, filter=filter, full="true") == []
            assert lines(served, VMS, filter=filter) == []
            assert header(get(served, filter=filter, count="true"), "Resphere-Count") == "0"
        assert names(told(served, full="true", filter="cpu/count gt 0")) == [mine["name"]]
        cursor = header(get(served, orderby="name", top="1"), "Resphere-Cursor")
        assert cursor is None


def test_full_leaves_out_what_get_refuses(tmp_path: Path) -> None:
    """Whoever may list and not get has pages without items, and not the refusal of the first."""
    with Served(tmp_path) as served:
        tag = cis_tagging.Tag.get
        assert served.by_api(tag, tag.input(tag_id=ids.CisTaggingTagId("x"))).error_type == "NOT_FOUND"
        implementations = dict(served.pipeline.implementations)
        gone = next(iter(served.world.inventory.all(VirtualMachine)))
        handler = implementations[vcenter.VM.get.id].handler

        async def but_one(call: Any, vm: str) -> Any:
            return await handler(call, "vm-0" if vm == gone else vm)

        implementations[vcenter.VM.get.id] = msgspec.structs.replace(
            implementations[vcenter.VM.get.id], handler=but_one
        )
        served.pipeline = msgspec.structs.replace(served.pipeline, implementations=implementations)
        assert gone not in [vm["vm"] for vm in told(served, full="true")]
        assert len(told(served, full="true")) == len(told(served)) - 1
