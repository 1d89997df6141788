"""States of the inventory: all of it is put back, by one transaction, and told once."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.access.permissions import Permission
from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    ServiceUnavailable,
    VapiError,
)
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.states import States
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.cis_task import Status
from resphere.inventory.effects import Intent
from resphere.inventory.guest import GuestContent, content_id
from resphere.inventory.model import Folder, ResourcePool, VirtualMachine
from resphere.inventory.states import SavedState
from resphere.replica.edit import Edit
from resphere.replica.errors import BrokenReference
from resphere.replica.sealing import KEY_BYTES, Sealing
from resphere.server.wiring import WIRING
from resphere.states import states as module
from resphere.states.extent import CLASSES, NOT_IN, belongs
from resphere.tasks.origin import Origin
from resphere.tasks.record import Task
from tests.inventory.furnished import furnish
from tests.support.events import latest, told, types
from tests.support.examples import examples
from tests.support.invariants import require_sound
from tests.support.world import NOW, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        yield made


ORIGIN = Origin("test.service", "act", "VirtualMachine.act", "user@vsphere.local")


def everything(world: World) -> dict[str, dict[str, Any]]:
    """All documents that states have."""
    return {cls.kind: {id: each for id, each in world.inventory.all(cls).items() if belongs(each)} for cls in CLASSES}


def claims(world: World) -> set[Any]:
    return {each for each in world.run(world.store.claims()) if each.kind in {cls.kind for cls in CLASSES}}


def take(world: World, name: str = "s", **more: Any) -> str:
    return world.call(States.create, States.CreateSpec(name=name, **more))


def restore(world: World, name: str = "s", *, end_work: bool | None = None) -> States.RestoreResult:
    return world.call(States.restore, name, States.RestoreSpec(end_work=end_work))


def machine(world: World) -> VirtualMachine:
    return next(vm for vm in world.inventory.all(VirtualMachine).values() if not vm.template)


def test_every_table_is_a_part_of_states_or_has_a_reason_not_to_be() -> None:
    tables = {table.cls for table in WIRING.tables}
    assert set(CLASSES) | set(NOT_IN) <= tables
    assert not set(CLASSES) & set(NOT_IN)
    beyond = {cls.kind for cls in tables - set(CLASSES) - set(NOT_IN)}
    # Who is there, what goes on, and what was: nothing of it is the inventory's.
    assert beyond >= {"account", "api_token", "group", "session", "token_signing", "task", "schedule", "webhook"}


def test_what_was_changed_added_and_deleted_is_as_it_was(world: World) -> None:
    before, held = everything(world), claims(world)
    take(world)
    vm, folder = machine(world), next(iter(world.inventory.by(Folder, "name", "vm").values()))
    revision = world.inventory.revision_of(VirtualMachine, vm.id)
    world.change(vm, name="another")
    world.call(Folders.create, Folders.CreateSpec(name="new", parent=ids.FolderId(folder.id)))
    other = next(each for each in world.inventory.all(VirtualMachine) if each != vm.id)
    world.run(world.inventory.change(lambda edit: edit.delete(VirtualMachine, other)))
    assert everything(world) != before
    result = restore(world)
    assert everything(world) == before
    assert claims(world) == held
    assert (result.tasks, result.deleted) == ((), 1)
    assert world.inventory.revision_of(VirtualMachine, vm.id) > revision
    require_sound(world.inventory)
    (state,) = world.call(States.list)
    assert (state.state, state.restorations, state.restored_time) == ("s", 1, NOW)
    assert state.counts["virtual_machine"] == len(world.inventory.all(VirtualMachine))


def test_what_is_as_it_was_is_not_written(world: World) -> None:
    take(world)
    revisions = {vm: world.inventory.revision_of(VirtualMachine, vm) for vm in world.inventory.all(VirtualMachine)}
    revision = world.inventory.revision
    result = restore(world)
    assert (result.written, result.deleted) == (0, 0)
    assert revision == world.inventory.revision
    assert revisions == {vm: world.inventory.revision_of(VirtualMachine, vm) for vm in revisions}


def test_every_kind_of_document_comes_back(tmp_path: Path) -> None:
    with World(tmp_path, ()) as world:
        world.run(furnish(world.inventory))
        # There is no work under way without its task.

        def no_work(edit: Edit) -> None:
            for each in world.inventory.all(Intent):
                edit.delete(Intent, each)

        world.run(world.inventory.change(no_work))
        before, held = everything(world), claims(world)
        assert all(before[kind] for kind in before if kind not in BARE), [each for each in before if not before[each]]
        take(world)

        def away(edit: Edit) -> None:
            for cls in CLASSES:
                for each in world.inventory.all(cls):
                    if edit.get(cls, each) is not None:
                        edit.delete(cls, each)

        world.run(world.inventory.change(away))
        assert not any(everything(world).values())
        world.environment.states._at_hand.clear()  # as another worker has it
        assert restore(world).deleted == 0
        assert everything(world) == before
        assert claims(world) == held


BARE = frozenset(
    ("clock", "acquisition", "appliance_setting", "service_state", "customization_spec", "content_configuration")
) | {"trusted_certificate", "vcenter_service", "content_trusted_certificate", "customization_item", "compute_policy"}
"""Kinds that `furnish` has nothing of, as nothing refers to them."""


@settings(max_examples=examples(30))
@given(st.lists(st.tuples(st.sampled_from(["delete", "rename", "power", "clone", "folder"]), st.integers(0, 500))))
def test_whatever_was_done_is_undone(deeds: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, World(Path(folder)) as world:
        take(world)
        before, held = everything(world), claims(world)
        for deed, number in deeds:
            attempt(world, deed, number)
        if number_of(deeds) % 2:
            world.environment.states._at_hand.clear()
        restore(world)
        assert everything(world) == before
        assert claims(world) == held
        require_sound(world.inventory)


def number_of(deeds: list[tuple[str, int]]) -> int:
    return sum(number for _, number in deeds)


def attempt(world: World, deed: str, number: int) -> None:
    """Do something to something; what is refused has done nothing."""
    found = [(cls, id) for cls in CLASSES for id in world.inventory.all(cls)]
    cls, id = found[number * 7919 % len(found)]
    machines = list(world.inventory.all(VirtualMachine))
    vm = ids.VirtualMachineId(machines[number % len(machines)]) if machines else ids.VirtualMachineId("vm-0")
    try:
        if deed == "delete":
            world.run(world.inventory.change(lambda edit: edit.delete(cls, id)))
        elif deed == "rename":
            obj = world.inventory.get(cls, id)
            if obj is not None and hasattr(obj, "name"):
                world.put(msgspec.structs.replace(obj, name=f"n{number}"))
        elif deed == "power":
            world.call(vcenter_vm.Power.stop if number % 2 else vcenter_vm.Power.start, vm)
        elif deed == "clone":
            world.call(vcenter.VM.clone, vcenter.VM.CloneSpec(source=vm, name=f"c{number}"))
        else:
            parent = ids.FolderId(id if cls is Folder else "x")
            world.call(Folders.create, Folders.CreateSpec(name=f"f{number}", parent=parent))
    except (VapiError, BrokenReference):
        pass


def test_another_worker_restores_what_one_has_taken(tmp_path: Path) -> None:
    with World(tmp_path) as one, World(tmp_path, ()) as other:
        take(one)
        before = everything(one)
        other.refresh()
        vm = machine(other)
        other.change(vm, name="another")
        result = restore(other)
        assert result.written == 1
        one.refresh()
        assert everything(one) == before == everything(other)
        # Of what was read, the worker has the inventory's own objects by now.
        (at_hand,) = other.environment.states._at_hand.values()
        assert all(at_hand[VirtualMachine][id] is each for id, each in other.inventory.all(VirtualMachine).items())


def test_lists_are_in_the_order_that_they_had(tmp_path: Path) -> None:
    with World(tmp_path) as one, World(tmp_path, ()) as other:
        take(one)

        def order(world: World) -> tuple[Any, ...]:
            world.refresh()
            pool = machine(world).resource_pool
            listed = world.call(vcenter.VM.list, None)
            filtered = world.call(vcenter.VM.list, vcenter.VM.FilterSpec(resource_pools=frozenset({pool})))
            return tuple(listed), filtered, {cls: list(world.inventory.all(cls)) for cls in CLASSES}

        before = order(one)
        assert order(other) == before
        first, second, *_ = one.inventory.all(VirtualMachine).values()
        one.run(one.inventory.change(lambda edit: edit.delete(VirtualMachine, first.id)))
        one.change(second, name="another", resource_pool=next(iter(one.inventory.all(ResourcePool))))
        assert order(one) != before
        restore(one)
        assert order(one) == before == order(other)


def test_a_restoration_is_one_event(world: World) -> None:
    take(world)
    for vm in tuple(world.inventory.all(VirtualMachine).values()):
        world.change(vm, name=f"{vm.name}-x")
    begin = latest(world)
    result = restore(world)
    (event,) = told(world, begin)
    assert event.event.type == "resphere.state.restored"
    assert event.event.object.id == "s"
    assert event.event.details == {"written": result.written, "deleted": 0}
    begin = latest(world)
    world.call(States.delete, "s")
    assert types(told(world, begin)) == ["resphere.state.deleted"]


def under_way(world: World, vm: VirtualMachine, **fields: Any) -> Task:
    task = Task(
        id="task-9000",
        service="com.vmware.vcenter.VM",
        operation="clone",
        description="VirtualMachine.clone",
        target_type="VirtualMachine",
        target=vm.id,
        exclusive=True,
        owner="test",
        status=Status.RUNNING,
        queued_time=NOW,
        start_time=NOW,
        **fields,
    )
    world.put(task)
    return task


def test_work_under_way_is_waited_for_or_ended(world: World) -> None:
    take(world)
    vm = machine(world)
    world.change(vm, name="another")
    task = under_way(world, vm)
    with pytest.raises(ResourceBusy, match="task-9000"):
        restore(world)
    assert world.inventory.get(VirtualMachine, vm.id) != vm
    assert restore(world, end_work=True).tasks == (task.id,)
    ended = world.inventory.get(Task, task.id)
    assert ended is not None
    assert ended.error is not None
    assert ended.status is Status.FAILED
    assert ended.error.messages[0].id == "resphere.task.ended_by_state"
    assert world.inventory.get(VirtualMachine, vm.id) == vm


def test_what_other_workers_would_go_on_with_is_never_ended(world: World) -> None:
    take(world)
    under_way(world, machine(world), resumed=True)
    with pytest.raises(ResourceBusy):
        restore(world, end_work=True)


def test_work_that_was_ended_changes_nothing(world: World) -> None:
    take(world)
    vm = machine(world)
    before = everything(world)

    async def both() -> None:
        tasks = world.environment.tasks
        going = asyncio.Event()

        async def action(job: Any) -> None:
            await job.begin()
            going.set()
            await job.spend(0.05)
            await job.complete(lambda edit, current: edit.put(msgspec.structs.replace(current, name="late")))

        work = asyncio.create_task(tasks.run(ORIGIN, vm, action))
        await going.wait()
        await world.begin(States.restore, "s", States.RestoreSpec(end_work=True))
        with pytest.raises(VapiError, match="stopped while"):
            await work

    world.run(both())
    assert everything(world) == before


def test_large_contents_stay_as_long_as_a_state_has_them(world: World) -> None:
    async def written() -> str:
        async with world.contents.write() as writing:
            await writing.write(b"x")
            await writing.finish()
            return writing.name

    vm, file = machine(world), world.run(written())
    content = GuestContent(id=content_id(vm.id, file), machine=vm.id, file=file)
    world.put(content)
    take(world)
    world.run(world.inventory.change(lambda edit: edit.delete(GuestContent, content.id)))
    assert file in world.run(world.contents.sizes())
    restore(world)
    assert world.inventory.get(GuestContent, content.id) == content
    world.run(world.inventory.change(lambda edit: edit.delete(GuestContent, content.id)))
    kept = world.inventory.all(SavedState)["s"].file.content
    assert kept in world.run(world.library_contents.sizes())
    world.call(States.delete, "s")
    assert file not in world.run(world.contents.sizes())
    assert kept not in world.run(world.library_contents.sizes())


def test_a_name_is_taken_once_unless_it_is_to_be_replaced(world: World) -> None:
    take(world)
    with pytest.raises(AlreadyExists):
        take(world)
    first = world.inventory.all(SavedState)["s"].file.content
    take(world, replace=True)
    assert len(world.call(States.list)) == 1
    assert first not in world.run(world.library_contents.sizes())


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", ".x", "ä", "x" * 81, "x\n"])
def test_names_that_are_none(world: World, name: str) -> None:
    with pytest.raises(InvalidArgument):
        take(world, name)


def test_a_description_that_is_too_long(world: World) -> None:
    with pytest.raises(InvalidArgument):
        take(world, description="x" * 1001)


def test_what_is_not_there(world: World) -> None:
    for ask in (lambda: restore(world), lambda: world.call(States.get, "s"), lambda: world.call(States.delete, "s")):
        with pytest.raises(NotFound):
            ask()


def test_there_are_only_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STATES", 1)
    take(world)
    with pytest.raises(ServiceUnavailable):
        take(world, "t")
    take(world, replace=True)


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: b"", lambda data: data + b"\0" * 9])
def test_what_is_damaged_is_refused_and_changes_nothing(world: World, spoil: Any) -> None:
    take(world)
    world.environment.states._at_hand.clear()
    path = world.library_contents.folder / world.inventory.all(SavedState)["s"].file.content
    path.write_bytes(spoil(path.read_bytes()))
    world.change(machine(world), name="another")
    before = everything(world)
    with pytest.raises(NotAllowedInCurrentState):
        restore(world)
    path.unlink()
    with pytest.raises(NotAllowedInCurrentState):
        restore(world)
    assert everything(world) == before


def test_another_key_or_another_form_is_refused(world: World) -> None:
    take(world)
    path = world.library_contents.folder / world.inventory.all(SavedState)["s"].file.content
    assert machine(world).name.encode() not in path.read_bytes()
    for key, form in ((b"k" * KEY_BYTES, 1), (bytes(KEY_BYTES), 2)):
        other = module.States(
            world.inventory,
            world.environment.library_files,
            Sealing(key, random.Random(1).randbytes),
            form,
            lambda: NOW,
            random.Random(1).randbytes,
        )
        with pytest.raises(NotAllowedInCurrentState):
            world.run(other.prepared("s"))


def test_somebody_administers_afterwards(world: World) -> None:
    take(world)
    world.put(Permission(principal="Administrators@vsphere.local", group=True, object="", role="-1", propagate=True))
    # Without accounts nobody has ever administered, and nothing is refused.
    assert restore(world).deleted == 1
