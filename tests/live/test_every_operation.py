"""Every operation of the contract, asked for without a session, and with one and a minimal valid input."""

from __future__ import annotations

import pytest

from resphere import services
from resphere.access.defaults import LOGIN, PUBLIC
from resphere.contract.errors import ERRORS
from resphere.contract.extensions import ALIASES
from resphere.contract.lookup import all_operations, operation_at
from resphere.contract.model import AnyOperation
from resphere.services.registry import load
from tests.support.calls import ALL_SESSIONS_END, NEW_CERTIFICATES, ApiCall, api_call, is_endless, minimal_input
from tests.support.server import Client, Server
from tests.support.vms import refusal, words

NOT_IMPLEMENTED = "resphere.operation.not_implemented"
NO_SUCH_PATH = ("com.vmware.vapi.rest.httpNotFound", "com.vmware.vapi.rest.operationsForUrlNotFound")
CALLS: list[tuple[AnyOperation, ApiCall]] = [
    *((each, api_call(each, minimal_input(each))) for each in all_operations() if each.api is not None),
    *(
        (operation_at(place), api_call(operation_at(place), minimal_input(operation_at(place)), path))
        for _, path, place in ALIASES
    ),
]
IMPLEMENTED = load(services).keys()
# Processes share the sweep: each batch is a test.
BATCHES = 4


def batch(number: int) -> list[tuple[AnyOperation, ApiCall]]:
    """Every fourth call."""
    return CALLS[number::BATCHES]


def test_the_sweep_is_wide() -> None:
    assert len(CALLS) > 1455


@pytest.mark.parametrize("number", range(BATCHES))
def test_without_a_session(anonymous: Client, number: int) -> None:
    for operation, call in batch(number):
        reply = anonymous.request(call.method, call.target, data=call.body, headers=call.headers)
        if operation.id in PUBLIC:
            # Nobody knows that the least input names something that there is.
            assert reply.status_code in (200, 404), operation.id
            continue
        assert reply.status_code == 401, operation.id
        assert reply.json()["error_type"] == "UNAUTHENTICATED", operation.id
        assert reply.headers["WWW-Authenticate"].startswith("Basic "), operation.id


@pytest.mark.parametrize("number", range(BATCHES))
def test_with_a_session(shared_server: Server, number: int) -> None:
    client = shared_server.session()
    for operation, call in batch(number):
        if operation.id == LOGIN or operation.id in NEW_CERTIFICATES | ALL_SESSIONS_END or is_endless(operation):
            continue
        reply = client.request(call.method, call.target, data=call.body, headers=call.headers)
        if operation.id in IMPLEMENTED:
            check_implemented(operation, reply.status_code, reply.content and reply.headers.get("Content-Type"))
            if not reply.ok:
                status, error_type, message_id = refusal(reply)
                assert error_type != "INTERNAL_SERVER_ERROR", operation.id
                assert status == ERRORS[error_type].api_status, operation.id
                assert message_id not in NO_SUCH_PATH, operation.id
        else:
            assert refusal(reply) == (400, "UNSUPPORTED", NOT_IMPLEMENTED), f"{operation.id}: {reply.text}"
            assert operation.id in words(reply)
        if operation.id == "com.vmware.cis.session.delete":
            client = shared_server.session()
    # Whoever has the server next goes by the machine's clock.
    assert client.post("/api/resphere/clock?action=release").status_code == 204


def check_implemented(operation: AnyOperation, status: int, content_type: object) -> None:
    """A success has the status and the media type of the contract."""
    assert operation.api is not None
    if status < 400:
        assert status == operation.api.status, operation.id
        assert bool(content_type) == (operation.output is not None), operation.id
        if content_type:
            assert str(content_type).startswith(operation.media_type or "application/json"), operation.id
