"""Values of every operation go through the official converters and back: both sides mean the same by the wire."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.wire.vapi_values import decoder, encoder
from tests.sdk.bindings import RELEASES, run
from tests.support.examples import examples
from tests.support.from_contract import filled, from_contract, minimal, wire
from tests.support.jsonrpc import said

OPERATIONS = [operation for operation in all_operations() if not operation.is_extension]
SIDES = [(o, "input", o.input) for o in OPERATIONS] + [(o, "output", o.output) for o in OPERATIONS if o.output]

EXCUSED = re.compile(
    # They check URIs, which are strings in the contract.
    "Invalid URI format"
    # com.vmware.vcenter.deployment.info: they look for a discriminant that the structure does not have.
    "|Unable to get field state, no field of that name found"
    # They write names of fields as they are, in structures of open type.
    "|Invalid control character at"
)
RELAXED = re.compile("has a union that is missing a required field for this case")
"""8.0.3 requires in some unions what 9.1, after which the contract is made, no longer does."""

TURNS = 2
"""How many members of each enumeration are tried."""

Case = tuple[AnyOperation, str, Any, Any]


def least() -> list[Case]:
    """The least value of every input and output."""
    return [(operation, side, expected, minimal(expected)) for operation, side, expected in SIDES]


def filled_values() -> list[Case]:
    """Values of every input and output with everything in them, for some members of each enumeration."""
    return [(*side, filled(side[2], turn)) for side in SIDES for turn in range(TURNS)]


def any_values() -> list[Case]:
    """Some hundred values with something in them."""
    cases: list[Case] = []

    @settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(st.data())
    def gather(data: st.DataObject) -> None:
        operation, side, expected = data.draw(st.sampled_from(SIDES))
        cases.append((operation, side, expected, data.draw(from_contract(expected))))

    gather()
    return cases


def check(release: str, cases: list[Case]) -> Counter[str]:
    """Send the cases through a release; how many had which outcome."""
    sent = [(o.service, o.name, side, wire(encoder(expected)(value))) for o, side, expected, value in cases]
    counted: Counter[str] = Counter()
    for (operation, side, expected, value), outcome in zip(cases, run(release, "convert", sent), strict=True):
        if "written" in outcome:
            back = msgspec.convert(decoder(expected)(outcome["written"], ""), expected)
            expected_back = said(value)
            if side == "input":
                # A release drops parameters that it does not know, not fields of structures.
                known = outcome["written"]["STRUCTURE"]["operation-input"]
                expected_back = {name: inner for name, inner in expected_back.items() if name in known}
            assert said(back) == expected_back, f"{operation.id} {side}"
        if "broken" in outcome:
            excused = EXCUSED.search(outcome["broken"]) or (release == "8.0.3.0" and RELAXED.search(outcome["broken"]))
            assert excused, f"{operation.id} {side}: {value}\n{outcome['broken']}"
        counted.update(outcome.keys())
    return counted


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("cases", [least, filled_values])
def test_the_bindings_read_what_we_write_and_we_what_they_write(release: str, cases: Any) -> None:
    counted = check(release, cases())
    assert counted["written"] > 200 * counted["broken"]
    assert counted["written"] > 1500


@pytest.mark.parametrize("release", RELEASES)
def test_the_bindings_and_we_read_any_value_alike(release: str) -> None:
    """What is excused has its reason. How many are is asked of values that are always the same: which ones are tried
    here depends on what else has been imported, as hypothesis takes some from the constants of all modules."""
    assert check(release, any_values())["written"]
