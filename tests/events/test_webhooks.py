"""Webhooks: signed CloudEvents, in order, to receivers that take them, fail, stall and redirect."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event

from resphere.access.roles import READ_ONLY
from resphere.contract.extensions.reports import Reports
from resphere.contract.extensions.webhooks import Webhooks
from resphere.events.cause import CAUSE, Cause
from resphere.events.delivering import Backoff, Deliveries
from resphere.events.reports import Report
from resphere.events.webhooks import DeadLetter, Progress, Webhook
from resphere.fetching.allowed import read_rules
from resphere.fetching.posting import Poster
from resphere.inventory.model import VirtualMachine
from tests.support.events import latest
from tests.support.scoped import ANN, give, permission
from tests.support.served import Failure, Served

SECONDS = 60
STALL = b""


class Receiver:
    """A server of HTTP that keeps what it is sent, and answers as it is told to: ``STALL`` is not at all."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[bytes] = []
        self.port = 0
        self.answering: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[BaseCloudEvent]:
        """As the SDK of CloudEvents understands them."""
        return [from_http_event(HTTPMessage(headers, body)) for headers, body in self.got]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, on a connection of its own."""
        task = asyncio.current_task()
        assert task is not None
        self.answering.add(task)
        try:
            await self._answer(reader, writer)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self.answering.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        self.got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        answer = self.answers.pop(0) if self.answers else b"HTTP/1.1 204 No Content\r\n\r\n"
        if answer == STALL:
            await asyncio.sleep(SECONDS)
        writer.write(answer)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as made:
        yield made


@pytest.fixture
def served(shared: Served) -> Iterator[Served]:
    yield shared

    for id in list(shared.world.inventory.all(Webhook)):
        shared.world.call(Webhooks.delete, id)
    give(shared.world, ())


@asynccontextmanager
async def delivering(served: Served, whole_seconds: float = SECONDS) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    deliveries = Deliveries(
        served.world.inventory,
        served.world.environment.feed,
        Poster(read_rules(("127.0.0.1",)), whole_seconds=whole_seconds),
        served.pipeline.views,
        served.accounts.principal,
        lambda: served.now,
        "urn:uuid:test",
        Backoff(0.001, 0.01),
    )
    running = asyncio.ensure_future(deliveries.run())
    try:
        yield receiver
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.close()
        for task in receiver.answering:
            task.cancel()
        await asyncio.gather(*receiver.answering, return_exceptions=True)
        await server.wait_closed()


async def hooked(served: Served, receiver: Receiver, **fields: Any) -> str:
    """A webhook of machines' events, to the receiver."""
    filter = fields.pop("filter", Webhooks.FilterSpec(types=frozenset({"VmReconfiguredEvent"})))
    given: dict[str, Any] = {"name": "test", "url": receiver.url, "attempts": 3, "filter": filter, **fields}
    made = await served.world.begin(Webhooks.create, Webhooks.CreateSpec(**given))
    return made.webhook


async def changing(served: Served, machine: str = "vm-48") -> int:
    """Change a machine; the number of the event."""
    vm = served.world.inventory.get(VirtualMachine, machine)
    assert vm is not None
    changed = msgspec.structs.replace(vm, annotation="x" if vm.annotation != "x" else "y")
    await served.world.inventory.change(lambda edit: edit.put(changed))
    return await served.world.environment.feed.latest()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for is a receiver's, or a document
            await asyncio.sleep(0.005)


def run(served: Served, scenario: Callable[[Receiver], Awaitable[None]], **how: float) -> None:
    async def whole() -> None:
        async with delivering(served, **how) as receiver:
            await scenario(receiver)

    served.world.run(whole())


def position(served: Served, hook: str) -> int:
    progress = served.world.inventory.get(Progress, hook)
    return -1 if progress is None else progress.position


@pytest.mark.parametrize("mode", list(Webhooks.Mode))
def test_events_are_sent_as_cloud_events_and_signed(served: Served, mode: Webhooks.Mode) -> None:
    secret = b"s" * 32

    async def scenario(receiver: Receiver) -> None:
        await hooked(served, receiver, mode=mode, secret="whsec_" + base64.b64encode(secret).decode())
        numbers = [await changing(served) for _ in range(3)]
        await until(lambda: len(receiver.got) == 3)
        for number, event, (headers, body) in zip(numbers, receiver.events, receiver.got, strict=True):
            assert event.get_id() == str(number)
            assert event.get_type() == "com.vmware.vsphere.VmReconfiguredEvent"
            assert event.get_source() == "urn:uuid:test"
            assert event.get_subject() == "vm-48"
            assert event.get_time() == served.now
            data = event.get_data()
            assert isinstance(data, dict)
            assert (data["sequence"], data["object"]["id"]) == (number, "vm-48")
            content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            digest = base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
            assert headers["webhook-signature"] == f"v1,{digest}"
            assert headers["webhook-timestamp"] == str(int(served.now.timestamp()))

    run(served, scenario)


@pytest.mark.parametrize("mode", list(Webhooks.Mode))
def test_who_takes_an_event_goes_on_with_the_trace_of_the_call(served: Served, mode: Webhooks.Mode) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    async def scenario(receiver: Receiver) -> None:
        await hooked(served, receiver, mode=mode)
        causing = CAUSE.set(Cause("request-1", "ann", "com.vmware.vcenter.vm.update", trace=parent))
        await changing(served)
        CAUSE.reset(causing)
        await changing(served)
        await until(lambda: len(receiver.got) == 2)
        assert [event.get_attributes().get("traceparent") for event in receiver.events] == [parent, None]
        assert [headers.get("traceparent") for headers, _ in receiver.got] == [parent, None]

    run(served, scenario)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", "500"),
        (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", "302"),
        (STALL, "sent nothing"),
        (b"nonsense\r\n\r\n", ""),
    ],
)
def test_what_fails_is_tried_again_and_nothing_overtakes_it(served: Served, answer: bytes, words: str) -> None:
    async def scenario(receiver: Receiver) -> None:
        receiver.answers = [answer, answer]
        hook = await hooked(served, receiver)
        numbers = [await changing(served), await changing(served)]
        await until(lambda: position(served, hook) == numbers[1])
        first, second = map(str, numbers)
        assert [event.get_id() for event in receiver.events] == [first, first, first, second]
        assert not served.world.inventory.by(DeadLetter, "webhook", hook)

    run(served, scenario, whole_seconds=0.3 if answer == STALL else SECONDS)


def test_what_fails_too_often_is_put_aside_and_can_be_sent_again(served: Served) -> None:
    async def scenario(receiver: Receiver) -> None:
        receiver.answers = [b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"] * 3
        hook = await hooked(served, receiver)
        numbers = [await changing(served), await changing(served)]
        await until(lambda: position(served, hook) == numbers[1])
        [letter] = await served.world.begin(Webhooks.list_dead_letters, hook)
        assert (letter.sequence, letter.attempts) == (numbers[0], 3)
        assert "503" in letter.error
        assert (await served.world.begin(Webhooks.get, hook)).dead_letters == 1
        await served.world.begin(Webhooks.redeliver, hook)
        await until(lambda: not served.world.inventory.by(DeadLetter, "webhook", hook))
        assert [event.get_id() for event in receiver.events][-1] == str(numbers[0])

    run(served, scenario)


def test_events_are_replayed_and_a_new_start_goes_on_where_it_was(served: Served) -> None:
    hooks: list[str] = []
    numbers: list[int] = []

    async def first(receiver: Receiver) -> None:
        hooks.append(await hooked(served, receiver))
        numbers.extend([await changing(served), await changing(served)])
        await until(lambda: position(served, hooks[0]) == numbers[1])
        await served.world.begin(Webhooks.replay, hooks[0], Webhooks.ReplaySpec(after=numbers[0] - 1))
        await until(lambda: len(receiver.got) == 4)
        assert [event.get_id() for event in receiver.events] == [str(each) for each in numbers * 2]
        await until(lambda: position(served, hooks[0]) == numbers[1])

    async def second(receiver: Receiver) -> None:
        await served.world.begin(Webhooks.update, hooks[0], Webhooks.UpdateSpec(url=receiver.url))
        await until(lambda: len(receiver.got) == 1)
        assert [event.get_id() for event in receiver.events] == [str(later)]

    run(served, first)
    later = served.world.run(changing(served))
    run(served, second)


def test_only_what_the_owner_sees_is_sent(served: Served) -> None:
    served.world.run(served.accounts.put(ANN.name, "secret"))
    give(served.world, [permission("vm-48", READ_ONLY)])

    async def scenario(receiver: Receiver) -> None:
        hook = await hooked(served, receiver)
        owned = served.world.inventory.get(Webhook, hook)
        assert owned is not None
        await served.world.inventory.change(lambda edit: edit.put(msgspec.structs.replace(owned, owner=ANN.name)))
        await changing(served, "vm-50")
        number = await changing(served, "vm-48")
        await until(lambda: position(served, hook) == number)
        assert [event.get_subject() for event in receiver.events] == ["vm-48"]

    run(served, scenario)


def test_nothing_is_sent_while_it_is_disabled_and_all_of_it_afterwards(served: Served) -> None:
    async def scenario(receiver: Receiver) -> None:
        hook = await hooked(served, receiver)
        await served.world.begin(Webhooks.update, hook, Webhooks.UpdateSpec(enabled=False))
        number = await changing(served)
        assert receiver.got == []
        await served.world.begin(Webhooks.update, hook, Webhooks.UpdateSpec(enabled=True))
        await until(lambda: position(served, hook) == number)
        assert [event.get_id() for event in receiver.events] == [str(number)]

    run(served, scenario)


def test_what_is_no_longer_kept_is_told(served: Served) -> None:
    async def scenario(receiver: Receiver) -> None:
        begin = await served.world.environment.feed.latest()
        for _ in range(3):
            await changing(served)
        await served.world.store.trim_journal(0, 0, 100_000)
        await hooked(served, receiver, after=begin)
        await until(lambda: len(receiver.got) == 2)
        gap, last = receiver.events
        assert gap.get_type() == "resphere.events.gap"
        assert gap.get_subject() == f"{begin + 1}-{begin + 2}"
        assert last.get_id() == str(begin + 3)

    run(served, scenario)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "http://192.0.2.7/"}, "the operator has to allow 192.0.2.7, by the setting --webhook-to"),
        ({"url": "ftp://127.0.0.1/"}, "url"),
        ({"url": "http://user:secret@127.0.0.1/"}, "a user or a password may not stand in it"),
        ({"secret": "c2hvcnQ="}, "secret: must be 24 to 64 bytes"),
        ({"secret": "%%%"}, "it is not Base64"),
        ({"attempts": 0}, "attempts: must be from 1 to 30"),
        ({"name": " "}, "name: must have 1 to 80 characters"),
        ({"after": 10**9}, "after: must be from 0 to"),
        ({"filter": {"branch": "vm-404"}}, "There is no object vm-404"),
    ],
)
def test_refusals(served: Served, fields: dict[str, Any], words: str) -> None:
    spec = msgspec.convert({"name": "test", "url": "http://127.0.0.1/", **fields}, Webhooks.CreateSpec)
    refused = served.by_api(Webhooks.create, Webhooks.CreateInput(spec=spec))
    assert isinstance(refused, Failure)
    assert words in refused.texts[0]


def test_a_webhook_by_the_api_shows_its_secret_once(served: Served) -> None:
    spec = Webhooks.CreateSpec(name="test", url="http://receiver.example/", filter=Webhooks.FilterSpec())
    made = served.by_api(Webhooks.create, Webhooks.CreateInput(spec=spec))
    assert made.secret.startswith("whsec_")
    shown = served.by_api(Webhooks.get, Webhooks.WebhookInput(webhook=made.webhook))
    assert (shown.name, shown.position) == ("test", latest(served.world) - 1)
    assert made.secret not in json.dumps(msgspec.to_builtins(shown))
    assert served.by_api(Webhooks.delete, Webhooks.WebhookInput(webhook=made.webhook)) == b""
    gone = served.by_api(Webhooks.get, Webhooks.WebhookInput(webhook=made.webhook))
    assert isinstance(gone, Failure)
    assert gone.error_type == "NOT_FOUND"


def test_a_report_goes_to_the_webhook_that_it_names_and_to_no_other(served: Served) -> None:
    async def scenario() -> None:
        async with delivering(served) as receiver:
            named = await hooked(served, receiver, name="named")
            await hooked(served, receiver, name="all", filter=None, mode=Webhooks.Mode.BINARY)
            spec = Reports.CreateSpec(name="weekly", webhook=named, parts=frozenset({Reports.Part.FOLDERS}))
            report = await served.world.begin(Reports.create, spec)
            await changing(served)
            await until(lambda: sum(b"VmReconfiguredEvent" in body for _, body in receiver.got) == 2)
            ((headers, body),) = [each for each in receiver.got if b'"report":' in each[1]]
            sent = from_http_event(HTTPMessage(headers, body))
            assert (sent.get_type(), sent.get_subject()) == ("resphere.report.created", report)
            data = sent.get_data()
            assert isinstance(data, dict)
            info = served.world.inventory.get(Report, report)
            assert info is not None
            assert data["report"] == json.loads(info.content)
            assert data["report"]["all"]["machines"] > 0
            assert data["target"] == {"type": "Webhook", "id": named}

    served.world.run(scenario())
