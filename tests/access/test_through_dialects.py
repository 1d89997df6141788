"""Scoped callers by each dialect: what they may, how they are refused, and that nobody gets another's kept reply."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resphere.access.roles import ADMIN, READ_ONLY
from resphere.contract.generated import vcenter, vcenter_inventory, vcenter_vm
from resphere.inventory.model import ROOT_FOLDER, Network, VirtualMachine
from tests.support.calls import api_call
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Failure, Served

LIST = vcenter.VM.list
HARDWARE = vcenter_vm.Hardware.get
DIALECTS = ("by_api", "by_rest", "by_jsonrpc")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def machines(served: Served) -> list[str]:
    return list(served.world.inventory.all(VirtualMachine))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_machine_answers_who_sees_it_and_no_other_does(served: Served, dialect: str) -> None:
    mine, other, *_ = machines(served)
    ask_as_ann(served, [permission(mine, READ_ONLY)])
    ask = getattr(served, dialect)
    assert isinstance(ask(HARDWARE, HARDWARE.input(vm=mine)), vcenter_vm.Hardware.Info)
    vcenter_uuid = served.world.environment.product.instance_uuid
    assert ask(HARDWARE, HARDWARE.input(vm=other)) == Failure(
        "UNAUTHORIZED",
        ("vapi.authz.error.no.privs",),
        (f"The user does not have sufficient privileges (object: {other}:{vcenter_uuid} privileges: System.Read)",),
    )
    assert ask(HARDWARE, HARDWARE.input(vm="vm-404")).error_type == "NOT_FOUND"
    assert [each.vm for each in ask(LIST, LIST.input())] == [mine]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_change_needs_its_privilege_on_the_object(served: Served, dialect: str) -> None:
    mine, read, *_ = machines(served)
    ask_as_ann(served, [permission(mine, ADMIN), permission(read, READ_ONLY)])
    ask, update = getattr(served, dialect), vcenter_vm.Hardware.update
    spec = vcenter_vm.Hardware.UpdateSpec()
    assert ask(update, update.input(vm=mine, spec=spec)) == b""
    refusal = ask(update, update.input(vm=read, spec=spec))
    assert "privileges: VirtualMachine.Config.Settings" in refusal.texts[0]


def test_nobody_gets_what_was_kept_for_others(served: Served) -> None:
    """The lists are kept by view: who is given more, or less, is answered anew."""
    first, second, *_ = machines(served)
    tags = set()
    for seen in ([first], [second], [first, second], [first]):
        ask_as_ann(served, [permission(each, READ_ONLY) for each in seen])
        for _ in range(2):
            assert [each.vm for each in served.by_api(LIST, LIST.input())] == seen
        reply = served.ask_api(api_call(LIST, LIST.input()))
        tags.add(dict(reply.headers)["ETag"])
    assert len(tags) == 4


def test_targets_that_are_in_no_path_are_asked_one_by_one(served: Served) -> None:
    """``find`` states a privilege on the root folder, and one on each network that its query names."""
    seen, hidden, *_ = served.world.inventory.all(Network)
    ask_as_ann(served, [permission(ROOT_FOLDER, READ_ONLY, propagate=False), permission(seen, READ_ONLY)])
    find = vcenter_inventory.Network.find
    assert served.by_api(find, find.input(networks=(seen,))).keys() == {seen}
    refusal = served.by_api(find, find.input(networks=(seen, hidden)))
    assert f"object: {hidden}:" in refusal.texts[0]
