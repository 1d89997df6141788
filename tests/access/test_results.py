"""What of a recorded result is shown to whom."""

from __future__ import annotations

from typing import Any

import pytest

from resphere.access.results import shown
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vapi_std import DynamicID
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.mentions import Knows, Mention, NamingMessage, everything, nothing
from resphere.contract.model import LocalizableMessage
from resphere.services.vcenter.cluster.evc_mode import CheckResult
from resphere.tasks.record import Failure

VM = ids.VirtualMachineId
HERE, THERE = VM("vm-1"), VM("vm-2")
SUMMARY = vcenter.VM.Summary(vm=HERE, name="web", power_state=Power.State.POWERED_ON)
OTHER = vcenter.VM.Summary(vm=THERE, name="secret", power_state=Power.State.POWERED_ON)
DYNAMIC, FOREIGN = DynamicID(type="VirtualMachine", id=HERE), DynamicID(type="VirtualMachine", id=THERE)


def here(id: str) -> bool:
    return id == HERE


@pytest.mark.parametrize(
    ("value", "expected", "knows", "left"),
    [
        (None, VM, nothing, None),
        (HERE, VM, here, HERE),
        (THERE, VM, here, None),
        (THERE, VM, everything, THERE),
        (THERE, VM | None, here, None),
        ((HERE, THERE), tuple[VM, ...], here, (HERE,)),
        ((HERE, THERE), tuple[VM, ...], nothing, ()),
        (frozenset({HERE, THERE}), frozenset[VM], here, frozenset({HERE})),
        ({HERE: 1, THERE: 2}, dict[VM, int], here, {HERE: 1}),
        ({"a": HERE, "b": THERE}, dict[str, VM], here, {"a": HERE}),
        (SUMMARY, vcenter.VM.Summary, here, SUMMARY),
        (OTHER, vcenter.VM.Summary, here, None),
        ((SUMMARY, OTHER), tuple[vcenter.VM.Summary, ...], here, (SUMMARY,)),
        (((SUMMARY,), (OTHER,)), tuple[tuple[vcenter.VM.Summary, ...], ...], here, ((SUMMARY,), ())),
        (DYNAMIC, DynamicID, here, DYNAMIC),
        (FOREIGN, DynamicID, here, None),
        ("snapshot-1", str, nothing, "snapshot-1"),
        (7, int, nothing, 7),
        (False, bool, nothing, False),
        ({"any": THERE}, Any, here, None),
        ({"any": THERE}, Any, everything, {"any": THERE}),
    ],
)
def test_what_is_shown(value: Any, expected: Any, knows: Knows, left: Any) -> None:
    assert shown(value, expected, knows) == left


def test_messages_within_are_told() -> None:
    message = NamingMessage(
        id="x",
        default_message="web is on esx1",
        args=("web", "esx1"),
        text="{0} is on {1}",
        parts=(Mention("vm-1", "web"), Mention("host-1", "esx1")),
    )
    error = Failure(error_type="ERROR", messages=(message,))
    result = CheckResult(error=error, host_system=ids.HostSystemId("host-1"))
    [told] = shown((result,), tuple[CheckResult, ...], lambda id: id == "host-1")[0].error.messages
    assert told == LocalizableMessage(
        id="x",
        default_message="an object that you may not see is on esx1",
        args=("an object that you may not see", "esx1"),
    )
    assert shown((result,), tuple[CheckResult, ...], here) == ()
