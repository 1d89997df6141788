"""What becomes of the work of somebody dead where the one who takes it over has trouble too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from resphere.contract.errors import NotFound, ServiceUnavailable, VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.cis_task import Status
from resphere.contract.generated.vcenter import VM
from resphere.inventory.effects import Intent
from resphere.inventory.facts import NOTHING, Facts
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Lifecycle, Work
from resphere.store.base import Conflict, StoreError, Transaction
from resphere.tasks import runner
from resphere.tasks.record import Task
from tests.replica.worlds import Scripted
from tests.services.vcenter.building import found
from tests.support.world import World
from tests.tasks.test_change import (
    OFF,
    ON,
    Outside,
    does,
    fails,
    provider,
    require_failed,
    start,
    state,
    task,
    vm,
    world,
)
from tests.tasks.test_runner import ORIGIN

__all__ = ("provider", "vm", "world")


@pytest.fixture
def left(world: World, provider: Outside, vm: ids.VirtualMachineId) -> Task:
    """The task of powering on a machine, which nobody does any more and of which nobody can tell; from now on it can be
    told that the machine is on."""
    leave(world, provider, lambda: start(world, vm))
    return task(world)


def leave(world: World, provider: Outside, work: Callable[[], object]) -> None:
    """Have the work done, and nobody know that."""
    provider.acting, provider.observed = fails(RuntimeError("broken")), OSError("out of reach")
    with pytest.raises(OSError, match="out of reach"):
        work()
    provider.acting, provider.observed = does, NOTHING


@contextmanager
def disturbed(world: World, error: Exception) -> Iterator[None]:
    """A store that takes nothing."""

    async def refuse(_: Transaction) -> None:
        raise error

    store = world.inventory._store
    world.inventory._store = Scripted(store, refuse)
    try:
        yield
    finally:
        world.inventory._store = store


def taken_over(world: World, count: int = 1) -> list[int]:
    """What so many at once have ended."""

    async def whole() -> list[int]:
        return await asyncio.gather(*(world.environment.tasks.take_over_orphans() for _ in range(count)))

    return sorted(world.run(whole()))


@pytest.mark.parametrize(
    ("error", "message_id"),
    [(RuntimeError("a fault"), "resphere.task.failed"), (ServiceUnavailable(message("test.no", "No.")), "test.no")],
    ids=["fault", "refusal"],
)
def test_what_cannot_be_settled_has_failed(
    world: World,
    left: Task,
    vm: ids.VirtualMachineId,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    message_id: str,
) -> None:
    def settle(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(runner, "settle", settle)
    assert taken_over(world, 3) == [0, 0, 1]
    require_failed(world, vm, message_id)
    is_told = f"what the task {left.id} has brought about cannot be settled" in caplog.text
    assert is_told == (not isinstance(error, VapiError))


def test_what_the_store_does_not_take_is_left_and_raised(world: World, left: Task, vm: ids.VirtualMachineId) -> None:
    with disturbed(world, StoreError("the disk is full")), pytest.raises(StoreError):
        taken_over(world)
    assert (task(world), state(world, vm)) == (left, OFF)
    assert taken_over(world) == [1]
    assert (task(world).status, state(world, vm)) == (Status.SUCCEEDED, ON)


def test_where_others_are_always_faster_it_is_left(
    world: World, left: Task, vm: ids.VirtualMachineId, caplog: pytest.LogCaptureFixture
) -> None:
    with disturbed(world, Conflict("revision", "virtual_machine/vm-1")):
        assert taken_over(world) == [0]
    assert f"the task {left.id} is left for the next time" in caplog.text
    assert (task(world), state(world, vm)) == (left, OFF)
    assert taken_over(world) == [1]


def test_where_the_provider_cannot_tell_it_is_said(
    world: World, provider: Outside, left: Task, caplog: pytest.LogCaptureFixture
) -> None:
    provider.observed = OSError("still out of reach")
    caplog.clear()
    assert taken_over(world) == [0]
    assert f"cannot tell what became of the task {left.id}" in caplog.text
    assert "still out of reach" in caplog.text


def test_other_work_sees_what_has_become_of_it(world: World, left: Task, vm: ids.VirtualMachineId) -> None:
    before = found(world, VirtualMachine, vm)
    seen: list[VirtualMachine] = []
    work = world.environment.tasks.run(ORIGIN, before, lambda job: job.complete(lambda _, __: None), seen.append)
    world.run(work)
    assert before.power_state is OFF
    assert {each.power_state for each in seen} == {ON}


def test_other_work_at_what_has_gone_is_refused(world: World, provider: Outside, vm: ids.VirtualMachineId) -> None:
    async def delete(work: Work, _: VirtualMachine) -> Facts:
        return await provider.acting(work)

    lifecycle = cast(Lifecycle, SimpleNamespace(delete=delete))
    provider.capabilities = msgspec.structs.replace(provider.capabilities, lifecycle=lifecycle)
    leave(world, provider, lambda: world.call(VM.delete, vm))
    with pytest.raises(NotFound):
        start(world, vm)
    assert vm not in world.inventory.all(VirtualMachine)
    assert not world.inventory.all(Intent)
