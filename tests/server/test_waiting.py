"""``Prefer: wait``: an answer as soon as there is something new, and ``respond-async``: work in the background."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime

import msgspec
import pytest

from resphere.contract.generated.cis_task import Status
from resphere.dialects.base import Reply
from resphere.inventory.model import VirtualMachine
from resphere.server.preferences import Preferences, preferences_in
from resphere.server.waiting import MOST_OF_USER, Waiting
from resphere.tasks.record import Task
from tests.server.test_preconditions import Asking, etag
from tests.support.jsonrpc import invocation, session_context
from tests.support.served import Served

LONG = "wait=60"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def ask(served: Served) -> Iterator[Asking]:
    asking = Asking(served)
    yield asking
    asking.world.run(served.pipeline.waiting.close())
    served.pipeline = msgspec.structs.replace(served.pipeline, waiting=Waiting(served.world.inventory, 60))


def running(ask: Asking, now: datetime, id: str) -> Task:
    vm = ask.vm()
    return Task(
        id=id,
        service="com.vmware.vcenter.VM",
        operation="clone$task",
        description="x",
        target_type="VirtualMachine",
        target=vm.id,
        owner="test",
        status=Status.RUNNING,
        queued_time=now,
    )


def meanwhile(ask: Asking, target: str, change: Task | VirtualMachine, **headers: str) -> Reply:
    """The reply to a call that waits, where that change is made once it does."""
    inventory, waiting = ask.world.inventory, ask.served.pipeline.waiting

    async def both() -> Reply:
        exchange = ask.exchange("GET", target, None, None, prefer=LONG, **headers)
        call = asyncio.ensure_future(ask.served.pipeline.handle(exchange))
        for _ in range(1000):
            await asyncio.sleep(0)
            if waiting.count:
                break
        assert not call.done()
        await inventory.change(lambda edit: edit.put(change))
        return await call

    return ask.world.run(both())


def put(ask: Asking, task: Task) -> None:
    async def change() -> None:
        await ask.world.inventory.change(lambda edit: edit.put(task))

    ask.world.run(change())


def applied(reply: Reply) -> str | None:
    return dict(reply.headers).get("Preference-Applied")


def test_a_task_is_waited_for_to_its_end(ask: Asking) -> None:
    task = running(ask, ask.served.now, "task-900")
    put(ask, task)
    over = msgspec.structs.replace(task, status=Status.SUCCEEDED, end_time=ask.served.now)
    reply = meanwhile(ask, "/api/cis/tasks/task-900", over)
    assert (json.loads(reply.body)["status"], applied(reply)) == ("SUCCEEDED", LONG)
    again = ask("GET", "/api/cis/tasks/task-900", prefer=LONG)
    assert (json.loads(again.body)["status"], applied(again)) == ("SUCCEEDED", LONG)


def test_an_object_is_waited_for_until_it_is_changed(ask: Asking) -> None:
    known = ask.tag(ask.path())
    reply = meanwhile(ask, ask.path(), msgspec.structs.replace(ask.vm(), name="changed"), if_none_match=known)
    assert (reply.status, json.loads(reply.body)["name"], applied(reply)) == (200, "changed", LONG)
    assert etag(reply) != known


def test_a_list_is_waited_for_until_anything_is_changed(ask: Asking) -> None:
    known = ask.tag("/api/vcenter/vm")
    reply = meanwhile(ask, "/api/vcenter/vm", msgspec.structs.replace(ask.vm(), name="other"), if_none_match=known)
    assert (reply.status, applied(reply)) == (200, LONG)


@pytest.mark.parametrize(("operation", "tagged"), [("get", "object"), ("list", "list")])
def test_by_jsonrpc_too(ask: Asking, operation: str, tagged: str) -> None:
    inventory, waiting = ask.world.inventory, ask.served.pipeline.waiting
    input = {"vm": ask.vm().id} if tagged == "object" else {}
    known = etag(ask.jsonrpc("com.vmware.vcenter.VM", operation, input))
    told = ask.jsonrpc("com.vmware.vcenter.VM", operation, input, if_none_match=known)
    assert (told.status, etag(told)) == (200, known), "it is told whole: by POST there is no 304"

    async def both() -> Reply:
        body = invocation("com.vmware.vcenter.VM", operation, input, session_context(ask.served.token))
        exchange = ask.exchange("POST", "/api", body, ask.served.jsonrpc, prefer=LONG, if_none_match=known)
        call = asyncio.ensure_future(ask.served.pipeline.handle(exchange))
        for _ in range(1000):
            await asyncio.sleep(0)
            if waiting.count:
                break
        assert not call.done()
        await inventory.change(lambda edit: edit.put(msgspec.structs.replace(ask.vm(), name=f"by {operation}")))
        return await call

    reply = ask.world.run(both())
    assert (reply.status, applied(reply)) == (200, LONG)
    assert f"by {operation}".encode() in reply.body
    assert etag(reply) != known


def test_where_nothing_happens_the_answer_is_that(ask: Asking) -> None:
    served = ask.served
    served.pipeline = msgspec.structs.replace(served.pipeline, waiting=Waiting(ask.world.inventory, 1))
    reply = ask("GET", ask.path(), prefer="wait=1000", if_none_match=ask.tag(ask.path()))
    assert (reply.status, applied(reply)) == (304, "wait=1")


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/api/vcenter/vm", {}),  # nothing says what is known
        ("/api/cis/tasks/task-404", {}),
        ("/api/vcenter/vm", {"if_none_match": '"x"'}),
    ],
)
def test_what_cannot_be_waited_for_is_answered_at_once(ask: Asking, target: str, headers: dict[str, str]) -> None:
    assert ask("GET", target, prefer=LONG, **headers).status in (200, 404)


def test_a_stop_lets_all_go_on_and_so_does_a_client_that_leaves(ask: Asking) -> None:
    waiting = ask.served.pipeline.waiting
    left = asyncio.Event()

    async def gone() -> None:
        await left.wait()

    async def leaves() -> None:
        call = asyncio.ensure_future(waiting.until(lambda: False, "a", 60, gone))
        await asyncio.sleep(0)
        left.set()
        await call
        left.clear()
        calls = [asyncio.ensure_future(waiting.until(lambda: False, "a", 60, gone)) for _ in range(MOST_OF_USER)]
        await asyncio.sleep(0)
        assert not waiting.has_room("a")
        assert waiting.has_room("b")
        waiting.stop()
        await asyncio.gather(*calls)
        assert waiting.count == 0
        assert not waiting.has_room("b")

    ask.world.run(leaves())


def test_work_is_begun_in_the_background_where_it_can_be(ask: Asking) -> None:
    body = {"name": "in the background", "source": ask.vm().id}
    reply = ask("POST", "/api/vcenter/vm?action=clone", body, prefer="respond-async, wait=5")
    task = json.loads(reply.body)
    assert (reply.status, applied(reply)) == (202, "respond-async")
    assert dict(reply.headers)["Location"] == f"/api/cis/tasks/{task}"
    assert ask.world.inventory.get(Task, task) is not None
    reply = ask("PATCH", f"{ask.path()}/hardware/boot", {"delay": 3}, prefer="respond-async")
    assert (reply.status, applied(reply)) == (204, None)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"wait=30", Preferences(30)),
        (b'Wait = "30"; x=1, respond-async', Preferences(30, True)),
        (b"wait=1, wait=2", Preferences(1)),
        (b"return=minimal, wait=x", Preferences()),
        (b"wait=-1,,;", Preferences()),
    ],
)
def test_preferences_are_read_as_http_has_them(value: bytes, found: Preferences) -> None:
    assert preferences_in({b"prefer": value}) == found
