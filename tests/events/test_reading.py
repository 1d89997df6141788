"""Events as a list, a long poll and a stream, through the pipeline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import pytest

from resphere.access.roles import READ_ONLY
from resphere.contract.extensions.events import Events
from resphere.contract.generated import ids, vcenter_vm
from resphere.dialects.base import Reply, Request
from resphere.events.event import ENCODER, Deed, Event, Kind, Subject
from resphere.events.stream import EventStream
from resphere.inventory.model import VirtualMachine
from resphere.server.exchange import Exchange
from resphere.store.base import Entry, Transaction
from tests.support.events import latest
from tests.support.scoped import ANN, ask_as_ann, give, permission
from tests.support.served import Failure, GivenBody, Served

T = TypeVar("T")
SSE = {b"accept": b"text/event-stream"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as made:
        yield made


@pytest.fixture
def served(shared: Served) -> Iterator[Served]:
    token = shared.token
    yield shared
    shared.token = token
    give(shared.world, ())


def change(served: Served, machine: str = "vm-48") -> None:
    """Change a machine: one event."""
    served.world.run(changing(served, machine))


async def ask(served: Served, target: str, headers: dict[bytes, bytes] | None = None) -> Reply:
    path, _, query = target.partition("?")
    sent = {b"vmware-api-session-id": served.token.encode(), **(headers or {})}
    request = Request("GET", path, query.encode(), sent, "192.0.2.1")
    return await served.pipeline.handle(Exchange(request, "test", served.api, GivenBody(b"")))


def page(served: Served, query: str) -> Any:
    reply = served.world.run(ask(served, f"/api/resphere/events?{query}"))
    return reply.status, json.loads(reply.body)


async def opened(served: Served, query: str = "", headers: dict[bytes, bytes] | None = None) -> EventStream:
    reply = await ask(served, f"/api/resphere/events?{query}", {**SSE, **(headers or {})})
    assert (reply.status, reply.media_type) == (200, "text/event-stream"), reply.body
    assert isinstance(reply.stream, EventStream)
    return reply.stream


async def changing(served: Served, machine: str = "vm-48") -> None:
    vm = served.world.inventory.get(VirtualMachine, machine)
    assert vm is not None
    changed = msgspec.structs.replace(vm, annotation="x" if vm.annotation != "x" else "y")
    await served.world.inventory.change(lambda edit: edit.put(changed))


def event_at(at: int) -> Event:
    """One of that time."""
    subject = Subject("Test", "t-1")
    return Event(time=at, type="resphere.test", kind=Kind.TASK, deed=Deed.CREATED, object=subject)


def happened(moment: datetime) -> Entry:
    """An entry that says so."""
    at = round(moment.timestamp() * 1000)
    return Entry(at, ENCODER.encode(event_at(at)))


async def next_of(pieces: AsyncIterator[bytes]) -> str:
    return (await anext(pieces)).decode()


async def within_a_while(work: Awaitable[T]) -> T:
    return await asyncio.wait_for(work, 60)


class TestList:
    def test_events_come_in_order_and_go_on_where_a_page_ends(self, served: Served) -> None:
        begin = latest(served.world)
        for _ in range(5):
            change(served)
        status, first = page(served, f"after={begin}&size=3")
        assert status == 200
        assert [each["sequence"] for each in first["events"]] == [begin + 1, begin + 2, begin + 3]
        assert first["next"] == begin + 3
        assert first["latest"] == begin + 5
        _, rest = page(served, f"after={first['next']}")
        assert [each["sequence"] for each in rest["events"]] == [begin + 4, begin + 5]
        assert page(served, f"after={rest['next']}")[1] == {"events": [], "next": begin + 5, "latest": begin + 5}

    def test_an_event_says_what_happened_and_why(self, served: Served) -> None:
        begin = latest(served.world)
        served.by_api(vcenter_vm.Power.suspend, vcenter_vm.Power.SuspendInput(vm=ids.VirtualMachineId("vm-50")))
        _, found = page(served, f"after={begin}&kinds=INVENTORY")
        [event] = found["events"]
        vm = served.world.inventory.get(VirtualMachine, "vm-50")
        assert vm is not None
        assert event["type"] == "VmSuspendedEvent"
        assert event["message"] == f"VirtualMachine {vm.name} is suspended"
        assert event["object"] == {"type": "VirtualMachine", "id": "vm-50", "name": vm.name}
        assert event["cause"] == {
            "request_id": "test",
            "user": "administrator@vsphere.local",
            "operation": "com.vmware.vcenter.vm.power.suspend",
        }
        assert "power_state" in event["changed"]
        assert event["time"] == "2026-01-02T03:04:05.000Z"

    def test_filters(self, served: Served) -> None:
        begin = latest(served.world)
        change(served, "vm-48")
        change(served, "vm-50")

        def objects(query: str) -> list[str]:
            return [each["object"]["id"] for each in page(served, f"after={begin}&{query}")[1]["events"]]

        assert objects("types=VmReconfiguredEvent") == ["vm-48", "vm-50"]
        assert objects("types=VmPoweredOnEvent") == []
        assert objects("objects=vm-50&objects=vm-1") == ["vm-50"]
        assert objects("kinds=TASK&kinds=ACCESS") == []
        assert objects("branch=datacenter-2") == ["vm-48", "vm-50"]
        assert objects("branch=vm-48") == ["vm-48"]
        assert objects("branch=group-s5") == []

    def test_a_range_ends_where_it_is_to(self, served: Served) -> None:
        begin = latest(served.world)
        for _ in range(4):
            change(served)
        _, found = page(served, f"after={begin}&until={begin + 2}")
        assert [each["sequence"] for each in found["events"]] == [begin + 1, begin + 2]
        assert (found["next"], found["latest"]) == (begin + 2, begin + 4)
        _, found = page(served, f"after={begin}&until={begin + 2}&objects=vm-404")
        assert (found["events"], found["next"]) == ([], begin + 2)
        _, rest = page(served, f"after={begin + 2}&until={begin + 2}&wait=60")
        assert (rest["events"], rest["next"]) == ([], begin + 2)
        status, refused = page(served, f"after={begin + 3}&until={begin + 2}")
        assert status == 400
        assert f"until: must be from {begin + 3}" in refused["messages"][0]["default_message"]

    def test_a_range_of_time(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        change(served)
        begin, now = latest(served.world), served.now
        first = now + timedelta(seconds=1)
        moments = [first + timedelta(seconds=second) for second in range(3)]
        environment = msgspec.structs.replace(served.pipeline.environment, present=lambda: now + timedelta(seconds=9))
        monkeypatch.setattr(served, "pipeline", msgspec.structs.replace(served.pipeline, environment=environment))
        served.world.run(served.world.store.commit(Transaction((), entries=tuple(map(happened, moments)))))

        def sequences(**asked: datetime | int) -> list[int]:
            told = {
                key: value if isinstance(value, int) else value.strftime("%Y-%m-%dT%H:%M:%SZ")
                for key, value in asked.items()
            }
            status, found = page(served, urlencode({"types": "resphere.test", **told}))
            assert status == 200, found
            return [each["sequence"] - begin for each in found["events"]]

        one, two, three = moments
        assert sequences(begin_time=one) == [1, 2, 3]
        assert sequences(begin_time=two) == [2, 3]
        assert sequences(begin_time=one, end_time=two) == [1, 2]
        assert sequences(begin_time=one, after=begin + 1, until=begin + 2) == [2]
        assert sequences(begin_time=three + timedelta(seconds=1)) == []
        assert sequences(begin_time=three, end_time=one) == []
        assert sequences(after=begin, end_time=one) == [1]
        assert sequences(after=begin + 2, end_time=one) == []
        assert sequences(after=begin, end_time=now - timedelta(days=1)) == []
        assert sequences(after=begin, end_time=first + timedelta(days=9)) == [1, 2, 3]

    def test_a_range_is_waited_for_until_it_is_over(self, served: Served) -> None:
        async def scenario() -> None:
            begin = await served.world.environment.feed.latest()
            query = f"after={begin}&until={begin + 1}&types=VmPoweredOnEvent&wait=60"
            waiting = asyncio.ensure_future(ask(served, f"/api/resphere/events?{query}"))
            await asyncio.sleep(0)
            await changing(served)
            reply = await within_a_while(waiting)
            assert json.loads(reply.body) == {"events": [], "next": begin + 1, "latest": begin + 1}

        served.world.run(scenario())

    def test_a_page_is_waited_for(self, served: Served) -> None:
        async def scenario() -> None:
            begin = await served.world.environment.feed.latest()
            waiting = asyncio.ensure_future(ask(served, f"/api/resphere/events?after={begin}&wait=60"))
            await asyncio.sleep(0)
            await changing(served)
            reply = await within_a_while(waiting)
            assert [each["sequence"] for each in json.loads(reply.body)["events"]] == [begin + 1]
            assert served.world.environment.readers.count == 0

        served.world.run(scenario())

    def test_nothing_is_waited_for_in_vain_for_long(self, served: Served) -> None:
        begin = latest(served.world)
        assert page(served, f"after={begin}&wait=1")[1]["events"] == []

    @pytest.mark.parametrize(
        ("query", "status", "words"),
        [
            ("wait=61", 400, "wait: must be from 0 to 60, not 61"),
            ("size=0", 400, "size: must be from 1 to 1000"),
            ("after=-1", 400, "after: must be from 0"),
            ("after=seven", 400, "after"),
            ("kinds=OTHERS", 400, "kinds"),
            ("begin_time=yesterday", 400, "begin_time"),
            ("branch=vm-404", 404, "There is no object vm-404 to look below"),
            ("after=9999999", 410, "There is no event 9999999"),
        ],
    )
    def test_refusals(self, served: Served, query: str, status: int, words: str) -> None:
        found, body = page(served, query)
        assert found == status
        assert words in body["messages"][0]["default_message"]

    def test_what_is_no_longer_kept_is_said(self, served: Served) -> None:
        change(served)
        change(served)
        store = served.world.store
        served.world.run(store.trim_journal(0, 0, 100_000))
        last = latest(served.world)
        status, body = page(served, "after=1")
        assert (status, body["messages"][0]["id"]) == (410, "resphere.events.gone")
        assert [each["sequence"] for each in page(served, "after=0")[1]["events"]] == [last]
        assert page(served, f"after={last - 1}")[0] == 200

    def test_in_other_dialects(self, served: Served) -> None:
        value = Events.ListInput(filter=Events.FilterSpec(after=latest(served.world)))
        found = served.by_jsonrpc(Events.list, value)
        assert not isinstance(found, Failure)
        assert found.events == ()


class TestViews:
    def test_only_what_is_seen_is_told(self, served: Served) -> None:
        begin = latest(served.world)
        ask_as_ann(served, [permission("vm-48", READ_ONLY)])
        after = latest(served.world)
        change(served, "vm-50")
        change(served, "vm-48")
        _, found = page(served, f"after={after}")
        assert [each["object"]["id"] for each in found["events"]] == ["vm-48"]
        kinds = {each["object"]["type"] for each in page(served, f"after={begin}")[1]["events"]}
        assert kinds <= {"Account", "Session", "Permission", "VirtualMachine"}

    def test_whoever_may_see_nothing_is_refused(self, served: Served) -> None:
        ask_as_ann(served, [])
        assert page(served, "")[0] == 403

    def test_a_branch_that_is_not_seen_is_none(self, served: Served) -> None:
        ask_as_ann(served, [permission("vm-48", READ_ONLY)])
        assert page(served, "branch=datacenter-2")[0] == 404


class TestStream:
    def test_events_are_sent_as_they_happen_and_can_be_resumed(self, served: Served) -> None:
        async def scenario() -> None:
            begin = await served.world.environment.feed.latest()
            stream = await opened(served)
            pieces = aiter(stream)
            assert await next_of(pieces) == f": position\nid: {begin}\n\n"
            await changing(served)
            first = await within_a_while(next_of(pieces))
            head, data, *_ = first.split("\n")
            assert head == f"id: {begin + 1}"
            assert json.loads(data.removeprefix("data: "))["sequence"] == begin + 1
            await stream.close()
            await changing(served)
            await changing(served)
            resumed = await opened(served, headers={b"last-event-id": str(begin + 1).encode()})
            again = aiter(resumed)
            await next_of(again)
            rest = await within_a_while(next_of(again))
            assert [line for line in rest.split("\n") if line.startswith("id")] == [
                f"id: {begin + 2}",
                f"id: {begin + 3}",
            ]
            await resumed.close()
            assert served.world.environment.readers.count == 0

        served.world.run(scenario())

    def test_who_is_sent_events_while_it_waits_misses_none_and_gets_none_twice(self, served: Served) -> None:
        async def scenario() -> None:
            sent: list[str] = []
            slow: list[asyncio.Future[None]] = []

            def hand(piece: bytes) -> asyncio.Future[None] | None:
                keep(piece)
                return slow.pop() if slow else None

            def keep(piece: bytes) -> None:
                sent.append(piece.decode())

            async def read(stream: EventStream) -> None:
                async for piece in stream:
                    keep(piece)

            async def changed_until(is_over: Callable[[], bool]) -> None:
                while not is_over():
                    await changing(served)
                    await asyncio.sleep(0.01)

            begin = await served.world.environment.feed.latest()
            stream = await opened(served)
            stream.hand = hand
            reading = asyncio.ensure_future(read(stream))
            await within_a_while(changed_until(lambda: len(sent) >= 4))
            hindrance: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            slow.append(hindrance)
            await within_a_while(changed_until(lambda: not slow))
            before = len(sent)
            await changing(served)
            assert len(sent) == before
            hindrance.set_result(None)
            await within_a_while(changed_until(lambda: len(sent) >= before + 3))
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await stream.close()
            ids = [int(line[4:]) for line in "".join(sent).split("\n") if line.startswith("id: ")]
            assert ids == list(range(begin, begin + len(ids)))

        served.world.run(scenario())

    def test_messages_are_one_event_each(self, served: Served) -> None:
        async def scenario() -> None:
            begin = await served.world.environment.feed.latest()
            stream = await opened(served)
            messages = stream.messages()
            assert json.loads(await next_of(messages)) == {"sign": "position", "sequence": begin}
            await changing(served)
            await changing(served)
            found = [json.loads(await within_a_while(next_of(messages)))["sequence"] for _ in range(2)]
            assert found == [begin + 1, begin + 2]
            await stream.close()

        served.world.run(scenario())

    @pytest.mark.parametrize("query", ["", "&types=VmPoweredOnEvent"])
    def test_a_stream_ends_with_the_last_event_that_is_wanted(self, served: Served, query: str) -> None:
        async def scenario() -> None:
            begin = await served.world.environment.feed.latest()
            await changing(served)
            stream = await opened(served, f"after={begin}&until={begin + 3}{query}")
            pieces = aiter(stream)
            found = [await next_of(pieces)]
            if not query:
                found.append(await within_a_while(next_of(pieces)))
            for _ in range(3):
                await changing(served)
            found += [piece.decode() async for piece in pieces]
            ids = [line for line in "".join(found).split("\n") if line.startswith("id: ")]
            told = [] if query else [f"id: {begin + count}" for count in (1, 2, 3)]
            assert ids == [f"id: {begin}", *told, f"id: {begin + 3}", f"id: {begin + 3}"]
            assert "event: end\n" in found[-1]
            assert served.world.environment.readers.count == 0

        served.world.run(scenario())

    def test_a_range_that_is_over_is_told_and_ends(self, served: Served) -> None:
        async def scenario() -> None:
            begin = await served.world.environment.feed.latest()
            for _ in range(4):
                await changing(served)
            stream = await opened(served, f"after={begin + 1}&until={begin + 3}")
            found = [json.loads(each) async for each in stream.messages()]
            assert [each["sequence"] for each in found] == [begin + 1, begin + 2, begin + 3, begin + 3, begin + 3]
            assert [each.get("sign") for each in found] == ["position", None, None, "position", "end"]

        served.world.run(scenario())

    def test_a_stream_ends_with_its_session(self, served: Served) -> None:
        ask_as_ann(served, [permission("vm-48", READ_ONLY)])

        async def scenario() -> None:
            stream = await opened(served)
            pieces = aiter(stream)
            await next_of(pieces)
            sessions = served.pipeline.sessions
            await sessions.close(*sessions.of_user(ANN.name))
            end = await within_a_while(next_of(pieces))
            assert "event: end" in end
            assert "Authentication required" in end
            with pytest.raises(StopAsyncIteration):
                await anext(pieces)

        served.world.run(scenario())

    def test_what_may_be_seen_no_more_is_told_no_more(self, served: Served) -> None:
        ask_as_ann(served, [permission("vm-48", READ_ONLY), permission("vm-50", READ_ONLY)])

        async def scenario() -> None:
            stream = await opened(served, "kinds=INVENTORY")
            pieces = aiter(stream)
            await next_of(pieces)
            await changing(served)
            assert '"vm-48"' in await within_a_while(next_of(pieces))
            revoked = permission("vm-48", READ_ONLY).permission
            await served.world.inventory.change(lambda edit: edit.delete(type(revoked), revoked.id))
            await changing(served, "vm-48")
            await changing(served, "vm-50")
            rest = await within_a_while(next_of(pieces))
            assert '"vm-50"' in rest
            assert '"vm-48"' not in rest
            await stream.close()

        served.world.run(scenario())

    def test_a_reader_who_is_too_slow_for_what_is_kept_is_told_so(self, served: Served) -> None:
        async def scenario() -> None:
            begin = await served.world.environment.feed.latest()
            stream = await opened(served)
            pieces = aiter(stream)
            await next_of(pieces)
            feed = served.world.environment.feed
            for _ in range(4):
                await changing(served)
            await served.world.store.trim_journal(0, 0, 100_000)
            feed._recent.clear()
            gap = await within_a_while(next_of(pieces))
            assert gap.startswith(f"id: {begin}\nevent: gap\n")
            assert json.loads(gap.split("data: ")[1])["oldest"] == begin + 4
            with pytest.raises(StopAsyncIteration):
                await anext(pieces)

        served.world.run(scenario())

    def test_no_more_streams_than_may_be(self, served: Served) -> None:
        async def scenario() -> None:
            streams = [await opened(served) for _ in range(4)]
            for each in streams:
                await next_of(aiter(each))
            refused = await ask(served, "/api/resphere/events", SSE)
            assert refused.status == 429
            for each in streams:
                await each.close()
            assert served.world.environment.readers.count == 0

        served.world.run(scenario())

    @pytest.mark.parametrize(
        ("target", "headers", "status"),
        [
            ("?after=9999999", {}, 410),
            ("", {b"last-event-id": b"abc"}, 400),
            ("", {b"last-event-id": b"9999999"}, 410),
            ("?wait=3", {}, 400),
            ("?end_time=2999-01-01T00:00:00Z", {}, 400),
            ("/stream?size=3", {}, 400),
        ],
    )
    def test_refusals(self, served: Served, target: str, headers: dict[bytes, bytes], status: int) -> None:
        reply = served.world.run(ask(served, f"/api/resphere/events{target}", {**SSE, **headers}))
        assert (reply.status, reply.stream) == (status, None)
