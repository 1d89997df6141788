"""The clock of the vCenter: set, moved, stopped and released, for all that goes by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument
from resphere.contract.extensions.clock import Clock
from resphere.contract.extensions.states import States
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids
from resphere.inventory.clock import VcenterClock
from resphere.inventory.model import Snapshot, VirtualMachine
from resphere.tasks.record import Task
from tests.support.world import NOW, World

THEN = datetime(2020, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as made:
        clock = VcenterClock(made.inventory, lambda: NOW)
        made.environment = msgspec.structs.replace(made.environment, now=clock.now, present=lambda: NOW)
        yield made


def put(world: World, time: datetime, *, frozen: bool | None = None) -> None:
    world.call(Clock.set, Clock.SetSpec(time=time, frozen=frozen))


def test_it_is_the_machines_at_first(world: World) -> None:
    assert world.call(Clock.get) == Clock.Info(time=NOW, machine_time=NOW, set=False, frozen=False)
    world.call(Clock.release)


@pytest.mark.parametrize("frozen", [True, False])
def test_set_moved_and_released(world: World, frozen: bool) -> None:
    put(world, THEN, frozen=frozen)
    assert world.call(Clock.get) == Clock.Info(time=THEN, machine_time=NOW, set=True, frozen=frozen)
    later = NOW + timedelta(hours=1)
    world.environment = msgspec.structs.replace(world.environment, present=lambda: later)
    shown = world.call(Clock.get)
    assert shown.time == (THEN if frozen else THEN + timedelta(hours=1))
    world.call(Clock.advance, Clock.AdvanceSpec(seconds=-90.5))
    assert world.call(Clock.get).time == shown.time - timedelta(seconds=90.5)
    assert world.call(Clock.get).frozen is frozen
    world.call(Clock.release)
    assert world.call(Clock.get).time == later


def test_snapshots_and_tasks_go_by_it(world: World) -> None:
    put(world, THEN, frozen=True)
    vm = next(vm for vm in world.inventory.all(VirtualMachine).values() if not vm.template)
    world.call(VmSnapshots.create, ids.VirtualMachineId(vm.id), VmSnapshots.CreateSpec(name="old", description=""))
    [snapshot] = [each for each in world.inventory.all(Snapshot).values() if each.name == "old"]
    assert snapshot.created_time == THEN
    assert {task.end_time for task in world.inventory.all(Task).values()} == {THEN}


def test_states_put_it_back(world: World) -> None:
    world.call(States.create, States.CreateSpec(name="s"))
    put(world, THEN)
    world.call(States.restore, "s", None)
    assert world.call(Clock.get).set is False


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e300, -1e300, 4e9, -4e9])
def test_moves_that_go_too_far(world: World, seconds: float) -> None:
    with pytest.raises(InvalidArgument):
        world.call(Clock.advance, Clock.AdvanceSpec(seconds=seconds))
    assert world.call(Clock.get).set is False


@pytest.mark.parametrize("time", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_times_that_are_out_of_range(world: World, time: datetime) -> None:
    with pytest.raises(InvalidArgument):
        put(world, time)
