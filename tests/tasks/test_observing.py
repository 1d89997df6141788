"""What a provider tells of machines at which somebody works, and of those it knows as they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter import VM
from resphere.contract.generated.vcenter_vm import GuestOS, Power
from resphere.contract.model import Secret
from resphere.inventory.effects import AddHost, CreateVm, Intent
from resphere.inventory.facts import Facts
from resphere.inventory.model import Datacenter, Host, VirtualMachine
from resphere.tasks.observing import Observations
from tests.services.vcenter.building import first, found
from tests.support.pacing import Outside, slowly, under_way, use
from tests.support.racing import race, two_worlds
from tests.support.world import World
from tests.tasks.observed import STRAY_UUID, machine_off, stray


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A vCenter."""
    with World(tmp_path) as made:
        yield made


def observations(world: World) -> Observations:
    return Observations(world.inventory, world.environment.now)


def test_a_machine_that_is_being_made_is_nobody_else_s(world: World) -> None:
    provider = Outside(world)
    use(world, provider)
    host = first(world, Host)
    place = VM.PlacementSpec(
        folder=first(world, Datacenter).vm_folder, host=ids.HostSystemId(host.id), datastore=host.datastores[0]
    )
    spec = VM.CreateSpec(guest_OS=GuestOS.DEBIAN_11_64, name="made", placement=place)

    async def whole() -> None:
        async with under_way(world, world.begin(VM.create, spec)) as making:
            (intent,) = world.inventory.all(Intent).values()
            assert isinstance(intent.effect, CreateVm)
            mine = intent.effect.vm.bios_uuid
            assert await observations(world).machine_appeared(stray(host.id, mine)) is None
            assert await observations(world).machine_appeared(stray(host.id)) is not None
            provider.gate.set()
            await making

    world.run(whole())
    assert sorted(vm.name for vm in world.inventory.all(VirtualMachine).values() if vm.bios_uuid == STRAY_UUID) == [
        "stray"
    ]


def test_a_machine_appears_while_a_host_is_added(world: World) -> None:
    provider = Outside(world)
    use(world, provider)
    spec = vcenter.Host.CreateSpec(
        hostname="another.example.com",
        user_name="root",
        password=Secret("VMware1!"),
        thumbprint_verification=vcenter.Host.CreateSpec.ThumbprintVerification.NONE,
        folder=first(world, Datacenter).host_folder,
    )
    appeared = stray(first(world, Host).id)

    async def whole() -> None:
        async with under_way(world, world.begin(vcenter.Host.create, spec)) as adding:
            (intent,) = world.inventory.all(Intent).values()
            assert isinstance(intent.effect, AddHost)
            assert await observations(world).machine_appeared(appeared) is not None
            provider.gate.set()
            await adding

    world.run(whole())


def test_what_is_told_of_a_machine_as_it_was_is_passed_over(world: World) -> None:
    before = machine_off(world)
    now = world.change(before, name="renamed")
    facts = Facts(machine=msgspec.structs.replace(before, name="told"))
    world.run(observations(world).machine_changed(before, facts))
    world.run(observations(world).machine_gone(before))
    assert found(world, VirtualMachine, before.id) == now
    world.run(observations(world).machine_changed(found(world, VirtualMachine, before.id), facts))
    assert found(world, VirtualMachine, before.id).name == "told"


def test_what_is_told_of_a_machine_while_somebody_works_at_it_is_passed_over(world: World) -> None:
    provider = Outside(world)
    use(world, provider)
    vm = machine_off(world)
    facts = Facts(machine=msgspec.structs.replace(vm, name="told"))

    async def whole() -> None:
        async with under_way(world, world.begin(Power.start, ids.VirtualMachineId(vm.id))) as starting:
            await observations(world).machine_changed(vm, facts)
            assert world.inventory.get(VirtualMachine, vm.id) is vm
            provider.gate.set()
            await starting

    world.run(whole())
    assert found(world, VirtualMachine, vm.id).name == vm.name


def test_work_that_begins_meanwhile_is_noticed(tmp_path: Path) -> None:
    with two_worlds(tmp_path) as (one, other):
        other.refresh()
        vm = machine_off(one)
        facts = Facts(machine=msgspec.structs.replace(vm, name="told"))
        provider, begins, begun = slowly(other, lambda world: world.begin(Power.start, ids.VirtualMachineId(vm.id)))
        race(one, other, lambda world: observations(world).machine_changed(vm, facts), begins)
        assert found(one, VirtualMachine, vm.id).name == vm.name

        async def over() -> None:
            provider.gate.set()
            await begun[0]

        one.run(over())
        other.refresh()
        assert found(other, VirtualMachine, vm.id).name == vm.name
