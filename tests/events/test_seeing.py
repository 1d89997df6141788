"""Who is told of an event: by the permissions of the moment, and of what is no more by what it stood in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resphere.access.principal import Principal, Scope
from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY
from resphere.contract.generated import ids, vcenter
from resphere.events.heard import Heard
from resphere.events.seeing import eyes_of
from resphere.inventory.model import ROOT_FOLDER, VirtualMachine
from tests.support.events import latest, told
from tests.support.scoped import ANN, Given, give, permission
from tests.support.served import Served

MACHINE, FOLDER = "vm-48", "group-v14"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as made:
        yield made


def seen(served: Served, events: tuple[Heard, ...], principal: Principal = ANN) -> list[str]:
    """What of these the principal is told now, by their types."""
    eyes = eyes_of(served.world.inventory, served.pipeline.views.of(principal), principal)
    return [each.event.type for each in events if eyes.see(each.event)]


def deleted(served: Served, *given: Given) -> tuple[Heard, ...]:
    """The events of a machine that is deleted, while those are the permissions."""
    give(served.world, given)
    begin = latest(served.world)
    served.by_api(vcenter.VM.delete, vcenter.VM.DeleteInput(vm=ids.VirtualMachineId(MACHINE)))
    assert served.world.inventory.get(VirtualMachine, MACHINE) is None
    return tuple(each for each in told(served.world, begin) if each.event.type == "VmRemovedEvent")


def changed(served: Served) -> tuple[Heard, ...]:
    vm = served.world.inventory.get(VirtualMachine, MACHINE)
    assert vm is not None
    begin = latest(served.world)
    served.world.change(vm, annotation="another")
    return told(served.world, begin)


def test_what_somebody_sees_is_told_as_long_as_they_see_it(served: Served) -> None:
    events = changed(served)
    give(served.world, ())
    assert seen(served, events) == []
    give(served.world, [permission(MACHINE, READ_ONLY)])
    assert seen(served, events) == ["VmReconfiguredEvent"]
    give(served.world, [permission(ROOT_FOLDER, READ_ONLY), permission(MACHINE, NO_ACCESS)])
    assert seen(served, events) == []


def test_a_deleted_machine_is_told_to_who_saw_its_folder(served: Served) -> None:
    assert seen(served, deleted(served, permission(FOLDER, READ_ONLY))) == ["VmRemovedEvent"]


def test_a_deleted_machine_is_not_told_to_who_saw_only_others(served: Served) -> None:
    assert seen(served, deleted(served, permission("vm-50", READ_ONLY))) == []


def test_a_deleted_machine_that_was_hidden_is_not_told(served: Served) -> None:
    events = deleted(served, permission(FOLDER, READ_ONLY), permission(MACHINE, NO_ACCESS))
    assert seen(served, events) == []
    give(served.world, [permission(ROOT_FOLDER, ADMIN)])
    assert seen(served, events) == ["VmRemovedEvent"]


def test_who_deletes_what_was_theirs_is_told(served: Served) -> None:
    served.world.run(served.accounts.put(ANN.name, "secret"))
    served.token = served.world.run(served.pipeline.sessions.open(ANN, "password"))
    events = deleted(served, permission(MACHINE, ADMIN), permission(FOLDER, ADMIN))
    assert [each.event.cause.user for each in events if each.event.cause is not None] == [ANN.name]
    give(served.world, ())
    assert seen(served, events) == ["VmRemovedEvent"]
    narrowed = Principal(ANN.name, scope=Scope(objects=frozenset({"vm-50"})))
    assert seen(served, events, narrowed) == []


def test_sessions_of_others_are_told_to_who_may_end_them(served: Served) -> None:
    begin = latest(served.world)
    served.world.run(served.accounts.put(ANN.name, "secret"))
    served.world.run(served.pipeline.sessions.open(ANN, "password"))
    served.world.run(served.pipeline.sessions.open(Principal("bob@vsphere.local"), "password"))
    events = told(served.world, begin)
    give(served.world, [permission(ROOT_FOLDER, READ_ONLY)])
    assert seen(served, events) == ["AccountCreatedEvent", "UserLoginSessionEvent"]
    give(served.world, [permission(ROOT_FOLDER, ADMIN)])
    assert seen(served, events) == ["AccountCreatedEvent", "UserLoginSessionEvent", "UserLoginSessionEvent"]
    assert seen(served, events, Principal("carl@vsphere.local")) == []


def test_what_stands_nowhere_is_told_to_who_may_read_the_root_folder(served: Served) -> None:
    begin = latest(served.world)
    give(served.world, [permission(FOLDER, READ_ONLY)])
    given = told(served.world, begin)
    assert seen(served, given) == ["PermissionAddedEvent"]
    give(served.world, ())
    assert seen(served, given) == []
