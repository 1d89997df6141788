"""Inputs of operations: flags, places and values, as the contract's types have them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.cli.remote.inputs import Leaf, flags, leaves, put, typed, value
from resphere.cli.remote.operations import all_ids, named, operation
from resphere.cli.remote.output import printable, size
from resphere.contract.generated import vcenter, vcenter_vm

CREATE = vcenter.VM.create.input


def leaf(dotted: str, input: Any = CREATE) -> Leaf:
    """The place of that path."""
    return next(each for each in leaves(input) if each.dotted == dotted)


def test_flags_leave_out_what_says_nothing() -> None:
    found = flags(CREATE, without=("spec.name",))
    assert found["--guest-os"].dotted == "spec.guest_OS"
    assert found["--folder"].dotted == "spec.placement.folder"
    assert found["--memory-size-mib"].dotted == "spec.memory.size_MiB"
    assert "--name" not in found


def test_every_operation_has_a_flag_for_each_place() -> None:
    for id in all_ids():
        found = flags(operation(id).input)
        assert len(found) == len(list(leaves(operation(id).input))), id


@pytest.mark.parametrize(
    ("dotted", "text", "meant"),
    [
        ("spec.guest_OS", "rhel9-64", "RHEL_9_64"),
        ("spec.memory.size_MiB", "4GiB", 4096),
        ("spec.memory.size_MiB", "4096", 4096),
        ("spec.boot.retry", "yes", True),
        ("spec.disks", "new_vmdk.capacity=10G,type=sata", {"new_vmdk": {"capacity": 10 * 2**30}, "type": "SATA"}),
        ("spec.disks", '{"type": "SATA"}', {"type": "SATA"}),
    ],
)
def test_values(dotted: str, text: str, meant: object) -> None:
    assert value(leaf(dotted), text) == meant


def test_places_take_several_values_and_deep_ones() -> None:
    input: dict[str, Any] = {}
    struct = vcenter.VM.list.input
    put(input, struct, "filter.names", "a")
    put(input, struct, "filter.names", "b")
    put(input, struct, "filter.power_states", '["POWERED_ON"]')
    assert typed(struct, input, {}) == struct(
        filter=vcenter.VM.FilterSpec(
            names=frozenset({"a", "b"}), power_states=frozenset({vcenter_vm.Power.State.POWERED_ON})
        )
    )
    put(input, vcenter.VM.clone.input, "spec.disks_to_update.2000.datastore", "datastore-1")
    assert input["spec"] == {"disks_to_update": {"2000": {"datastore": "datastore-1"}}}


@pytest.mark.parametrize("dotted", ["", "spec.", "spec.name.x", "spec.disks.0.type", "x"])
def test_places_that_are_none(dotted: str) -> None:
    with pytest.raises(ValueError):
        put({}, CREATE, dotted, "x")


@given(st.sampled_from([each.dotted for each in leaves(CREATE)]), st.text(max_size=20))
def test_any_value_fits_or_is_refused(dotted: str, text: str) -> None:
    with suppress(ValueError):
        put({}, CREATE, dotted, text)


def test_operations_are_found_in_any_case_of_letters() -> None:
    assert named("vcenter.vm.LIST").id == "com.vmware.vcenter.VM.list"
    assert named("resphere.about.get").id == "resphere.about.get"


@given(st.text())
def test_nothing_gives_orders_to_a_terminal(text: str) -> None:
    assert printable(text).isprintable()


@pytest.mark.parametrize(
    ("bytes", "told"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (2**40, "1 TiB"), (2**62, "4096 PiB")]
)
def test_sizes(bytes: int, told: str) -> None:
    assert size(bytes) == told
