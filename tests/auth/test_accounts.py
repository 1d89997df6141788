"""Local accounts."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from resphere.access.principal import Principal
from resphere.access.wiring import TABLES as ACCESS_TABLES
from resphere.auth.accounts import Account, LocalAccounts, canonical_name
from resphere.auth.groups import EVERYONE
from resphere.auth.wiring import WIRING
from resphere.replica.replica import Replica
from tests.replica.worlds import run


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
