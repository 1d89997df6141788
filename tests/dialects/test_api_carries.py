"""The ``/api`` dialect carries every operation: what a request says is what the operation gets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.extensions import ALIASES
from resphere.contract.lookup import all_operations, api_routes, operation_at
from resphere.contract.model import AnyOperation, Struct, WholeBytes
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Request, Resolved
from tests.support.calls import ApiCall, api_call, inputs, minimal_input
from tests.support.examples import examples
from tests.support.from_contract import wire

DIALECT = ApiDialect(api_routes())

# The structures inside these queries have no form that a query could hold; nobody's client sends them.
STRUCTURE_IN_QUERY = {
    "com.vmware.esx.hosts.software.get",
    "com.vmware.esx.settings.clusters.configuration.audit_records.list",
    "com.vmware.vcenter.namespace_management.stats.time_series.get",
}
# The table of paths does not say where these travel; all of them are optional.
NOT_CARRIED = {
    "com.vmware.esx.settings.inventory.reports.summary.clusters.get",
    "com.vmware.esx.settings.inventory.reports.summary.hosts.get",
    "com.vmware.esx.settings.inventory.reports.transition_summary.clusters.get",
    "com.vmware.esx.settings.inventory.reports.transition_summary.hosts.get",
    "com.vmware.esx.settings.repository.software.list",
}
OPERATIONS = [operation for operation in all_operations() if operation.api is not None]
WIDE = [operation for operation in OPERATIONS if operation.id not in STRUCTURE_IN_QUERY | NOT_CARRIED]


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
    content = call.body or b""
    body = WholeBytes(content) if outcome.operation.takes_stream else content
    return outcome.operation, DIALECT.decode(outcome, request, body)


def document(value: Struct) -> dict[str, Any]:
    """An input as JSON would hold it; a structure with nothing set is as good as none."""
    fields: dict[str, Any] = wire(value)
    return {name: field for name, field in fields.items() if field != {}}


def test_the_least_input_of_every_operation() -> None:
    for operation in OPERATIONS:
        value = minimal_input(operation)
        found, arrived = decoded(api_call(operation, value))
        assert found is operation
        assert document(arrived) == document(value), operation.id


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_input_of_any_operation(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(WIDE))
    value = data.draw(inputs(operation))
    found, arrived = decoded(api_call(operation, value))
    assert found is operation
    assert document(arrived) == document(value)


@pytest.mark.parametrize(("method", "path", "place"), ALIASES, ids=lambda part: str(part))
def test_aliases_mean_the_same(method: str, path: str, place: str) -> None:
    operation = operation_at(place)
    assert operation.api is not None
    value = minimal_input(operation)
    call = api_call(operation, value, path)
    assert call.method == method == operation.api.method
    assert decoded(call) == (operation, value)
