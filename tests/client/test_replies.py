"""Answers of all sorts of servers: vCenter's errors, types that nobody knows, proxies' pages, later releases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from resphere.client import UnexpectedReply
from resphere.client.forms import rpc_form
from resphere.client.replies import failure_in, value_in
from resphere.client.steps import Response
from resphere.contract import errors as e
from resphere.contract.generated import cis_task
from resphere.contract.generated.appliance_networking import Proxy
from resphere.contract.generated.cis import Session
from resphere.contract.generated.vcenter import VM, Cluster
from resphere.contract.lookup import operation_at, place_of
from tests.client.stepping import reply

MESSAGE = {"args": ["vm-1"], "default_message": "No vm-1.", "id": "com.vmware.api.vcenter.vm.not_found"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        # As vCenter 8.0 tells it, on /api.
        (404, {"error_type": "NOT_FOUND", "messages": [MESSAGE]}, e.NotFound, "No vm-1."),
        (401, {"error_type": "UNAUTHENTICATED", "messages": [], "challenge": "Basic"}, e.Unauthenticated, ""),
        # As vCenter 7.0 tells it, on /rest and from services that are older than /api.
        (
            400,
            {"type": "com.vmware.vapi.std.errors.already_exists", "value": {"messages": [MESSAGE]}},
            e.AlreadyExists,
            "No vm-1.",
        ),
        (
            400,
            {
                "type": "com.vmware.vapi.std.errors.not_found",
                "value": {"error_type": "NOT_FOUND", "messages": [{"id": "a", "localized": "Nichts."}]},
            },
            e.NotFound,
            "Nichts.",
        ),
        (503, {"error_type": "SERVICE_UNAVAILABLE", "messages": None}, e.ServiceUnavailable, ""),
        # Nothing of vAPI's at all.
        (404, b"", e.OperationNotFound, "status 404 and no error of vSphere's: (empty)"),
        (503, b"<html>\n<h1>503  Service Unavailable</h1>", e.ServiceUnavailable, "<html> <h1>503 Service Unavailable"),
        (504, b"<html>", e.TimedOut, ""),
        (502, b"<html>", e.ServiceUnavailable, ""),
        (403, b"forbidden by the proxy", e.Unauthorized, "forbidden by the proxy"),
        (418, {"what": 1}, e.InvalidRequest, ""),
        (507, [1], e.InternalServerError, ""),
    ],
)
def test_errors_are_those_of_the_contract(status: int, body: Any, kind: type[e.VapiError], words: str) -> None:
    error = failure_in(reply(status, body))
    assert type(error) is kind
    assert error.status == status
    assert words in str(error)


def test_an_error_that_the_contract_does_not_know() -> None:
    error = failure_in(reply(400, {"error_type": "QUOTA_EXCEEDED", "messages": [MESSAGE], "data": {"left": 0}}))
    assert isinstance(error, e.VapiError)
    assert (error.error_type, type(error).__name__, error.data) == ("QUOTA_EXCEEDED", "QuotaExceeded", {"left": 0})
    assert error.messages[0].args == ("vm-1",)


def test_a_good_answer_is_no_error() -> None:
    assert failure_in(reply(200, [])) is None


def test_a_redirection_is_none_of_the_api() -> None:
    with pytest.raises(UnexpectedReply, match=r"302.*https://login.example/"):
        failure_in(reply(302, b"", location="https://login.example/"))


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"", b"{", b"[" * 100_000])
def test_a_page_where_a_document_should_be(body: bytes) -> None:
    with pytest.raises(UnexpectedReply) as caught:
        value_in(reply(200, body), VM.Info)
    assert caught.value.status == 200


@pytest.mark.parametrize("body", [[1], {"summary": 1}, "x", {"cluster": {"a": []}}])
def test_something_else_altogether(body: Any) -> None:
    with pytest.raises(UnexpectedReply):
        value_in(reply(200, body), tuple[VM.Summary, ...])


def test_a_later_release_knows_more_and_an_earlier_one_less() -> None:
    told = [{"vm": "vm-1", "name": "a", "power_state": "HIBERNATED", "flavour": "sweet"}]
    (vm,) = value_in(reply(200, told), tuple[VM.Summary, ...])
    assert vm.power_state == "HIBERNATED"
    assert isinstance(vm.power_state, str)
    assert (vm.vm, vm.cpu_count) == ("vm-1", None)


def test_a_required_field_that_is_not_there_is_none() -> None:
    cluster = value_in(reply(200, {"name": "a"}), Cluster.Info)
    assert (cluster.name, cluster.resource_pool) == ("a", None)


def test_keys_that_an_enumeration_has_not() -> None:
    expected = dict[Proxy.Protocol, Proxy.Config]
    found = value_in(reply(200, {"GOPHER": {"server": "a", "port": 70, "enabled": True}}), expected)
    assert found["GOPHER"].port == 70


def test_an_error_in_a_value_that_is_a_text() -> None:
    info = value_in(reply(200, {"status": "FAILED", "error": "It broke."}), cis_task.Info)
    assert info.error.messages[0].default_message == "It broke."


# --- JSON-RPC --------------------------------------------------------------------------------------------------------

RPC = rpc_form(Session.get)


def of_rpc(**document: Any) -> Response:
    return reply(200, {"jsonrpc": "2.0", "id": "1", **document})


def wrapped(name: str, **fields: Any) -> dict[str, Any]:
    text = {"id": "a", "default_message": "Said so.", "args": ["1"]}
    messages = [{"STRUCTURE": {"com.vmware.vapi.std.localizable_message": text}}]
    return {"error": {"ERROR": {name: {"messages": messages, "data": {"OPTIONAL": None}, **fields}}}}


def test_an_error_of_json_rpc() -> None:
    error = RPC.failure(of_rpc(result=wrapped("com.vmware.vapi.std.errors.not_found")))
    assert type(error) is e.NotFound
    assert (str(error), error.messages[0].args) == ("Said so.", ("1",))


def test_an_unknown_error_of_json_rpc() -> None:
    error = RPC.failure(of_rpc(result=wrapped("com.vmware.other.quota_exceeded")))
    assert error is not None
    assert error.error_type == "QUOTA_EXCEEDED"
    assert str(error) == "Said so."


@pytest.mark.parametrize(
    "document",
    [{"error": {"code": -32601, "message": "no such method"}}, {"result": 3}, {}],
)
def test_a_server_that_does_not_understand_json_rpc(document: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedReply):
        RPC.failure(of_rpc(**document))


def test_a_proxy_between_the_client_and_json_rpc() -> None:
    assert type(RPC.failure(reply(503, b"<html>"))) is e.ServiceUnavailable


def test_a_later_release_by_json_rpc() -> None:
    fields = {
        "user": "alice",
        "created_time": "2026-01-01T00:00:00.000Z",
        "last_accessed_time": "2026-01-01T00:00:00.000Z",
        "mood": {"OPTIONAL": "good"},
        "more": [{"STRUCTURE": {"map-entry": {"key": "a", "value": {"SECRET": "b"}}}}],
    }
    info = RPC.result(of_rpc(result={"output": {"STRUCTURE": {"com.vmware.cis.session.info": fields}}}))
    assert info.user == "alice"


def test_maps_and_optionals_of_a_later_release_by_json_rpc() -> None:
    place = place_of("com.vmware.cis.tasks", "list")
    assert place is not None
    entry = {"key": "task-1", "value": {"STRUCTURE": {"com.vmware.cis.task.info": {"status": "PAUSED"}}}}
    answer = of_rpc(result={"output": [{"STRUCTURE": {"map-entry": entry}}]})
    found = rpc_form(operation_at(place)).result(answer)
    assert found["task-1"].status == "PAUSED"
    assert json.dumps(found["task-1"].status) == '"PAUSED"'
