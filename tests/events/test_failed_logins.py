"""Logins that are refused are told, by vSphere's name, and no flood of them fills the journal."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.access.roles import READ_ONLY
from resphere.dialects.base import Request
from resphere.events.event import Kind
from resphere.events.failed_logins import MOST_AT_ONCE, MOST_COUNTED, FailedLogin, FailedLogins
from resphere.events.heard import Heard
from resphere.server.exchange import Exchange
from tests.support.events import latest, told
from tests.support.scoped import ANN, ask_as_ann, permission
from tests.support.served import GivenBody, Served
from tests.support.server import ADMINISTRATOR, PASSWORD

SESSION = "/api/session"
TYPE = "BadUsernameSessionEvent"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as made:
        yield made


async def login(served: Served, user: str, password: str, client: str = "192.0.2.9") -> int:
    shown = base64.b64encode(f"{user}:{password}".encode())
    request = Request("POST", SESSION, b"", {b"authorization": b"Basic " + shown}, client)
    return (await served.pipeline.handle(Exchange(request, "login-1", served.api, GivenBody(b"")))).status


def noted(served: Served, *failed: FailedLogin) -> list[Heard]:
    """What is told of these: at once, and at the end of the minute."""
    begin = latest(served.world)
    logins = FailedLogins(served.world.store, lambda: served.now)

    async def note() -> None:
        for each in failed:
            logins.note(each)
        await logins.close()

    served.world.run(note())
    return list(told(served.world, begin))


def failed(number: int, client: str = "192.0.2.1") -> FailedLogin:
    return FailedLogin(f"user-{number}", client, f"request-{number}", "com.vmware.cis.session.create")


def test_a_login_that_is_refused_is_told_with_its_cause_and_no_secret(served: Served) -> None:
    begin = latest(served.world)
    assert served.world.run(login(served, "Administrator@VSPHERE.local", "Wr0ng!secret")) == 401
    served.world.run(served.pipeline.failed_logins.close())
    [heard] = told(served.world, begin)
    event = heard.event
    assert (event.type, event.kind, event.object.name) == (TYPE, Kind.SESSION, "Administrator@VSPHERE.local")
    assert event.details == {"attempts": 1, "client": "192.0.2.9"}
    assert event.cause is not None
    assert (event.cause.request, event.cause.operation, event.cause.user) == (
        "login-1",
        "com.vmware.cis.session.create",
        None,
    )
    assert b"Wr0ng" not in served.world.run(served.world.store.journal(begin, 10)).entries[0][1]


def test_a_good_login_is_none_of_them(served: Served) -> None:
    begin = latest(served.world)
    assert served.world.run(login(served, ADMINISTRATOR, PASSWORD)) == 201
    served.world.run(served.pipeline.failed_logins.close())
    assert TYPE not in [each.event.type for each in told(served.world, begin)]


def test_what_follows_within_a_minute_is_one(served: Served) -> None:
    events = noted(served, *[failed(1)] * 500, failed(1, "192.0.2.2"))
    assert [(each.event.object.id, each.event.details["attempts"]) for each in events] == [
        ("user-1", 1),
        ("user-1", 1),
        ("user-1", 499),
    ]
    assert [each.event.details["client"] for each in events] == ["192.0.2.1", "192.0.2.2", "192.0.2.1"]


def test_a_flood_is_told_in_a_few_with_how_many_they_were(served: Served) -> None:
    many = [failed(number, f"2001:db8::{number % 7}") for number in range(3 * MOST_COUNTED)]
    events = noted(served, *many, *many)
    assert len(events) == 2 * MOST_AT_ONCE + 1
    assert sum(int(each.event.details["attempts"]) for each in events) == len(many) * 2
    rest = events[-1].event
    assert (rest.object.id, rest.object.name, rest.cause) == ("", None, None)


def test_a_minute_ends_by_itself_and_the_next_begins(served: Served) -> None:
    begin = latest(served.world)
    logins = FailedLogins(served.world.store, lambda: served.now, window_seconds=0.01)

    async def scenario() -> None:
        feed = served.world.environment.feed
        for count in (1, 2):
            logins.note(failed(1))
            logins.note(failed(1))
            with feed.listening():
                while len((await feed.since(begin)).events) < 2 * count:
                    await feed.wait(begin + 2 * count - 1, 10)
        await logins.close()

    served.world.run(scenario())
    assert [each.event.details["attempts"] for each in told(served.world, begin)] == [1, 1, 1, 1]


def test_names_are_bounded(served: Served) -> None:
    long = FailedLogin("n" * 100_000, "192.0.2.1", "r", "com.vmware.cis.session.create")
    [heard] = noted(served, long)
    assert len(heard.event.object.name or "") == 255


def test_those_are_told_who_manage_sessions_and_whose_name_it_is(served: Served) -> None:
    begin = latest(served.world)
    noted(served, failed(1), FailedLogin(ANN.name, "192.0.2.1", "r", "com.vmware.cis.session.create"))

    def seen(token: str) -> list[Any]:
        request = Request(
            "GET",
            "/api/resphere/events",
            f"after={begin}&types={TYPE}".encode(),
            {b"vmware-api-session-id": token.encode()},
            "192.0.2.1",
        )
        reply = served.world.run(served.pipeline.handle(Exchange(request, "t", served.api, GivenBody(b""))))
        return [each["message"] for each in json.loads(reply.body)["events"]]

    assert seen(served.token) == [
        "Login of user-1 was refused",
        f"Login of {ANN.name} was refused",
    ]
    ask_as_ann(served, (permission("group-d1", READ_ONLY),))
    assert seen(served.token) == [f"Login of {ANN.name} was refused"]


def test_what_cannot_be_told_holds_up_nobody(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def commit(self, _: object) -> int:
            await asyncio.sleep(0)
            raise OSError("no room")

    logins = FailedLogins(served.world.store, lambda: served.now)
    monkeypatch.setattr(logins, "_store", Broken())

    async def note() -> None:
        logins.note(failed(1))
        await logins.close()

    served.world.run(note())
    assert "could not be told" in caplog.text
