"""Accounts that are locked for a while: for whom, for how long, and not for whom."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.access.wiring import TABLES as ACCESS_TABLES
from resphere.auth.accounts import ADMINISTRATOR, Account, LocalAccounts, NotVerified
from resphere.auth.lockout import Failure, Lockout, LockoutRules, Logins, knows_nobody, locked_until
from resphere.auth.wiring import WIRING
from resphere.replica.replica import Replica
from tests.replica.worlds import run

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULES = LockoutRules(attempts=3, within=60 * SECOND, duration=100 * SECOND)
HOME, ELSEWHERE, STRANGER = "192.0.2.1", "192.0.2.2", "203.0.113.9"
USER = "user@vsphere.local"
TABLES = (*WIRING.tables, *ACCESS_TABLES)


class Office:
    """One worker: its accounts, and a clock of the test's own."""

    def __init__(self, replica: Replica, moment: datetime = START) -> None:
        self.time = moment
        self.replica = replica
        self.known: set[tuple[str, str]] = set()
        self.accounts = LocalAccounts(
            replica,
            random.Random(1).randbytes,
            now=lambda: self.time,
            lockout=RULES,
            knows=lambda *each: each in self.known,
        )

    async def login(self, client: str, password: str = "good", user: str = USER) -> str | None:
        """Why a login is refused, ``None`` where it is not."""
        try:
            await self.accounts.check(user, password, client)
        except NotVerified as refusal:
            return str(refusal)
        else:
            self.known.add((user, client))
        finally:
            await self.accounts.lockout.finish()
        return None


def office(test: Callable[[Office], Awaitable[None]], path: Path) -> None:
    """Run a test with one worker and one account."""

    async def whole(replica: Replica) -> None:
        made = Office(replica)
        await made.accounts.put(USER, "good")
        await test(made)
        await made.accounts.finish()

    run(whole, path / "store.db", tables=TABLES)


WRONG = "the password is not correct"


def test_wrong_passwords_lock_for_a_while(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        for _ in range(3):
            assert await office.login(HOME, "bad") == WRONG
        locked = f"the account is locked until {(START + RULES.duration).isoformat()}"
        assert await office.login(HOME) == locked
        # The right password and a wrong one are told apart neither by words nor by what is noted.
        assert await office.login(HOME, "bad") == locked
        office.time += RULES.duration
        assert await office.login(HOME) is None
        assert await office.login(HOME, "bad") == WRONG

    office(test, tmp_path)


def test_a_good_password_forgives_and_time_forgets(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        for _ in range(3):
            for _ in range(2):
                assert await office.login(HOME, "bad") == WRONG
            assert await office.login(HOME) is None
        for _ in range(6):
            assert await office.login(HOME, "bad") == WRONG
            office.time += 31 * SECOND

    office(test, tmp_path)


def test_a_stranger_locks_nobody_out_of_where_one_was_before(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        assert await office.login(HOME) is None
        for _ in range(3):
            assert await office.login(STRANGER, "bad") == WRONG
        assert (await office.login(STRANGER) or "").startswith("the account is locked")
        assert (await office.login(ELSEWHERE) or "").startswith("the account is locked")
        assert await office.login(HOME) is None
        for _ in range(3):
            assert await office.login(HOME, "bad") == WRONG
        assert (await office.login(HOME) or "").startswith("the account is locked")

    office(test, tmp_path)


def test_the_administrator_is_never_locked_out(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        await office.accounts.put(ADMINISTRATOR, "good")
        for _ in range(4):
            assert await office.login(STRANGER, "bad", ADMINISTRATOR) == WRONG
        assert await office.login(STRANGER, "good", ADMINISTRATOR) is None

    office(test, tmp_path)


def test_nothing_is_noted_of_names_without_an_account(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        for _ in range(5):
            assert await office.login(STRANGER, "good", "nobody@vsphere.local") == "there is no such account"
        assert office.replica.count(Logins) == 0

    office(test, tmp_path)


def test_what_one_worker_notes_counts_in_all_and_after_a_restart(tmp_path: Path) -> None:
    async def whole(first: Replica, second: Replica) -> None:
        one, other = Office(first), Office(second)
        await one.accounts.put(USER, "good")
        await second.refresh()
        for each in (one, other, one):
            assert await each.login(STRANGER, "bad") == WRONG
            await first.refresh()
            await second.refresh()
        for each in (one, other, Office(second)):
            assert (await each.login(STRANGER) or "").startswith("the account is locked")

    run(whole, tmp_path / "store.db", replicas=2, tables=TABLES)


def test_guesses_at_once_are_counted_before_the_next_is_answered(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        guesses = [office.login(STRANGER, "bad") for _ in range(8)]
        told = await asyncio.gather(*guesses, office.login(STRANGER))
        assert told.count(WRONG) == 3
        assert None not in told

    office(test, tmp_path)


def test_a_disabled_account_is_let_in_by_nothing(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        assert await office.login(HOME) is None
        account = office.replica.all(Account)[USER]
        disabled = Account(id=account.id, name=account.name, password_hash=account.password_hash, disabled=True)
        await office.replica.change(lambda edit: edit.put(disabled))
        assert await office.login(HOME) == "the account is disabled"
        assert office.accounts.principal(USER) is None

    office(test, tmp_path)


failures = st.lists(
    st.builds(
        Failure, st.integers(0, 400).map(lambda second: START + second * SECOND), st.sampled_from([HOME, STRANGER])
    ),
    max_size=12,
).map(lambda some: tuple(sorted(some, key=lambda each: each.time)))


@given(failures, st.sampled_from([HOME, STRANGER, ELSEWHERE]), st.booleans(), st.integers(0, 600))
def test_locked_is_as_the_words_have_it(noted: tuple[Failure, ...], client: str, known: bool, second: int) -> None:
    """Some failures that count came within the interval, and the last of them is not longer ago than the duration."""
    now = START + second * SECOND
    noted = tuple(each for each in noted if each.time <= now)
    logins = Logins(id=USER, failures=noted)
    counted = [each.time for each in noted if not known or each.client == client]
    expected = any(
        sum(last - RULES.within <= each <= last for each in counted[: index + 1]) >= RULES.attempts
        and now < last + RULES.duration
        for index, last in enumerate(counted)
    )
    assert (locked_until(logins, client, known, RULES, now) is not None) == expected


@pytest.mark.parametrize("attempts", [0])
def test_none_at_all_where_that_is_set(attempts: int) -> None:
    logins = Logins(id=USER, failures=tuple(Failure(START, HOME) for _ in range(9)))
    assert locked_until(logins, HOME, False, LockoutRules(attempts=attempts), START) is None


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    async def whole(replica: Replica) -> None:
        lockout = Lockout(replica, LockoutRules(attempts=0), lambda: START, knows_nobody)
        for number in range(200):
            lockout.failed(USER, f"192.0.2.{number}")
        await lockout.finish()
        [logins] = replica.all(Logins).values()
        assert len(logins.failures) == 64

    run(whole, tmp_path / "store.db", tables=TABLES)
