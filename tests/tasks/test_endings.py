"""How work ends: what is told of it, to whom, and that nothing of it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import InternalServerError, ResourceBusy, Unsupported
from resphere.contract.generated.cis_task import Status
from resphere.store.base import Conflict, StoreError, Transaction
from resphere.tasks.outcomes import failed, interrupted
from resphere.tasks.record import TASKS, Task
from tests.replica.worlds import Scripted
from tests.tasks.test_runner import NOW, ORIGIN, VM, Desk, Job, at_work, ended, rename

RUNNING = Task(
    id="task-1",
    service="s",
    operation="o",
    description="d",
    target_type="VirtualMachine",
    target="vm-1",
    exclusive=True,
    owner="one",
    status=Status.RUNNING,
    queued_time=NOW,
    start_time=NOW,
)


async def all_over() -> None:
    """Nothing goes on any more beside the caller."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    _, pending = await asyncio.wait(others, timeout=30) if others else (None, set())
    assert not pending


async def take_time(job: Job) -> None:
    """Work that is recorded first."""
    await job.begin()
    await job.complete(rename)


@pytest.mark.parametrize("launched", [False, True])
def test_nothing_goes_on_once_work_is_over(tmp_path: Path, launched: bool) -> None:
    async def test(desk: Desk) -> None:
        if launched:
            task = await ended(desk, await desk.tasks.launch(ORIGIN, VM, take_time))
        else:
            await desk.do(take_time)
            task = await desk.task()
        await all_over()
        assert not desk.tasks.is_worked_on(task)

    at_work(test, tmp_path)


def test_nothing_goes_on_once_a_launch_is_refused(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        go = asyncio.Event()

        async def wait(job: Job) -> None:
            await job.begin()
            await go.wait()
            await job.complete(rename)

        identity = await desk.tasks.launch(ORIGIN, VM, wait)
        with pytest.raises(ResourceBusy) as refusal:
            await desk.tasks.launch(ORIGIN, VM, take_time)
        assert "vm-1" in str(refusal.value)
        assert identity in str(refusal.value)
        go.set()
        assert (await ended(desk, identity)).status is Status.SUCCEEDED
        await all_over()

    at_work(test, tmp_path)


def test_work_that_nobody_waits_for_any_more_is_stopped(tmp_path: Path) -> None:
    """Who breaks it off is not told that it was done."""

    async def test(desk: Desk) -> None:
        begun = asyncio.Event()

        async def action(job: Job) -> None:
            await job.begin()
            begun.set()
            await asyncio.Event().wait()

        doing = asyncio.create_task(desk.do(action))
        await begun.wait()
        doing.cancel()
        await asyncio.wait((doing,))
        assert doing.cancelled()
        await all_over()
        task = await desk.task()
        assert task.error is not None
        assert (task.status, task.error.messages[0].id) == (Status.FAILED, "resphere.task.stopped")

    at_work(test, tmp_path)


def test_nothing_goes_on_after_the_end_of_all(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test(desk: Desk) -> None:
        identity = await desk.tasks.launch(ORIGIN, VM, lambda job: job.spend(600))
        await desk.tasks.close(patience_seconds=0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert (await desk.task()).id == identity

    at_work(test, tmp_path)
    assert not caplog.records


def test_what_ends_well_is_not_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test(desk: Desk) -> None:
        task = await ended(desk, await desk.tasks.launch(ORIGIN, VM, take_time))
        assert task.status is Status.SUCCEEDED
        await all_over()

    at_work(test, tmp_path)
    assert not caplog.records


def test_what_is_refused_without_a_word_fails_in_the_task(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        async def action(job: Job) -> None:
            raise Unsupported

        task = await ended(desk, await desk.tasks.launch(ORIGIN, VM, action))
        assert task.error is not None
        assert (task.status, task.error.error_type, task.error.messages) == (Status.FAILED, "UNSUPPORTED", ())

    at_work(test, tmp_path)


def test_a_launch_that_cannot_be_recorded_fails_and_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(_: Transaction) -> None:
        raise StoreError("the disk is full")

    async def test(desk: Desk) -> None:
        desk.replica._store = Scripted(desk.replica._store, full)
        with pytest.raises(InternalServerError) as refusal:
            await desk.tasks.launch(ORIGIN, VM, take_time)
        assert "disk" not in str(refusal.value)
        await all_over()

    at_work(test, tmp_path)
    assert "the work of test.service.act failed" in caplog.text
    assert "the end of a task could not be recorded" in caplog.text


@pytest.mark.parametrize("action", [take_time, lambda job: job.complete(rename)], ids=["begun", "at once"])
def test_what_others_overtake_all_the_time_has_failed(tmp_path: Path, action: Callable[[Job], Awaitable[None]]) -> None:
    async def faster(transaction: Transaction) -> None:
        if any(write.kind == VM.kind for write in transaction.writes):
            raise Conflict("revision", "virtual_machine/vm-1")

    async def test(desk: Desk) -> None:
        desk.replica._store = Scripted(desk.replica._store, faster)
        task = await ended(desk, await desk.tasks.launch(ORIGIN, VM, action))
        assert task.error is not None
        assert (task.status, task.error.messages[0].id) == (Status.FAILED, "resphere.concurrent_change")

    at_work(test, tmp_path)


def test_a_task_that_has_failed_keeps_the_time_of_its_start() -> None:
    later = NOW + timedelta(seconds=5)
    begun = failed(RUNNING, interrupted(), later)
    assert (begun.start_time, begun.end_time) == (NOW, later)
    waiting = failed(msgspec.structs.replace(RUNNING, start_time=None), interrupted(), later)
    assert (waiting.start_time, waiting.end_time) == (later, later)


@pytest.mark.parametrize(
    ("task", "busy"),
    [
        (RUNNING, ("vm-1",)),
        (msgspec.structs.replace(RUNNING, exclusive=False), ()),
        (msgspec.structs.replace(RUNNING, target=None), ()),
        (failed(RUNNING, interrupted(), NOW), ()),
        (msgspec.structs.replace(RUNNING, status=Status.SUCCEEDED), ()),
    ],
)
def test_what_keeps_its_target_busy(task: Task, busy: tuple[str, ...]) -> None:
    assert TASKS.indexes["busy"](task) == busy
    finished = task.status is not Status.RUNNING
    assert TASKS.indexes["owner"](task) == (() if finished else ("one",))
    assert TASKS.indexes["finished"](task) == (("yes",) if finished else ("no",))


def test_an_orphan_is_ended_once(tmp_path: Path) -> None:
    async def test(one: Desk, two: Desk, alive: set[str]) -> None:
        async def action(job: Job) -> None:
            await job.begin()
            await asyncio.Event().wait()

        identity = await one.tasks.launch(ORIGIN, VM, action)
        await two.replica.refresh()
        alive.discard("one")
        assert sorted(await asyncio.gather(*(two.tasks.take_over_orphans() for _ in range(3)))) == [0, 0, 1]
        task = two.replica.get(Task, identity)
        assert task is not None
        assert task.status is Status.FAILED
        await one.tasks.close(patience_seconds=0)

    at_work(test, tmp_path, workers=2)
