"""Rules for faults by the API: made, changed, told and deleted, in every dialect; and any rule at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.errors import ERRORS, InvalidArgument, NotFound, UnableToAllocateResource
from resphere.contract.extensions.faults import Faults
from resphere.contract.generated import vcenter
from resphere.contract.lookup import operation_ids
from resphere.faults.language import problems
from resphere.faults.record import MOST_RULES, FaultRule
from resphere.server.faults import NO_FAULTS, FaultFile, rules_of
from tests.support.calls import ApiCall
from tests.support.examples import examples
from tests.support.served import Failure, Served
from tests.support.world import NOW, World

LIST = "com.vmware.vcenter.VM.list"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as made:
        yield made


def rule(operation: str = LIST, **fields: Any) -> Faults.Rule:
    return Faults.Rule(**{"operation": operation, "error": "TIMED_OUT", **fields})


def made(world: World, rule: Faults.Rule) -> str:
    return world.call(Faults.create, rule).fault


def test_a_rule_is_told_as_it_was_made(world: World) -> None:
    first = made(world, rule(lasts_seconds=60.0))
    second = made(world, rule(order=-1, seed=4, times=0))
    third = made(world, rule("com.vmware.vcenter.cluster.list"))
    told = world.call(Faults.list)
    assert [(each.fault, each.order) for each in told] == [(second, -1), (first, 0), (third, 1)]
    info = world.call(Faults.get, first)
    assert info == told[1]
    assert info.rule == rule(lasts_seconds=60.0)
    assert (info.matched, info.acted, info.active, info.from_file) == (0, 0, True, False)
    assert info.created_time == NOW
    assert info.expires_time == NOW + timedelta(seconds=60)
    assert info.warnings == ()
    world.call(Faults.set, second, rule(order=-1))
    shadowed = "the first rule that fits counts, and those before have all that " + LIST + " fits"
    assert world.call(Faults.get, first).warnings == (shadowed,)


def test_it_is_another_one_in_the_same_place(world: World) -> None:
    fault, other = made(world, rule(times=1)), made(world, rule())
    world.call(Faults.set, fault, rule(times=2))
    assert [each.fault for each in world.call(Faults.list)] == [fault, other]
    assert world.call(Faults.get, fault).rule.times == 2
    world.call(Faults.set, fault, rule(order=7))
    assert [each.fault for each in world.call(Faults.list)] == [other, fault]


def test_what_is_not_there(world: World) -> None:
    for call in (
        lambda: world.call(Faults.get, "x"),
        lambda: world.call(Faults.delete, "x"),
        lambda: world.call(Faults.set, "x", rule()),
    ):
        with pytest.raises(NotFound):
            call()


def test_all_of_them_go_also_those_of_a_file(world: World) -> None:
    file = FaultFile(rules=(rule(),))
    world.put(*rules_of(file, NOW, world.environment.random_bytes))
    made(world, rule())
    assert [each.from_file for each in world.call(Faults.list)] == [True, False]
    world.call(Faults.delete_all)
    assert world.call(Faults.list) == ()
    world.call(Faults.delete_all)
    assert rules_of(NO_FAULTS, NOW, world.environment.random_bytes) == ()


def test_there_are_not_too_many(world: World) -> None:
    world.put(*rules_of(FaultFile(rules=(rule(),) * MOST_RULES), NOW, world.environment.random_bytes))
    with pytest.raises(UnableToAllocateResource):
        made(world, rule())
    assert len(world.call(Faults.list)) == MOST_RULES


def test_every_dialect_makes_and_feels_them(served: Served) -> None:
    for ask in (served.by_api, served.by_jsonrpc):
        fault = ask(Faults.create, Faults.RuleInput(spec=rule(message="On {purpose}."))).fault
        for call in (served.by_api, served.by_rest, served.by_jsonrpc):
            refused = call(vcenter.VM.list, vcenter.VM.ListInput())
            assert refused == Failure("TIMED_OUT", ("resphere.fault_injected",), ("On {purpose}.",))
        assert ask(Faults.get, Faults.FaultInput(fault=fault)).acted == 3
        ask(Faults.delete, Faults.FaultInput(fault=fault))
        assert served.by_rest(vcenter.VM.list, vcenter.VM.ListInput())


def test_every_standard_error_can_be_asked_for(served: Served) -> None:
    for name in sorted(ERRORS):
        fault = made(served.world, rule(error=name))
        for call in (served.by_api, served.by_rest, served.by_jsonrpc):
            assert call(vcenter.VM.list, vcenter.VM.ListInput()).error_type == name
        served.world.call(Faults.delete, fault)


OPERATIONS = tuple(operation_ids())
TEXTS = st.sampled_from(["", "*", "com.vmware.*", "[", "[!", "\\", *OPERATIONS[::97], *sorted(ERRORS)[:3]])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("object", "caller", "error", "message"), TEXTS | st.text(max_size=300)),
    **dict.fromkeys(("rate", "lasts_seconds", "latency_seconds", "most_latency_seconds"), st.floats()),
    **dict.fromkeys(
        ("times", "order", "seed", "bytes_per_second", "page_status", "retry_after_seconds"),
        st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 600),
    ),
    **dict.fromkeys(("drop", "truncate", "expire_session", "carried_out"), st.booleans()),
}


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(operation=TEXTS, fields=st.fixed_dictionaries({}, optional=FIELDS))
def test_any_rule_is_refused_in_words_or_is_told(world: World, operation: str, fields: dict[str, Any]) -> None:
    spec = Faults.Rule(operation=operation, **fields)
    refused = next(problems(spec), None)
    if refused is not None:
        with pytest.raises(InvalidArgument) as raised:
            made(world, spec)
        assert str(raised.value).rstrip(".") == refused.rstrip(".")
        return
    fault = made(world, spec)
    assert world.call(Faults.get, fault).rule == spec
    assert world.inventory.get(FaultRule, fault) is not None
    world.call(Faults.delete, fault)


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
BODIES = st.dictionaries(st.sampled_from(Faults.Rule.__struct_fields__) | st.text(max_size=5), ANYTHING, max_size=6)


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=BODIES | ANYTHING | st.lists(ANYTHING, max_size=2))
def test_any_body_is_answered(served: Served, body: object) -> None:
    made = served.ask_api(ApiCall("POST", "/api/resphere/faults", json.dumps(body).encode()))
    assert made.status in (201, 400)
    told = served.ask_api(ApiCall("GET", "/api/resphere/faults", None))
    assert told.status == 200
    assert len(json.loads(told.body)) == (made.status == 201)
    assert served.ask_api(ApiCall("DELETE", "/api/resphere/faults", None)).status == 204
