"""Machines that die, appear and go behind the server's back, and those with which work is under way."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from resphere.contract.errors import AlreadyExists, VapiError
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import VM
from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_hardware import Boot, Cpu, Memory
from resphere.inventory.effects import Intent
from resphere.inventory.facts import Facts
from resphere.inventory.model import Datastore, Folder, Host, VirtualMachine
from resphere.providers.base import Work
from resphere.providers.processes.files import Machine, Machines
from resphere.providers.processes.provider import Processes
from resphere.providers.processes.work import Verbs, run
from resphere.rules.machines.power_states import powered_on
from resphere.rules.space import free_space
from resphere.tasks.observing import Observations
from tests.providers.processes.conftest import use
from tests.support.server import wait_until
from tests.support.world import World

UUID = "0f0e0d0c-0b0a-4908-8706-050403020100"
ON, OFF = Power.State.POWERED_ON, Power.State.POWERED_OFF
PROGRAM = "resphere.providers.processes.machine"


def create(world: World, name: str = "one") -> VirtualMachine:
    """A new VM."""
    return the(world, world.call(VM.create, spec(world, name)))


def spec(world: World, name: str) -> VM.CreateSpec:
    """What a VM of that name is to be."""
    host = next(iter(world.inventory.all(Host).values()))
    folder = next(
        folder for folder in world.inventory.all(Folder).values() if folder.type is ApiFolder.Type.VIRTUAL_MACHINE
    )
    return VM.CreateSpec(
        name=name,
        guest_OS=Machine(uuid="", name="", host="").guest_OS,
        placement=VM.PlacementSpec(
            folder=ids.FolderId(folder.id), host=ids.HostSystemId(host.id), datastore=host.datastores[0]
        ),
    )


def the(world: World, vm: str) -> VirtualMachine:
    """The VM as it is now."""
    found = world.inventory.get(VirtualMachine, vm)
    assert found is not None
    return found


def look(world: World, provider: Processes) -> None:
    """One round of the feed."""
    world.run(provider.look(Observations(world.inventory, world.environment.now)))


def kill(machines: Machines, uuid: str) -> None:
    """Have the machine die."""
    wait_until(lambda: not machines.kill(uuid), "the end of the machine")


def test_a_machine_that_dies_is_off(world: World, provider: Processes, machines: Machines) -> None:
    vm = create(world)
    world.call(Power.start, ids.VirtualMachineId(vm.id))
    look(world, provider)
    assert the(world, vm.id).power_state is ON
    kill(machines, vm.bios_uuid)
    look(world, provider)
    assert the(world, vm.id).power_state is OFF
    assert world.call(Power.get, ids.VirtualMachineId(vm.id)) == Power.Info(state=OFF, clean_power_off=False)


def test_a_machine_that_somebody_starts_is_on(world: World, provider: Processes, machines: Machines) -> None:
    vm = create(world)
    assert world.run(run(sys.executable, "-m", PROGRAM, machines.file(vm.bios_uuid))) == 0
    assert world.run(run(sys.executable, "-m", PROGRAM, machines.file(vm.bios_uuid))) == 1
    look(world, provider)
    assert the(world, vm.id).power_state is ON


@pytest.mark.parametrize("runs", [False, True])
def test_a_machine_that_appears_is_a_vm(world: World, provider: Processes, machines: Machines, runs: bool) -> None:
    host = next(iter(world.inventory.all(Host)))
    create(world, "stray")
    machines.put(Machine(uuid=UUID, name="stray", host=host, cpu_count=2, memory_size_MiB=512))
    if runs:
        assert world.run(run(sys.executable, "-m", PROGRAM, machines.file(UUID))) == 0
    look(world, provider)
    look(world, provider)
    [vm] = [vm for vm in world.inventory.all(VirtualMachine).values() if vm.bios_uuid == UUID]
    assert (vm.name, vm.host, vm.cpu.count, vm.memory.size_MiB) == ("stray (1)", host, 2, 512)
    assert vm.power_state is (ON if runs else OFF)
    if runs:
        world.call(Power.stop, ids.VirtualMachineId(vm.id))
    world.call(VM.delete, ids.VirtualMachineId(vm.id))
    assert not machines.exists(UUID)


def test_a_machine_whose_file_is_gone_is_none(world: World, provider: Processes, machines: Machines) -> None:
    vm = create(world)
    machines.remove(vm.bios_uuid)
    look(world, provider)
    assert not world.inventory.all(VirtualMachine)
    create(world)


def test_what_is_no_machine_is_passed_over(world: World, provider: Processes, machines: Machines) -> None:
    machines.file(UUID).write_text("{}")
    machines.put(Machine(uuid=UUID.replace("0", "1"), name="nowhere", host="host-404"))
    look(world, provider)
    assert not world.inventory.all(VirtualMachine)


class Held(Verbs):
    """Verbs that, once they are done, wait until they are let go."""

    def __init__(self, machines: Machines) -> None:
        super().__init__(machines)
        self.done = asyncio.Event()
        self.go = asyncio.Event()

    async def create(self, work: Work, vm: VirtualMachine) -> Facts:
        return await self._held(super().create(work, vm))

    async def delete(self, work: Work, vm: VirtualMachine) -> Facts:
        return await self._held(super().delete(work, vm))

    async def power_on(self, work: Work, vm: VirtualMachine, host: Host) -> Facts:
        return await self._held(super().power_on(work, vm, host))

    async def _held(self, acting: Coroutine[Any, Any, Facts]) -> Facts:
        facts = await acting
        self.done.set()
        await self.go.wait()
        return facts


@pytest.fixture
def held(world: World, machines: Machines) -> Held:
    """The world's verbs, which wait."""
    verbs = Held(machines)
    use(world, Processes(machines, verbs))
    return verbs


async def meanwhile(
    world: World, held: Held, work: Coroutine[Any, Any, Any], then: Callable[[], Coroutine[Any, Any, None]]
) -> Any:
    """The result of work, with something else done between its act and its settlement, and a round of the feed."""
    working = asyncio.create_task(work)
    done = asyncio.create_task(held.done.wait())
    await asyncio.wait((working, done), return_when=asyncio.FIRST_COMPLETED)
    assert not working.done(), working.result()
    provider = world.environment.provider
    assert isinstance(provider, Processes)
    await provider.look(Observations(world.inventory, world.environment.now))
    await then()
    held.go.set()
    return await working


def test_a_machine_that_is_made_does_not_appear(world: World, held: Held) -> None:
    """Its name is taken meanwhile, and the room of its files."""
    free, rooms = free_bytes(world), dict[str, int]()

    async def others() -> None:
        assert not world.inventory.all(VirtualMachine)
        with pytest.raises(AlreadyExists):
            await world.begin(VM.create, spec(world, "one"))
        [intent] = world.inventory.all(Intent).values()
        rooms.update(intent.room)

    vm = world.run(meanwhile(world, held, world.begin(VM.create, spec(world, "one")), others))
    assert list(world.inventory.all(VirtualMachine)) == [vm]
    assert not world.inventory.all(Intent)
    assert rooms
    assert free_bytes(world) == {id: size - rooms.get(id, 0) for id, size in free.items()}


def free_bytes(world: World) -> dict[str, int]:
    """What is free on each datastore."""
    return {id: free_space(world.inventory, store) for id, store in world.inventory.all(Datastore).items()}


def test_a_machine_that_is_deleted_is_not_gone_before(world: World, held: Held) -> None:
    held.go.set()
    vm = create(world)
    held.go.clear()
    held.done.clear()

    async def others() -> None:
        assert list(world.inventory.all(VirtualMachine)) == [vm.id]

    world.run(meanwhile(world, held, world.begin(VM.delete, ids.VirtualMachineId(vm.id)), others))
    assert not world.inventory.all(VirtualMachine)


def test_a_machine_that_dies_while_it_starts(world: World, held: Held, machines: Machines) -> None:
    """The work says what it has done; the next look tells what came of it."""
    held.go.set()
    vm = create(world)
    held.go.clear()
    held.done.clear()

    async def others() -> None:
        assert the(world, vm.id).power_state is OFF
        kill(machines, vm.bios_uuid)

    world.run(meanwhile(world, held, world.begin(Power.start, ids.VirtualMachineId(vm.id)), others))
    assert the(world, vm.id).power_state is ON
    provider = world.environment.provider
    assert isinstance(provider, Processes)
    look(world, provider)
    assert the(world, vm.id).power_state is OFF


def test_what_was_seen_before_it_changed_is_passed_over(world: World, provider: Processes) -> None:
    seen = create(world)
    inventory = Observations(world.inventory, world.environment.now)
    world.call(Power.start, ids.VirtualMachineId(seen.id))
    world.call(Power.stop, ids.VirtualMachineId(seen.id))
    world.run(inventory.machine_changed(seen, Facts(machine=powered_on(seen))))
    world.run(inventory.machine_gone(seen))
    assert the(world, seen.id).power_state is OFF


def test_cpus_and_memory_of_a_machine_that_is_off(world: World, machines: Machines) -> None:
    vm = create(world)
    id = ids.VirtualMachineId(vm.id)
    world.call(Cpu.update, id, Cpu.UpdateSpec(count=4))
    world.call(Memory.update, id, Memory.UpdateSpec(size_MiB=1024))
    assert machines.get(vm.bios_uuid) == Machine(
        uuid=vm.bios_uuid, name="one", host=vm.host, cpu_count=4, memory_size_MiB=1024, guest_OS=vm.guest_OS
    )
    with pytest.raises(VapiError) as refused:
        world.call(Boot.update, id, Boot.UpdateSpec(delay=5))
    assert refused.value.messages[0].id == "resphere.provider.lacking"
    assert the(world, vm.id).boot == vm.boot
    assert not world.inventory.all(Intent)
