"""Each dialect carries the result of every operation: what the operation answers is what a client reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.auth.credentials import NO_CREDENTIALS
from resphere.contract.catalogue import Catalogue
from resphere.contract.generated import cis_task
from resphere.contract.generated import vcenter_trusted_infrastructure_hosts_hardware_tpm as tpm
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.contract.moments import wire_time
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Dialect, Resolved
from resphere.dialects.jsonrpc import JsonRpcDialect, Sent
from resphere.dialects.rest import RestDialect
from resphere.dialects.rest_values import READING, WRITING
from resphere.wire.json_values import encoded, is_numbered_map
from resphere.wire.validation import anywhere
from resphere.wire.vapi_values import decoder
from tests.support.examples import examples
from tests.support.from_contract import from_contract, minimal
from tests.support.jsonrpc import said

Carry = Callable[[AnyOperation, Any], Any]
"""A result as a client of one dialect reads it."""

OPERATIONS = [o for o in all_operations() if o.output is not None and o.media_type is None]
RESTFUL = [operation for operation in OPERATIONS if operation.rest is not None]
TIMED = [operation for operation in OPERATIONS if anywhere(operation.output, lambda inner: inner is datetime)]


def written(dialect: Dialect, operation: AnyOperation, result: Any, envelope: Any = None) -> bytes:
    """The reply's body."""
    resolved = Resolved(operation, NO_CREDENTIALS, {}, {}, envelope)
    return dialect.frame(resolved, dialect.encode(resolved, result)).body


def by_api(operation: AnyOperation, result: Any) -> Any:
    return msgspec.json.decode(written(ApiDialect(()), operation, result), type=operation.output)


def by_rest(operation: AnyOperation, result: Any) -> Any:
    plain = json.loads(written(RestDialect(()), operation, result))["value"]
    change = READING.of(operation.output)
    return msgspec.convert(change(plain, "") if change else plain, operation.output)


def by_jsonrpc(operation: AnyOperation, result: Any) -> Any:
    body = json.loads(written(JsonRpcDialect(0, Catalogue()), operation, result, Sent(b'"1"', b"")))
    assert body["id"] == "1"
    return msgspec.convert(decoder(operation.output)(body["result"]["output"], ""), operation.output)


DIALECTS = pytest.mark.parametrize(
    ("carry", "operations"),
    [(by_api, [o for o in OPERATIONS if o.api]), (by_rest, RESTFUL), (by_jsonrpc, OPERATIONS)],
    ids=["api", "rest", "jsonrpc"],
)


@DIALECTS
@pytest.mark.parametrize("least", [0, 1])
def test_the_least_result_of_every_operation(carry: Carry, operations: list[AnyOperation], least: int) -> None:
    assert len(operations) > 300
    for operation in operations:
        result = minimal(operation.output, least=least)
        assert carry(operation, result) == result, operation.id


@DIALECTS
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_result_of_any_operation(carry: Carry, operations: list[AnyOperation], data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(operations))
    result = data.draw(from_contract(operation.output))
    assert said(carry(operation, result)) == said(result)


def texts(value: Any) -> Iterator[str]:
    """All text in a JSON document, beside the names of members."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def moments(value: Any) -> Iterator[datetime]:
    """All moments in plain values that still hold them."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from moments(inner)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_moments_are_written_to_the_millisecond_by_each_dialect(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(TIMED))
    result = data.draw(from_contract(operation.output))
    expected = sorted(map(wire_time, moments(msgspec.to_builtins(result, builtin_types=(datetime,), str_keys=True))))
    bodies = [written(JsonRpcDialect(0, Catalogue()), operation, result, Sent(b'"1"', b""))]
    if operation.api:
        bodies.append(written(ApiDialect(()), operation, result))
    if operation.rest:
        bodies.append(written(RestDialect(()), operation, result))
    for body in bodies:
        found = [text for text in texts(json.loads(body)) if re.match(r"\d{4}-\d\d-\d\dT", text)]
        assert sorted(found) == expected


def test_numbers_that_are_keys_are_text_on_api_and_numbers_where_maps_are_lists() -> None:
    bank = tpm.PcrBank(algorithm=tpm.HashAlgorithm.SHA256, pcrs={10: b"\x00", 7: b"\xff"})
    assert json.loads(encoded(bank, tpm.PcrBank)) == {"algorithm": "SHA256", "pcrs": {"7": "/w==", "10": "AA=="}}
    entries = [{"key": 10, "value": "AA=="}, {"key": 7, "value": "/w=="}]
    change = WRITING.of(tpm.PcrBank)
    assert change is not None
    assert msgspec.to_builtins(change(bank)) == {"algorithm": "SHA256", "pcrs": entries}
    read = READING.of(tpm.PcrBank)
    assert read is not None
    assert msgspec.convert(read({"algorithm": "SHA256", "pcrs": entries}, ""), tpm.PcrBank) == bank


@pytest.mark.parametrize("expected", [tuple[tpm.PcrBank, ...], dict[str, tpm.PcrBank | None], tpm.EventLog.Info])
def test_maps_with_numbers_for_keys_are_found_wherever_they_are(expected: Any) -> None:
    assert anywhere(expected, is_numbered_map)


@pytest.mark.parametrize("expected", [dict[str, int], tuple[int, ...], dict[str, Any], cis_task.Info, str])
def test_no_other_maps_have_numbers_for_keys(expected: Any) -> None:
    assert not anywhere(expected, is_numbered_map)


def test_elements_that_are_unset_are_written_so() -> None:
    change = WRITING.of(tuple[tpm.PcrBank | None, ...])
    assert change is not None
    assert change((None,)) == [None]
