"""The encoding of values: everything the contract can say survives the wire, and what is not of the type is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.errors import ERRORS, InvalidArgument, UnexpectedInput, VapiError
from resphere.contract.generated import cis, cis_task, vcenter
from resphere.contract.lookup import all_operations
from resphere.contract.model import DateTime, ErrorValue, LocalizableMessage, Long, Secret
from resphere.wire.vapi_values import decoder, encode_error, encoder
from tests.support.examples import examples
from tests.support.from_contract import from_contract, minimal
from tests.support.jsonrpc import said

OPERATIONS = [operation for operation in all_operations() if not operation.streams]
# What has a media type of its own is a file, which no encoding of values carries.
TYPES = [operation.input for operation in OPERATIONS] + [
    operation.output for operation in OPERATIONS if operation.output is not None and operation.media_type is None
]
LEAST_STATUS = cis_task.Status.PENDING


def on_the_wire(expected: Any, value: Any) -> Any:
    """The JSON value that stands for ``value``."""
    return msgspec.json.decode(msgspec.json.encode(encoder(expected)(value)))


def there_and_back(expected: Any, value: Any) -> Any:
    """``value`` as it is after a journey."""
    return msgspec.convert(decoder(expected)(on_the_wire(expected, value), "value"), expected)


def test_the_least_value_of_every_type_survives() -> None:
    for expected in TYPES:
        value = minimal(expected)
        assert there_and_back(expected, value) == value


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_value_of_any_type_survives(data: st.DataObject) -> None:
    expected = data.draw(st.sampled_from(TYPES))
    value = data.draw(from_contract(expected))
    assert said(there_and_back(expected, value)) == said(value)


@pytest.mark.parametrize(
    ("expected", "value", "wire_form"),
    [
        (str, "web", "web"),
        (Long, 2**53 + 1, 2**53 + 1),
        (float, 0.5, 0.5),
        (bool, True, True),
        (bytes, b"\x00\xff", {"BINARY": "AP8="}),
        (Secret, "s3cret", {"SECRET": "s3cret"}),
        (str | None, None, {"OPTIONAL": None}),
        (str | None, "", {"OPTIONAL": ""}),
        (Secret | None, "s", {"OPTIONAL": {"SECRET": "s"}}),
        (tuple[str, ...], ("b", "a"), ["b", "a"]),
        (frozenset[str], frozenset(("b", "a")), ["a", "b"]),
        (dict[str, bytes], {"k": b""}, [{"STRUCTURE": {"map-entry": {"key": "k", "value": {"BINARY": ""}}}}]),
        (dict[Long, str], {7: "x"}, [{"STRUCTURE": {"map-entry": {"key": 7, "value": "x"}}}]),
        (dict[str, Any], {"a": 1}, {"STRUCTURE": {"vmware.vapi.dynamic_struct": {"a": 1}}}),
        (vcenter.VM.Summary | None, None, {"OPTIONAL": None}),
    ],
    # A set's text differs from process to process, and with it the tests that xdist's workers would collect.
    ids=lambda part: None if isinstance(part, frozenset) else str(part),
)
def test_the_form_of_each_kind(expected: Any, value: Any, wire_form: Any) -> None:
    assert on_the_wire(expected, value) == wire_form
    assert there_and_back(expected, value) == value


def test_a_structure() -> None:
    summary = minimal(vcenter.VM.Summary)
    assert on_the_wire(vcenter.VM.Summary, summary) == {
        "STRUCTURE": {
            "com.vmware.vcenter.VM.summary": {
                "vm": "vm-1",
                "name": "",
                "power_state": "POWERED_OFF",
                "cpu_count": {"OPTIONAL": None},
                "memory_size_MiB": {"OPTIONAL": None},
            }
        }
    }


def test_a_moment_has_its_zone() -> None:
    encoded = on_the_wire(DateTime, msgspec.convert("2024-01-02T03:04:05.678Z", DateTime))
    assert encoded.startswith("2024-01-02T03:04:05.678")
    assert encoded.endswith("Z")


def test_a_value_of_open_type_is_written_by_what_it_is() -> None:
    result = {"id": "vm-1", "raw": b"x", "many": (1, None)}
    info = msgspec.structs.replace(minimal(cis_task.Info), result=result)
    encoded = on_the_wire(cis_task.Info, info)["STRUCTURE"]["com.vmware.cis.task.info"]["result"]
    fields = {"id": "vm-1", "raw": {"BINARY": "eA=="}, "many": [1, None]}
    assert encoded == {"OPTIONAL": {"STRUCTURE": {"vmware.vapi.dynamic_struct": fields}}}


def test_a_structure_inside_a_value_of_open_type_keeps_its_name() -> None:
    info = msgspec.structs.replace(minimal(cis_task.Info), result=minimal(vcenter.VM.Summary))
    encoded = on_the_wire(cis_task.Info, info)["STRUCTURE"]["com.vmware.cis.task.info"]["result"]
    assert list(encoded["OPTIONAL"]["STRUCTURE"]) == ["com.vmware.vcenter.VM.summary"]


@pytest.mark.parametrize("error", ERRORS.values())
def test_errors(error: type[VapiError]) -> None:
    message = LocalizableMessage(id="an.id", default_message="Said {0}.", args=("so",))
    encoded = encode_error(error(message, data={"n": 1}))
    [(name, fields)] = encoded["ERROR"].items()
    assert name == error.canonical_name()
    assert name.rpartition(".")[2] == error.error_type.lower()
    assert fields["error_type"] == {"OPTIONAL": error.error_type}
    value = ErrorValue(error_type=error.error_type, messages=(message,), data={"n": 1})
    assert there_and_back(ErrorValue, value) == value


class TestRefusals:
    """Every refusal names the field, and none shows the value."""

    @pytest.mark.parametrize(
        ("fields", "where"),
        [
            ({"filter": None}, "filter"),
            ({"filter": {"STRUCTURE": {"com.vmware.vcenter.VM.filter_spec": {}}}}, "filter"),
            ({"filter": {"OPTIONAL": {}}}, "filter"),
            ({"filter": {"OPTIONAL": None, "STRUCTURE": None}}, "filter"),
            ({"filter": {"OPTIONAL": {"STRUCTURE": {"com.vmware.vcenter.host.filter_spec": {}}}}}, "filter"),
            ({"filter": {"OPTIONAL": {"STRUCTURE": {"com.vmware.vcenter.VM.filter_spec": []}}}}, "filter"),
            ({"filter": {"OPTIONAL": {"STRUCTURE": {"com.vmware.vcenter.VM.filter_spec": {}, "x": {}}}}}, "filter"),
        ],
        ids=str,
    )
    def test_structures_and_optionals(self, fields: Any, where: str) -> None:
        with pytest.raises(InvalidArgument) as caught:
            decoder(vcenter.VM.list.input)({"STRUCTURE": {"operation-input": fields}}, "")
        assert caught.value.messages[0].default_message.startswith(f"{where}: ")

    @pytest.mark.parametrize(
        ("expected", "value"),
        [
            (str, {"OPTIONAL": "secret-text"}),
            (str, ["secret-text"]),
            (bytes, "secret-text"),
            (bytes, {"BINARY": None}),
            (Secret, "secret-text"),
            (tuple[str, ...], "secret-text"),
            (tuple[str, ...], [{"SECRET": "secret-text"}]),
            (dict[str, str], {"secret-text": "secret-text"}),
            (dict[str, str], [{"STRUCTURE": {"map-entry": {"key": "k"}}}]),
            (dict[str, str], [{"STRUCTURE": {"map-entry": {"key": [], "value": "secret-text"}}}]),
            (dict[str, str], [{"STRUCTURE": {"map-entry": {"key": "k", "value": "v"}}}] * 2),
            (dict[str, Any], "secret-text"),
            (Any, {"WHAT": "secret-text"}),
            (ErrorValue, {"ERROR": {"com.vmware.vapi.std.errors.nonsense": {}}}),
            (ErrorValue, {"STRUCTURE": {"com.vmware.vapi.std.errors.not_found": {}}}),
        ],
        ids=str,
    )
    def test_other_forms(self, expected: Any, value: Any) -> None:
        with pytest.raises(InvalidArgument) as caught:
            decoder(expected)(value, "here")
        text = caught.value.messages[0].default_message
        assert text.startswith("here")
        assert "secret-text" not in text

    def test_a_field_that_is_unknown_and_set(self) -> None:
        with pytest.raises(UnexpectedInput, match=r"fields \[new\] in structure .* at spec\.$"):
            decoder(cis.Tasks.GetSpec)(
                {"STRUCTURE": {"com.vmware.cis.tasks.get_spec": {"new": {"OPTIONAL": 1}}}}, "spec"
            )

    def test_a_field_that_is_unknown_and_unset_is_a_newer_clients(self) -> None:
        fields = {"new": {"OPTIONAL": None}, "return_all": {"OPTIONAL": True}}
        value = decoder(cis.Tasks.GetSpec)({"STRUCTURE": {"com.vmware.cis.tasks.get_spec": fields}}, "spec")
        assert value == {"return_all": True}
