"""Customization that takes its time: what is told meanwhile, and what may come in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import NotAllowedInCurrentState, ResourceBusy, VapiError
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_guest import Customization, CustomizationLive, Identity
from resphere.inventory.customization import GuestCustomization
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.provider import Simulator
from resphere.providers.simulator.work.customizations import Customizations
from resphere.rules.machines.new_machine import NO_TOOLS
from tests.support.customizations import linux, named
from tests.support.guests import PASSWORD, ended, ready_vm
from tests.support.world import NOW, World

Id = ids.VirtualMachineId
Status = Customization.Info.Status
LIVE = CustomizationLive.Info.Status
SECONDS = 20


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        slow(world, SECONDS)
        yield world


@pytest.fixture
def vm(world: World) -> Id:
    """A VM whose guest is to be customized at its next start."""
    vm = ready_vm(world)
    world.call(Power.stop, vm)
    world.call(Customization.set, vm, Customization.SetSpec(spec=linux(named("new"), domain="")))
    return vm


def slow(world: World, seconds: float) -> None:
    """Have customization take so long from now on."""
    simulator = Simulator(
        world.inventory, world.contents, lambda: world.environment.now(), Durations(customize=seconds)
    )
    world.environment = msgspec.structs.replace(world.environment, provider=simulator)


def later(world: World, seconds: float) -> datetime:
    """Let so much time pass since the beginning, and have what is due be done; returns the moment."""
    moment = NOW + timedelta(seconds=seconds)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: moment)
    world.run(Customizations(world.inventory, lambda: moment).due.finish_due())
    return moment


def status(world: World, vm: Id) -> Customization.Info:
    return world.call(Customization.get, vm)


def host_name(world: World, vm: Id) -> str:
    return world.call(Identity.get, vm).host_name


def test_pending_running_succeeded(world: World, vm: Id) -> None:
    assert status(world, vm) == Customization.Info(status=Status.PENDING)
    world.call(Power.start, vm)
    before = host_name(world, vm)
    assert status(world, vm) == Customization.Info(status=Status.RUNNING, start_time=NOW)
    later(world, SECONDS - 1)
    assert status(world, vm) == Customization.Info(status=Status.RUNNING, start_time=NOW)
    assert host_name(world, vm) == before != "new"
    end = later(world, SECONDS)
    assert status(world, vm) == Customization.Info(status=Status.SUCCEEDED, start_time=NOW, end_time=end)
    assert host_name(world, vm) == "new"
    later(world, 2 * SECONDS)
    assert status(world, vm).end_time == end


@pytest.mark.parametrize("stop", [Power.stop, Power.reset, Power.suspend], ids=lambda stop: str(stop.name))
def test_power_in_between(world: World, vm: Id, stop: object) -> None:
    world.call(Power.start, vm)
    world.call(stop, vm)  # type: ignore[arg-type]
    found = status(world, vm)
    if stop is Power.stop:
        assert (found.status, found.start_time, found.end_time) == (Status.FAILED, NOW, NOW)
        assert "powered off" in (found.error or "")
        world.call(Power.start, vm)
        later(world, SECONDS)
        assert status(world, vm) == found
        assert host_name(world, vm) != "new"
        return
    assert found.status is Status.RUNNING
    if stop is Power.suspend:
        later(world, 2 * SECONDS)
        assert status(world, vm).status is Status.RUNNING
        world.call(Power.start, vm)
        later(world, 3 * SECONDS - 1)
        assert status(world, vm).status is Status.RUNNING
    later(world, 3 * SECONDS)
    assert status(world, vm).status is Status.SUCCEEDED
    assert host_name(world, vm) == "new"


def test_a_snapshot_in_between(world: World, vm: Id) -> None:
    snapshot = world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="s"))
    world.call(Power.start, vm)
    world.call(VmSnapshots.revert, vm, snapshot)
    assert status(world, vm).status is Status.FAILED
    later(world, SECONDS)
    assert status(world, vm).status is Status.FAILED


def test_it_goes_with_the_vm(world: World, vm: Id) -> None:
    world.call(Power.start, vm)
    world.call(Power.stop, vm)
    world.call(vcenter.VM.delete, vm)
    later(world, SECONDS)
    assert not world.inventory.all(GuestCustomization)


def test_a_guest_without_tools_fails_at_once(world: World, vm: Id) -> None:
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None
    world.change(machine, guest=None, tools=NO_TOOLS)
    world.call(Power.start, vm)
    assert status(world, vm).status is Status.FAILED


def test_what_no_longer_fits_when_it_is_due_fails(world: World, vm: Id) -> None:
    world.call(Power.start, vm)
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None
    world.change(machine, guest=None)
    later(world, SECONDS)
    found = status(world, vm)
    assert (found.status, found.start_time) == (Status.FAILED, NOW)
    assert "Tools" in (found.error or "")


def test_it_is_finished_by_itself_whoever_began_it(world: World, vm: Id) -> None:
    """In real time, of which it takes a moment; a worker that starts finds it, and one that goes on hears of it."""
    began = NOW - timedelta(seconds=SECONDS)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: began)
    world.call(Power.start, vm)

    async def finished(customizations: Customizations) -> None:
        over = asyncio.Event()
        stop = world.inventory.subscribe(
            GuestCustomization, lambda _, new: over.set() if new is not None and new.end_time else None
        )
        running = asyncio.create_task(customizations.due.run())
        await asyncio.wait_for(over.wait(), 60)
        running.cancel()
        stop()

    world.run(finished(Customizations(world.inventory, lambda: NOW)))
    assert status(world, vm) == Customization.Info(status=Status.SUCCEEDED, start_time=began, end_time=NOW)
    assert host_name(world, vm) == "new"


AUTH = CustomizationLive.GuestAuthentication(user_name="root", password=PASSWORD)


def test_a_running_guest(world: World) -> None:
    slow(world, 0.05)
    vm = ready_vm(world)
    before = host_name(world, vm)
    task = world.call(CustomizationLive.run_task, vm, CustomizationLive.RunSpec(spec=linux(named("new")), auth=AUTH))
    running = world.call(CustomizationLive.get, vm)
    assert (running.status, running.start_time) == (LIVE.RUNNING, NOW)
    assert host_name(world, vm) == before
    with pytest.raises((ResourceBusy, NotAllowedInCurrentState)):
        world.call(Power.stop, vm)
    assert ended(world, task) == "SUCCEEDED"
    assert world.call(CustomizationLive.get, vm).status is LIVE.SUCCEEDED
    assert host_name(world, vm) == "new.example.org"


def test_a_running_guest_whose_machine_changes_meanwhile(world: World) -> None:
    slow(world, 0.05)
    vm = ready_vm(world)
    task = world.call(CustomizationLive.run_task, vm, CustomizationLive.RunSpec(spec=linux(named("new")), auth=AUTH))
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None
    world.change(machine, power_state=Power.State.POWERED_OFF)
    assert ended(world, task) == "FAILED"
    found = world.call(CustomizationLive.get, vm)
    assert (found.status, found.start_time) == (LIVE.FAILED, NOW)
    assert found.error is not None


def test_one_at_a_time(world: World, vm: Id) -> None:
    world.call(Power.start, vm)
    spec = CustomizationLive.RunSpec(spec=linux(named("other")), auth=AUTH)
    with pytest.raises(VapiError) as refusal:
        world.call(CustomizationLive.run_task, vm, spec)
    assert refusal.value.messages[0].id == "resphere.guest.customization_running"
    later(world, SECONDS)
    assert world.call(CustomizationLive.run_task, vm, spec)
    assert world.call(CustomizationLive.get, vm).status is LIVE.RUNNING
