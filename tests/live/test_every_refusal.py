"""Every implemented operation, refused: without a session, without a privilege, with ids of nothing, and with nonsense.

Operations that come later are covered as they are. Those that cannot be refused so are listed with the reason.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator

import msgspec
import pytest
import requests

from resphere import services
from resphere.access.defaults import LOGIN, OWN_SESSION, PUBLIC, requirements_of
from resphere.access.roles import READ_ONLY
from resphere.contract.errors import ERRORS
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation, Struct
from resphere.services.registry import load
from resphere.wire.vapi_values import encoder
from tests.support.calls import ApiCall, api_call, minimal_input
from tests.support.cli import add_user
from tests.support.from_contract import wire, without_none
from tests.support.jsonrpc import JsonRpcClient, error_of
from tests.support.refusals import may_answer
from tests.support.rest_calls import rest_call
from tests.support.server import Client, Server

AUDITOR = "auditor@vsphere.local"
MISSING = "vapi.authz.error.no.privs"
IMPLEMENTED = load(services).keys()
OPERATIONS = [each for each in all_operations() if each.id in IMPLEMENTED and each.api is not None]
GUARDED = [each for each in OPERATIONS if each.id not in PUBLIC and each.id != LOGIN]

NAMES_NOTHING = {
    "com.vmware.vcenter.network.projects.vpcs.list": "declares no error for a project that there is not",
    "com.vmware.vcenter.network.projects.vpcs.subnets.list": "declares no error for a VPC that there is not",
}
"""Operations that answer for ids of nothing, and why."""

NOT_AN_ID = {"com.vmware.vstats.resource_addresses.get": "the id has a form, and the least one lacks it"}
"""Operations that refuse the id of nothing as no id at all, and why."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for this module alone, with somebody who may only read."""
    with Server(tmp_path_factory.mktemp("refusals") / "data") as server:
        add_user(server.data_dir, AUDITOR, "secret", READ_ONLY.name)
        yield server


def send(client: Client, call: ApiCall) -> requests.Response:
    """What the server answers to one call."""
    return client.request(call.method, call.target, data=call.body, headers=call.headers)


def told(reply: requests.Response, rest: bool = False) -> tuple[str, str]:
    """The class (``NOT_FOUND``) and message id of an error, whose status is that of the class in its dialect."""
    body = reply.json()
    if rest:
        name = body["type"].rpartition(".")[2].upper()
        body = body["value"]
    else:
        name = body["error_type"]
    status = ERRORS[name].rest_status if rest else ERRORS[name].api_status
    assert reply.status_code == status, (reply.url, reply.text)
    assert body["messages"][0]["default_message"], reply.url
    return name, body["messages"][0]["id"]


def test_without_a_session(server: Server) -> None:
    with Client(server, None) as nobody, JsonRpcClient(server, log_in=False) as silent:
        for operation in GUARDED:
            value = minimal_input(operation)
            name, _ = told(send(nobody, api_call(operation, value)))
            assert name == "UNAUTHENTICATED", operation.id
            if operation.rest is not None:
                name, _ = told(send(nobody, rest_call(operation, value)), rest=True)
                assert name == "UNAUTHENTICATED", operation.id
            assert error_of(silent.call(operation.service, operation.name))[0] == "unauthenticated", operation.id


def changes(operation: AnyOperation) -> bool:
    """Whether a role that only reads is not enough, whatever object is meant."""
    return any(
        requirement.attribute is None and not set(requirement.privileges) <= (READ_ONLY.privileges or frozenset())
        for requirement in requirements_of(operation)
    )


def test_without_the_privilege(server: Server) -> None:
    wanting = [each for each in GUARDED if each.id not in OWN_SESSION and changes(each)]
    assert len(wanting) > 100
    with server.session(AUDITOR, "secret") as auditor:
        for operation in wanting:
            value = minimal_input(operation)
            assert told(send(auditor, api_call(operation, value))) == ("UNAUTHORIZED", MISSING), operation.id
            if operation.rest is not None:
                reply = send(auditor, rest_call(operation, value))
                assert told(reply, rest=True) == ("UNAUTHORIZED", MISSING), operation.id


def names_something(operation: AnyOperation) -> bool:
    """Whether the least input has an id in it that must be given."""
    for field in msgspec.structs.fields(operation.input):
        expected, optional = without_none(field.type)
        if not optional and isinstance(expected, typing.NewType) and expected.__name__ != "Secret":
            return True
    return False


def may_be_otherwise(operation: AnyOperation) -> bool:
    """Whether something else may be wrong with the least input than that nothing has the id: there is a specification,
    which may be judged first, or the operation declares no such error."""
    fields = [without_none(field.type)[0] for field in msgspec.structs.fields(operation.input)]
    specified = any(isinstance(each, type) and issubclass(each, Struct) for each in fields)
    return specified or operation.id in NOT_AN_ID or "not_found" not in operation.errors


def test_ids_of_nothing(server: Server) -> None:
    naming = [each for each in GUARDED if names_something(each) and each.id not in OWN_SESSION]
    assert len(naming) > 150
    assert {each.id for each in naming} >= NAMES_NOTHING.keys()
    with server.session() as client, JsonRpcClient(server) as sdk:
        for operation in naming:
            value = minimal_input(operation)
            reply = send(client, api_call(operation, value))
            if operation.id in NAMES_NOTHING:
                assert reply.ok, (operation.id, reply.text)
                continue
            name, identity = told(reply)
            assert identity, operation.id
            assert name.lower() in may_answer(operation), operation.id
            if not operation.streams:  # JSON-RPC has none
                fields = wire(encoder(operation.input)(value))["STRUCTURE"]["operation-input"]
                error, identities = error_of(sdk.call(operation.service, operation.name, fields))
                assert (error.upper(), identities[0]) == (name, identity), operation.id
            if operation.rest is not None:
                assert told(send(client, rest_call(operation, value)), rest=True) == (name, identity), operation.id
            assert name == "NOT_FOUND" or may_be_otherwise(operation), (operation.id, name, identity)


def nonsense(operation: AnyOperation) -> Iterator[tuple[str, bytes | None]]:
    """Targets and bodies that no input of the operation looks like."""
    assert operation.api is not None
    call = api_call(operation, minimal_input(operation))
    if operation.api.body:
        for body in (b'{"', b"17", b'{"resphere_no_such_field": 1}'):
            yield call.target, body
    else:
        yield call.target + ("&" if "?" in call.target else "?") + "resphere_no_such_parameter=1", None


def test_nonsense(server: Server) -> None:
    headers = {"Content-Type": "application/json"}
    with server.session() as client:
        for operation in GUARDED:
            if operation.id in OWN_SESSION:
                continue
            assert operation.api is not None
            for target, body in nonsense(operation):
                reply = client.request(
                    operation.api.method, target, data=body, headers=headers if body is not None else {}
                )
                name, identity = told(reply)
                assert (name, bool(identity)) == ("INVALID_ARGUMENT", True), (operation.id, body)
