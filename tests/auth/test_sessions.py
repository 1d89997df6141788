"""Sessions and their ends, by a clock of the test's own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resphere.access.principal import Principal
from resphere.auth.accounts import ACCOUNTS
from resphere.auth.sessions import SESSIONS, Session, SessionLimits, Sessions, digest
from resphere.contract.errors import ServiceUnavailable
from resphere.replica.replica import Replica
from tests.replica.worlds import run

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIMITS = SessionLimits(idle=timedelta(minutes=30), lifetime=timedelta(hours=2), per_user=3, total=5)
USER, OTHER, THIRD = (Principal(f"{name}@vsphere.local") for name in ("user", "other", "third"))
TABLES = (ACCOUNTS, SESSIONS)
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
        with pytest.raises(ServiceUnavailable, match="limited to 5"):
            await office.sessions.open(THIRD, "password")
        session = await office.find(tokens[0])
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
        assert len(token) == 32
        (stored,) = office.replica.all(Session).values()
        assert stored.id == digest(token)
        assert token not in repr(stored)
        assert stored.tag == stored.id[:8]

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
        assert not second.sessions._accessed

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
