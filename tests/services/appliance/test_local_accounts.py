"""The appliance's own accounts: accounts of this server, with what vCenter tells of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from resphere.access.tree import roles_at_root
from resphere.auth.accounts import ADMINISTRATOR, Account
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, VapiError
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import LocalAccounts
from resphere.contract.generated.appliance_local_accounts import Policy
from resphere.contract.model import Operation, Secret
from tests.services.vcenter.building import refused
from tests.support.world import NOW, Caller, World

ROOT, OPERATOR = ids.ApplianceLocalAccountsId("root"), ids.ApplianceLocalAccountsId("operator")
NOBODY = ids.ApplianceLocalAccountsId("nobody")
PASSWORD, OTHER = Secret("Appliance1!"), Secret("Appliance2?")
OPERATES = (ids.ApplianceRolesId("operator"),)
SUPER = (ids.ApplianceRolesId("superAdmin"),)
CONFIG = LocalAccounts.Config(password=PASSWORD, roles=OPERATES, full_name="Op Erator", email="op@example.org")
INVALID = (400, "resphere.appliance.invalid")


@pytest.fixture
def manned(world: World) -> World:
    """With the administrator's account."""
    accounts = world.environment.identities.accounts
    world.run(accounts.put(ADMINISTRATOR, "Administrator1!", "Admin"))
    return world


def lets_in(world: World, name: str, password: str) -> bool:
    return world.run(world.environment.identities.accounts.verify(name, password)) is not None


def roles(world: World, name: str) -> list[str]:
    account = world.inventory.get(Account, name)
    assert account is not None
    whoever = world.environment.identities.accounts.whoever(account)
    return [role.name for role in roles_at_root(world.inventory, whoever)]


def test_root_is_the_administrator_until_it_has_a_password(manned: World) -> None:
    assert manned.call(LocalAccounts.list) == (ROOT,)
    info = manned.call(LocalAccounts.get, "root")
    assert (info.roles, info.enabled, info.has_password) == (SUPER, True, True)
    manned.call(LocalAccounts.update, ROOT, LocalAccounts.UpdateConfig(email="root@example.org"))
    assert manned.inventory.get(Account, "root@localos") is None
    manned.call(LocalAccounts.update, ROOT, LocalAccounts.UpdateConfig(password=OTHER))
    assert lets_in(manned, "root@localos", OTHER)
    assert lets_in(manned, ADMINISTRATOR, "Administrator1!")
    assert roles(manned, "root@localos") == ["Admin"]
    info = manned.call(LocalAccounts.get, "Root")
    assert (info.roles, info.email) == (SUPER, "root@example.org")
    assert manned.call(LocalAccounts.list) == (ROOT,)


def test_the_life_of_an_account(manned: World) -> None:
    manned.call(LocalAccounts.create, OPERATOR, CONFIG)
    assert manned.call(LocalAccounts.list) == (OPERATOR, ROOT)
    assert lets_in(manned, "operator@localos", PASSWORD)
    assert roles(manned, "operator@localos") == ["ReadOnly"]
    assert manned.call(LocalAccounts.get, "operator") == LocalAccounts.Info(
        fullname="Op Erator",
        email="op@example.org",
        roles=OPERATES,
        enabled=True,
        has_password=True,
        last_password_change=NOW,
        password_expires_at=NOW + timedelta(days=90),
        min_days_between_password_change=0,
        max_days_between_password_change=90,
        warn_days_before_password_expiration=7,
    )
    manned.call(LocalAccounts.update, OPERATOR, LocalAccounts.UpdateConfig(enabled=False, roles=SUPER))
    assert not lets_in(manned, "operator@localos", PASSWORD)
    info = manned.call(LocalAccounts.get, "operator")
    assert (info.enabled, info.roles, info.fullname) == (False, SUPER, "Op Erator")
    manned.call(LocalAccounts.set, OPERATOR, LocalAccounts.Config(password=OTHER, roles=OPERATES))
    assert lets_in(manned, "operator@localos", OTHER)
    info = manned.call(LocalAccounts.get, "operator")
    assert (info.enabled, info.roles, info.fullname) == (True, OPERATES, None)
    assert roles(manned, "operator@localos") == ["ReadOnly"]
    manned.call(LocalAccounts.delete, OPERATOR)
    assert manned.call(LocalAccounts.list) == (ROOT,)
    manned.call(LocalAccounts.create, OPERATOR, msgspec.structs.replace(CONFIG, full_name=None, enabled=False))
    info = manned.call(LocalAccounts.get, "operator")
    assert (info.fullname, info.enabled) == (None, False)


def test_when_passwords_expire(manned: World) -> None:
    moment = NOW + timedelta(days=3)
    manned.call(LocalAccounts.create, OPERATOR, msgspec.structs.replace(CONFIG, password_expires_at=moment))
    assert manned.call(LocalAccounts.get, "operator").password_expires_at == moment
    change = LocalAccounts.UpdateConfig(days_after_password_expiration=2)
    manned.call(LocalAccounts.update, OPERATOR, change)
    assert manned.call(LocalAccounts.get, "operator").inactive_at == moment + timedelta(days=2)
    manned.call(LocalAccounts.update, OPERATOR, LocalAccounts.UpdateConfig(password_expires=False))
    info = manned.call(LocalAccounts.get, "operator")
    assert (info.password_expires_at, info.inactive_at) == (None, None)


def test_the_policy(manned: World) -> None:
    assert manned.call(Policy.get) == Policy.Info(max_days=90, min_days=0, warn_days=7)
    manned.call(Policy.set, Policy.Info(max_days=-1, minimum_length=10))
    assert manned.call(Policy.get) == Policy.Info(max_days=-1, minimum_length=10)
    assert manned.call(LocalAccounts.get, "root").password_expires_at is None
    for field, policy in (("max_days", Policy.Info(max_days=-2)), ("warn_days", Policy.Info(warn_days=100_000))):
        with pytest.raises(InvalidArgument) as error:
            manned.call(Policy.set, policy)
        assert refused(error) == INVALID
        assert error.value.messages[0].args[0] == f"policy.{field}"


@pytest.mark.parametrize(
    ("field", "name", "change"),
    [
        ("username", "", {}),
        ("username", "-op", {}),
        ("username", "op@vsphere.local", {}),
        ("username", "a" * 65, {}),
        ("config.roles", "op", {"roles": ()}),
        ("config.roles[1]", "op", {"roles": ("operator", "owner")}),
        ("config.full_name", "op", {"full_name": "a\nb"}),
        ("config.email", "op", {"email": "a" * 257}),
        ("config.max_days_between_password_change", "op", {"max_days_between_password_change": -2}),
        ("config.days_after_password_expiration", "op", {"days_after_password_expiration": 100_000}),
    ],
)
def test_accounts_that_cannot_be(manned: World, field: str, name: str, change: dict[str, Any]) -> None:
    id = ids.ApplianceLocalAccountsId(name)
    with pytest.raises(InvalidArgument) as error:
        manned.call(LocalAccounts.create, id, msgspec.structs.replace(CONFIG, **change))
    assert refused(error) == INVALID
    assert error.value.messages[0].args[0] == field
    assert manned.call(LocalAccounts.list) == (ROOT,)


def test_passwords_are_by_the_rules_and_nothing_changes_otherwise(manned: World) -> None:
    weak = Secret("short")
    with pytest.raises(InvalidArgument):
        manned.call(LocalAccounts.create, OPERATOR, msgspec.structs.replace(CONFIG, password=weak))
    manned.call(LocalAccounts.create, OPERATOR, CONFIG)
    with pytest.raises(InvalidArgument):
        manned.call(LocalAccounts.update, OPERATOR, LocalAccounts.UpdateConfig(password=weak, email="x@example.org"))
    assert manned.call(LocalAccounts.get, "operator").email == "op@example.org"


def test_refusals(manned: World) -> None:
    manned.call(LocalAccounts.create, OPERATOR, CONFIG)
    with pytest.raises(AlreadyExists):
        manned.call(LocalAccounts.create, OPERATOR, CONFIG)
    unknown: tuple[tuple[Operation[Any, Any], tuple[object, ...]], ...] = (
        (LocalAccounts.get, ("nobody",)),
        (LocalAccounts.get, ("../root",)),
        (LocalAccounts.set, (NOBODY, CONFIG)),
        (LocalAccounts.update, (NOBODY, LocalAccounts.UpdateConfig())),
        (LocalAccounts.delete, (NOBODY,)),
    )
    for operation, given in unknown:
        with pytest.raises(NotFound) as missing:
            manned.call(operation, *given)
        assert refused(missing) == (404, "resphere.appliance.no_account")
    forbidden: tuple[tuple[Operation[Any, Any], tuple[object, ...]], ...] = (
        (LocalAccounts.delete, (ROOT,)),
        (LocalAccounts.update, (ROOT, LocalAccounts.UpdateConfig(enabled=False))),
        (LocalAccounts.update, (ROOT, LocalAccounts.UpdateConfig(roles=OPERATES))),
    )
    for operation, given in forbidden:
        with pytest.raises(InvalidArgument) as stays:
            manned.call(operation, *given)
        assert refused(stays) == (400, "resphere.appliance.root_stays")


def test_the_own_password_needs_the_present_one(manned: World) -> None:
    manned.call(LocalAccounts.create, OPERATOR, CONFIG)
    manned.caller = Caller("operator@localos")
    for old in (None, OTHER):
        with pytest.raises(VapiError) as error:
            manned.call(LocalAccounts.update, OPERATOR, LocalAccounts.UpdateConfig(password=OTHER, old_password=old))
        assert refused(error) == (400, "resphere.appliance.old_password")
    manned.call(LocalAccounts.update, OPERATOR, LocalAccounts.UpdateConfig(password=OTHER, old_password=PASSWORD))
    assert lets_in(manned, "operator@localos", OTHER)
