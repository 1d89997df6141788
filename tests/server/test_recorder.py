"""What becomes of calls that can be recorded, and of those that cannot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from resphere.audit.syncing import Sync
from resphere.contract.generated import vcenter_vm
from resphere.dialects.base import Reply, Request
from resphere.inventory.model import VirtualMachine
from resphere.server.exchange import Exchange
from resphere.server.recorder import Policy, Recorder
from tests.audit.trails import Logs
from tests.support.calls import ApiCall
from tests.support.served import GivenBody, Served

CLOSED, DROP = Policy.FAIL_CLOSED, Policy.DROP_AND_COUNT


class Recorded:
    """A pipeline whose calls are recorded on a disk of the test's own."""

    def __init__(self, path: Path, policy: Policy, sync: Sync = Sync.NEVER) -> None:
        self.logs = Logs(path)
        self.served = Served(path)
        self.trail = self.logs.trail()
        self.recorder = Recorder(self.trail, path / "vpxd.log", policy, sync, self.logs.clock)
        self.served.pipeline = msgspec.structs.replace(self.served.pipeline, recorder=self.recorder)
        self.vm = next(vm for vm in self.served.world.inventory.all(VirtualMachine).values() if vm.power_state is OFF)

    def start(self) -> Reply:
        """Ask for the start of a VM."""
        return self.served.ask_api(ApiCall("POST", f"/api/vcenter/vm/{self.vm.id}/power?action=start", None))

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        found = self.served.world.inventory.get(VirtualMachine, self.vm.id)
        assert found is not None
        return found.power_state is not OFF

    def close(self) -> None:
        self.recorder.close()
        self.served.__exit__()


OFF = vcenter_vm.Power.State.POWERED_OFF
Make = Callable[..., Recorded]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Recorded] = []

    def build(policy: Policy, sync: Sync = Sync.NEVER) -> Recorded:
        made.append(Recorded(tmp_path, policy, sync))
        return made[-1]

    yield build
    for each in made:
        each.close()


def refused(reply: Reply) -> bool:
    """Whether it is the refusal of a call that is not on record."""
    if reply.status != 503:
        return False
    body = json.loads(reply.body)
    assert (body["error_type"], body["messages"][0]["id"]) == ("SERVICE_UNAVAILABLE", "resphere.audit.not_recorded")
    return True


@pytest.mark.parametrize("sync", list(Sync))
@pytest.mark.parametrize("policy", list(Policy))
def test_a_call_that_is_recorded(make: Make, policy: Policy, sync: Sync) -> None:
    recorded = make(policy, sync)
    assert recorded.start().status == 204
    assert recorded.runs
    assert recorded.logs.kinds()[1:] == [None]


def test_nothing_is_done_where_it_could_not_be_recorded(make: Make) -> None:
    recorded = make(CLOSED)
    recorded.logs.disk.room_bytes = 0
    for _ in range(2):
        assert refused(recorded.start())
    assert not recorded.runs
    recorded.logs.disk.room_bytes = None
    assert recorded.start().status == 204, "it recovers by itself"


def test_refusals_are_on_record_while_kept_room_lasts(make: Make) -> None:
    recorded = make(CLOSED)
    recorded.logs.disk.room_bytes = 5_000
    assert refused(recorded.start())
    assert not recorded.runs
    line = recorded.logs.path.read_bytes().splitlines()[-1]
    assert (json.loads(line)["status"], json.loads(line)["error_type"]) == (503, "SERVICE_UNAVAILABLE")


def test_calls_are_answered_where_losses_are_counted(make: Make) -> None:
    recorded = make(DROP)
    recorded.logs.disk.room_bytes = 0
    assert recorded.start().status == 204
    assert recorded.runs
    assert recorded.trail.lost_records == 1


@pytest.mark.parametrize(("policy", "status"), [(CLOSED, 503), (DROP, 204)])
def test_a_disk_that_fails_before_the_answer(make: Make, policy: Policy, status: int) -> None:
    recorded = make(policy, Sync.CALL)
    recorded.logs.disk.is_broken = True
    assert recorded.start().status == status


class Content:
    """A stream that notes its end."""

    size_bytes = None
    closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"never sent"

    async def close(self) -> None:
        self.closed = True


def test_a_stream_that_is_not_sent_is_closed(make: Make) -> None:
    recorded = make(CLOSED)
    exchange = Exchange(Request("GET", "/guestFile", b"", {}, "192.0.2.1"), "test", recorded.served.api, GivenBody(b""))
    content = Content()
    reply = asyncio.run(recorded.recorder.released(exchange, Reply(200, stream=content)))
    assert refused(reply)
    assert content.closed


def test_a_call_that_nobody_waits_for_is_on_record(make: Make) -> None:
    recorded = make(DROP)

    async def canceled() -> None:
        request = Request("POST", "/api", b"", {b"content-length": b"5"}, "192.0.2.1")
        exchange = Exchange(request, "gone", recorded.served.jsonrpc, Never())
        call = asyncio.ensure_future(recorded.served.pipeline.handle(exchange))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    recorded.served.world.run(canceled())
    line = json.loads(recorded.logs.path.read_bytes().splitlines()[-1])
    assert (line["request_id"], line["status"]) == ("gone", 499)


class Never(GivenBody):
    """A body that does not come."""

    content: bytes = b""

    async def read(self, limit_bytes: int) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError
