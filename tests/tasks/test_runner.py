"""The runner of tasks: what is recorded, asked again, failed and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import msgspec
import pytest

from resphere.contract.errors import (
    Canceled,
    InternalServerError,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    Unsupported,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.cis_task import Status
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tables import TABLES
from resphere.providers.base import Provider
from resphere.replica.edit import Edit
from resphere.replica.errors import BrokenReference
from resphere.replica.replica import Replica
from resphere.tasks.job import Done, TaskJob
from resphere.tasks.origin import Origin
from resphere.tasks.record import TASKS, Task
from resphere.tasks.runner import MOST_FINISHED, PRUNED_AT_ONCE, Tasks
from tests.inventory import samples
from tests.replica.worlds import put, run

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORIGIN = Origin("test.service", "act", "VirtualMachine.act", "user@vsphere.local")
VM = samples.virtual_machine("vm-1", "web", "group-v3")
Job = TaskJob[VirtualMachine]
PROVIDER = cast(Provider, None)
"""Nobody asks it of what was not decided."""


class Desk:
    """One worker's tasks, and those who are alive."""

    def __init__(self, replica: Replica, name: str, alive: set[str]) -> None:
        alive.add(name)
        self.replica = replica
        self.tasks = Tasks(replica, lambda: NOW, name, alive.__contains__, PROVIDER)

    async def task(self) -> Task:
        """The only task there is."""
        await self.replica.refresh()
        (task,) = self.replica.all(Task).values()
        return task

    async def do(
        self,
        action: Callable[[Job], Awaitable[None]],
        guard: Callable[[VirtualMachine], None] | None = None,
        cancelable: bool = False,
    ) -> None:
        """Run an action on the VM."""
        await self.tasks.run(ORIGIN, VM, action, guard or (lambda _: None), cancelable)


def at_work(test: Callable[..., Awaitable[None]], path: Path, workers: int = 1) -> None:
    """Run a test with so many workers, ``one`` and ``two``, on a store with one VM."""
    alive: set[str] = set()

    async def whole(*replicas: Replica) -> None:
        await replicas[0].change(put(*samples.skeleton(), VM))
        desks = [Desk(replica, name, alive) for replica, name in zip(replicas, ("one", "two"), strict=False)]
        for desk in desks:
            await desk.replica.refresh()
        await test(*desks, *([alive] if workers == 2 else []))
        for desk in desks:
            await desk.tasks.close()

    run(whole, path / "store.db", replicas=workers, tables=(*TABLES, TASKS))


def rename(edit: Edit, vm: VirtualMachine) -> None:
    """Some change."""
    edit.put(msgspec.structs.replace(vm, name="renamed"))


def decide(edit: Edit, vm: VirtualMachine) -> Done[None]:
    """The same, decided and over at once."""
    rename(edit, vm)
    return Done(None)


def refuse(_: VirtualMachine) -> None:
    raise NotAllowedInCurrentState(message("test.refused", "No."))


def test_what_takes_no_time_is_one_transaction(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        before = desk.replica.sequence

        async def action(job: Job) -> None:
            await job.spend(0.0)
            await job.complete(rename)

        await desk.do(action)
        assert desk.replica.sequence == before + 1
        task = await desk.task()
        assert (task.status, task.progress, task.owner, task.user) == (Status.SUCCEEDED, 100, "one", ORIGIN.user)
        assert (task.target_type, task.target, task.end_time) == ("VirtualMachine", "vm-1", NOW)
        assert desk.replica.get(VirtualMachine, "vm-1").name == "renamed"  # type: ignore[union-attr]

    at_work(test, tmp_path)


def test_a_refusal_at_once_leaves_no_task(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        with pytest.raises(NotAllowedInCurrentState):
            await desk.do(lambda job: job.complete(rename), refuse)
        assert desk.replica.count(Task) == 0

    at_work(test, tmp_path)


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_guard_is_asked_again_in_the_end(tmp_path: Path, exclusive: bool) -> None:
    async def test(desk: Desk) -> None:
        answers = iter([lambda _: None, refuse])

        async def action(job: Job) -> None:
            await job.begin()
            await job.complete(rename)

        with pytest.raises(NotAllowedInCurrentState):
            await desk.tasks.run(ORIGIN, VM, action, lambda vm: next(answers)(vm), exclusive=exclusive)
        task = await desk.task()
        assert task.status is Status.FAILED
        assert task.error
        assert task.error.error_type == "NOT_ALLOWED_IN_CURRENT_STATE"
        assert desk.replica.get(VirtualMachine, "vm-1") == VM

    at_work(test, tmp_path)


def test_the_guard_is_asked_before_it_is_said_what_would_be_done(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        answers = iter([lambda _: None, refuse])

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            raise AssertionError("it is refused before")

        with pytest.raises(NotAllowedInCurrentState):
            await desk.do(lambda job: job.consider(plan), lambda vm: next(answers)(vm))
        assert desk.replica.count(Task) == 0

    at_work(test, tmp_path)


def test_what_was_deleted_meanwhile_is_not_found(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        async def action(job: Job) -> None:
            await job.begin()
            await desk.replica.change(lambda edit: edit.delete(VirtualMachine, "vm-1"))
            await job.complete(rename)

        with pytest.raises(NotFound):
            await desk.do(action)
        assert (await desk.task()).status is Status.FAILED
        assert desk.replica.get(VirtualMachine, "vm-1") is None

    at_work(test, tmp_path)


def test_what_breaks_a_reference_is_told_as_it_is(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        def plan(edit: Edit, vm: VirtualMachine) -> None:
            edit.put(msgspec.structs.replace(vm, host=ids.HostSystemId("host-404")))

        with pytest.raises(BrokenReference, match="host-404"):
            await desk.do(lambda job: job.complete(plan))
        assert desk.replica.get(VirtualMachine, "vm-1") == VM

    at_work(test, tmp_path)


def test_an_unforeseen_error_fails_the_task_and_says_nothing(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        async def action(job: Job) -> None:
            await job.begin()
            raise RuntimeError("secret detail")

        with pytest.raises(RuntimeError):
            await desk.do(action)
        error = (await desk.task()).error
        assert error
        assert [each.id for each in error.messages] == ["resphere.task.failed"]
        assert "secret" not in repr(error)

    at_work(test, tmp_path)


def test_progress_is_shown_to_others(tmp_path: Path) -> None:
    async def test(one: Desk, two: Desk, alive: set[str]) -> None:
        async def action(job: Job) -> None:
            await job.progress(40)
            assert ((await two.task()).status, (await two.task()).progress) == (Status.RUNNING, 40)
            await job.complete(rename)

        await one.do(action)
        assert (await two.task()).progress == 100

    at_work(test, tmp_path, workers=2)


@pytest.mark.parametrize("forgotten", [False, True])
def test_who_was_taken_for_dead_tells_no_progress(tmp_path: Path, forgotten: bool) -> None:
    async def test(one: Desk, two: Desk, alive: set[str]) -> None:
        async def action(job: Job) -> None:
            await job.progress(40)
            alive.discard("one")
            await two.replica.refresh()
            assert await two.tasks.take_over_orphans() == 1
            if forgotten:
                await two.replica.change(lambda edit: edit.delete(Task, job.id))
            await job.progress(60)
            await job.complete(rename)

        with pytest.raises(InternalServerError) as failure:
            await one.do(action)
        assert failure.value.messages[0].id == "resphere.task.interrupted"
        await two.replica.refresh()
        left = [(task.status, task.progress) for task in two.replica.all(Task).values()]
        assert left == ([] if forgotten else [(Status.FAILED, 40)])
        assert two.replica.get(VirtualMachine, VM.id) == VM

    at_work(test, tmp_path, workers=2)


def test_another_worker_cancels(tmp_path: Path) -> None:
    async def test(one: Desk, two: Desk, alive: set[str]) -> None:
        begun = asyncio.Event()

        async def action(job: Job) -> None:
            await job.begin()
            begun.set()
            await job.spend(600)
            raise AssertionError("canceled work does not go on")

        doing = asyncio.create_task(one.do(action, cancelable=True))
        await begun.wait()
        await two.tasks.cancel((await two.task()).id)
        with pytest.raises(Canceled):
            await doing
        task = await two.task()
        assert (task.status, task.cancel_requested) == (Status.FAILED, True)
        with pytest.raises(NotAllowedInCurrentState, match="already finished"):
            await two.tasks.cancel(task.id)
        with pytest.raises(NotFound):
            await two.tasks.cancel("task-404")

    at_work(test, tmp_path, workers=2)


def test_only_the_tasks_of_the_dead_are_abandoned(tmp_path: Path) -> None:
    async def test(one: Desk, two: Desk, alive: set[str]) -> None:
        begun = asyncio.Event()

        async def action(job: Job) -> None:
            await job.begin()
            begun.set()
            await asyncio.Event().wait()

        doing = asyncio.create_task(one.do(action))
        await begun.wait()
        await two.replica.refresh()
        assert await two.tasks.take_over_orphans() == 0
        assert (await two.task()).status is Status.RUNNING
        alive.discard("one")
        assert await two.tasks.take_over_orphans() == 1
        assert await two.tasks.take_over_orphans() == 0
        task = await two.task()
        assert task.status is Status.FAILED
        assert task.error
        assert task.error.messages[0].id == "resphere.task.interrupted"
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)

    at_work(test, tmp_path, workers=2)


def test_what_cannot_be_canceled_goes_on(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        async def action(job: Job) -> None:
            await job.begin()
            with pytest.raises(NotAllowedInCurrentState, match="cannot be canceled"):
                await desk.tasks.cancel(job.id)
            assert not job.is_canceled()
            await job.complete(rename)

        await desk.do(action)
        task = await desk.task()
        assert (task.status, task.cancel_requested) == (Status.SUCCEEDED, False)

    at_work(test, tmp_path)


@pytest.mark.parametrize(
    "work",
    [lambda job: job.complete(rename), lambda job: job.decide(decide)],
    ids=["completed", "decided"],
)
def test_the_oldest_finished_tasks_are_forgotten(tmp_path: Path, work: Callable[[Job], Awaitable[None]]) -> None:
    def old(number: int, status: Status) -> Task:
        moment = NOW - timedelta(days=30)
        return Task(
            id=f"task-{number}",
            service="s",
            operation="o",
            description="d",
            owner="one",
            status=status,
            queued_time=moment,
            start_time=moment,
        )

    async def test(desk: Desk) -> None:
        count = MOST_FINISHED + PRUNED_AT_ONCE
        await desk.replica.change(put(*(old(number, Status.SUCCEEDED) for number in range(count - 1))))
        await desk.replica.change(put(old(count, Status.RUNNING)))
        await desk.replica.pass_over(desk.replica.all(Task))
        await desk.do(work)
        assert len(desk.replica.all(Task)) == count + 1
        gone = asyncio.Event()
        desk.replica.subscribe(Task, lambda _, task: gone.set() if task is None else None)
        await desk.do(work)
        await asyncio.wait_for(gone.wait(), 30)
        left = desk.replica.all(Task)
        assert len(left) == count + 2 - PRUNED_AT_ONCE
        assert "task-0" not in left
        assert f"task-{PRUNED_AT_ONCE - 1}" not in left
        assert f"task-{PRUNED_AT_ONCE}" in left
        assert f"task-{count}" in left

    at_work(test, tmp_path)


async def ended(desk: Desk, task_id: str) -> Task:
    """A task once it is over."""
    over = asyncio.Event()

    def hear(_: Task | None, task: Task | None) -> None:
        if task is not None and task.id == task_id and task.is_finished:
            over.set()

    end = desk.replica.subscribe(Task, hear)
    found = desk.replica.get(Task, task_id)
    if found is None or not found.is_finished:
        await asyncio.wait_for(over.wait(), 30)
    end()
    task = desk.replica.get(Task, task_id)
    assert task is not None
    return task


def test_what_is_launched_goes_on_and_reports(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        go = asyncio.Event()

        async def action(job: Job) -> str:
            await job.begin()
            await go.wait()

            def plan(edit: Edit, vm: VirtualMachine) -> str:
                rename(edit, vm)
                return "vm-2"

            return await job.complete(plan)

        identity = await desk.tasks.launch(ORIGIN, VM, action, cancelable=True)
        assert ((await desk.task()).id, (await desk.task()).status, (await desk.task()).cancelable) == (
            identity,
            Status.RUNNING,
            True,
        )
        go.set()
        task = await ended(desk, identity)
        assert (task.status, task.result) == (Status.SUCCEEDED, "vm-2")

    at_work(test, tmp_path)


def test_what_fails_after_its_launch_fails_in_the_task(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        with pytest.raises(NotAllowedInCurrentState):
            await desk.tasks.launch(ORIGIN, VM, lambda job: job.complete(rename), refuse)
        assert desk.replica.count(Task) == 0
        answers = iter([lambda _: None, refuse])
        identity = await desk.tasks.launch(ORIGIN, VM, lambda job: job.complete(rename), lambda vm: next(answers)(vm))
        task = await ended(desk, identity)
        assert task.status is Status.FAILED
        assert task.error
        assert task.error.error_type == "NOT_ALLOWED_IN_CURRENT_STATE"

    at_work(test, tmp_path)


def test_one_work_at_a_time_across_workers(tmp_path: Path) -> None:
    async def test(one: Desk, two: Desk, alive: set[str]) -> None:
        go = asyncio.Event()

        async def action(job: Job) -> None:
            await job.begin()
            await go.wait()
            await job.complete(rename)

        identity = await one.tasks.launch(ORIGIN, VM, action)
        for busy in (action, lambda job: job.complete(rename), lambda job: job.consider(rename)):
            with pytest.raises(ResourceBusy, match=identity):
                await two.do(busy)
            with pytest.raises(ResourceBusy, match=identity):
                await two.tasks.launch(ORIGIN, VM, busy)
        # What only reads the VM is in nobody's way.
        await two.tasks.run(ORIGIN, VM, lambda job: job.consider(lambda edit, vm: None), exclusive=False)
        await two.tasks.run(ORIGIN, VM, lambda job: job.complete(lambda edit, vm: None), exclusive=False)
        go.set()
        assert (await ended(one, identity)).status is Status.SUCCEEDED
        await two.do(lambda job: job.complete(rename))

    at_work(test, tmp_path, workers=2)


def test_the_dead_are_in_nobody_s_way_and_come_too_late(tmp_path: Path) -> None:
    async def test(one: Desk, two: Desk, alive: set[str]) -> None:
        go = asyncio.Event()

        async def action(job: Job) -> None:
            await job.begin()
            await go.wait()
            await job.complete(lambda edit, vm: edit.put(msgspec.structs.replace(vm, annotation="late")))

        identity = await one.tasks.launch(ORIGIN, VM, action)
        alive.discard("one")
        await two.do(lambda job: job.complete(rename))
        task = two.replica.get(Task, identity)
        assert task
        assert task.error
        assert task.error.messages[0].id == "resphere.task.interrupted"
        go.set()
        await one.tasks.close()
        await one.replica.refresh()
        vm = one.replica.get(VirtualMachine, VM.id)
        assert vm
        assert (vm.name, vm.annotation) == ("renamed", VM.annotation)

    at_work(test, tmp_path, workers=2)


def test_a_stop_fails_what_it_does_not_wait_for(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        async def action(job: Job) -> None:
            await job.spend(600)

        identity = await desk.tasks.launch(ORIGIN, VM, action)
        await desk.tasks.close(patience_seconds=0)
        task = await desk.task()
        assert (task.id, task.status) == (identity, Status.FAILED)
        assert task.error
        assert task.error.messages[0].id == "resphere.task.stopped"

    at_work(test, tmp_path)


def test_a_stop_waits_for_nobody_who_looks_for_cancelations(tmp_path: Path) -> None:
    """Such as for a call that does the work itself, and is given up with its connection."""

    async def test(desk: Desk) -> None:
        desk.tasks.watch("task-1", asyncio.Event())
        await asyncio.wait_for(desk.tasks.close(), 60)

    at_work(test, tmp_path)


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        async def action(job: Job) -> None:
            raise Unsupported(message("test.unsupported", "This provider cannot."))

        with pytest.raises(Unsupported):
            await desk.do(action)
        assert desk.replica.count(Task) == 0

    at_work(test, tmp_path)
