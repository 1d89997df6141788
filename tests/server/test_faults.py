"""The file of fault rules, and what it may say."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.errors import ERRORS
from resphere.contract.extensions.faults import Faults as Contract
from resphere.contract.lookup import operation_ids
from resphere.faults.language import latency_range, outcomes_of, shadowed
from resphere.server.faults import FaultFile, FaultsError, read_faults, rules_of
from tests.support.examples import examples
from tests.support.world import NOW

START = "com.vmware.vcenter.vm.power.start"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rules: [", "faults.yaml"),
        ("rules: 5", r"\$.rules"),
        ("rules:\n  - error: TIMED_OUT", "operation"),
        ("rule: []", r"there is no key rule; did you mean rules\?"),
        ("- operation: x", "the file must have keys with values"),
        ("rules: [x]", r"rules\[0\] must have keys with values"),
        ("seed: 4611686018427387904", r"\$.seed"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(FaultsError, match=named) as refused:
        read_faults(file)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("operation: x, rat: 1", r"there is no key rat in rules\[1\]; did you mean rate\?"),
        ("operation: x, colour: 1", r"no key colour in rules\[1\]; there are operation, object, caller, rate"),
        ("operation: x, rate: often", r"\$.rules\[1\].rate"),
        (
            "operation: x, latency_seconds: [1, 2, 3]",
            r"rules\[1\]: latency_seconds must be a number, or a range",
        ),
        ("operation: x, latency_seconds: [1, 2], most_latency_seconds: 2", "or a range of two"),
        ("operation: x, latency_seconds: [a, b]", r"\$.rules\[1\].latency_seconds"),
        ("operation: x, error: TIMED_OUT", r"rules\[1\]: no operation fits x$"),
        ("operation: '*', error: TIMED_OUT, order: 1", r"rules\[1\]: order is their place in a file"),
        (f"operation: {START}, error: TIMED_OUT", r"rules\[1\]: the first rule that fits counts"),
    ],
)
def test_rules_that_are_refused(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "faults.yaml"
    first = "operation: com.vmware.vcenter.vm.power.st*, error: RESOURCE_BUSY"
    file.write_text(f"rules:\n  - {{{first}}}\n  - {{{text}}}\n")
    with pytest.raises(FaultsError, match=named):
        read_faults(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="nowhere"):
        read_faults(tmp_path / "nowhere.yaml")


def test_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(
        f"seed: 3\nrules:\n  - operation: {START}\n    error: SERVICE_UNAVAILABLE\n    latency_seconds: [0, 0.01]\n"
        "  - {operation: '*', latency_seconds: 0.5, seed: 8, lasts_seconds: 60}\n"
    )
    read = read_faults(file)
    assert read.seed == 3
    assert latency_range(read.rules[0]) == (0, 0.01)
    first, second = rules_of(read, NOW, random.Random(1).randbytes)
    assert (first.order, first.seed, second.order, second.seed) == (0, 3, 1, 8)
    assert first.from_file
    assert first.id != second.id
    assert first.mark != second.mark
    assert first.expires_time is None
    assert second.expires_time is not None
    assert (second.expires_time - NOW).total_seconds() == 60


OPERATIONS = tuple(operation_ids())
TEXTS = st.sampled_from(["", "*", "com.vmware.*", "[", *OPERATIONS[::97], *sorted(ERRORS)[:3]]) | st.text(max_size=20)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.lists(st.floats(0, 2) | st.integers(-1, 3), max_size=3)
)
RULES = st.dictionaries(st.sampled_from(Contract.Rule.__struct_fields__) | st.text(max_size=8), VALUES, max_size=6)
SENSIBLE = st.fixed_dictionaries(
    {
        "operation": st.sampled_from([*OPERATIONS[::97], "com.vmware.vcenter.*", "*.list"]),
        "error": st.sampled_from(sorted(ERRORS)),
    },
    optional={"rate": st.floats(0, 1), "times": st.integers(0, 9), "latency_seconds": st.floats(0, 9)},
)


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=st.lists(SENSIBLE | RULES, max_size=4), seed=st.integers() | TEXTS)
def test_any_file_is_refused_in_words_or_has_an_effect(tmp_path: Path, rules: list[object], seed: object) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(json.dumps({"rules": rules, "seed": seed}))
    try:
        read = read_faults(file)
    except FaultsError as error:
        refused = str(error)
    else:
        refused = ""
        assert isinstance(read, FaultFile)
        assert not list(shadowed(read.rules))
        assert all(
            outcomes_of(rule) or latency_range(rule)[1] > 0 or rule.bytes_per_second is not None for rule in read.rules
        )
    assert refused == "" or refused.startswith(f"fault file {file}: ")
