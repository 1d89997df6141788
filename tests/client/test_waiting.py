"""Tasks that are waited for: without asking again and again, of resphere and of a vCenter."""

from __future__ import annotations

from typing import Any

import pytest

from resphere.client import NotFinished
from resphere.client.options import Identity, Options
from resphere.client.steps import Response
from resphere.contract import errors as e
from resphere.contract.generated import cis_task
from tests.client.stepping import Stepper, header, reply

PLAIN = Options(timeout_seconds=30)
TEXT = {"id": "x", "default_message": "Clone", "args": []}


def task(status: str, completed: int = 0, **fields: Any) -> dict[str, Any]:
    """A task as vCenter tells it."""
    return {
        "description": TEXT,
        "service": "com.vmware.vcenter.VM",
        "operation": "clone$task",
        "status": status,
        "cancelable": False,
        "start_time": "2026-01-01T00:00:00.000Z",
        "progress": {"total": 100, "completed": completed, "message": TEXT},
        **fields,
    }


RUNNING, SUCCEEDED = task("RUNNING", 40), task("SUCCEEDED", 100, result="vm-7")


def of_vcenter(told: dict[str, Any]) -> Response:
    return reply(200, told)


def of_resphere(told: dict[str, Any]) -> Response:
    return reply(200, told, preference_applied="wait=20")


def stepper(*answers: Response) -> Stepper:
    return Stepper(*answers, identity=Identity(session_id="s"))


def test_resphere_waits_itself() -> None:
    steps = stepper(of_resphere(RUNNING), of_resphere(SUCCEEDED))
    info = steps.run(steps.calls.wait("task-1", None, None, PLAIN))
    assert (info.status, info.result) == (cis_task.Status.SUCCEEDED, "vm-7")
    assert steps.pauses == []
    assert {header(each, "Prefer") for each in steps.requests} == {"wait=20"}
    assert {each.seconds for each in steps.requests} == {50.0}


def test_a_vcenter_is_asked_less_and_less_often() -> None:
    steps = stepper(*[of_vcenter(RUNNING)] * 12, of_vcenter(SUCCEEDED))
    steps.run(steps.calls.wait("task-1", None, None, PLAIN))
    assert steps.pauses[:3] == [0.25, 0.375, 0.5625]
    assert steps.pauses[-1] == 5.0


def test_progress_is_told_also_at_the_end() -> None:
    steps = stepper(of_resphere(RUNNING), of_resphere(SUCCEEDED))
    seen: list[int] = []

    def progress(info: cis_task.Info) -> None:
        assert info.progress is not None
        seen.append(info.progress.completed)

    steps.run(steps.calls.wait("task-1", progress, None, PLAIN))
    assert seen == [40, 100]
    assert header(steps.requests[0], "Prefer") == "wait=1"


def test_a_task_that_fails_raises_its_error() -> None:
    error = {"error_type": "ALREADY_EXISTS", "messages": [{**TEXT, "default_message": "There is one."}]}
    steps = stepper(of_vcenter(task("FAILED", error=error)))
    with pytest.raises(e.AlreadyExists, match="There is one"):
        steps.run(steps.calls.wait("task-1", None, None, PLAIN))


def test_a_task_that_fails_without_an_error_says_what_it_was() -> None:
    steps = stepper(of_vcenter(task("FAILED")))
    with pytest.raises(e.VapiError, match="Clone"):
        steps.run(steps.calls.wait("task-1", None, None, PLAIN))


def test_no_longer_than_one_wants() -> None:
    steps = stepper(*[of_vcenter(RUNNING)] * 5)
    with pytest.raises(NotFinished, match="task-1 is RUNNING after 1 s"):
        steps.run(steps.calls.wait("task-1", None, 1, PLAIN))
    assert steps.seconds == 1.0
    assert header(steps.requests[0], "Prefer") == "wait=1"
    assert header(steps.requests[-1], "Prefer") is None


def test_no_such_task() -> None:
    steps = stepper(reply(404, {"error_type": "NOT_FOUND", "messages": []}))
    with pytest.raises(e.NotFound):
        steps.run(steps.calls.wait("task-1", None, None, PLAIN))
