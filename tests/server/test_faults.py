"""Rules for faults: which one fits, how often it strikes, and what a file may say."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from resphere.contract.errors import ERRORS, ServiceUnavailable, VapiError
from resphere.server.faults import FaultFile, Faults, FaultsError, Rule, read_faults

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
        ("rules:\n  - operation: x\n    rat: 1", r"rat.*\$.rules\[0\]"),
        ("rules:\n  - operation: x\n  - operation: y\n    rate: 2", r"rate must be from 0 to 1, not 2.*\$.rules\[1\]"),
        ("rules:\n  - operation: x\n    rate: often", r"\$.rules\[0\].rate"),
        ("rules:\n  - operation: x\n    error: OOPS", r"unknown error OOPS; there are .*TIMED_OUT.*\$.rules\[0\]"),
        ("rules:\n  - operation: x\n    latency_seconds: [2, 1]", r"latency_seconds must rise.*\$.rules\[0\]"),
        ("rules:\n  - operation: x\n    latency_seconds: -1", r"latency_seconds must rise"),
        ("rules:\n  - operation: x\n    latency_seconds: [1, 2, 3]", r"\$.rules\[0\].latency_seconds"),
        ("rules:\n  - operation: x\n    times: -1", "times"),
        ("rule: []", "rule"),
        ("- operation: x", "faults.yaml"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(FaultsError, match=named) as refused:
        read_faults(file)
    assert str(file) in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="nowhere"):
        read_faults(tmp_path / "nowhere.yaml")


def test_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(
        "seed: 3\nrules:\n  - operation: x\n    error: SERVICE_UNAVAILABLE\n    latency_seconds: [0, 0.01]\n"
    )
    read = read_faults(file)
    assert read.seed == 3
    assert read.rules[0].latency_range == (0, 0.01)
    with pytest.raises(ServiceUnavailable):
        asyncio.run(Faults(read).disturb("x"))
