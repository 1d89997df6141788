"""What a rule may say, and what it says in vain."""

from __future__ import annotations

from typing import Any

import pytest

from resphere.contract.errors import ERRORS
from resphere.contract.extensions.faults import Faults
from resphere.faults.language import disturbable, outcomes_of, require_rule, shadowed

Rule = Faults.Rule
START = "com.vmware.vcenter.vm.power.start"


def rule(**fields: Any) -> Rule:
    return Rule(**{"operation": START, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        *({"error": name} for name in sorted(ERRORS)),
        {"latency_seconds": 0.1, "rate": 0.5, "times": 3},
        {"latency_seconds": 0, "most_latency_seconds": 86_400},
        {"bytes_per_second": 1},
        {"page_status": 502, "retry_after_seconds": 0, "carried_out": True},
        {"drop": True, "carried_out": True, "latency_seconds": 1},
        {"truncate": True, "bytes_per_second": 10},
        {"expire_session": True, "message": "Gone."},
        {"error": "TIMED_OUT", "object": "web-*", "caller": "alice@*", "order": -5, "lasts_seconds": 0.5, "seed": 3},
    ],
)
def test_good_rules(fields: dict[str, Any]) -> None:
    require_rule(rule(**fields))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "this one does nothing"),
        ({"drop": False, "latency_seconds": 0}, "this one does nothing"),
        ({"error": "OOPS"}, "unknown error OOPS; there are .*TIMED_OUT"),
        ({"error": "TIME_OUT"}, r"did you mean TIMED_OUT\?"),
        ({"error": "TIMED_OUT", "drop": True}, "a call can have one of error, .* not error and drop"),
        ({"drop": True, "rate": 1.5}, "rate must be from 0 to 1, not 1.5"),
        ({"drop": True, "rate": float("nan")}, "rate must be from 0 to 1"),
        ({"drop": True, "times": -1}, "times must be from 0"),
        ({"drop": True, "order": 2_000_000}, "order must be from"),
        ({"drop": True, "lasts_seconds": 0}, "lasts_seconds must be above 0"),
        ({"drop": True, "lasts_seconds": 1e9}, "lasts_seconds must be above 0 and 31622400 at most"),
        ({"latency_seconds": -1}, "latency_seconds must rise from 0"),
        ({"latency_seconds": 86_401}, "from 0 or more to 86400 at most"),
        ({"latency_seconds": 2, "most_latency_seconds": 1}, "must rise from 0 or more to 86400 at most, not 2 to 1"),
        ({"drop": True, "most_latency_seconds": 1}, "most_latency_seconds needs latency_seconds"),
        ({"bytes_per_second": 0}, "bytes_per_second must be from 1"),
        ({"page_status": 200}, "page_status must be from 400 to 599, not 200"),
        ({"page_status": 502, "retry_after_seconds": -1}, "retry_after_seconds must be from 0"),
        ({"latency_seconds": 1, "message": "Late."}, "message is that of an error"),
        ({"latency_seconds": 1, "retry_after_seconds": 1}, "retry_after_seconds is of an error or a page_status"),
        ({"truncate": True, "carried_out": True}, "carried_out is of an error"),
        ({"drop": True, "bytes_per_second": 9}, "bytes_per_second is of an answer"),
        ({"drop": True, "object": ""}, "object must have 1 to 255 characters, not 0"),
        ({"drop": True, "caller": "x" * 256}, "caller must have 1 to 255 characters, not 256"),
        ({"error": "ERROR", "message": "x" * 2001}, "message must have 2000 characters at most"),
        ({"drop": True, "operation": "x"}, "no operation fits x$"),
        ({"drop": True, "operation": "com.vmware.vcenter.vm.list"}, r"did you mean com.vmware.vcenter.VM.list\?"),
        ({"drop": True, "operation": "com.vmware.vcenter.vm.powr.*"}, "did you mean com.vmware.vcenter.vm.power"),
        ({"drop": True, "operation": "resphere.faults.*"}, "no operation fits"),
        ({"drop": True, "operation": "resphere.probes.live"}, "no operation fits"),
    ],
)
def test_rules_that_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        require_rule(rule(**fields))


def test_what_no_rule_is_for() -> None:
    assert START in disturbable()
    assert not [id for id in disturbable() if id.startswith(("resphere.faults.", "resphere.probes."))]


def test_rules_that_are_never_reached() -> None:
    of_all, of_power = rule(operation="*", drop=True), rule(operation="com.vmware.vcenter.vm.power.*", drop=True)
    assert [each.place for each in shadowed([of_all, of_power])] == [1]
    assert not list(shadowed([of_power, of_all]))
    for narrowed in ({"times": 1}, {"object": "vm-1"}, {"caller": "a@b"}, {"lasts_seconds": 1.0}):
        assert not list(shadowed([rule(operation="*", drop=True, **narrowed), of_power]))
    one, other = rule(operation="com.vmware.vcenter.vm.power.[gs]*", drop=True), rule(operation=START, drop=True)
    assert "those before have all that com.vmware.vcenter.vm.power.start fits" in next(shadowed([one, other])).words


def test_outcomes() -> None:
    assert outcomes_of(rule(drop=False, truncate=True)) == ["truncate"]
    assert outcomes_of(rule(latency_seconds=1.0)) == []
