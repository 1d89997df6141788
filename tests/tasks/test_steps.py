"""Changes by a provider that answers at once: in no time, in steps, and where it has to be asked again."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import ServiceUnavailable, VapiError
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.generated import ids
from resphere.contract.generated.cis_task import Status
from resphere.contract.generated.vcenter import VM
from resphere.contract.generated.vcenter import Host as ApiHost
from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.effects import AnyEffect, Intent
from resphere.inventory.facts import NOTHING, Facts
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.base import Missing, NotReady, Outdated, Step
from resphere.providers.simulator.durations import MOST_SECONDS
from resphere.providers.simulator.provider import Simulator
from resphere.store.base import Transaction
from resphere.tasks.change import at_once, when_ready
from resphere.tasks.record import Task
from tests.replica.worlds import Scripted
from tests.support.pacing import under_way, use
from tests.support.racing import two_worlds
from tests.support.world import World

SHORT = 0.001
ON, OFF = Power.State.POWERED_ON, Power.State.POWERED_OFF


class Stepwise(Simulator):
    """A simulator whose work has these steps."""

    def __init__(self, world: World, *given: Step) -> None:
        super().__init__(world.inventory, world.contents, world.environment.now)
        self._given = given

    def steps(self, effect: AnyEffect) -> Sequence[Step]:
        return self._given


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A vCenter."""
    with World(tmp_path) as made:
        yield made


def copy_of(world: World) -> VM.CloneSpec:
    """A new machine like another."""
    return VM.CloneSpec(source=ids.VirtualMachineId(next(iter(world.inventory.all(VirtualMachine)))), name="copy")


def shown(world: World) -> list[Task]:
    """The only task as anybody can see it, from now on."""
    states: list[Task] = []
    world.inventory.subscribe(Task, lambda _, new: states.append(new) if new is not None else None)
    return states


@pytest.mark.parametrize("steps", [(), (Step(0.0, 40), Step(0.0))])
def test_what_takes_no_time_is_nowhere_under_way(world: World, steps: tuple[Step, ...]) -> None:
    use(world, Stepwise(world, *steps))
    states = shown(world)
    made = world.call(VM.clone, copy_of(world))
    assert made in world.inventory.all(VirtualMachine)
    assert [(task.status, task.result) for task in states] == [(Status.SUCCEEDED, made)]


def test_each_step_takes_its_time_and_may_tell_how_far_the_work_is(world: World) -> None:
    use(world, Stepwise(world, Step(SHORT, 30), Step(SHORT), Step(0.0, 60), Step(SHORT, 60)))
    states = shown(world)
    made = world.call(VM.clone, copy_of(world))
    assert made in world.inventory.all(VirtualMachine)
    assert [task.progress for task in states] == [0, 30, 60, 100]
    assert {task.status for task in states[:-1]} == {Status.RUNNING}
    assert (states[-1].status, states[-1].result) == (Status.SUCCEEDED, made)
    assert not world.inventory.all(Intent)


def test_a_step_that_is_broken_off_has_made_nothing(world: World) -> None:
    use(world, Stepwise(world, Step(float(MOST_SECONDS))))
    before = set(world.inventory.all(VirtualMachine))

    async def whole() -> None:
        async with under_way(world, world.begin(VM.clone, copy_of(world))):
            (task,) = world.inventory.all(Task).values()
            assert task.status is Status.RUNNING

    world.run(whole())
    (task,) = world.inventory.all(Task).values()
    assert task.status is Status.FAILED
    assert set(world.inventory.all(VirtualMachine)) == before
    assert not world.inventory.all(Intent)


@pytest.mark.parametrize("steps", [(), (Step(SHORT),)], ids=["at once", "in steps"])
def test_what_the_provider_lacks_is_refused_and_leaves_nothing(world: World, steps: tuple[Step, ...]) -> None:
    provider = Stepwise(world, *steps)
    provider.capabilities = msgspec.structs.replace(provider.capabilities, copies=Missing("It copies nothing."))
    use(world, provider)
    with pytest.raises(VapiError, match="It copies nothing") as refusal:
        world.call(VM.clone, copy_of(world))
    assert refusal.value.messages[0].id == "resphere.provider.lacking"
    assert not world.inventory.all(Task)
    assert not world.inventory.all(Intent)


def test_what_has_come_meanwhile_is_worked_on_too(tmp_path: Path) -> None:
    """A machine that comes to a host on its way to maintenance goes to another like the others."""
    with two_worlds(tmp_path) as (one, other):
        use(one, Stepwise(one, Step(SHORT, 50)))
        vm = next(iter(one.inventory.all(VirtualMachine).values()))
        beside = one.inventory.all(Host)[vm.host or ""].parent
        host = next(id for id in one.inventory.by(Host, "parent", beside or "") if id != vm.host)
        commits: list[Transaction] = []

        async def meanwhile(transaction: Transaction) -> None:
            commits.append(transaction)
            if len(commits) == 2:  # it says how far the work is
                await other.inventory.refresh()
                comes = msgspec.structs.replace(vm, host=ids.HostSystemId(host))
                await other.inventory.change(lambda edit: edit.put(comes))

        one.inventory._store = Scripted(one.inventory._store, meanwhile)
        spec = HostMaintenance.Spec(action=HostMaintenance.Action.ENTER, evacuate_powered_off_vms=True)
        one.call(HostMaintenance.set, ids.HostSystemId(host), spec)
        assert [write.kind for write in commits[1].writes] == ["task"]
        assert not one.inventory.by(VirtualMachine, "host", host)


def test_what_has_become_forbidden_meanwhile_is_refused_in_the_end(tmp_path: Path) -> None:
    with two_worlds(tmp_path) as (one, other):
        use(one, Stepwise(one, Step(SHORT, 50)))
        vm = next(vm for vm in one.inventory.all(VirtualMachine).values() if vm.power_state is OFF)
        host = one.inventory.all(Host)[vm.host]

        async def meanwhile(transaction: Transaction) -> None:
            if any(write.kind == Intent.kind for write in transaction.writes):
                return  # it is decided
            await other.inventory.refresh()
            lost = msgspec.structs.replace(host, connection_state=ApiHost.ConnectionState.DISCONNECTED)
            await other.inventory.change(lambda edit: edit.put(lost))

        one.inventory._store = Scripted(one.inventory._store, meanwhile)
        with pytest.raises(ServiceUnavailable):
            one.call(Power.start, ids.VirtualMachineId(vm.id))
        (task,) = one.inventory.all(Task).values()
        assert (task.status, task.progress) == (Status.FAILED, 50)
        assert one.inventory.get(VirtualMachine, vm.id) == vm
        assert not one.inventory.all(Intent)


def test_what_is_claimed_for_itself_does_not_hinder_it(world: World) -> None:
    """An instant clone asks whether its name is free before it begins; then it has the name itself."""
    use(world, Stepwise(world, Step(SHORT)))
    source = next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.power_state is ON)
    made = world.call(VM.instant_clone, VM.InstantCloneSpec(source=ids.VirtualMachineId(source.id), name="copy"))
    assert world.inventory.all(VirtualMachine)[made].name == "copy"
    assert not world.inventory.all(Intent)


def test_who_answers_at_once_does_not_wait() -> None:
    async def acting() -> Facts:
        await asyncio.sleep(0)
        return NOTHING

    act_now = acting()
    with pytest.raises(RuntimeError, match="has waited"):
        at_once(act_now)
    assert inspect.getcoroutinestate(act_now) == inspect.CORO_CLOSED


class Attempts:
    """What is hindered by these, one at a time, and then succeeds; it notes what is at hand at each attempt."""

    def __init__(self, *hindrances: Exception | str) -> None:
        self._left = list(hindrances)
        self.at_hand: set[str] = set()
        self.seen: list[set[str]] = []

    async def __call__(self) -> str:
        self.seen.append(set(self.at_hand))
        if not self._left:
            return "done"
        hindrance = self._left.pop(0)
        raise hindrance if isinstance(hindrance, Exception) else NotReady(self._having(hindrance))

    @asynccontextmanager
    async def _having(self, name: str) -> AsyncIterator[None]:
        self.at_hand.add(name)
        yield
        self.at_hand.remove(name)


def tried(attempts: Callable[[], Awaitable[str]]) -> str:
    """What becomes of it."""

    async def whole() -> str:
        return await when_ready(attempts)

    return asyncio.run(whole())


@pytest.mark.parametrize(
    ("hindrances", "seen"),
    [
        ((), [set()]),
        (("a",), [set(), {"a"}]),
        (("a", "b"), [set(), {"a"}, {"a", "b"}]),
        ((Outdated(),), [set(), set()]),
        (("a", Outdated(), "b"), [set(), {"a"}, {"a"}, {"a", "b"}]),
    ],
)
def test_it_is_asked_again_once_all_is_at_hand(hindrances: tuple[Exception | str, ...], seen: list[set[str]]) -> None:
    attempts = Attempts(*hindrances)
    assert tried(attempts) == "done"
    assert attempts.seen == seen
    assert attempts.at_hand == set()


@pytest.mark.parametrize(
    ("hindrances", "count"),
    [
        ((Outdated(), Outdated()), 2),
        ((Outdated(), "a", Outdated()), 3),
        (("a", LookupError()), 2),
        ((LookupError(),), 1),
    ],
)
def test_what_is_outdated_again_or_fails_is_not_asked_for_ever(
    hindrances: tuple[Exception | str, ...], count: int
) -> None:
    attempts = Attempts(*hindrances)
    with pytest.raises((Outdated, LookupError)) as failure:
        tried(attempts)
    assert failure.value is hindrances[-1]
    assert len(attempts.seen) == count
