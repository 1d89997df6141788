"""Which rule decides about a call, and whether it strikes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from resphere.contract.extensions.faults import Faults
from resphere.faults.counts import Counts
from resphere.faults.record import FaultRule, begun, end_of, in_order, last_order
from resphere.faults.rules import FaultRules, Strike, Target, marks_of, standing
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from tests.support.world import NOW, World

RANDOM = random.Random(1)
START, LOGIN = "com.vmware.vcenter.vm.power.start", "com.vmware.cis.session.create"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


def put(world: World, *rules: Faults.Rule) -> FaultRules:
    """These rules and no others, in their order."""
    documents = [
        begun(f"rule-{place}", rule, place if rule.order is None else rule.order, "ann", NOW, RANDOM.randbytes)
        for place, rule in enumerate(rules)
    ]

    def plan(edit: Edit) -> None:
        for id in list(world.inventory.all(FaultRule)):
            edit.delete(FaultRule, id)
        for document in documents:
            edit.put(document)

    world.run(world.inventory.change(plan))
    return world.environment.faults


def rule(operation: str = "*", **fields: Any) -> Faults.Rule:
    return Faults.Rule(**{"operation": operation, "error": "TIMED_OUT", **fields})


def call(operation: str = START, **fields: Any) -> Target:
    return Target(**{"operation": operation, "user": "", "objects": (), "login": False, "manages": False, **fields})


def strikes(faults: FaultRules, calls: int, target: Target | None = None) -> list[bool]:
    """Which of so many calls are struck."""
    return [faults.strike(target or call()) is not None for _ in range(calls)]


def test_rates(world: World) -> None:
    assert strikes(put(world, rule()), 5) == [True] * 5
    assert strikes(put(world, rule(rate=0.0)), 5) == [False] * 5
    assert 350 < sum(strikes(put(world, rule(rate=0.4)), 1000)) < 450


def test_a_seed_makes_it_repeatable(world: World) -> None:
    first = strikes(put(world, rule(rate=0.5, seed=7)), 100)
    assert strikes(put(world, rule(rate=0.5, seed=7)), 100) == first
    assert strikes(put(world, rule(rate=0.5, seed=8)), 100) != first


def test_times_and_what_follows(world: World) -> None:
    faults = put(world, rule(times=2), rule(START, latency_seconds=2.0, error=None))
    found = [faults.strike(call()) for _ in range(3)]
    assert [None if each is None else each.rule.error for each in found] == ["TIMED_OUT", "TIMED_OUT", None]
    assert found[2] == Strike(rule(START, latency_seconds=2.0, error=None), 2.0)
    first, second = in_order(world.inventory)
    counts = [(faults.count_of(each).matched, faults.count_of(each).acted) for each in (first, second)]
    assert counts == [(2, 2), (1, 1)]
    assert not faults.is_active(first, faults.count_of(first))
    assert strikes(put(world, rule(times=0)), 2) == [False, False]


def test_the_first_rule_that_fits_decides(world: World) -> None:
    faults = put(world, rule("com.vmware.vcenter.vm.power.st*", rate=0.0), rule("com.vmware.vcenter.vm.*"))
    assert strikes(faults, 1) == [False]
    assert strikes(faults, 1, call("com.vmware.vcenter.vm.power.reset")) == [True]
    assert strikes(faults, 1, call("com.vmware.vcenter.VM.list")) == [False]
    faults = put(world, rule("com.vmware.vcenter.vm.power.st*", rate=0.0, order=5), rule(order=-1))
    assert strikes(faults, 1) == [True]
    assert last_order(world.inventory) == 6


def test_delays(world: World) -> None:
    faults = put(world, rule(latency_seconds=1.0, most_latency_seconds=3.0, error=None))
    delays = [each.delay_seconds for each in (faults.strike(call()) for _ in range(100)) if each is not None]
    assert len(delays) == 100
    assert 1 <= min(delays) < 1.3
    assert 2.7 < max(delays) < 3


def test_a_rule_ends(world: World, tmp_path: Path) -> None:
    put(world, rule(lasts_seconds=60.0))
    moments = [NOW + timedelta(seconds=59.9)]
    counts = Counts(tmp_path / "fault-counts", marks_of(world.inventory))
    faults = FaultRules(world.inventory, counts, lambda: moments[-1])
    assert strikes(faults, 1) == [True]
    moments.append(NOW + timedelta(seconds=60))
    assert strikes(faults, 1) == [False]
    (only,) = in_order(world.inventory)
    assert only.expires_time == end_of(only.rule, NOW)
    assert not faults.is_active(only, faults.count_of(only))


def test_callers(world: World) -> None:
    faults = put(world, rule(caller="Alice@*"))
    assert strikes(faults, 1, call(user="alice@vsphere.local")) == [True]
    assert strikes(faults, 1, call(user="bob@vsphere.local")) == [False]
    assert strikes(faults, 1) == [False]


def test_objects(world: World) -> None:
    vm = next(iter(world.inventory.all(VirtualMachine).values()))
    for pattern in (vm.id, vm.name, f"{vm.name[:3]}*"):
        faults = put(world, rule(object=pattern))
        assert strikes(faults, 1, call(objects=("host-1", vm.id))) == [True]
        assert strikes(faults, 1, call(objects=("vm-nowhere",))) == [False]
        assert strikes(faults, 1) == [False]


def test_what_is_spared(world: World) -> None:
    faults = put(world, rule())
    for id in ("resphere.faults.delete_all", "resphere.probes.live"):
        assert strikes(faults, 1, call(id)) == [False]
    assert strikes(faults, 1, call(LOGIN, login=True)) == [True]
    assert strikes(faults, 1, call(LOGIN, login=True, manages=True)) == [False]
    assert strikes(put(world, rule(LOGIN)), 1, call(LOGIN, login=True, manages=True)) == [True]


def test_nothing_is_struck_that_cannot_be_counted(world: World, tmp_path: Path) -> None:
    faults = put(world, rule())
    assert faults.active
    (tmp_path / "fault-counts").mkdir()
    assert strikes(faults, 1) == [False]
    assert faults.count_of(in_order(world.inventory)[0]).matched == 0


def test_warnings(world: World) -> None:
    vm = next(iter(world.inventory.all(VirtualMachine).values()))
    narrowed = rule(START, object="nothing"), rule(START, caller="bob"), rule(object=vm.id, caller="b*")
    put(world, *narrowed, rule(), rule())
    now = standing(world.inventory.all(FaultRule).values())
    told = [list(now.warnings(each, world.inventory, lambda user: user == "ann")) for each in now.rules]
    assert told[0] == ["there is no object of the id or name nothing"]
    assert told[1] == ["there is no local user bob"]
    assert told[2] == told[3] == []
    assert len(told[4]) == 1
    assert told[4][0].startswith("the first rule that fits counts")


def test_without_rules(world: World) -> None:
    assert not world.environment.faults.active
    assert world.environment.faults.strike(call()) is None
