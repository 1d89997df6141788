"""API tokens: how they are written, for how long they are good, and what is kept of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.access.principal import Scope
from resphere.access.privileges import PRIVILEGES
from resphere.auth.sessions import Session
from resphere.auth.token_rules import checked_name, checked_privileges
from resphere.auth.tokens import (
    CHARACTERS,
    MOST_OF_OWNER,
    SHOWN_AFTER,
    USUAL_LIFETIME,
    ApiToken,
    Tokens,
    digest,
    is_written_right,
    written,
)
from resphere.auth.wiring import WIRING
from resphere.contract.errors import AlreadyExists, InvalidArgument, ServiceUnavailable
from resphere.replica.replica import Replica
from tests.replica.worlds import run

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONGEST = timedelta(days=366)
OWNER, EVERYTHING = "ann@vsphere.local", Scope()


class Office:
    """One worker's tokens, and a clock of the test's own."""

    def __init__(self, replica: Replica) -> None:
        numbers = itertools.count()
        self.time = START
        self.replica = replica
        self.tokens = Tokens(replica, LONGEST, lambda: self.time, lambda size: next(numbers).to_bytes(size, "big"))


def office(test: Callable[[Office], Awaitable[None]], path: Path) -> None:
    """Run a test with one worker."""

    async def whole(replica: Replica) -> None:
        made = Office(replica)
        await test(made)
        await made.tokens.finish()

    run(whole, path / "store.db", tables=WIRING.tables)


@given(st.binary(min_size=32, max_size=32))
def test_a_token_is_known_by_its_form(secret: bytes) -> None:
    token = written(secret)
    assert re.fullmatch(r"rsp_[0-9A-Za-z]{49}", token)
    assert len(token) == CHARACTERS
    assert is_written_right(token)


@given(st.binary(min_size=32, max_size=32), st.integers(0, CHARACTERS - 1), st.characters(max_codepoint=127))
def test_one_other_character_makes_it_none(secret: bytes, place: int, other: str) -> None:
    token = written(secret)
    if token[place] != other:
        assert not is_written_right(token[:place] + other + token[place + 1 :])


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_no_two_secrets_make_one_token(one: bytes, other: bytes) -> None:
    assert (written(one) == written(other)) is (one == other)


@given(st.text(max_size=80))
def test_any_text_is_looked_at(text: str) -> None:
    assert not is_written_right(text)


def test_for_how_long_it_is_good(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        made = await office.tokens.make(OWNER, "usual", EVERYTHING, None)
        assert made.token.expiration_time == START + USUAL_LIFETIME
        asked = await office.tokens.make(OWNER, "asked", EVERYTHING, START + timedelta(hours=1))
        for moment, good in ((START, True), (START + timedelta(minutes=59), True), (START + timedelta(hours=1), False)):
            assert office.tokens.is_good(asked.token, moment) is good
        for wrong in (START, START - timedelta(days=1), START + LONGEST + timedelta(seconds=1)):
            with pytest.raises(InvalidArgument, match="must lie ahead, by 366 days at most"):
                await office.tokens.make(OWNER, "wrong", EVERYTHING, wrong)
        # Made ahead of a clock that went back: it would outlive the longest there is.
        assert not office.tokens.is_good(made.token, START - LONGEST)

    office(test, tmp_path)


def test_what_is_kept_is_no_secret(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        made = await office.tokens.make(OWNER, "ci", EVERYTHING, None)
        [stored] = office.replica.all(ApiToken).values()
        assert stored.id == digest(made.secret)
        assert made.secret not in repr(stored)
        assert office.tokens.find(made.secret, START) == stored
        assert office.tokens.find(made.secret[:-1] + "x", START) is None
        assert office.tokens.by_handle(stored.handle) == stored
        assert office.tokens.by_handle(made.secret[:16]) is None

    office(test, tmp_path)


def test_when_it_was_used_last_is_written_down(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        made = await office.tokens.make(OWNER, "ci", EVERYTHING, None)
        for seconds in range(10):
            office.tokens.find(made.secret, START + timedelta(seconds=seconds))
        await office.tokens.finish()
        [stored] = office.replica.all(ApiToken).values()
        assert stored.last_used_time is not None
        assert office.tokens.last_used(stored) == START + timedelta(seconds=9)

    office(test, tmp_path)


def test_names_and_numbers_of_an_owner(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        for number in range(MOST_OF_OWNER):
            await office.tokens.make(OWNER, f"token {number}", EVERYTHING, None)
        with pytest.raises(AlreadyExists):
            await office.tokens.make(OWNER, "TOKEN 7", EVERYTHING, None)
        with pytest.raises(ServiceUnavailable, match="100 tokens"):
            await office.tokens.make(OWNER, "one more", EVERYTHING, None)
        await office.tokens.make("ben@vsphere.local", "token 7", EVERYTHING, None)

    office(test, tmp_path)


def test_what_ended_goes_after_a_while_with_its_sessions(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        made = await office.tokens.make(OWNER, "ci", EVERYTHING, START + timedelta(hours=1))
        session = Session(id="1", user=OWNER, created_time=START, last_accessed_time=START, token=made.token.id)
        await office.replica.change(lambda edit: edit.put(session))
        office.time += timedelta(hours=1) + SHOWN_AFTER - timedelta(seconds=1)
        assert await office.tokens.sweep() == 0
        office.time += timedelta(seconds=1)
        assert await office.tokens.sweep() == 1
        assert office.replica.count(ApiToken) == office.replica.count(Session) == 0

    office(test, tmp_path)


def test_two_workers_make_no_two_tokens_of_one_name(tmp_path: Path) -> None:
    async def whole(first: Replica, second: Replica) -> None:
        one, other = Office(first), Office(second)
        await one.tokens.make(OWNER, "ci", EVERYTHING, None)
        with pytest.raises(AlreadyExists):
            await other.tokens.make(OWNER, "ci", EVERYTHING, None)

    run(whole, tmp_path / "store.db", replicas=2, tables=WIRING.tables)


@given(st.text(max_size=100))
def test_a_name_that_will_do_is_one_line(name: str) -> None:
    try:
        checked_name(name)
    except InvalidArgument:
        return
    assert 0 < len(name) <= 80
    assert name == name.strip()
    assert len(name.splitlines()) == 1


def test_privileges_are_those_that_there_are() -> None:
    assert checked_privileges(PRIVILEGES) == PRIVILEGES
    assert checked_privileges(()) == frozenset()
    with pytest.raises(InvalidArgument, match=r"'Task.Cancle'; did you mean Task"):
        checked_privileges(["Task.Cancle"])
    with pytest.raises(InvalidArgument, match=r"There is no privilege ''\."):
        checked_privileges([""])
