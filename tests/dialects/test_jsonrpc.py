"""The JSON-RPC dialect: envelopes, faults, credentials, errors, kept replies."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.auth.credentials import Credentials, SamlToken
from resphere.auth.saml.json_proof import JsonProof
from resphere.contract.catalogue import Catalogue
from resphere.contract.errors import InternalServerError, InvalidArgument, Unauthenticated, UnexpectedInput, message
from resphere.contract.generated import cis, vcenter
from resphere.contract.lookup import all_operations
from resphere.contract.model import Secret, Struct
from resphere.dialects.base import Outcome, Refused, Request, Resolved
from resphere.dialects.jsonrpc import JsonRpcDialect, ProtocolFault, target_names
from resphere.server.kept import compressed
from resphere.wire.vapi_values import encoder
from tests.support.examples import examples
from tests.support.from_contract import from_contract, wire
from tests.support.jsonrpc import SECURITY, USER_PASS, error_of, invocation, said, session_context

LIMIT = 100_000
DIALECT = JsonRpcDialect(LIMIT, Catalogue())
OPERATIONS = [operation for operation in all_operations() if not operation.streams]
VM = "com.vmware.vcenter.VM"


def post(body: bytes, **headers: str) -> Request:
    """A request with a body."""
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Request("POST", "/api", b"", {b"content-length": str(len(body)).encode(), **named}, "192.0.2.1")


def resolve(sent: Any, **headers: str) -> Outcome:
    """What the dialect makes of a document, or of bytes as they are."""
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()

    async def read(_: int) -> bytes:
        return body

    return asyncio.run(DIALECT.resolve(post(body, **headers), read))


def resolved(sent: Any, **headers: str) -> Resolved:
    """The operation that a document means."""
    outcome = resolve(sent, **headers)
    assert isinstance(outcome, Resolved), outcome
    return outcome


def reply_to(outcome: Outcome) -> dict[str, Any]:
    """The answer to what was refused."""
    assert isinstance(outcome, Refused)
    reply = DIALECT.error(outcome.error, outcome)
    assert reply.status == 200
    assert reply.media_type == "application/json"
    decoded: dict[str, Any] = json.loads(reply.body)
    assert decoded.pop("jsonrpc") == "2.0"
    return decoded


def decode(outcome: Resolved) -> Struct:
    """The operation's input."""
    return DIALECT.decode(outcome, post(b""), b"")


WHOLE = invocation(VM, "list", {"filter": {"OPTIONAL": None}}, identity=7)


class TestProtocol:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"not json",
            b'{"jsonrpc":"2.0","method":"inv\xffoke","id":1,"params":{}}',
            b'{"jsonrpc":"2.\xff","method":"invoke","id":1,"params":{}}',
            b"\xff",
            b'{"jsonrpc":"2.0","id":"\\ud800"}',
            b"[" * 50_000,
            b'{"id":NaN}',
            b'{"id":1e999}',
            b"[" + json.dumps(WHOLE).encode(),
        ],
        ids=lambda body: repr(body[:30]),
    )
    def test_what_is_not_json(self, body: bytes) -> None:
        assert reply_to(resolve(body)) | {"error": {}} == {"id": None, "error": {}}
        assert reply_to(resolve(body))["error"]["code"] == -32700

    @pytest.mark.parametrize(
        "sent",
        [
            [],
            [WHOLE, WHOLE],
            "text",
            7,
            None,
            {},
            {**WHOLE, "id": True},
            {**WHOLE, "id": [1]},
            {**WHOLE, "id": {}},
            {key: value for key, value in WHOLE.items() if key != "id"},
            {key: value for key, value in WHOLE.items() if key != "jsonrpc"},
            {**WHOLE, "jsonrpc": "1.0"},
            {**WHOLE, "jsonrpc": 2.0},
            {**WHOLE, "method": None},
            {**WHOLE, "method": ["invoke"]},
        ],
        ids=lambda sent: json.dumps(sent)[:50],
    )
    def test_what_is_no_request(self, sent: Any) -> None:
        reply = reply_to(resolve(sent))
        assert reply["id"] is None, "the SDK takes no other id with this code"
        assert reply["error"]["code"] == -32600
        assert reply["error"]["message"]

    def test_an_unknown_method(self) -> None:
        reply = reply_to(resolve({**WHOLE, "method": "introspect"}))
        assert (reply["id"], reply["error"]["code"]) == (7, -32601)

    @pytest.mark.parametrize(
        "params",
        [
            None,
            [],
            "text",
            {},
            {"serviceId": VM, "operationId": "list"},
            {"serviceId": VM, "operationId": None, "input": {}},
            {"serviceId": 1, "operationId": "list", "input": {}},
            {"serviceId": VM, "operationId": "list", "input": {}, "ctx": []},
            {"serviceId": VM, "operationId": "list", "input": {}, "ctx": {"securityCtx": "x"}},
            {"serviceId": VM, "operationId": "list", "input": {}, "ctx": {"securityCtx": {"schemeId": 1}}},
        ],
        ids=str,
    )
    def test_parameters_that_are_not_those_of_invoke(self, params: Any) -> None:
        reply = reply_to(resolve({**WHOLE, "params": params}))
        assert (reply["id"], reply["error"]["code"]) == (7, -32602)

    @pytest.mark.parametrize(
        "identity", [b'"a\\u0041"', b"1.50", b"-7", b"0", b'""', b"null", b"123456789012345678901"]
    )
    def test_the_id_comes_back_as_it_was_written(self, identity: bytes) -> None:
        body = json.dumps(WHOLE).encode().replace(b'"id": 7', b'"id": ' + identity)
        outcome = resolved(body)
        framed = DIALECT.frame(outcome, DIALECT.encode(outcome, ()))
        assert framed.body == b'{"jsonrpc":"2.0","result":{"output":[]},"id":' + identity + b"}"

    def test_a_body_that_is_too_large(self) -> None:
        reply = reply_to(resolve(b" " * (LIMIT + 1)))
        assert (reply["id"], reply["error"]["code"]) == (None, -32600)
        assert str(LIMIT) in reply["error"]["message"]

    def test_a_body_that_announces_to_be_too_large_is_not_read(self) -> None:
        async def read(_: int) -> bytes:
            raise AssertionError("must not be read")

        request = Request("POST", "/api", b"", {b"content-length": str(10**8).encode()}, "192.0.2.1")
        assert reply_to(asyncio.run(DIALECT.resolve(request, read)))["error"]["code"] == -32600

    def test_headers_must_agree_with_the_body(self) -> None:
        assert isinstance(resolve(WHOLE, vapi_service=VM, vapi_operation="list"), Resolved)
        reply = reply_to(resolve(WHOLE, vapi_service=VM, vapi_operation="delete"))
        assert (reply["id"], reply["error"]["code"]) == (7, -31001)

    def test_members_of_no_meaning_are_left_alone(self) -> None:
        assert isinstance(resolve({**WHOLE, "extra": {"deep": [1]}}), Resolved)

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_other_methods(self, method: str) -> None:
        async def read(_: int) -> bytes:
            raise AssertionError("must not be read")

        outcome = asyncio.run(DIALECT.resolve(Request(method, "/api", b"", {}, "192.0.2.1"), read))
        reply = DIALECT.error(outcome.error, outcome) if isinstance(outcome, Refused) else None
        assert reply is not None
        assert reply.status == 405
        assert ("Allow", "GET, HEAD, OPTIONS, POST") in reply.headers

    @settings(max_examples=examples(300))
    @given(st.binary(max_size=60) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
    def test_whatever_is_sent_gets_an_answer(self, sent: Any) -> None:
        reply = reply_to(resolve(sent))
        assert reply["error"]["code"] in (-32700, -32600)

    @settings(max_examples=examples(200))
    @given(
        st.sampled_from(["id", "jsonrpc", "method", "params"]),
        st.recursive(st.none() | st.text() | st.integers(), lambda i: st.dictionaries(st.text(), i)),
    )
    def test_any_member_may_be_anything(self, name: str, value: Any) -> None:
        outcome = resolve({**WHOLE, name: value})
        assert isinstance(outcome, Resolved) or reply_to(outcome)["error"]["message"]


class TestOperations:
    def test_every_operation_can_be_called(self) -> None:
        for operation in OPERATIONS:
            outcome = resolved(invocation(operation.service, operation.name))
            assert outcome.operation is operation

    @pytest.mark.parametrize(
        ("service", "name", "identity"),
        [
            ("com.vmware.vcenter.vm", "list", "vapi.method.input.invalid.interface"),
            ("com.vmware", "vcenter.VM.list", "vapi.method.input.invalid.interface"),
            ("", "", "vapi.method.input.invalid.interface"),
            (VM, "List", "vapi.method.input.invalid.method"),
            (VM, "clone_task", "vapi.method.input.invalid.method"),
            ("resphere.openapi", "nonsense", "vapi.method.input.invalid.method"),
            ("resphere.vcenter.vm.guest.transfers", "upload", "resphere.operation.streams"),
            ("resphere.vcenter.vm.guest.transfers", "download", "resphere.operation.streams"),
        ],
    )
    def test_unknown_ones(self, service: str, name: str, identity: str) -> None:
        outcome = resolve(invocation(service, name, security=session_context("abc"), identity="x"))
        assert isinstance(outcome, Refused)
        assert not outcome.public
        assert outcome.credentials == Credentials(session_id="abc")
        reply = reply_to(outcome)
        assert reply["id"] == "x"
        assert error_of(reply) == ("operation_not_found", [identity])

    def test_the_target_is_known_before_the_input_is_decoded(self) -> None:
        assert resolved(invocation(VM, "get", {"vm": "vm-7"})).parameters == {"vm": "vm-7"}
        for wrong in ({"vm": 7}, {"vm": {"OPTIONAL": "vm-7"}}, {}):
            assert resolved(invocation(VM, "get", wrong)).parameters == {}

    def test_targets_are_what_the_path_would_name(self) -> None:
        for operation in OPERATIONS:
            if operation.api is not None:
                assert all(f"{{{name}}}" in operation.api.path for name in target_names(operation))
                assert len(target_names(operation)) == operation.api.path.count("{")

    @settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.data())
    def test_any_input_of_any_operation(self, data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(OPERATIONS))
        value = data.draw(from_contract(operation.input))
        fields = wire(encoder(operation.input)(value))["STRUCTURE"]["operation-input"]
        sent = invocation(operation.service, operation.name, fields)
        if len(json.dumps(sent)) <= LIMIT:
            assert said(decode(resolved(sent))) == said(value)


class TestCredentials:
    @pytest.mark.parametrize(
        ("security", "expected"),
        [
            (None, Credentials()),
            ({}, Credentials()),
            (session_context("abc"), Credentials(session_id="abc")),
            (USER_PASS, Credentials(user=USER_PASS["userName"], password=USER_PASS["password"], client="192.0.2.1")),
            ({"schemeId": SECURITY + "oauth", "accessToken": "abc"}, Credentials(bearer="abc")),
            ({"schemeId": SECURITY + "oauth", "samlToken": "x"}, Credentials()),
            ({"schemeId": SECURITY + "session_id"}, Credentials()),
            (
                {"schemeId": SECURITY + "saml_bearer_token", "samlToken": "<a/>"},
                Credentials(saml=SamlToken("<a/>")),
            ),
            ({"schemeId": SECURITY + "saml_bearer_token"}, Credentials(saml=SamlToken(""))),
        ],
        ids=str,
    )
    def test_of_the_security_context(self, security: Any, expected: Credentials) -> None:
        assert resolved(invocation(VM, "list", security=security)).credentials == expected

    @pytest.mark.parametrize("signature", [{"samlToken": "<a/>", "value": "x"}, {}, None], ids=str)
    def test_of_the_holder_of_a_key_with_the_whole_request_as_it_was_signed(self, signature: Any) -> None:
        security = {"schemeId": SECURITY + "saml_hok_token", "signature": signature}
        body = invocation(VM, "list", security=security)
        expected = SamlToken("<a/>" if signature else "", JsonProof(json.dumps(body).encode()))
        assert resolved(body).credentials == Credentials(saml=expected)

    def test_the_header_overrides_the_session_of_the_context(self) -> None:
        security = {"schemeId": SECURITY + "session_id", "sessionId": "def"}
        outcome = resolved(invocation(VM, "list", security=security), vmware_api_session_id="abc")
        assert outcome.credentials == Credentials(session_id="abc")

    def test_a_name_and_password_beside_the_header_are_shown_too(self) -> None:
        outcome = resolved(invocation(VM, "list", security=USER_PASS), vmware_api_session_id="abc")
        user, password = USER_PASS["userName"], USER_PASS["password"]
        assert outcome.credentials == Credentials("abc", user=user, password=password, client="192.0.2.1")

    def test_a_token_in_the_header_of_http(self) -> None:
        outcome = resolved(invocation(VM, "list"), authorization="Bearer abc", vmware_api_session_id="def")
        assert outcome.credentials == Credentials("def", bearer="abc")

    def test_what_browsers_send_by_themselves_lets_nobody_in(self) -> None:
        headers = {"cookie": "vmware-api-session-id=abc", "authorization": "Basic YTpi"}
        assert resolved(invocation(VM, "list"), **headers).credentials == Credentials()


class TestInput:
    @pytest.mark.parametrize(
        ("fields", "where"),
        [
            ({}, "vm"),
            ({"vm": None}, "vm"),
            ({"vm": 7}, "vm"),
            ({"vm": {"OPTIONAL": "vm-7"}}, "vm"),
            ({"vm": ["vm-7"]}, "vm"),
        ],
        ids=str,
    )
    def test_required_parameters(self, fields: Any, where: str) -> None:
        with pytest.raises(InvalidArgument, match=where):
            decode(resolved(invocation(VM, "get", fields)))

    @pytest.mark.parametrize("input", [None, {}, [], "x", {"STRUCTURE": {"filter": {}}}, {"STRUCTURE": {}}, 7], ids=str)
    def test_what_is_no_input_structure(self, input: Any) -> None:
        sent = invocation(VM, "get")
        sent["params"]["input"] = input
        with pytest.raises(InvalidArgument):
            decode(resolved(sent))

    def test_an_enumeration_value_that_does_not_exist(self) -> None:
        spec = {"STRUCTURE": {"com.vmware.vcenter.VM.filter_spec": {"power_states": {"OPTIONAL": ["FLYING"]}}}}
        with pytest.raises(InvalidArgument, match=r"filter\.power_states.*POWERED_OFF, POWERED_ON, SUSPENDED"):
            decode(resolved(invocation(VM, "list", {"filter": {"OPTIONAL": spec}})))

    def test_a_union_that_is_violated(self) -> None:
        backing = {"type": "ISO_FILE", "host_device": {"OPTIONAL": "cd0"}}
        spec = {"backing": {"OPTIONAL": {"STRUCTURE": {f"{CDROM}.backing_spec": backing}}}}
        sent = invocation(CDROM, "create", {"vm": "vm-1", "spec": {"STRUCTURE": {f"{CDROM}.create_spec": spec}}})
        with pytest.raises(InvalidArgument, match=r"spec\.backing\."):
            decode(resolved(sent))

    def test_unknown_fields(self) -> None:
        fields: dict[str, Any] = {"vm": "vm-1", "new": {"OPTIONAL": None}}
        assert decode(resolved(invocation(VM, "get", fields))) == VM_GET(vm="vm-1")
        with pytest.raises(UnexpectedInput, match="new"):
            decode(resolved(invocation(VM, "get", {"vm": "vm-1", "new": {"OPTIONAL": 1}})))

    def test_a_key_that_stands_twice(self) -> None:
        body = json.dumps(invocation(VM, "get", {"vm": "vm-1"})).encode().replace(b'"vm":', b'"vm": "vm-2", "vm":')
        with pytest.raises(InvalidArgument, match="twice"):
            decode(resolved(body))

    def test_deep_nesting(self) -> None:
        deep = b'{"OPTIONAL":' * 400 + b"1" + b"}" * 400
        body = json.dumps(invocation(VM, "get", {"vm": "DEEP"})).encode().replace(b'"DEEP"', deep)
        with pytest.raises(InvalidArgument):
            decode(resolved(body))
        deeper = b"[" * 40_000 + b"]" * 40_000
        outcome = resolve(body.replace(deep, deeper))
        assert isinstance(outcome, Refused)
        assert isinstance(outcome.error, ProtocolFault)


CDROM = "com.vmware.vcenter.vm.hardware.cdrom"
VM_GET: Any = vcenter.VM.get.input


class TestReplies:
    def test_void(self) -> None:
        outcome = resolved(invocation("com.vmware.vcenter.vm.power", "start", {"vm": "vm-1"}))
        reply = DIALECT.frame(outcome, DIALECT.encode(outcome, None))
        assert json.loads(reply.body) == {"jsonrpc": "2.0", "id": "0", "result": {"output": None}}

    def test_a_value(self) -> None:
        outcome = resolved(invocation("com.vmware.cis.session", "create"))
        reply = DIALECT.frame(outcome, DIALECT.encode(outcome, Secret("abc")))
        assert json.loads(reply.body)["result"] == {"output": {"SECRET": "abc"}}
        assert cis.Session.create is outcome.operation

    def test_a_kept_reply_serves_every_id(self) -> None:
        first, second = resolved({**WHOLE, "id": "a"}), resolved({**WHOLE, "id": 2})
        assert first.kept_key == second.kept_key
        vms = tuple(summary(number) for number in range(100))
        kept = DIALECT.encode(first, vms)
        for packed in (kept, compressed(kept)):
            bodies = [DIALECT.frame(outcome, packed).body for outcome in (first, second)]
            decoded = [json.loads(gzip.decompress(body) if packed is not kept else body) for body in bodies]
            assert [reply["id"] for reply in decoded] == ["a", 2]
            assert decoded[0]["result"] == decoded[1]["result"]
            assert len(decoded[0]["result"]["output"]) == 100

    def test_other_inputs_are_kept_apart_and_long_ones_not_at_all(self) -> None:
        other = resolved(invocation(VM, "list", {"filter": {"OPTIONAL": {"STRUCTURE": {}}}}))
        assert other.kept_key != resolved(WHOLE).kept_key
        assert resolved(invocation(VM, "list", {"filter": "x" * 5000})).kept_key is None

    def test_clients_cannot_revalidate(self) -> None:
        assert not resolved(WHOLE).revalidates

    def test_an_error_has_its_id_and_what_clients_need(self) -> None:
        reply = DIALECT.error(InvalidArgument(message("an.id", "Wrong: {0}", "x")), resolved(WHOLE))
        assert reply.status == 200
        decoded = json.loads(reply.body)
        assert decoded["id"] == 7
        assert error_of(decoded) == ("invalid_argument", ["an.id"])
        assert ("vapi-error", "com.vmware.vapi.std.errors.invalid_argument") in reply.headers

    def test_unauthenticated_says_how_to(self) -> None:
        reply = DIALECT.error(Unauthenticated(message("an.id", "Who?")), resolved(WHOLE))
        fields = json.loads(reply.body)["result"]["error"]["ERROR"]["com.vmware.vapi.std.errors.unauthenticated"]
        assert fields["challenge"]["OPTIONAL"].startswith("Basic ")

    def test_an_error_before_anything_is_known(self) -> None:
        reply = DIALECT.error(InternalServerError(message("an.id", "Reference: 7")), None)
        assert json.loads(reply.body) == {
            "jsonrpc": "2.0",
            "error": {"code": -32603, "message": "Reference: 7"},
            "id": None,
        }


def summary(number: int) -> Any:
    """A VM as lists show it."""
    return vcenter.VM.Summary(vm=f"vm-{number}", name="web", power_state="POWERED_ON")  # type: ignore[arg-type]
