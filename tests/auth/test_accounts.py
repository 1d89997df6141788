"""Local accounts."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.access.principal import Principal
from resphere.access.wiring import TABLES as ACCESS_TABLES
from resphere.auth.account_changes import AccountChanges
from resphere.auth.account_names import fault_of_name
from resphere.auth.accounts import ADMINISTRATOR, Account, LocalAccounts, canonical_name
from resphere.auth.groups import EVERYONE
from resphere.auth.password_rules import USUAL_RULES, PasswordRules
from resphere.auth.passwords import Digests, verify_password
from resphere.auth.wiring import WIRING
from resphere.contract.errors import InvalidArgument
from resphere.replica.replica import Replica
from tests.auth.test_passwords import as_earlier_releases
from tests.replica.worlds import run

ANN = "ann@vsphere.local"


def with_accounts(test: Callable[[Replica, LocalAccounts], Awaitable[None]], path: Path) -> None:
    """Run a test with accounts in a store of their own."""

    async def whole(replica: Replica) -> None:
        await test(replica, LocalAccounts(replica, secrets.token_bytes))

    run(whole, path / "store.db", tables=(*WIRING.tables, *ACCESS_TABLES))


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("User@Example.com", "user@example.com"),
        (" user@example.com ", "user@example.com"),
        ("EXAMPLE.COM\\User", "user@example.com"),
        ("user", "user"),
        ("", ""),
    ],
)
def test_names(name: str, canonical: str) -> None:
    assert canonical_name(name) == canonical


def test_who_is_let_in(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        await accounts.put("User@example.com", "secret", "ReadOnly")
        for _ in range(2):
            found = await accounts.verify("EXAMPLE.COM\\user", "secret")
            assert found
            assert found == Principal("User@example.com", frozenset({EVERYONE}))
        for name, password in (("user@example.com", "Secret"), ("user", "secret"), ("", ""), ("user@example.com", "")):
            assert await accounts.verify(name, password) is None
        assert accounts.principal("nobody") is None

    with_accounts(test, tmp_path)


def test_an_unknown_user_s_empty_password_does_not_fit(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        # Unknown names are checked against the hash of the empty password, so that they take as long.
        assert await accounts.verify("nobody@example.com", "") is None

    with_accounts(test, tmp_path)


def test_the_same_again_writes_nothing(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        await accounts.put("user@example.com", "secret", "Admin")
        before = replica.sequence
        await accounts.put("user@example.com", "secret", "Admin")
        assert replica.sequence == before
        await accounts.put("user@example.com", "secret", "ReadOnly")
        assert replica.sequence == before + 1

    with_accounts(test, tmp_path)


def test_unknown_roles(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        with pytest.raises(ValueError, match=r"there is no role Root to give; there are Admin, ReadOnly, NoAccess, No"):
            await accounts.put("user@example.com", "secret", "Root")
        with pytest.raises(ValueError, match="there is no role View to give"):
            await accounts.put("user@example.com", "secret", "View")
        assert replica.count(Account) == 0

    with_accounts(test, tmp_path)


def test_an_old_password_is_not_remembered(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        await accounts.put("user@example.com", "old", "Admin")
        assert await accounts.verify("user@example.com", "old")
        await accounts.put("user@example.com", "new", "Admin")
        assert await accounts.verify("user@example.com", "old") is None
        assert await accounts.verify("user@example.com", "new")

    with_accounts(test, tmp_path)


def test_digests_of_earlier_releases_are_made_anew_at_login(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        old = as_earlier_releases("secret")
        await replica.change(lambda edit: edit.put(Account(id=ANN, name=ANN, password_hash=old)))
        assert await accounts.verify(ANN, "other") is None
        assert replica.all(Account)[ANN].password_hash == old
        assert await accounts.verify(ANN, "secret")
        assert replica.all(Account)[ANN].password_hash.startswith("$argon2id$")
        assert await accounts.verify(ANN, "secret")
        assert await accounts.verify(ANN, "other") is None

    with_accounts(test, tmp_path)


@pytest.mark.parametrize("old", [False, True], ids=["argon2id", "with scrypt beside"])
def test_whoever_is_refused_costs_the_same(tmp_path: Path, old: bool) -> None:
    """Counted in digests, by their kind, as these are what takes time."""
    computed: list[str] = []

    def counting(password: str, stored: str) -> bool:
        computed.append(stored.split("$")[0] or stored.split("$")[1])
        return verify_password(password, stored)

    async def test(replica: Replica) -> None:
        digests = Digests(secrets.token_bytes, counting)
        accounts = LocalAccounts(replica, secrets.token_bytes, digests=digests)
        await accounts.put(ANN, "secret")
        await accounts.put("ben@vsphere.local", "secret")
        disabled = msgspec.structs.replace(replica.all(Account)["ben@vsphere.local"], disabled=True)
        await replica.change(lambda edit: edit.put(disabled))
        if old:
            legacy = Account(id="old", name="old", password_hash=as_earlier_releases("secret"))
            await replica.change(lambda edit: edit.put(legacy))
        for user, password in ((ANN, "bad"), ("nobody", "bad"), ("ben@vsphere.local", "secret"), ("old", "bad")):
            computed.clear()
            assert await accounts.verify(user, password) is None
            assert sorted(computed) == (["argon2id", "scrypt"] if old else ["argon2id"]), user
        for _ in range(5):
            assert await accounts.verify(ANN, "bad") is None
        computed.clear()
        assert await accounts.verify(ANN, "secret") is None  # locked
        assert sorted(computed) == (["argon2id", "scrypt"] if old else ["argon2id"])

    run(test, tmp_path / "store.db", tables=(*WIRING.tables, *ACCESS_TABLES))


def test_the_last_passwords_are_not_taken_again(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        changes = AccountChanges(replica, accounts)
        words = [f"Secret-{number}" for number in range(6)]
        await changes.create(ANN, words[0])
        for word in words[1:]:
            await changes.set_password(ANN, word)
        for word in words[1:]:
            with pytest.raises(InvalidArgument, match="one of the last 5"):
                await changes.set_password(ANN, word)
        await changes.set_password(ANN, words[0])
        assert len(replica.all(Account)[ANN].previous) == 4

    with_accounts(test, tmp_path)


def test_a_password_that_is_too_old_must_be_changed(tmp_path: Path) -> None:
    clock = [datetime(2026, 1, 1, tzinfo=UTC)]
    rules = PasswordRules(lifetime=timedelta(days=90))

    async def whole(replica: Replica) -> None:
        accounts = LocalAccounts(replica, secrets.token_bytes, now=lambda: clock[0], rules=rules)
        await accounts.put(ANN, "secret")
        await accounts.put(ADMINISTRATOR, "secret", given=True)
        assert not (await accounts.check(ANN, "secret")).must_change
        clock[0] += timedelta(days=90)
        assert (await accounts.check(ANN, "secret")).must_change
        assert await accounts.verify(ANN, "secret") is None
        # The password that the settings give goes on working.
        assert await accounts.verify(ADMINISTRATOR, "secret")
        await AccountChanges(replica, accounts).set_password(ANN, "Secret-2026")
        assert await accounts.verify(ANN, "Secret-2026")

    run(whole, tmp_path / "store.db", tables=(*WIRING.tables, *ACCESS_TABLES))


def test_a_change_while_a_password_is_checked_counts(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def held(password: str, stored: str) -> bool:
        begun.set()
        return go_on.wait(30) and verify_password(password, stored)

    async def test(replica: Replica) -> None:
        accounts = LocalAccounts(replica, secrets.token_bytes, digests=Digests(secrets.token_bytes, held))
        await accounts.put(ANN, "secret")
        checking = asyncio.ensure_future(accounts.verify(ANN, "secret"))
        assert await asyncio.to_thread(begun.wait, 30)
        await replica.change(lambda edit: edit.delete(Account, ANN))
        go_on.set()
        assert await checking is None

    run(test, tmp_path / "store.db", tables=(*WIRING.tables, *ACCESS_TABLES))


@given(st.text(max_size=20))
def test_a_name_that_will_do_is_one_word_on_one_line(name: str) -> None:
    assert canonical_name(canonical_name(name)) == canonical_name(name)
    if fault_of_name(name) is None:
        assert name.split() == [name]
        assert name.isprintable()
        assert canonical_name(name).count("@") <= 1
        assert ":" not in name
        assert fault_of_name(canonical_name(name)) is None


@given(st.text(max_size=40))
def test_a_password_by_the_rules_has_what_they_ask(password: str) -> None:
    faults = USUAL_RULES.faults(password)
    assert password not in faults
    if not faults:
        assert len(password) >= 8
        assert any(map(str.isupper, password))
        assert any(map(str.islower, password))
        assert any(map(str.isdigit, password))
        assert "\n" not in password
