"""A reboot that takes its time: the guest is gone, and comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import ServiceUnavailable
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_guest import Identity
from resphere.contract.generated.vcenter_vm_guest import Power as GuestPower
from resphere.inventory.guest_reboot import GuestReboot
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.durations import QUICK, Durations
from resphere.providers.simulator.provider import Simulator
from resphere.providers.simulator.work.reboots import Reboots
from resphere.server.providers import read_durations
from resphere.server.settings import Settings
from resphere.tasks.observing import Observations
from tests.support.guests import ready_vm
from tests.support.world import NOW, World

Id = ids.VirtualMachineId
SECONDS = 20
GONE = GuestPower.Info(state=GuestPower.State.UNAVAILABLE, operations_ready=False)
THERE = GuestPower.Info(state=GuestPower.State.RUNNING, operations_ready=True)
OFF = GuestPower.Info(state=GuestPower.State.NOT_RUNNING, operations_ready=False)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        use(world, Durations(reboot_guest=SECONDS))
        yield world


def use(world: World, durations: Durations) -> None:
    """Have work take so long from now on."""
    provider = Simulator(world.inventory, world.contents, lambda: world.environment.now(), durations)
    world.environment = msgspec.structs.replace(world.environment, provider=provider)


@pytest.fixture
def vm(world: World) -> Id:
    """A VM whose guest is rebooting."""
    vm = ready_vm(world)
    world.call(GuestPower.reboot, vm)
    return vm


def later(world: World, seconds: float) -> None:
    """Let so much time pass since the beginning, and have what is due be done."""
    world.run(Reboots(world.inventory, lambda: NOW + timedelta(seconds=seconds)).due.finish_due())


def test_the_guest_is_gone_until_it_is_there_again(world: World, vm: Id) -> None:
    assert world.call(GuestPower.get, vm) == GONE
    assert world.call(Power.get, vm).state is Power.State.POWERED_ON
    with pytest.raises(ServiceUnavailable) as error:
        world.call(Identity.get, vm)
    assert error.value.messages[0].id == "com.vmware.api.vcenter.vm.guest.tools_not_running"
    with pytest.raises(ServiceUnavailable):
        world.call(GuestPower.reboot, vm)
    later(world, SECONDS - 1)
    assert world.call(GuestPower.get, vm) == GONE
    later(world, SECONDS)
    assert world.call(GuestPower.get, vm) == THERE
    assert not world.inventory.all(GuestReboot)


def test_what_is_off_when_it_is_due_stays_so(world: World, vm: Id) -> None:
    world.call(Power.stop, vm)
    later(world, SECONDS)
    assert world.call(GuestPower.get, vm) == OFF


def test_a_start_in_between_brings_the_guest(world: World, vm: Id) -> None:
    world.call(Power.stop, vm)
    world.call(Power.start, vm)
    assert world.call(GuestPower.get, vm) == THERE
    later(world, SECONDS)
    assert world.call(GuestPower.get, vm) == THERE


def test_it_goes_with_the_vm(world: World, vm: Id) -> None:
    world.call(Power.stop, vm)
    world.call(vcenter.VM.delete, vm)
    assert not world.inventory.all(GuestReboot)
    later(world, SECONDS)
    assert vm not in world.inventory.all(VirtualMachine)


def test_it_comes_back_by_itself_whoever_was_asked(world: World, vm: Id) -> None:
    """In real time, of which it takes a moment, by the feed of a worker that has just begun."""

    async def there() -> None:
        over = asyncio.Event()
        stop = world.inventory.subscribe(GuestReboot, lambda _, new: over.set() if new is None else None)
        moment = NOW + timedelta(seconds=SECONDS)
        worker = Simulator(world.inventory, world.contents, lambda: moment)
        feeding = asyncio.create_task(worker.feed(Observations(world.inventory, world.environment.now)))
        await asyncio.wait_for(over.wait(), 60)
        feeding.cancel()
        stop()

    world.run(there())
    assert world.call(GuestPower.get, vm) == THERE


def restart(world: World, vm: Id) -> None:
    """Off and on again."""
    world.call(Power.stop, vm)
    world.call(Power.start, vm)


@pytest.mark.parametrize("bring", [restart, lambda world, vm: world.call(Power.reset, vm)])
def test_tools_run_a_while_after_a_start(tmp_path: Path, bring: Callable[[World, Id], None]) -> None:
    with World(tmp_path) as world:
        vm = ready_vm(world)
        use(world, Durations(boot_guest=SECONDS))
        bring(world, vm)
        assert world.call(Power.get, vm).state is Power.State.POWERED_ON
        assert world.call(GuestPower.get, vm) == GONE
        later(world, SECONDS - 1)
        assert world.call(GuestPower.get, vm) == GONE
        later(world, SECONDS)
        assert world.call(GuestPower.get, vm) == THERE


def test_a_guest_that_is_resumed_is_there_at_once(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        vm = ready_vm(world)
        use(world, Durations(boot_guest=SECONDS))
        world.call(Power.suspend, vm)
        world.call(Power.start, vm)
        assert world.call(GuestPower.get, vm) == THERE


def test_a_clone_that_is_powered_on_starts_as_others_do(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        source = ready_vm(world)
        use(world, Durations(boot_guest=SECONDS))
        clone = world.call(vcenter.VM.clone, vcenter.VM.CloneSpec(source=source, name="twin", power_on=True))
        assert world.call(GuestPower.get, clone) == GONE
        later(world, SECONDS)
        assert world.call(GuestPower.get, clone) == THERE


def test_many_guests_are_there_again_in_one_change(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        use(world, Durations(boot_guest=SECONDS))
        started = [machine.id for machine in world.inventory.all(VirtualMachine).values() if not machine.template]
        for each in started:
            if world.call(Power.get, Id(each)).state is not Power.State.POWERED_ON:
                world.call(Power.start, Id(each))
            else:
                world.call(Power.reset, Id(each))
        assert len(world.inventory.all(GuestReboot)) > 10
        revision = world.inventory.revision
        later(world, SECONDS)
        assert not world.inventory.all(GuestReboot)
        assert world.inventory.revision == revision + 1


def test_by_default_what_clients_wait_for_can_be_seen_and_the_rest_takes_no_time() -> None:
    seen = {name for name, seconds in msgspec.structs.asdict(QUICK).items() if seconds > 0}
    of_the_appliance = {"install_update", "reboot_appliance", "stage_update"}
    assert seen == {"boot_guest", "reboot_guest", "customize"} | of_the_appliance
    assert max(msgspec.structs.asdict(QUICK).values()) <= 1.0
    assert read_durations(Settings().durations) is QUICK
