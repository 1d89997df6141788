"""Sessions and their ends, by a clock of the test's own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resphere.access.permissions import FIRST_PERMISSION, on_root
from resphere.access.principal import ADMINISTRATORS, Principal
from resphere.access.roles import ADMIN
from resphere.access.wiring import TABLES as ACCESS_TABLES
from resphere.auth.sessions import Session, SessionLimits, Sessions, digest, end_sessions
from resphere.auth.wiring import WIRING
from resphere.contract.errors import ServiceUnavailable
from resphere.contract.generated import vcenter
from resphere.inventory.model import ROOT_FOLDER, Folder
from resphere.inventory.tables import FOLDERS
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from tests.replica.worlds import run

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIMITS = SessionLimits(idle=timedelta(minutes=30), lifetime=timedelta(hours=2), per_user=3, total=5)
USER, OTHER, THIRD = (Principal(f"{name}@vsphere.local") for name in ("user", "other", "third"))
TABLES = (*WIRING.tables, *ACCESS_TABLES, FOLDERS)
MINUTE = timedelta(minutes=1)
# An access is written down this late at most, so that idle sessions end this much later.
GRACE = MINUTE


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


class Office:
    """What one worker has: its replica, its sessions, and the clock of all."""

    def __init__(self, replica: Replica, clock: Clock, limits: SessionLimits, first: int = 0) -> None:
        numbers = itertools.count(first)
        self.replica = replica
        self.clock = clock
        self.sessions = Sessions(replica, limits, clock, lambda size: next(numbers).to_bytes(size, "big"))

    async def find(self, token: str) -> Session | None:
        await self.replica.refresh()
        return self.sessions.find(token, self.clock())


def one(test: Callable[[Office], Awaitable[None]], path: Path, limits: SessionLimits = LIMITS) -> None:
    """Run a test with one worker."""

    async def whole(replica: Replica) -> None:
        await test(Office(replica, Clock(), limits))

    run(whole, path / "store.db", tables=TABLES)


def two(test: Callable[[Office, Office], Awaitable[None]], path: Path, limits: SessionLimits = LIMITS) -> None:
    """Run a test with two workers on one store and one clock."""

    async def whole(first: Replica, second: Replica) -> None:
        clock = Clock()
        await test(Office(first, clock, limits), Office(second, clock, limits, 1000))

    run(whole, path / "store.db", replicas=2, tables=TABLES)


def test_an_unused_session_ends(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        token = await office.sessions.open(USER, "password")
        office.clock.advance(LIMITS.idle + GRACE - timedelta(milliseconds=1))
        assert await office.find(token)
        office.clock.advance(LIMITS.idle + GRACE)
        assert await office.find(token) is None
        await office.sessions.finish()

    one(test, tmp_path)


def test_a_used_session_goes_on_until_its_lifetime_is_over(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        token = await office.sessions.open(USER, "password")
        while office.clock.time < START + LIMITS.lifetime - MINUTE:
            office.clock.advance(MINUTE)
            assert await office.find(token)
            await office.sessions.finish()
        office.clock.advance(MINUTE)
        assert await office.find(token) is None

    one(test, tmp_path)


def test_what_ended_is_deleted_by_the_sweep(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        for _ in range(2):
            await office.sessions.open(USER, "password")
        assert await office.sessions.sweep() == 0
        office.clock.advance(LIMITS.lifetime)
        assert await office.sessions.sweep() == 2
        assert office.replica.count(Session) == 0

    one(test, tmp_path)


def test_use_in_one_worker_keeps_the_session_in_all(tmp_path: Path) -> None:
    async def test(used: Office, idle: Office) -> None:
        token = await used.sessions.open(USER, "password")
        for _ in range(3):
            for _ in range(25):
                used.clock.advance(MINUTE)
                assert await used.find(token)
                await used.sessions.finish()
            assert await idle.sessions.sweep() == 0
        assert await idle.find(token)
        await idle.sessions.finish()

    two(test, tmp_path)


def test_the_last_access_that_is_shown_is_the_latest_known(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        token = await office.sessions.open(USER, "password")
        office.clock.advance(timedelta(seconds=3))
        session = await office.find(token)
        assert session
        assert session.created_time == START
        assert office.sessions.last_accessed(session) == START + timedelta(seconds=3)

    one(test, tmp_path)


def test_a_closed_session_is_closed_everywhere(tmp_path: Path) -> None:
    async def test(first: Office, second: Office) -> None:
        token = await first.sessions.open(USER, "password")
        session = await second.find(token)
        assert session
        await first.sessions.close(session)
        assert await first.find(token) is None
        assert await second.find(token) is None

    two(test, tmp_path)


def test_limits(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        tokens = [await office.sessions.open(USER, "password") for _ in range(3)]
        with pytest.raises(ServiceUnavailable, match="limited to 3"):
            await office.sessions.open(Principal("USER@vsphere.local"), "password")
        for _ in range(2):
            await office.sessions.open(OTHER, "password")
        assert len(office.sessions.of_user(USER.name)) == 3
        # The third has less than a fair share, and the first, who has more, makes room.
        assert await office.sessions.open(THIRD, "password")
        assert [len(office.sessions.of_user(each.name)) for each in (USER, OTHER, THIRD)] == [2, 2, 1]
        # Nobody has more than a share now.
        with pytest.raises(ServiceUnavailable, match=r"There are 5 open sessions, no more are kept, and 1 of them"):
            await office.sessions.open(THIRD, "password")
        # The one unused for longest has gone.
        assert await office.find(tokens[0]) is None
        session = await office.find(tokens[1])
        assert session
        await office.sessions.close(session)
        assert await office.sessions.open(USER, "password")

    one(test, tmp_path)


def test_expired_sessions_make_room(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        for _ in range(3):
            await office.sessions.open(USER, "password")
        office.clock.advance(LIMITS.idle + GRACE)
        assert await office.sessions.open(USER, "password")

    one(test, tmp_path)


def test_zero_means_any_number(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        for _ in range(20):
            await office.sessions.open(USER, "password")
        assert office.replica.count(Session) == 20

    one(test, tmp_path, SessionLimits(per_user=0, total=0))


def test_the_store_holds_digests_only(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        token = await office.sessions.open(USER, "password")
        assert len(token) == 64
        (stored,) = office.replica.all(Session).values()
        assert stored.id == digest(token)
        assert token not in repr(stored)
        assert stored.tag == stored.id[:8]
        assert stored.handle == stored.id[:16]

    one(test, tmp_path)


def test_accesses_of_deleted_sessions_are_forgotten(tmp_path: Path) -> None:
    async def test(first: Office, second: Office) -> None:
        tokens = [await first.sessions.open(USER, "password") for _ in range(3)]
        for token in tokens:
            session = await second.find(token)
            assert session
            await first.sessions.close(session)
        await second.replica.refresh()
        await second.sessions.sweep()
        assert not second.sessions._accesses._last

    two(test, tmp_path)


def test_accesses_at_once_are_written_once(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        token = await office.sessions.open(USER, "password")
        before = office.replica.sequence
        office.clock.advance(5 * MINUTE)
        for _ in range(100):
            assert await office.find(token)
        await asyncio.sleep(0)
        await office.sessions.finish()
        assert office.replica.sequence == before + 1

    one(test, tmp_path)


def test_a_session_opened_ahead_of_the_clock_does_not_outlive_its_limit(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        office.clock.advance(timedelta(days=365))
        token = await office.sessions.open(USER, "password")
        assert await office.find(token)
        office.clock.advance(-timedelta(days=365))
        assert await office.find(token) is None
        assert await office.sessions.sweep() == 1
        # A clock that is put right by seconds ends nothing.
        token = await office.sessions.open(USER, "password")
        office.clock.advance(-timedelta(seconds=30))
        assert await office.find(token)
        await office.sessions.finish()

    one(test, tmp_path)


def test_a_session_used_ahead_of_the_clock_is_idle_as_soon_as_others(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        token = await office.sessions.open(USER, "password")
        office.clock.advance(timedelta(minutes=25))
        assert await office.find(token)
        await office.sessions.finish()
        office.clock.advance(-timedelta(minutes=20))
        assert await office.sessions.sweep() == 0
        await office.sessions.finish()
        office.clock.advance(LIMITS.idle + GRACE)
        assert await office.find(token) is None

    one(test, tmp_path)


def administered(edit: Edit) -> None:
    """Give the role Admin to a group and a user."""
    edit.put(Folder(id=ROOT_FOLDER, name="Datacenters", type=vcenter.Folder.Type.DATACENTER))
    edit.put(FIRST_PERMISSION)
    edit.put(on_root(USER.name, ADMIN))


def test_room_is_kept_for_administrators(tmp_path: Path) -> None:
    limits = SessionLimits(per_user=0, total=20)
    lesser = [Principal(f"user{number}@vsphere.local") for number in range(2)]
    members = Principal("ann@corp.example", frozenset({ADMINISTRATORS}), "corp.example")

    async def test(office: Office) -> None:
        await office.replica.change(administered)
        for principal in lesser:
            for _ in range(9):
                await office.sessions.open(principal, "password")
        with pytest.raises(ServiceUnavailable, match=r"There are 18 open sessions.* 9 of them are yours"):
            await office.sessions.open(lesser[0], "password")
        for administrator in (USER, members):
            assert await office.sessions.open(administrator, "password")
        assert office.replica.count(Session) == 20
        # Now room is made by those who have most.
        for _ in range(3):
            assert await office.sessions.open(USER, "password")
        assert office.replica.count(Session) == 20
        assert len(office.sessions.of_user(USER.name)) == 4

    one(test, tmp_path, limits)


def test_the_sessions_of_an_account_end_by_a_change(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        token, other = await office.sessions.open(USER, "password"), await office.sessions.open(OTHER, "password")
        federated = await office.sessions.open(Principal(USER.name, source="corp"), "ldap")
        await office.replica.change(lambda edit: end_sessions(edit, office.replica, USER.name))
        assert await office.find(token) is None
        assert await office.find(other)
        assert await office.find(federated)

    one(test, tmp_path)


def test_what_people_call_a_session(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        token = await office.sessions.open(USER, "password", "192.0.2.1")
        session = await office.find(token)
        assert session
        assert office.sessions.by_handle(session.handle) == session
        assert office.sessions.by_handle(token[:16]) is None
        assert session.client == "192.0.2.1"
        assert office.sessions.all_open() == [session]
        office.clock.advance(LIMITS.lifetime)
        assert office.sessions.by_handle(session.handle) is None
        assert office.sessions.all_open() == []

    one(test, tmp_path)


def test_ids_of_earlier_releases_go_on(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        token = "0123456789abcdef0123456789abcdef"
        session = Session(id=digest(token), user=USER.name, created_time=START, last_accessed_time=START)
        await office.replica.change(lambda edit: edit.put(session))
        assert await office.find(token) == session

    one(test, tmp_path)
