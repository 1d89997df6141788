"""From JSON to typed input: messages that name the place, for any type of the contract."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.errors import InvalidArgument
from resphere.contract.generated import cis, vcenter, vcenter_vm_hardware
from resphere.contract.lookup import all_operations
from resphere.contract.model import Struct, Union
from resphere.contract.unions import EXTRA, MISSING, check_unions
from resphere.wire.validation import INVALID_INPUT, bare, decode_json
from tests.support.examples import examples
from tests.support.from_contract import from_contract, minimal, wire

Disk, Ethernet = vcenter_vm_hardware.Disk, vcenter_vm_hardware.Ethernet
LIMITS = settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def unions(struct: type[Struct], seen: set[type[Struct]]) -> set[type[Struct]]:
    """The structures with unions that a structure holds, itself included."""
    if struct in seen:
        return set()
    seen.add(struct)
    found = {struct} if struct.__vapi_unions__ else set()
    for field in msgspec.structs.fields(struct):
        for inner in structs(field.type):
            found |= unions(inner, seen)
    return found


def structs(expected: Any) -> list[type[Struct]]:
    """The structures that a type mentions."""
    if isinstance(expected, type) and issubclass(expected, Struct):
        return [expected]
    return [found for argument in getattr(expected, "__args__", ()) for found in structs(argument)]


SEEN: set[type[Struct]] = set()
WITH_UNIONS = sorted(
    {found for operation in all_operations() for found in unions(operation.input, SEEN)},
    key=lambda struct: struct.__vapi_name__,
)

WITH_ONE_UNION = [struct for struct in WITH_UNIONS if len(struct.__vapi_unions__) == 1]


def decode(expected: Any, document: Any, root: str = "spec") -> Any:
    """``document`` as a client would send it."""
    return decode_json(msgspec.json.Decoder(expected), json.dumps(document).encode(), root, expected)


def refused(expected: Any, document: Any, root: str = "spec") -> str:
    """The words of the refusal."""
    with pytest.raises(InvalidArgument) as raised:
        decode(expected, document, root)
    (message,) = raised.value.messages
    assert message.id in (INVALID_INPUT, EXTRA, MISSING)
    return message.default_message


def test_many_structures_have_unions() -> None:
    assert len(WITH_UNIONS) > 50


@LIMITS
@given(st.data())
def test_what_keeps_its_unions_is_accepted(data: st.DataObject) -> None:
    struct = data.draw(st.sampled_from(WITH_UNIONS))
    value = data.draw(from_contract(struct))
    check_unions(value, "")
    assert wire(decode(struct, wire(value))) == wire(value)


@pytest.mark.parametrize("struct", WITH_ONE_UNION, ids=lambda struct: struct.__vapi_name__)
def test_every_case_of_every_union(struct: type[Struct]) -> None:
    (union,) = struct.__vapi_unions__
    types = {field.name: bare(field.type) for field in msgspec.structs.fields(struct)}
    nothing = dict.fromkeys(union.members)
    for case, fields in union.cases.items():
        needed = {name: minimal(types[name]) for name, required in fields if required}
        chosen = {union.discriminant: types[union.discriminant](case)}
        value = msgspec.structs.replace(minimal(struct), **{**nothing, **chosen, **needed})
        check_unions(value, "")
        for name in needed:
            with pytest.raises(InvalidArgument, match=f"{name}: is required when {union.discriminant} is {case}"):
                check_unions(msgspec.structs.replace(value, **{name: None}), "")
        for name in union.members - dict(fields).keys():
            wrong = msgspec.structs.replace(value, **{name: minimal(types[name])})
            with pytest.raises(InvalidArgument, match=f"{name}: must not be set when {union.discriminant} is {case}"):
                check_unions(wrong, "")


OPTIONAL_TAGS = [
    (struct, union)
    for struct in WITH_UNIONS
    for union in struct.__vapi_unions__
    if not {field.name: field for field in msgspec.structs.fields(struct)}[union.discriminant].required
]


def test_some_tags_may_be_unset() -> None:
    assert len(OPTIONAL_TAGS) >= 20


@pytest.mark.parametrize(("struct", "union"), OPTIONAL_TAGS, ids=lambda value: getattr(value, "__vapi_name__", None))
def test_an_unset_tag_is_no_case(struct: type[Struct], union: Union) -> None:
    """Without its tag, every field that belongs to a case is one too many; vCenter names structure and field."""
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    value = msgspec.structs.replace(minimal(struct), **{union.discriminant: None})
    for name in union.members:
        wrong = msgspec.structs.replace(value, **{name: minimal(bare(fields[name].type))})
        with pytest.raises(InvalidArgument) as raised:
            check_unions(wrong, "spec")
        (message,) = raised.value.messages
        assert (message.id, message.args) == (EXTRA, (struct.__vapi_name__, fields[name].encode_name))
        assert message.default_message == f"spec.{name}: must not be set when {union.discriminant} is unset"


@pytest.mark.parametrize(
    ("expected", "document", "words"),
    [
        (
            Disk.CreateSpec,
            {"backing": {"type": "VMDK_FILE"}},
            "spec.backing.vmdk_file: is required when type is VMDK_FILE",
        ),
        (Disk.CreateSpec, {"x": 1}, "spec: Object contains unknown field 'x'"),
        (Disk.CreateSpec, {"new_vmdk": {"capacity": "1"}}, "spec.new_vmdk.capacity: Expected 'int | null', got 'str'"),
        (
            Disk.CreateSpec,
            {"type": "FLOPPY"},
            "spec.type: Invalid enum value 'FLOPPY'; allowed are IDE, NVME, SATA, SCSI",
        ),
        (vcenter.VM.CreateSpec, {}, "spec: Object missing required field 'guest_OS'"),
        (
            vcenter.VM.CreateSpec,
            {"guest_OS": "OTHER", "nics": [{}, {"backing": {"type": "STANDARD_PORTGROUP"}}]},
            "spec.nics[1].backing.network: is required when type is STANDARD_PORTGROUP",
        ),
        (cis.Tasks.FilterSpec, {"status": ["DONE"]}, "spec.status[0]: Invalid enum value 'DONE'; allowed are BLOCKED,"),
    ],
)
def test_words(expected: Any, document: Any, words: str) -> None:
    assert refused(expected, document).startswith(words)


def test_a_long_enumeration_is_not_listed() -> None:
    words = refused(vcenter.VM.CreateSpec, {"guest_OS": "WINDOWS_12"})
    assert words == "spec.guest_OS: Invalid enum value 'WINDOWS_12'"


@LIMITS
@given(st.data())
def test_unknown_fields_are_named_wherever_they_stand(data: st.DataObject) -> None:
    struct = data.draw(st.sampled_from(WITH_UNIONS))
    document = wire(data.draw(from_contract(struct)))
    document["colour"] = 1
    assert "colour" in refused(struct, document)
