"""Two works that take time and cannot both come true: the machine that one reads is the one that the other takes away.

Two workers on one store.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resphere.contract.errors import VapiError
from resphere.contract.generated import ids
from resphere.contract.generated.cis_task import Status
from resphere.contract.generated.vcenter import VM
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.model import Operation
from resphere.inventory.effects import Intent
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Step
from resphere.providers.simulator.provider import Simulator
from resphere.services.call import in_use_error
from resphere.tasks.record import Task
from tests.services.vcenter.building import found
from tests.support.invariants import require_sound
from tests.support.pacing import Outside, Slow, slowly, under_way, use
from tests.support.racing import race, two_worlds
from tests.support.world import World
from tests.tasks.test_runner import ORIGIN
from tests.tasks.test_steps import SHORT, Stepwise

Taking = Operation[[ids.VirtualMachineId], None]


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[World, World]]:
    """Two workers on one store; the first one's provider acts outside, and waits for nothing."""
    with two_worlds(tmp_path) as both:
        provider = Outside(both[0])
        provider.gate.set()
        use(both[0], provider)
        yield both


@pytest.fixture
def vm(worlds: tuple[World, World]) -> ids.VirtualMachineId:
    """A VM that is off."""
    machines = worlds[0].inventory.all(VirtualMachine).values()
    return next(ids.VirtualMachineId(vm.id) for vm in machines if vm.power_state is Power.State.POWERED_OFF)


def clone_of(vm: ids.VirtualMachineId) -> VM.CloneSpec:
    return VM.CloneSpec(source=vm, name="copy")


def require_refused(worlds: tuple[World, World], taking: Taking, refusal: object) -> None:
    """It was refused when it was decided, before the provider heard of it, and the clone was made."""
    assert isinstance(refusal, VapiError), refusal
    assert type(refusal) is in_use_error(taking)
    assert refusal.messages[0].id == "resphere.task.needs"
    for world in worlds:
        world.refresh()
        (task,) = world.inventory.all(Task).values()
        assert (task.operation, task.status) == (VM.clone.name, Status.SUCCEEDED)
        assert "copy" in {vm.name for vm in world.inventory.all(VirtualMachine).values()}
        assert not world.inventory.all(Intent)
        require_sound(world.inventory)


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("taking", [VM.delete, VM.unregister], ids=lambda each: each.name)
def test_what_is_read_is_not_taken_away(
    worlds: tuple[World, World], vm: ids.VirtualMachineId, taking: Taking, at_once: bool
) -> None:
    one, other = worlds
    if at_once:
        use(one, Simulator(one.inventory, one.contents, one.environment.now))
    provider = Outside(other)
    use(other, provider)
    refusals: list[VapiError] = []

    async def whole() -> None:
        async with under_way(other, other.begin(VM.clone, clone_of(vm))) as cloning:
            await one.inventory.refresh()
            with pytest.raises(VapiError) as refused:
                await one.begin(taking, vm)
            refusals.append(refused.value)
            provider.gate.set()
            await cloning

    one.run(whole())
    require_refused(worlds, taking, refusals[0])


@pytest.mark.parametrize("taking", [VM.delete, VM.unregister], ids=lambda each: each.name)
def test_what_somebody_comes_to_read_meanwhile_is_not_taken_away(
    worlds: tuple[World, World], vm: ids.VirtualMachineId, taking: Taking
) -> None:
    one, other = worlds
    provider, decided, begun = slowly(other, lambda world: world.begin(VM.clone, clone_of(vm)))

    async def over() -> None:
        provider.gate.set()
        await begun[0]

    _, refusal = race(one, other, lambda world: world.begin(taking, vm), decided)
    one.run(over())
    require_refused(worlds, taking, refusal)


@pytest.mark.parametrize("taking", [VM.delete, VM.unregister], ids=lambda each: each.name)
def test_what_somebody_begins_to_take_away_meanwhile_is_not_read(
    worlds: tuple[World, World], vm: ids.VirtualMachineId, taking: Taking
) -> None:
    one, other = worlds
    provider, decided, begun = slowly(other, lambda world: world.begin(taking, vm))

    async def over() -> None:
        provider.gate.set()
        await begun[0]

    _, refusal = race(one, other, lambda world: world.begin(VM.clone, clone_of(vm)), decided)
    one.run(over())
    assert isinstance(refusal, VapiError), refusal
    assert refusal.messages[0].id == "resphere.task.busy"
    for world in worlds:
        world.refresh()
        (task,) = world.inventory.all(Task).values()
        assert (task.operation, task.status) == (taking.name, Status.SUCCEEDED)
        assert vm not in world.inventory.all(VirtualMachine)
        assert not world.inventory.all(Intent)
        require_sound(world.inventory)


@pytest.mark.parametrize("decided", [False, True])
@pytest.mark.parametrize("work", [VM.delete, Power.start], ids=["delete", "start"])
def test_what_nobody_does_any_more_is_in_nobody_s_way(
    worlds: tuple[World, World], vm: ids.VirtualMachineId, work: Taking, decided: bool
) -> None:
    """Its worker dies after the other has begun to look; or nothing was decided yet, and nobody looks."""
    one, other = worlds
    use(other, Slow(other))
    lives = iter([True] if decided else [])
    use(one, Stepwise(one, Step(SHORT)), is_alive=lambda _: next(lives, False))

    async def work_on() -> None:
        await one.inventory.refresh()
        await one.begin(work, vm)

    async def whole() -> None:
        if decided:
            async with under_way(other, other.begin(Power.start, vm)):
                await work_on()
        else:
            await other.environment.tasks.run(ORIGIN, found(other, VirtualMachine, vm), lambda job: job.begin())
            await work_on()

    one.run(whole())
    assert next(lives, None) is None
    for world in worlds:
        world.refresh()
        first, second = world.inventory.all(Task).values()
        assert (first.status, second.status) == (Status.FAILED, Status.SUCCEEDED)
        assert not world.inventory.all(Intent)
        require_sound(world.inventory)
