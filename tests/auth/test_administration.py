"""Somebody always administers the server, whatever is changed."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from resphere.access.permissions import FIRST_PERMISSION, GLOBAL, Permission, on_root
from resphere.access.principal import ADMINISTRATORS
from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY
from resphere.access.wiring import TABLES as ACCESS_TABLES
from resphere.auth.accounts import ADMINISTRATOR, Account, LocalAccounts
from resphere.auth.administration import RULES
from resphere.auth.groups import Group
from resphere.auth.wiring import WIRING
from resphere.contract.errors import ResourceBusy
from resphere.inventory.model import ROOT_FOLDER
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Stored
from tests.replica.worlds import run

OTHER = "other@vsphere.local"


def administered(test: Callable[[Replica, LocalAccounts], Awaitable[None]], path: Path) -> None:
    """Run a test where the administrator is the only one who has the role Admin, by the group."""

    async def whole(replica: Replica) -> None:
        accounts = LocalAccounts(replica, secrets.token_bytes)
        await replica.change(lambda edit: edit.put(FIRST_PERMISSION))
        await accounts.put(ADMINISTRATOR, "secret")
        await test(replica, accounts)

    run(whole, path / "store.db", tables=(*WIRING.tables, *ACCESS_TABLES), rules=RULES)


async def put(replica: Replica, *documents: Stored) -> None:
    def plan(edit: Edit) -> None:
        for document in documents:
            edit.put(document)

    await replica.change(plan)


async def delete(replica: Replica, document: Stored) -> None:
    await replica.change(lambda edit: edit.delete(type(document), document.id))


@pytest.mark.parametrize(
    "change",
    [
        Permission(principal=ADMINISTRATORS, group=True, object=GLOBAL, role=READ_ONLY.id),
        Permission(principal=ADMINISTRATORS, group=True, object=GLOBAL, role=ADMIN.id, propagate=False),
        Permission(principal=ADMINISTRATORS, group=True, object=ROOT_FOLDER, role=NO_ACCESS.id),
        Permission(principal="ADMINISTRATOR@vsphere.local", object=ROOT_FOLDER, role=READ_ONLY.id, propagate=False),
    ],
    ids=["another role", "not on what is below", "overridden on the root folder", "overridden by the user's own"],
)
def test_nobody_locks_the_last_administrator_out(tmp_path: Path, change: Permission) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        with pytest.raises(ResourceBusy, match="Nobody would be left who has the role Admin on the root folder"):
            await put(replica, change)
        assert list(replica.all(Permission).values()) == [FIRST_PERMISSION]
        await accounts.put(OTHER, "secret", "Admin")
        await put(replica, change)

    administered(test, tmp_path)


def test_the_last_permission_and_the_last_account_stay(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        administrator = replica.all(Account)[ADMINISTRATOR]
        for document in (FIRST_PERMISSION, administrator):
            with pytest.raises(ResourceBusy):
                await delete(replica, document)
        await accounts.put(OTHER, "secret", "Admin")
        await delete(replica, FIRST_PERMISSION)
        for document in (replica.all(Account)[OTHER], on_root(OTHER, ADMIN)):
            with pytest.raises(ResourceBusy):
                await delete(replica, document)
        await delete(replica, administrator)

    administered(test, tmp_path)


def test_a_permission_of_nobody_s_keeps_nothing_administered(tmp_path: Path) -> None:
    """An administrator without an account cannot log in."""

    async def test(replica: Replica, _: LocalAccounts) -> None:
        await put(replica, on_root("nobody@vsphere.local", ADMIN))
        with pytest.raises(ResourceBusy):
            await delete(replica, FIRST_PERMISSION)

    administered(test, tmp_path)


def test_the_group_of_the_last_one_stays_and_keeps_its_user(tmp_path: Path) -> None:
    crew = Group(id="crew@vsphere.local", name="crew@vsphere.local", users=(OTHER,))

    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        await accounts.put(OTHER, "secret")
        await put(replica, crew, Permission(principal=crew.name, group=True, object=ROOT_FOLDER, role=ADMIN.id))
        await delete(replica, FIRST_PERMISSION)
        with pytest.raises(ResourceBusy):
            await put(replica, msgspec.structs.replace(crew, users=(ADMINISTRATOR + "2",)))
        with pytest.raises(ResourceBusy):
            await delete(replica, crew)
        await put(replica, msgspec.structs.replace(crew, users=(ADMINISTRATOR, OTHER)))

    administered(test, tmp_path)


def test_who_is_disabled_administers_nothing(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        await accounts.put(OTHER, "secret", "Admin")
        other = replica.all(Account)[OTHER]
        await put(replica, msgspec.structs.replace(other, disabled=True))
        with pytest.raises(ResourceBusy):
            await delete(replica, FIRST_PERMISSION)
        await put(replica, other)
        await delete(replica, FIRST_PERMISSION)

    administered(test, tmp_path)


def test_one_change_may_hand_it_on(tmp_path: Path) -> None:
    async def test(replica: Replica, accounts: LocalAccounts) -> None:
        await accounts.put(OTHER, "secret", "ReadOnly")

        def plan(edit: Edit) -> None:
            edit.delete(Permission, FIRST_PERMISSION.id)
            edit.put(on_root(OTHER, ADMIN))

        await replica.change(plan)
        assert replica.all(Permission).keys() == {on_root(OTHER, ADMIN).id}

    administered(test, tmp_path)


def test_what_was_nobody_s_before_may_change(tmp_path: Path) -> None:
    """A store that is being filled, or whose accounts are gone, is refused nothing."""

    async def test(replica: Replica) -> None:
        await put(replica, FIRST_PERMISSION)
        await delete(replica, FIRST_PERMISSION)

    run(test, tmp_path / "store.db", tables=(*WIRING.tables, *ACCESS_TABLES), rules=RULES)
