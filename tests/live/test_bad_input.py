"""Input that is not what the contract allows: refused by status, class and id, with words that name the field."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from resphere.dialects.http import BYTE_ORDER_MARK
from tests.support.jsonrpc import invocation
from tests.support.server import Client, Server
from tests.support.vms import OFF, ON, any_vm, refusal, state_of, words

INVALID = (400, "INVALID_ARGUMENT", "vapi.invoke.invalid.input")
UNSUPPORTED_PROPERTY = (400, "INVALID_ARGUMENT", "com.vmware.vapi.rest.unsupportedProperty")
NOT_FOUND = (404, "NOT_FOUND", "com.vmware.vapi.rest.httpNotFound")
JSON = {"Content-Type": "application/json"}
HOST = "/api/vcenter/host/host-404/maintenance"
SNAPSHOT = "/api/vcenter/vm/vm-404/snapshot"
DISK = "/api/vcenter/vm/vm-404/hardware/disk"
TASKS = "/api/cis/tasks?action=list"
DEEP = 5 * 1024 * 1024


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        pytest.param(HOST, {"action": "enter", "colour": 1}, ["spec", "colour"], id="unknown field"),
        pytest.param(HOST, {"spec": {"action": "enter"}}, ["spec"], id="wrapped"),
        pytest.param(HOST, {}, ["spec", "action"], id="missing required"),
        pytest.param(HOST, {"action": None}, ["spec.action"], id="null for required"),
        pytest.param(HOST, {"action": "leave"}, ["spec.action", "leave", "enter, exit"], id="enumeration"),
        pytest.param(HOST, {"action": 1}, ["spec.action"], id="number for enumeration"),
        pytest.param(HOST, {"action": "enter", "evacuate_powered_off_vms": "yes"}, ["spec.evacuate"], id="wrong type"),
        pytest.param(HOST, [], ["spec"], id="array for structure"),
        pytest.param(HOST, "enter", ["spec"], id="string for structure"),
        pytest.param(HOST, None, ["spec"], id="null for structure"),
        pytest.param(SNAPSHOT, {"name": 7}, ["spec.name"], id="number for string"),
        pytest.param(SNAPSHOT, {"name": ["a"]}, ["spec.name"], id="array for string"),
        pytest.param(TASKS, {"filter_spec": {"tasks": "task-1"}}, ["filter_spec.tasks"], id="string for list"),
        pytest.param(TASKS, {"filter_spec": {"tasks": [1]}}, ["filter_spec.tasks[0]"], id="element"),
        pytest.param(TASKS, {"filter_spec": {"status": ["DONE"]}}, ["filter_spec.status", "RUNNING"], id="inner enum"),
        pytest.param(TASKS, {"filter_spec": {"targets": [{"id": "x"}]}}, ["filter_spec.targets", "type"], id="inner"),
        pytest.param(TASKS, {"filter": {}}, ["filter"], id="unknown parameter"),
        pytest.param(DISK, {"new_vmdk": {"capacity": 2**63}}, ["spec.new_vmdk.capacity"], id="beyond 64 bits"),
        pytest.param(DISK, {"new_vmdk": {"capacity": 10**400}}, ["spec"], id="400 digits"),
        pytest.param(DISK, {"new_vmdk": {"capacity": 1.5}}, ["spec.new_vmdk.capacity"], id="fraction"),
    ],
)
def test_bodies_against_the_type(client: Client, path: str, body: Any, named: list[str]) -> None:
    reply = client.post(path, data=json.dumps(body), headers=JSON)
    assert refusal(reply) == INVALID
    for part in named:
        assert part in words(reply)


@pytest.mark.parametrize(
    ("spec", "structure", "field", "id", "reason"),
    [
        (
            {"type": "SCSI", "backing": {"type": "VMDK_FILE"}},
            "backing_spec",
            "vmdk_file",
            "missing",
            "spec.backing.vmdk_file: is required when type is VMDK_FILE",
        ),
        (
            {"type": "SATA", "scsi": {"bus": 0}},
            "create_spec",
            "scsi",
            "extra",
            "spec.scsi: must not be set when type is SATA",
        ),
        ({"scsi": {"bus": 0}}, "create_spec", "scsi", "extra", "spec.scsi: must not be set when type is unset"),
    ],
)
def test_unions(client: Client, spec: dict[str, Any], structure: str, field: str, id: str, reason: str) -> None:
    reply = client.post(DISK, data=json.dumps(spec), headers=JSON)
    id = f"vapi.data.structure.union.{id}"
    args = [f"com.vmware.vcenter.vm.hardware.disk.{structure}", field]
    assert (reply.status_code, reply.json()["error_type"]) == (400, "INVALID_ARGUMENT")
    assert reply.json()["messages"] == [{"id": id, "default_message": reason, "args": args}]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param(b'{"action": "enter"', "JSON", id="cut off"),
        pytest.param(b'{"action": "enter"} x', "JSON", id="rest"),
        pytest.param(b"{'action': 'enter'}", "JSON", id="single quotes"),
        pytest.param(b'{"action": "enter",}', "JSON", id="comma"),
        pytest.param(b"action=enter", "JSON", id="form"),
        pytest.param(b'{"action": NaN}', "JSON", id="NaN"),
        pytest.param(b'{"action": Infinity}', "JSON", id="Infinity"),
        pytest.param(b'{"action": -Infinity}', "JSON", id="-Infinity"),
        pytest.param(b'{"action": 1e999}', "action", id="1e999"),
        pytest.param(b'{"action": "\\ud800"}', "spec", id="lone surrogate"),
        pytest.param(b'{"\\ud800": 1}', "spec", id="lone surrogate as key"),
        pytest.param(b'{"action": "\xff"}', "spec", id="no UTF-8"),
        pytest.param(b'{"action": "\xed\xa0\x80"}', "spec", id="surrogate in UTF-8"),
        pytest.param('{"action": "enter"}'.encode("utf-16"), "spec", id="UTF-16"),
        pytest.param(b'{"action": "ent\0er"}', "spec", id="NUL"),
        pytest.param(b'{"action": "ent\\u0000er"}', "spec.action", id="escaped NUL"),
        pytest.param(b'{"action": "exit", "action": "enter"}', "'action' stands twice", id="duplicate key"),
        pytest.param(b'{"action": "exit", "\\u0061ction": "enter"}', "'action' stands twice", id="escaped duplicate"),
        pytest.param(b"[" * DEEP + b"]" * DEEP, "spec", id="10 MB of arrays"),
        pytest.param(b'{"a":' * (DEEP // 3) + b"1" + b"}" * (DEEP // 3), "spec", id="10 MB of objects"),
        pytest.param(b'{"action": ' + b"[" * DEEP + b"]" * DEEP + b"}", "spec", id="10 MB of nesting in a field"),
        pytest.param(b"\0", "spec", id="NUL alone"),
    ],
)
def test_bodies_that_are_no_document(client: Client, body: bytes, named: str) -> None:
    reply = client.post(HOST, data=body, headers=JSON)
    assert refusal(reply) == INVALID
    assert named in words(reply)


def test_a_duplicate_key_deep_inside(client: Client) -> None:
    body = b'{"filter_spec": {"targets": [{"type": "VirtualMachine", "id": "a", "id": "b"}]}}'
    reply = client.post(TASKS, data=body, headers=JSON)
    assert refusal(reply) == INVALID
    assert "'id' stands twice" in words(reply)


def test_nesting_where_anything_may_stand(client: Client) -> None:
    for size in (900, 100_000):
        nested = b'{"filter_spec": {"targets": ' + b"[" * size + b"]" * size + b"}}"
        assert refusal(client.post(TASKS, data=nested, headers=JSON)) == INVALID


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "*/*"])
def test_bodies_of_another_content_type(client: Client, content_type: str) -> None:
    reply = client.post(HOST, data='{"action": "enter"}', headers={"Content-Type": content_type})
    assert refusal(reply) == INVALID
    assert "Content-Type" in words(reply)
    assert content_type in words(reply)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON", None]
)
def test_json_however_it_is_spelt(client: Client, content_type: str | None) -> None:
    reply = client.post(HOST, data=b'{"action": "enter"}', headers={"Content-Type": content_type})
    assert refusal(reply)[:2] == (404, "NOT_FOUND")


def test_a_missing_body(client: Client) -> None:
    for body in (b"", b"  \r\n"):
        reply = client.post(HOST, data=body, headers=JSON)
        assert refusal(reply) == INVALID
        assert "spec: a body is required" in words(reply)


def test_a_body_where_none_belongs(client: Client) -> None:
    vm = any_vm(client, OFF)
    reply = client.post(f"/api/vcenter/vm/{vm}/power?action=start", json={"force": True})
    assert refusal(reply) == INVALID
    assert state_of(client, vm) == OFF


@pytest.mark.parametrize("body", [b"", b"{}", b"null"])
def test_empty_posts_in_every_form(client: Client, body: bytes) -> None:
    vm = any_vm(client, OFF)
    reply = client.post(
        f"/api/vcenter/vm/{vm}/power?action=start", data=body, headers={"Content-Type": "application/octet-stream"}
    )
    assert reply.status_code == 204
    assert state_of(client, vm) == ON


def test_bodies_on_get_and_delete_are_accepted(client: Client) -> None:
    vm = any_vm(client, OFF)
    assert client.get(f"/api/vcenter/vm/{vm}", json={"vm": vm}).status_code == 200
    assert client.delete(f"/api/vcenter/vm/{vm}/snapshot", json={"vm": vm}).status_code == 204
    assert client.get("/api/vcenter/vm", data=b"\xff{").status_code == 200


def test_chunked_bodies(client: Client) -> None:
    vm = any_vm(client, OFF)

    def chunks(*parts: bytes) -> Iterator[bytes]:
        yield from parts

    made = client.post(f"/api/vcenter/vm/{vm}/snapshot", data=chunks(b'{"name":', b' "chunked"}'), headers=JSON)
    assert made.status_code == 201
    assert client.delete(f"/api/vcenter/vm/{vm}/snapshot/{made.json()}").status_code == 204
    assert client.post(f"/api/vcenter/vm/{vm}/power?action=start", data=chunks()).status_code == 204


@pytest.mark.parametrize(
    ("query", "named"),
    [
        pytest.param("power_states=ON", ["power_states", "POWERED_ON, SUSPENDED"], id="enumeration"),
        pytest.param("names=%FF", ["query"], id="no UTF-8"),
        pytest.param("%C3%28=1", ["query"], id="no UTF-8 in the key"),
        pytest.param("names=%ED%A0%80", ["query"], id="surrogate"),
    ],
)
def test_queries(client: Client, query: str, named: list[str]) -> None:
    reply = client.get(f"/api/vcenter/vm?{query}")
    assert refusal(reply) == INVALID
    for part in named:
        assert part in words(reply)


def test_a_list_ignores_places_that_only_other_lists_filter_by(client: Client) -> None:
    pools = client.read("/api/vcenter/resource-pool?names=Resources")
    assert pools
    assert client.read("/api/vcenter/resource-pool?names=Resources&parent_folders=group-v3") == pools
    vm = client.read("/api/vcenter/vm")[0]["vm"]
    changed = client.patch(f"/api/vcenter/vm/{vm}/hardware/cpu?folders=group-v3", json={})
    assert refusal(changed) == UNSUPPORTED_PROPERTY


@pytest.mark.parametrize("key", ["foo", "filter.names", "library_id?library_id", "action", "vmw-task"])
def test_an_unknown_key_of_a_query(client: Client, key: str) -> None:
    reply = client.get(f"/api/vcenter/vm?names=a&{key}=bar")
    assert refusal(reply) == UNSUPPORTED_PROPERTY
    (message,) = reply.json()["messages"]
    assert (message["args"], message["default_message"]) == ([key], f"Unsupported property with name: {key}.")


def test_a_byte_order_mark_before_a_body(client: Client) -> None:
    vm = any_vm(client, OFF)
    spec, path = b'{"hot_add_enabled": true}', f"vcenter/vm/{vm}/hardware/cpu"
    assert client.patch(f"/api/{path}", data=BYTE_ORDER_MARK + spec, headers=JSON).status_code == 204
    wrapped = BYTE_ORDER_MARK + b'{"spec": %b}' % spec
    assert client.patch(f"/rest/{path}", data=wrapped, headers=JSON).status_code == 200
    call = json.dumps(invocation("com.vmware.vcenter.VM", "list")).encode()
    assert "output" in client.post("/api", data=BYTE_ORDER_MARK + call, headers=JSON).json()["result"]
    twice = client.patch(f"/api/{path}", data=BYTE_ORDER_MARK * 2 + spec, headers=JSON)
    assert refusal(twice) == INVALID


def test_a_single_valued_query_given_twice(client: Client) -> None:
    reply = client.get("/api/vcenter/host?standalone=true&standalone=false")
    assert refusal(reply) == INVALID
    assert words(reply) == "standalone: may be given only once"


@pytest.mark.parametrize("value", ["maybe", "", "2", "NULL"])
def test_a_query_of_the_wrong_type(client: Client, value: str) -> None:
    reply = client.get("/api/vcenter/host", params={"standalone": value})
    assert refusal(reply) == INVALID
    assert "standalone" in words(reply)


def test_null_is_a_word_in_a_query(client: Client) -> None:
    assert client.read("/api/vcenter/vm?names=null") == []
    assert refusal(client.get("/api/openapi.json?component=null")) == (
        404,
        "NOT_FOUND",
        "resphere.openapi.no_component",
    )
    reply = client.get("/api/vcenter/folder?type=null")
    assert refusal(reply) == INVALID
    assert "type: Invalid enum value 'null'; allowed are DATACENTER" in words(reply)


@pytest.mark.parametrize("text", ["%00", "a%00b", "%F0%9F%98%80", "%2F", "%2e%2e%2f", "%20", "a" * 4000, "'%22<>"])
def test_strange_text_is_only_an_unknown_id_or_name(client: Client, text: str) -> None:
    assert client.read(f"/api/vcenter/vm?names={text}") == []
    reply = client.get(f"/api/vcenter/vm/{text}")
    assert refusal(reply) == (404, "NOT_FOUND", "com.vmware.api.vcenter.vm.not_found")


@pytest.mark.parametrize("path", ["/api/vcenter/vm/%FF", "/api/vcenter/%C3%28", "/api/vcenter/vm/%ED%A0%80/power"])
def test_paths_that_are_no_utf_8(client: Client, path: str) -> None:
    reply = client.get(path)
    assert refusal(reply) == INVALID
    assert "path" in words(reply)


def test_unknown_paths(client: Client, anonymous: Client) -> None:
    for path in ("/api/nothing", "/api/vcenter/vm/vm-1/nothing", "/api/VCENTER/vm"):
        for caller in (client, anonymous):
            reply = caller.get(path)
            assert refusal(reply) == NOT_FOUND
            (message,) = reply.json()["messages"]
            assert (message["default_message"], message["args"]) == ("Not found.", [])
    for known in ("/api/vcenter/vm", "/api/vcenter/vm/vm-1/power?action=explode"):
        assert anonymous.post(known).status_code == 401
    assert anonymous.put("/api/vcenter/vm").status_code == 401
    unknown = client.get("/rest/com/vmware/nothing")
    (message,) = unknown.json()["value"]["messages"]
    assert (unknown.status_code, message["args"]) == (404, ["/com/vmware/nothing"])
    assert refusal(anonymous.get("/nothing")) == NOT_FOUND
    assert refusal(anonymous.get("/")) == (404, "NOT_FOUND", "resphere.start")


def test_an_unknown_action(client: Client) -> None:
    reply = client.post("/api/vcenter/vm/vm-1/power?action=explode")
    assert refusal(reply) == NOT_FOUND
    for action in ("start", "stop", "reset", "suspend"):
        assert f"action={action}" in words(reply)


def test_doubled_slashes_count_as_one(client: Client) -> None:
    vm = any_vm(client, OFF)
    for path in (f"/api/vcenter/vm//{vm}", f"//api//vcenter/vm/{vm}/", f"/api/vcenter///vm/{vm}"):
        assert client.read(path)["power_state"] == OFF


def test_a_wrong_method(client: Client) -> None:
    reply = client.put("/api/vcenter/vm/vm-1/power")
    assert refusal(reply) == (405, "ERROR", "resphere.method_not_allowed")
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    for method in ("PATCH", "DELETE", "PROPFIND", "TRACE"):
        assert client.request(method, "/api/vcenter/vm/vm-1/power").status_code == 405


def test_options(client: Client, anonymous: Client) -> None:
    for caller in (client, anonymous):
        reply = caller.request("OPTIONS", "/api/vcenter/vm/vm-1")
        assert (reply.status_code, reply.content) == (204, b"")
        assert {"GET", "HEAD", "OPTIONS"} <= set(reply.headers["Allow"].split(", "))
    assert refusal(client.request("OPTIONS", "/api/nothing")) == NOT_FOUND


def test_head(client: Client) -> None:
    got, head = client.get("/api/vcenter/vm"), client.request("HEAD", "/api/vcenter/vm")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "ETag"):
        assert head.headers[name] == got.headers[name]
    assert client.request("HEAD", "/api/vcenter/vm/vm-404").status_code == 404
    assert client.request("HEAD", "/api/vcenter/vm").headers["x-request-id"]


def raw(server: Server) -> http.client.HTTPSConnection:
    """A connection on which anything can be said."""
    context = ssl.create_default_context(cafile=str(server.ca))
    return http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=60)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vmware-api-session-id", b"\xff\xfe"),
        ("Cookie", b"vmware-api-session-id=\xff; \xfe"),
        ("Authorization", b"Basic \xff"),
        ("vapi-ctx-opid", b"\xff\xff"),
        ("Accept-Encoding", b"\xff, gzip;q=\xff"),
        ("If-None-Match", b"\xff"),
        ("Content-Type", b"\xff"),
        ("User-Agent", b"\xff\xed\xa0\x80"),
        ("Content-Length", b"0"),
    ],
)
def test_headers_that_are_no_utf_8(shared_server: Server, client: Client, name: str, value: bytes) -> None:
    connection = raw(shared_server)
    connection.putrequest("GET", "/api/vcenter/vm")
    if name != "vmware-api-session-id":
        connection.putheader("vmware-api-session-id", client.token)
    connection.putheader(name, value)
    connection.endheaders()
    reply = connection.getresponse()
    reply.read()
    assert reply.status == (401 if name == "vmware-api-session-id" else 200)
    connection.close()


def test_bodies_above_the_limit(shared_server: Server, client: Client) -> None:
    limit = 16 * 1024 * 1024
    connection = raw(shared_server)
    headers = {**JSON, "vmware-api-session-id": client.token}
    for body in (b" " * (limit + 1), iter([b" " * limit, b" "])):
        connection.request("POST", HOST, body=body, headers=headers)
        reply = connection.getresponse()
        error = json.loads(reply.read())
        assert (reply.status, error["error_type"]) == (413, "INVALID_ARGUMENT")
        assert error["messages"][0]["id"] == "resphere.body_too_large"
        assert error["messages"][0]["args"] == [str(limit)]
        # Whatever happened to the rest of the body, the next request is understood.
        connection.request("GET", "/api", headers=headers)
        assert json.loads(connection.getresponse().read())["server"] == "resphere"
    connection.close()


def test_a_body_of_just_the_limit(client: Client) -> None:
    body = b'{"action": "enter"}'.ljust(16 * 1024 * 1024)
    assert refusal(client.post(HOST, data=body, headers=JSON))[:2] == (404, "NOT_FOUND")


def test_a_body_that_never_comes_whole_is_not_acted_upon(shared_server: Server, client: Client) -> None:
    vm = any_vm(client, OFF)
    connection = raw(shared_server)
    connection.putrequest("POST", f"/api/vcenter/vm/{vm}/power?action=start")
    connection.putheader("vmware-api-session-id", client.token)
    connection.putheader("Content-Length", "2")
    connection.endheaders()
    connection.close()
    # The next call of the same kind comes after it: had it been taken for an empty POST, the VM would run.
    assert state_of(client, vm) == OFF
