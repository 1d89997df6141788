"""The ``/rest`` dialect carries every operation that has a route there: what a request says is what arrives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.lookup import all_operations, rest_routes
from resphere.contract.model import AnyOperation, Struct
from resphere.dialects.base import Request, Resolved
from resphere.dialects.rest import RestDialect
from tests.support.calls import ApiCall, is_segment
from tests.support.examples import examples
from tests.support.from_contract import from_contract, minimal, wire, without_none
from tests.support.rest_calls import rest_call

DIALECT = RestDialect(rest_routes())
OPERATIONS = [operation for operation in all_operations() if operation.rest is not None]


async def no_body(_: int) -> bytes:
    """A body that nobody asks for."""
    raise AssertionError("the dialect must not read the body to know the operation")


def decoded(call: ApiCall) -> tuple[AnyOperation, Struct]:
    """The operation and the input that the dialect makes of a request."""
    path, _, query = call.target.partition("?")
    headers = {name.lower().encode(): value.encode() for name, value in call.headers.items()}
    request = Request(call.method, path, query.encode(), headers, "192.0.2.1")
    outcome = DIALECT.resolve(request, no_body)
    assert isinstance(outcome, Resolved), outcome
    return outcome.operation, DIALECT.decode(outcome, request, call.body or b"")


def in_query(operation: AnyOperation, name: str) -> bool:
    route = operation.rest
    assert route is not None
    return name not in route.body and f"{{{name}}}" not in route.path


def fields(operation: AnyOperation, value: Struct) -> dict[str, Any]:
    """An input as JSON; in a query nothing, an empty list and an empty structure are written alike: not at all."""
    found: dict[str, Any] = wire(value)
    return {
        name: without_empty(item) if in_query(operation, name) else item
        for name, item in found.items()
        if not (in_query(operation, name) and without_empty(item) in (None, [], {}))
    }


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: v for k, item in value.items() if (v := without_empty(item)) not in (None, [], {})}
    return value


def least(operation: AnyOperation, name: str) -> int:
    return 0 if operation.rest and name in operation.rest.body else 1


def minimal_input(operation: AnyOperation) -> Struct:
    types = field_types(operation)
    return operation.input(**{name: minimal(t, least=least(operation, wire_name)) for name, wire_name, t in types})


def field_types(operation: AnyOperation) -> list[tuple[str, str, Any]]:
    """Attribute, name on the wire and type; what selects the operation by being there is there."""
    route = operation.rest
    assert route is not None
    present = {key for key, value in route.dispatch if value is None}
    return [
        (field.name, field.encode_name, without_none(field.type)[0] if field.encode_name in present else field.type)
        for field in msgspec.structs.fields(operation.input)
    ]


def test_the_least_input_of_every_operation() -> None:
    assert len(OPERATIONS) == 600
    for operation in OPERATIONS:
        value = minimal_input(operation)
        found, arrived = decoded(rest_call(operation, value))
        assert found is operation
        assert fields(operation, arrived) == fields(operation, value), operation.id


@pytest.mark.parametrize("numbered", [False, True])
@settings(max_examples=examples(80), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_input_of_any_operation(numbered: bool, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    route = operation.rest
    assert route is not None
    value = data.draw(
        st.builds(
            operation.input,
            **{
                name: from_contract(t, least=least(operation, wire_name)).filter(
                    is_plain_segment if f"{{{wire_name}}}" in route.path else bool_true
                )
                for name, wire_name, t in field_types(operation)
            },
        )
    )
    found, arrived = decoded(rest_call(operation, value, numbered=numbered))
    assert found is operation
    assert fields(operation, arrived) == fields(operation, value)


def is_plain_segment(value: Any) -> bool:
    """Identifiers that begin with the prefix of mapped paths would lose it."""
    return is_segment(value) and not str(value).startswith("id:")


def bool_true(_: Any) -> bool:
    return True
