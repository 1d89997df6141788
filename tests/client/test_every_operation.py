"""Every operation of the contract has a typed call, whose request means that operation to the server's own reading."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import httpx2
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.client import AsyncClient, Client
from resphere.client.forms import api_form, form_of
from resphere.client.services import all_services, parameters_of, python_name, way_to
from resphere.contract.catalogue import Catalogue
from resphere.contract.lookup import all_operations, api_routes
from resphere.contract.model import AnyOperation, ByteStream, Struct, WholeBytes
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Outcome, Request, Resolved
from resphere.dialects.jsonrpc import JsonRpcDialect, Sent
from tests.support.calls import inputs, minimal_input
from tests.support.examples import examples
from tests.support.from_contract import minimal
from tests.support.jsonrpc import said

API = ApiDialect(api_routes())
RPC = JsonRpcDialect(10_000_000, Catalogue())
OPERATIONS = tuple(all_operations())
EMPTY: tuple[Any, ...] = (None, {}, [])


class Peer:
    """Answers each request with a result of the operation that it means to the server, and keeps what it means."""

    def __init__(self) -> None:
        self.operation: AnyOperation | None = None
        self.input: Struct | None = None

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        path, _, query = request.url.raw_path.partition(b"?")
        headers = {name.lower(): value for name, value in request.headers.raw}
        asked = Request(request.method, path.decode(), query, headers, "192.0.2.1")

        async def body(_: int) -> bytes:
            return content

        dialect = RPC if (request.method, path) == ("POST", b"/api") else API
        outcome: Any = dialect.resolve(asked, body)
        resolved: Outcome = await outcome if inspect.isawaitable(outcome) else outcome
        assert isinstance(resolved, Resolved), resolved
        operation = resolved.operation
        self.operation = operation
        self.input = dialect.decode(resolved, asked, WholeBytes(content) if operation.takes_stream else content)
        return httpx2.Response(200, content=told(operation, resolved))

    def answered(self, request: httpx2.Request) -> httpx2.Response:
        return LOOP.run(self.answer(request))


def told(operation: AnyOperation, resolved: Resolved) -> bytes:
    """The least result, as the server writes it."""
    if operation.output in (None, ByteStream):
        return RPC.frame(resolved, RPC.encode(resolved, None)).body if isinstance(resolved.envelope, Sent) else b""
    dialect = RPC if isinstance(resolved.envelope, Sent) else API
    return dialect.frame(resolved, dialect.encode(resolved, minimal(operation.output))).body


LOOP = asyncio.Runner()
PEER = Peer()
CLIENT = Client("https://vc.example", session_id="s", transport=httpx2.MockTransport(PEER.answered))
AWAITED = AsyncClient("https://vc.example", session_id="s", transport=httpx2.MockTransport(PEER.answer))


def method_of(client: Any, operation: AnyOperation) -> Any:
    """The typed call of an operation."""
    found = client
    for part in (*way_to(operation.service), python_name(operation.name)):
        found = getattr(found, part)
    return found


def given_for(value: Struct) -> dict[str, Any]:
    """The parameters of a call that are set."""
    set_ones = {name: getattr(value, name) for name in value.__struct_fields__ if getattr(value, name) is not None}
    return {name: item.content if isinstance(item, WholeBytes) else item for name, item in set_ones.items()}


def least(operation: AnyOperation) -> Struct:
    """The least input of an operation that has a path or not."""
    if operation.api is not None and operation.api.form:
        # An empty field of a form is none.
        filled: Struct = minimal(operation.input, least=1)
        return filled
    if operation.api or operation.rest:
        made: Struct = minimal_input(operation)
        return made
    value: Struct = minimal(operation.input)
    return value


def arrived(operation: AnyOperation, value: Struct) -> None:
    """The last request meant this call."""
    assert PEER.operation is operation
    assert PEER.input is not None
    assert wired(PEER.input) == wired(value), operation.id


def wired(value: Struct) -> Any:
    """What an input says; a structure with nothing set is as good as none."""
    plain = {name: getattr(value, name) for name in value.__struct_fields__}
    fields = {name: item.content if isinstance(item, WholeBytes) else item for name, item in plain.items()}
    return {name: item for name, item in said(fields).items() if item not in EMPTY}


def test_the_least_call_of_every_operation() -> None:
    for operation in OPERATIONS:
        value = least(operation)
        result = method_of(CLIENT, operation)(**given_for(value))
        if operation.output is ByteStream:
            assert b"".join(result) == b""
        elif operation.media_type is None and operation.output is not None:
            assert said(result) == said(minimal(operation.output)), operation.id
        arrived(operation, value)


def test_the_least_call_of_every_operation_awaited() -> None:
    async def ask_all() -> None:
        for operation in OPERATIONS:
            value = least(operation)
            asked = method_of(AWAITED, operation)(**given_for(value))
            if operation.output is ByteStream:
                assert [piece async for piece in asked] == []
            else:
                await asked
            arrived(operation, value)

    LOOP.run(ask_all())


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_call_of_any_operation(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from([each for each in OPERATIONS if each.api and not each.api.form]))
    value = data.draw(inputs(operation))
    result = method_of(CLIENT, operation)(**given_for(value))
    if operation.output is ByteStream:
        assert b"".join(result) == b""
    arrived(operation, value)


def test_parameters_may_be_given_in_their_order() -> None:
    for operation in OPERATIONS:
        values = given_for(least(operation))
        names = [field.name for field in parameters_of(operation)][: len(values)]
        if operation.output is not ByteStream and set(names) == set(values):
            method_of(CLIENT, operation)(*(values[name] for name in names))
            assert PEER.operation is operation


def test_operations_without_a_path_go_by_json_rpc() -> None:
    without = [operation for operation in OPERATIONS if operation.api is None]
    assert len(without) > 50
    assert {form_of(operation, least(operation)).request(least(operation), (), None).path for operation in without} == {
        "/api"
    }


def test_a_call_that_has_no_place_in_its_path_goes_by_json_rpc() -> None:
    by_id = {operation.id: operation for operation in OPERATIONS}
    operation = by_id["com.vmware.esx.settings.repository.software.list"]
    value = minimal(operation.input)
    assert form_of(operation, value) is api_form(operation)
    field = next(field for field in parameters_of(operation) if field.name == "iterate")
    fuller = msgspec.structs.replace(value, iterate=minimal(field.type.__args__[0]))
    assert form_of(operation, fuller).request(fuller, (), None).path == "/api"


def test_no_two_operations_have_one_name() -> None:
    def counted(node: Any) -> int:
        return len(node.operations) + sum(map(counted, node.children.values()))

    assert counted(all_services()) == len(OPERATIONS)
