"""What events are made of changes: one for each document that changes, by vSphere's names, with who asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from resphere.auth.sessions import Session
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import Machines
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.events.cause import Cause
from resphere.events.event import Deed, Kind, Subject
from resphere.events.told import SILENT, TOLD
from resphere.inventory.model import Folder, Host, VirtualMachine
from resphere.server.wiring import WIRING
from resphere.tasks.record import Task
from tests.support.events import latest, told, types
from tests.support.served import Served
from tests.support.world import World

OFF, ON = vcenter_vm.Power.State.POWERED_OFF, vcenter_vm.Power.State.POWERED_ON


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as made:
        yield made


def machine(world: World, state: vcenter_vm.Power.State) -> VirtualMachine:
    return next(
        vm for vm in world.inventory.all(VirtualMachine).values() if vm.power_state is state and not vm.template
    )


def test_every_kind_of_document_is_told_or_has_a_reason_not_to_be() -> None:
    kinds = {table.cls.kind for table in WIRING.tables}
    told_kinds = {cls.kind for cls in TOLD}
    assert told_kinds | set(SILENT) == kinds
    assert not told_kinds & set(SILENT)


def test_a_machine_that_is_powered_on(served: Served) -> None:
    world = served.world
    vm, begin = machine(world, OFF), latest(world)
    served.by_api(vcenter_vm.Power.start, vcenter_vm.Power.StartInput(vm=ids.VirtualMachineId(vm.id)))
    powered, task = told(world, begin)
    assert (powered.number, task.number) == (begin + 1, begin + 2)
    assert powered.event.type == "VmPoweredOnEvent"
    assert powered.event.object == Subject("VirtualMachine", vm.id, vm.name)
    assert powered.event.changed == ("power_state",) or "power_state" in powered.event.changed
    cause = Cause("test", "administrator@vsphere.local", "com.vmware.vcenter.vm.power.start")
    assert powered.event.cause == task.event.cause == cause
    assert (task.event.type, task.event.kind) == ("TaskEvent", Kind.TASK)
    assert task.event.target == Subject("VirtualMachine", vm.id)
    assert task.event.details["status"] == "SUCCEEDED"
    assert powered.event.task == task.event.object.id == list(world.inventory.all(Task))[-1]


def test_quick_changes_are_told_one_by_one(world: World) -> None:
    vm, begin = machine(world, OFF), latest(world)
    for _ in range(3):
        world.call(vcenter_vm.Power.start, ids.VirtualMachineId(vm.id))
        world.call(vcenter_vm.Power.stop, ids.VirtualMachineId(vm.id))
    assert types(told(world, begin)) == ["VmPoweredOnEvent", "TaskEvent", "VmPoweredOffEvent", "TaskEvent"] * 3


def test_what_is_refused_tells_nothing(world: World) -> None:
    vm, begin = machine(world, ON), latest(world)
    with pytest.raises(Exception, match="powered on"):
        world.call(vcenter_vm.Power.start, ids.VirtualMachineId(vm.id))
    assert told(world, begin) == ()


def test_work_without_a_request_has_the_cause_of_its_task(world: World) -> None:
    vm, begin = machine(world, OFF), latest(world)
    world.call(vcenter_vm.Power.start, ids.VirtualMachineId(vm.id))
    assert {each.event.cause for each in told(world, begin)} == {
        Cause("test", "administrator@vsphere.local", "com.vmware.vcenter.vm.power.start")
    }


def test_a_forgotten_task_is_told_as_nobodys_work(world: World) -> None:
    world.call(vcenter_vm.Power.start, ids.VirtualMachineId(machine(world, OFF).id))
    task, begin = list(world.inventory.all(Task))[-1], latest(world)
    world.run(world.inventory.change(lambda edit: edit.delete(Task, task)))
    [found] = told(world, begin)
    assert (found.event.type, found.event.object.id) == ("resphere.task.deleted", task)
    assert (found.event.task, found.event.cause) == (None, None)


def test_what_happens_by_itself_has_no_cause(world: World) -> None:
    host, begin = next(iter(world.inventory.all(Host).values())), latest(world)
    world.change(host, connection_state=vcenter.Host.ConnectionState.NOT_RESPONDING)
    [lost] = told(world, begin)
    assert (lost.event.type, lost.event.cause, lost.event.changed) == (
        "HostConnectionLostEvent",
        None,
        ("connection_state",),
    )


def test_a_renamed_machine_tells_its_former_name(world: World) -> None:
    vm, begin = machine(world, OFF), latest(world)
    world.call(Machines.update, ids.VirtualMachineId(vm.id), NameSpec(name="another"))
    renamed = told(world, begin)[0].event
    assert (renamed.type, renamed.object.name, renamed.details) == ("VmRenamedEvent", "another", {"old_name": vm.name})


def test_a_deleted_machine_tells_where_it_was(world: World) -> None:
    vm, begin = machine(world, OFF), latest(world)
    world.call(vcenter.VM.delete, ids.VirtualMachineId(vm.id))
    removed = next(each.event for each in told(world, begin) if each.event.type == "VmRemovedEvent")
    assert (removed.deed, removed.about, removed.near) == (Deed.DELETED, vm.id, 2)
    assert removed.path[:2] == (vm.parent, vm.resource_pool)
    assert "group-d1" in removed.path


def test_a_machine_in_a_folder_that_comes_with_it_is_in_its_branch(world: World) -> None:
    above = next(
        each for each in world.inventory.all(Folder).values() if each.type is vcenter.Folder.Type.VIRTUAL_MACHINE
    )
    vm, begin = machine(world, OFF), latest(world)
    folder = msgspec.structs.replace(above, id="group-v9001", name="new", parent=above.id)
    inside = msgspec.structs.replace(vm, parent=folder.id)
    world.put(folder, inside)
    made, moved = told(world, begin)
    assert (made.event.type, moved.event.type) == ("resphere.folder.created", "resphere.vm.moved")
    assert moved.event.path[0] == folder.id
    assert above.id in moved.event.path


def test_what_goes_with_something_is_told_too(world: World) -> None:
    above = next(
        each for each in world.inventory.all(Folder).values() if each.type is vcenter.Folder.Type.VIRTUAL_MACHINE
    )
    folder = world.call(Folders.create, Folders.CreateSpec(parent=ids.FolderId(above.id), name="short"))
    begin = latest(world)
    world.call(Folders.delete, folder)
    assert "resphere.folder.deleted" in types(told(world, begin))


def test_a_session_tells_its_handle_and_no_digest(served: Served) -> None:
    sessions = [each.event for each in told(served.world) if each.event.kind is Kind.SESSION]
    assert [each.type for each in sessions] == ["UserLoginSessionEvent"]
    assert len(sessions[0].object.id) == 16
    assert sessions[0].owner == "administrator@vsphere.local"


@pytest.mark.parametrize(
    ("operation", "type"),
    [
        (None, "UserLogoutSessionEvent"),
        ("com.vmware.cis.session.delete", "UserLogoutSessionEvent"),
        ("resphere.sessions.delete", "SessionTerminatedEvent"),
        ("resphere.cli.session.end", "SessionTerminatedEvent"),
    ],
)
def test_a_session_that_others_end_is_terminated(served: Served, operation: str | None, type: str) -> None:
    session = next(iter(served.world.inventory.all(Session).values()))
    assert TOLD[Session].names(session, None, frozenset(), operation) == type
