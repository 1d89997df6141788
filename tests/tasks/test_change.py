"""Changes that act outside: what is committed before, what becomes of them, and who says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import AlreadyExists, Canceled, ResourceBusy, ServiceUnavailable, VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.cis_task import Status
from resphere.contract.generated.vcenter import VM
from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.contract.generated.vcenter import Host as ApiHost
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.model import Secret
from resphere.inventory.customization import GuestCustomization
from resphere.inventory.effects import AnyEffect, Intent, NewHost
from resphere.inventory.facts import NOTHING, Facts
from resphere.inventory.model import Datastore, Folder, Host, VirtualMachine
from resphere.providers.base import NotCapable, Provider, Work
from resphere.providers.simulator.provider import Simulator
from resphere.providers.simulator.work.hosts import Hosts
from resphere.replica.errors import BrokenReference
from resphere.rules.space import free_space
from resphere.tasks.record import Task
from resphere.tasks.runner import Tasks
from tests.support.world import World

ON, OFF = Power.State.POWERED_ON, Power.State.POWERED_OFF
Acting = Callable[[Work], Awaitable[Facts]]


class Outside(Simulator):
    """A provider that acts outside: power goes as the test says, and so does what is observed afterwards."""

    def __init__(self, world: World) -> None:
        super().__init__(world.inventory, world.contents, world.environment.now)
        self.acting: Acting = does
        self.observed: Facts | Exception | None = None
        self.asked: list[str] = []
        self.capabilities = msgspec.structs.replace(
            self.capabilities, at_once=False, power=self, copies=self, hosts=NewHosts(self, world)
        )

    async def power_on(self, work: Work, vm: VirtualMachine, host: Host) -> Facts:
        return await self.acting(work)

    async def power_off(self, work: Work, vm: VirtualMachine) -> Facts:
        return await self.acting(work)

    async def reset(self, work: Work, vm: VirtualMachine) -> Facts:
        return await self.acting(work)

    async def clone(
        self,
        work: Work,
        source: VirtualMachine,
        vm: VirtualMachine,
        power_on: bool,
        customization: GuestCustomization | None,
    ) -> Facts:
        return await self.acting(work)

    async def instant_clone(self, work: Work, source: VirtualMachine, vm: VirtualMachine) -> Facts:
        return await self.acting(work)

    async def observe(self, work: str, effect: AnyEffect) -> Facts | None:
        self.asked.append(work)
        if isinstance(self.observed, Exception):
            raise self.observed
        return self.observed


class NewHosts(Hosts):
    """Hosts that are added as the test says."""

    def __init__(self, provider: Outside, world: World) -> None:
        super().__init__(world.inventory)
        self._provider = provider

    async def add(self, work: Work, new_host: NewHost, id: str) -> Facts:
        await self._provider.acting(work)
        return await super().add(work, new_host, id)


async def does(work: Work) -> Facts:
    """What succeeds."""
    return NOTHING


def fails(error: BaseException) -> Acting:
    """What raises."""

    async def acting(work: Work) -> Facts:
        raise error

    return acting


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A vCenter."""
    with World(tmp_path) as made:
        yield made


@pytest.fixture
def provider(world: World) -> Outside:
    """Who does the world's work."""
    outside = Outside(world)
    world.environment = msgspec.structs.replace(
        world.environment, provider=outside, tasks=worker(world, outside, "test")
    )
    return outside


def worker(world: World, provider: Provider, name: str, *alive: str) -> Tasks:
    """The tasks of a worker, who knows of others that live."""
    return Tasks(world.inventory, world.environment.now, name, alive.__contains__, provider)


@pytest.fixture
def vm(world: World) -> ids.VirtualMachineId:
    """A VM that is off."""
    return next(
        ids.VirtualMachineId(vm.id) for vm in world.inventory.all(VirtualMachine).values() if vm.power_state is OFF
    )


def start(world: World, vm: ids.VirtualMachineId) -> None:
    """Power on."""
    world.call(Power.start, vm)


def task(world: World) -> Task:
    """The only task."""
    [found] = world.inventory.all(Task).values()
    return found


def state(world: World, vm: str) -> Power.State:
    """The power state in the inventory."""
    found = world.inventory.get(VirtualMachine, vm)
    assert found is not None
    return found.power_state


def require_failed(world: World, vm: str, message_id: str) -> None:
    """The task has failed, the machine is as it was, and nothing is intended."""
    ended = task(world)
    assert ended.error is not None
    assert (ended.status, ended.error.messages[0].id) == (Status.FAILED, message_id)
    assert state(world, vm) is OFF
    assert not world.inventory.all(Intent)


def test_a_refusal_in_the_decision_leaves_nothing(world: World, provider: Outside, vm: ids.VirtualMachineId) -> None:
    start(world, vm)
    assert task(world).status is Status.SUCCEEDED
    with pytest.raises(VapiError):
        start(world, vm)
    assert len(world.inventory.all(Task)) == 1
    assert not world.inventory.all(Intent)


def test_what_the_provider_refuses_has_failed(world: World, provider: Outside, vm: ids.VirtualMachineId) -> None:
    provider.acting = fails(ServiceUnavailable(message("test.no", "No.")))
    with pytest.raises(ServiceUnavailable):
        start(world, vm)
    require_failed(world, vm, "test.no")
    assert provider.asked == []


def test_what_the_provider_lacks_has_failed(world: World, provider: Outside, vm: ids.VirtualMachineId) -> None:
    provider.acting = fails(NotCapable("It has no switch."))
    with pytest.raises(VapiError, match="It has no switch"):
        start(world, vm)
    require_failed(world, vm, "resphere.provider.lacking")
    assert provider.asked == []


def test_after_a_fault_the_provider_is_asked(
    world: World, provider: Outside, vm: ids.VirtualMachineId, caplog: pytest.LogCaptureFixture
) -> None:
    provider.acting = fails(RuntimeError("broken"))
    with pytest.raises(VapiError):
        start(world, vm)
    require_failed(world, vm, "resphere.task.failed")
    assert provider.asked == [task(world).id]
    assert "PowerOn failed in the provider" in caplog.text


def test_what_a_fault_has_brought_about_is_settled(world: World, provider: Outside, vm: ids.VirtualMachineId) -> None:
    provider.acting, provider.observed = fails(RuntimeError("broken")), NOTHING
    start(world, vm)
    assert (task(world).status, state(world, vm)) == (Status.SUCCEEDED, ON)


@pytest.mark.parametrize("is_on", [False, True])
def test_what_the_provider_cannot_tell_is_left_until_it_can(
    world: World, provider: Outside, vm: ids.VirtualMachineId, is_on: bool
) -> None:
    provider.acting, provider.observed = fails(RuntimeError("broken")), OSError("out of reach")
    with pytest.raises(OSError, match="out of reach"):
        start(world, vm)
    tasks = world.environment.tasks
    assert world.run(tasks.take_over_orphans()) == 0
    assert task(world).status is Status.RUNNING
    with pytest.raises(ResourceBusy):
        start(world, vm)
    provider.observed = NOTHING if is_on else None
    assert world.run(tasks.take_over_orphans()) == 1
    if is_on:
        assert (task(world).status, state(world, vm)) == (Status.SUCCEEDED, ON)
        assert not world.inventory.all(Intent)
    else:
        require_failed(world, vm, "resphere.task.interrupted")


def test_what_is_taken_over_results_in_what_was_decided(
    world: World, provider: Outside, vm: ids.VirtualMachineId
) -> None:
    """Whoever had asked for it and waited: others read it in the task."""
    before = set(world.inventory.all(VirtualMachine))
    provider.acting, provider.observed = fails(RuntimeError("broken")), OSError("out of reach")
    with pytest.raises(OSError, match="out of reach"):
        world.call(VM.clone, VM.CloneSpec(source=vm, name="copy"))
    provider.observed = NOTHING
    assert world.run(world.environment.tasks.take_over_orphans()) == 1
    (made,) = set(world.inventory.all(VirtualMachine)) - before
    assert (task(world).status, task(world).result) == (Status.SUCCEEDED, made)


def begun(
    world: World, provider: Outside, vm: ids.VirtualMachineId, ending: Callable[[asyncio.Task[Any]], Any]
) -> None:
    """Power on, and do ``ending`` while the provider is at work."""

    async def whole() -> None:
        arrived = asyncio.Event()

        async def acting(work: Work) -> Facts:
            arrived.set()
            await asyncio.Event().wait()
            return NOTHING

        provider.acting = acting
        working = asyncio.ensure_future(world.begin(Power.start, vm))
        await arrived.wait()
        await ending(working)

    world.run(whole())


async def break_off(working: asyncio.Task[Any]) -> None:
    """As an orderly stop does with what is not over."""
    working.cancel()
    await asyncio.wait((working,))


@pytest.mark.parametrize("is_on", [False, True])
def test_what_was_broken_off_is_asked_for_before_other_work(
    world: World, provider: Outside, vm: ids.VirtualMachineId, is_on: bool
) -> None:
    """By whoever comes first, without waiting for a sweep."""
    begun(world, provider, vm, break_off)
    world.run(world.environment.tasks.close())
    assert task(world).status is Status.RUNNING
    first = task(world).id
    world.environment = msgspec.structs.replace(world.environment, tasks=worker(world, provider, "other"))
    provider.acting, provider.observed = does, NOTHING if is_on else None
    if is_on:
        with pytest.raises(VapiError):
            start(world, vm)
    else:
        start(world, vm)
    assert provider.asked == [first]
    ended = world.inventory.get(Task, first)
    assert ended is not None
    assert ended.status is (Status.SUCCEEDED if is_on else Status.FAILED)
    assert state(world, vm) is ON


def test_what_a_living_worker_does_is_busy(world: World, provider: Outside, vm: ids.VirtualMachineId) -> None:
    async def other(working: asyncio.Task[Any]) -> None:
        world.environment = msgspec.structs.replace(world.environment, tasks=worker(world, provider, "other", "test"))
        with pytest.raises(ResourceBusy):
            await world.begin(Power.start, vm)
        await break_off(working)

    begun(world, provider, vm, other)
    assert provider.asked == []


@pytest.mark.parametrize("obeys", [False, True])
def test_a_cancelation_is_the_providers_to_obey(
    world: World, provider: Outside, vm: ids.VirtualMachineId, obeys: bool
) -> None:
    """A clone whose name and room are taken while it is made; what is done in spite of a cancelation is done."""
    free = free_bytes(world)
    before = set(world.inventory.all(VirtualMachine))

    async def whole() -> None:
        arrived, goes_on = asyncio.Event(), asyncio.Event()

        async def acting(work: Work) -> Facts:
            arrived.set()
            await goes_on.wait()
            if obeys:
                raise Canceled(message("test.canceled", "Canceled."))
            return NOTHING

        provider.acting = acting
        identity = await world.begin(VM.clone_task, VM.CloneSpec(source=vm, name="copy"))
        await arrived.wait()
        with pytest.raises(AlreadyExists):
            await world.begin(VM.clone, VM.CloneSpec(source=vm, name="copy"))
        intent = world.inventory.get(Intent, identity)
        assert intent is not None
        assert sum(intent.room.values()) > 0
        await world.environment.tasks.cancel(identity)
        goes_on.set()
        await world.environment.tasks.close()

    world.run(whole())
    ended = task(world)
    made = set(world.inventory.all(VirtualMachine)) - before
    assert not world.inventory.all(Intent)
    if obeys:
        assert ended.error is not None
        assert ended.error.error_type == "CANCELED"
        assert (made, free_bytes(world)) == (set(), free)
        provider.acting = does
        world.call(VM.clone, VM.CloneSpec(source=vm, name="copy"))
    else:
        assert (ended.status, {ended.result}) == (Status.SUCCEEDED, made)


def free_bytes(world: World) -> dict[str, int]:
    """What is free on each datastore."""
    return {id: free_space(world.inventory, store) for id, store in world.inventory.all(Datastore).items()}


def test_what_has_changed_meanwhile_stays(world: World, provider: Outside, vm: ids.VirtualMachineId) -> None:
    async def acting(work: Work) -> Facts:
        present = world.inventory.get(VirtualMachine, vm)
        assert present is not None
        await world.inventory.change(lambda edit: edit.put(msgspec.structs.replace(present, name="renamed")))
        return Facts(machine=msgspec.structs.replace(present, power_state=ON))

    provider.acting = acting
    start(world, vm)
    found = world.inventory.get(VirtualMachine, vm)
    assert found is not None
    assert (found.name, found.power_state) == ("renamed", ON)


def test_what_is_done_is_not_refused_any_more(world: World, provider: Outside, vm: ids.VirtualMachineId) -> None:
    """What forbids it came too late."""

    async def acting(work: Work) -> Facts:
        found = world.inventory.get(VirtualMachine, vm)
        assert found is not None
        host = world.inventory.all(Host)[found.host]
        lost = msgspec.structs.replace(host, connection_state=ApiHost.ConnectionState.DISCONNECTED)
        await world.inventory.change(lambda edit: edit.put(lost))
        return NOTHING

    provider.acting = acting
    start(world, vm)
    assert (task(world).status, state(world, vm)) == (Status.SUCCEEDED, ON)
    with pytest.raises(ServiceUnavailable, match="is disconnected"):
        world.call(Power.stop, vm)


def test_a_machine_stays_while_work_is_under_way(world: World, provider: Outside, vm: ids.VirtualMachineId) -> None:
    async def acting(work: Work) -> Facts:
        with pytest.raises(BrokenReference):
            await world.inventory.change(lambda edit: edit.delete(VirtualMachine, vm))
        return NOTHING

    provider.acting = acting
    start(world, vm)
    assert (task(world).status, state(world, vm)) == (Status.SUCCEEDED, ON)
    assert not world.inventory.all(Intent)


def test_the_name_of_a_host_that_is_added_is_taken(world: World, provider: Outside) -> None:
    folders = world.inventory.all(Folder).values()
    spec = ApiHost.CreateSpec(
        hostname="new.example.com",
        folder=ids.FolderId(next(each.id for each in folders if each.type is ApiFolder.Type.HOST)),
        user_name="root",
        password=Secret("secret"),
        thumbprint_verification=ApiHost.CreateSpec.ThumbprintVerification.NONE,
    )

    async def acting(work: Work) -> Facts:
        provider.acting = does
        with pytest.raises(AlreadyExists):
            await world.begin(ApiHost.create, spec)
        return NOTHING

    provider.acting = acting
    host = world.call(ApiHost.create, spec)
    found = world.inventory.get(Host, host)
    assert found is not None
    assert found.name == "new.example.com"
    assert found.hardware.cpu_cores > 0
