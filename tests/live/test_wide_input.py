"""Implemented operations under inputs of every kind, valid and bent: an answer always, and a foreseen one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere import services
from resphere.access.defaults import LOGIN
from resphere.contract.errors import ERRORS
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.contract.unions import check_unions
from resphere.limits.classes import OperationClass, class_of
from resphere.services.registry import load
from tests.support.calls import ALL_SESSIONS_END, NEW_CERTIFICATES, ApiCall, api_call, inputs
from tests.support.from_contract import OPAQUE, TEXTS, Real
from tests.support.server import Client, Server

HANDLERS = load(services)
IMPLEMENTED = [
    operation
    for operation in all_operations()
    if operation.id in HANDLERS and operation.api is not None and operation.id not in {LOGIN, *NEW_CERTIFICATES}
    # What waits for events does so for a minute where that is drawn.
    if class_of(operation) is not OperationClass.LONG_POLL
]
LISTS = {
    "VirtualMachineId": "vm",
    "HostSystemId": "host",
    "ClusterComputeResourceId": "cluster",
    "DatacenterId": "datacenter",
    "DatastoreId": "datastore",
    "FolderId": "folder",
    "NetworkId": "network",
    "ResourcePoolId": "resource-pool",
}
BATCHES = 4
WIDE = settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that nobody needs afterwards: what is valid here starts, moves and deletes."""
    with Server(tmp_path_factory.mktemp("wide") / "data", "--poweroff", "reboot") as server:
        yield server


@pytest.fixture(scope="module")
def real(own_server: Server) -> Real:
    """Ids that exist, at least in the beginning."""
    with own_server.session() as client:
        return {
            name: [each[path.replace("-", "_")] for each in client.read(f"/api/vcenter/{path}")]
            for name, path in LISTS.items()
        }


@pytest.fixture
def callers(own_server: Server) -> Iterator[list[Client]]:
    """A client, and whichever takes its place when its session has been ended."""
    clients = [own_server.session()]
    yield clients
    for client in clients:
        client.close()


@pytest.mark.parametrize("number", range(BATCHES))
@WIDE
@given(data=st.data())
def test_valid_inputs(own_server: Server, callers: list[Client], real: Real, number: int, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(IMPLEMENTED[number::BATCHES]))
    call = api_call(operation, data.draw(inputs(operation, real)))
    send(own_server, callers, operation, call)


@pytest.mark.parametrize("number", range(BATCHES))
@WIDE
@given(data=st.data())
def test_bent_inputs(own_server: Server, callers: list[Client], real: Real, number: int, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(IMPLEMENTED[number::BATCHES]))
    call = api_call(operation, data.draw(inputs(operation, real)))
    send(own_server, callers, operation, data.draw(bent(call, takes_stream=operation.takes_stream)))


def send(server: Server, callers: list[Client], operation: AnyOperation, call: ApiCall) -> None:
    """Send a call, and check that its answer is one that the contract knows."""
    reply = callers[-1].request(call.method, call.target, data=call.body, headers=call.headers)
    check(operation, reply)
    if operation.id == "com.vmware.cis.session.delete" or operation.id in ALL_SESSIONS_END:
        callers.append(server.session())


def check(operation: AnyOperation, reply: requests.Response) -> None:
    """A success is of the operation's type; a refusal is a standard error that somebody foresaw."""
    if reply.status_code >= 400:
        error = reply.json()
        assert error["error_type"] != "INTERNAL_SERVER_ERROR", reply.text
        assert reply.status_code in (ERRORS[error["error_type"]].api_status, 405, 413)
        assert error["messages"][0]["default_message"]
    elif operation.output is not None and operation.media_type is None and reply.content:
        result = msgspec.json.decode(reply.content, type=operation.output)
        check_unions(result, "result")


@st.composite
def bent(draw: st.DrawFn, call: ApiCall, *, takes_stream: bool) -> ApiCall:
    """``call`` with something wrong in its body or its query. A stream is no document."""
    path, _, query = call.target.partition("?")
    if call.body is not None and draw(st.booleans()):
        bodies = [st.binary()]
        if not takes_stream:
            bodies.append(bent_document(json.loads(call.body)).map(json.dumps).map(str.encode))
        body = draw(st.one_of(bodies))
        return msgspec.structs.replace(call, body=body)
    noise = draw(
        st.one_of(
            st.tuples(TEXTS, TEXTS).map(lambda pair: f"{quote(pair[0])}={quote(pair[1])}"),
            st.text(st.sampled_from("%&=+?/;0123456789abcdefABCDEF"), max_size=20),
            st.just(query),
        )
    )
    return msgspec.structs.replace(call, target=f"{path}?{query}&{noise}" if query else f"{path}?{noise}")


@st.composite
def bent_document(draw: st.DrawFn, document: Any) -> Any:
    """A JSON document with one place replaced, left out or added to."""
    if isinstance(document, dict) and document and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(document)))
        return {**document, key: draw(bent_document(document[key]))}
    if isinstance(document, list) and document and draw(st.booleans()):
        return [*document[:-1], draw(bent_document(document[-1]))]
    if isinstance(document, dict) and draw(st.booleans()):
        return {**document, draw(TEXTS): draw(OPAQUE)}
    return draw(OPAQUE)
