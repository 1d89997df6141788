"""Rules for faults: which one fits, how often it strikes, and what a file may say."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.errors import ERRORS, ServiceUnavailable, VapiError
from resphere.contract.lookup import operation_ids
from resphere.server.faults import FaultFile, Faults, FaultsError, Rule, read_faults
from tests.support.examples import examples

START = "com.vmware.vcenter.vm.power.start"


def strikes(rules: list[Rule], calls: int, operation: str = START, seed: int = 0) -> list[bool]:
    """Which of so many calls fail."""
    faults = Faults(FaultFile(rules=tuple(rules), seed=seed))

    async def call() -> bool:
        try:
            await faults.disturb(operation)
        except VapiError:
            return True
        return False

    async def all_calls() -> list[bool]:
        return [await call() for _ in range(calls)]

    return asyncio.run(all_calls())


def rule(operation: str = "*", **fields: object) -> Rule:
    return Rule(operation=operation, error="SERVICE_UNAVAILABLE", **fields)  # type: ignore[arg-type]


def test_rates() -> None:
    assert strikes([rule()], 5) == [True] * 5
    assert strikes([rule(rate=0)], 5) == [False] * 5
    assert 350 < sum(strikes([rule(rate=0.4)], 1000)) < 450


def test_a_seed_makes_it_repeatable() -> None:
    assert strikes([rule(rate=0.5)], 100, seed=7) == strikes([rule(rate=0.5)], 100, seed=7)
    assert strikes([rule(rate=0.5)], 100, seed=7) != strikes([rule(rate=0.5)], 100, seed=8)


def test_times() -> None:
    assert strikes([rule(times=2)], 4) == [True, True, False, False]
    assert strikes([rule(times=0)], 2) == [False, False]


def test_the_first_rule_that_fits_decides() -> None:
    rules = [rule("com.vmware.vcenter.vm.power.st*", rate=0), rule("com.vmware.vcenter.vm.*")]
    assert strikes(rules, 1, START) == [False]
    assert strikes(rules, 1, "com.vmware.vcenter.vm.power.reset") == [True]
    assert strikes(rules, 1, "com.vmware.vcenter.VM.list") == [False]


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_standard_error_can_be_asked_for(name: str) -> None:
    faults = Faults(FaultFile(rules=(Rule(operation="*", error=name, message="On {purpose}."),)))
    with pytest.raises(ERRORS[name]) as raised:
        asyncio.run(faults.disturb(START))
    (message,) = raised.value.messages
    assert (message.id, message.default_message) == ("resphere.fault_injected", "On {purpose}.")


def test_without_rules() -> None:
    faults = Faults(FaultFile())
    assert not faults.active
    asyncio.run(faults.disturb(START))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rules: [", "faults.yaml"),
        ("rules: 5", r"\$.rules"),
        ("rules:\n  - error: TIMED_OUT", "operation"),
        ("rule: []", r"there is no key rule; did you mean rules\?"),
        ("- operation: x", "the file must have keys with values"),
        ("rules: [x]", r"rules\[0\] must have keys with values"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(FaultsError, match=named) as refused:
        read_faults(file)
    assert str(file) in str(refused.value)


OF_AN_ERROR = "rate, message and times are those of an error"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("operation: x, rat: 1", r"there is no key rat in rules\[1\]; did you mean rate\?"),
        ("operation: x, colour: 1", r"no key colour in rules\[1\]; there are operation, rate, error"),
        ("operation: x, rate: 2", r"rate must be from 0 to 1, not 2.*\$.rules\[1\]"),
        ("operation: x, rate: often", r"\$.rules\[1\].rate"),
        ("operation: x, error: OOPS", r"unknown error OOPS; there are .*TIMED_OUT.*\$.rules\[1\]"),
        ("operation: x, error: TIME_OUT", r"did you mean TIMED_OUT\?.*\$.rules\[1\]"),
        ("operation: x, latency_seconds: [2, 1]", r"latency_seconds must rise.*\$.rules\[1\]"),
        ("operation: x, latency_seconds: -1", "latency_seconds must rise"),
        ("operation: x, latency_seconds: 86401", "from 0 or more to 86400 at most"),
        ("operation: x, latency_seconds: [1, 2, 3]", r"\$.rules\[1\].latency_seconds"),
        ("operation: x, error: TIMED_OUT, times: -1", "times"),
        ("operation: x", r"does nothing - at `\$.rules\[1\]`"),
        ("operation: x, latency_seconds: 1, times: 3", OF_AN_ERROR),
        ("operation: x, latency_seconds: 1, rate: 0.5", OF_AN_ERROR),
        ("operation: x, latency_seconds: 1, message: Late.", OF_AN_ERROR),
        ("operation: x, error: TIMED_OUT", r"rules\[1\]: no operation fits x$"),
        ("operation: com.vmware.vcenter.vm.list, error: TIMED_OUT", r"mean com.vmware.vcenter.VM.list\?"),
        ("operation: com.vmware.vcenter.vm.powr.*, error: TIMED_OUT", r"mean com.vmware.vcenter.vm.power"),
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
    )
    read = read_faults(file)
    assert read.seed == 3
    assert read.rules[0].latency_range == (0, 0.01)
    with pytest.raises(ServiceUnavailable):
        asyncio.run(Faults(read).disturb(START))


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
RULES = st.dictionaries(st.sampled_from(Rule.__struct_fields__) | st.text(max_size=8), VALUES, max_size=6)
SENSIBLE = st.fixed_dictionaries(
    {
        "operation": st.sampled_from([*OPERATIONS[::97], "com.vmware.vcenter.*", "*.list"]),
        "error": st.sampled_from(sorted(ERRORS)),
    },
    optional={"rate": st.floats(0, 1), "times": st.integers(0, 9), "latency_seconds": st.floats(0, 9)},
)


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
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
        faults = Faults(read)
        decisive = {faults.rule_for(id) for id in OPERATIONS}
        assert decisive >= set(read.rules)
        assert all(rule.error is not None or rule.latency_range[1] > 0 for rule in read.rules)
    assert refused == "" or refused.startswith(f"fault file {file}: ")
