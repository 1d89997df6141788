"""``com.vmware.appliance.local_accounts``: accounts of this server that are the appliance's own."""

from __future__ import annotations

import msgspec

from resphere.auth.account_changes import AccountUpdate
from resphere.auth.local_os import ROOT, account_id
from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import LocalAccounts
from resphere.contract.model import Secret
from resphere.inventory.appliance.accounts import LocalAccount
from resphere.inventory.appliance.accounts import LocalAccounts as Kept
from resphere.services.call import Call
from resphere.services.checks.administrators import require_equal_to_user, require_may_give
from resphere.services.checks.appliance_accounts import (
    ROLES,
    SUPER_ADMIN,
    info,
    local_accounts,
    own_account,
    profile,
    profile_of,
    require_account,
    require_name,
    require_own_password,
    role_of,
)
from resphere.services.checks.appliance_settings import change_setting
from resphere.services.registry import implements

Id = ids.ApplianceLocalAccountsId


@implements(LocalAccounts.list)
async def list_(call: Call) -> tuple[Id, ...]:
    """The names of all of them."""
    return tuple(Id(name) for name in local_accounts(call))


@implements(LocalAccounts.get)
async def get(call: Call, username: str) -> LocalAccounts.Info:
    """One of them.

    :raises NotFound: there is none of that name.
    """
    return info(call, username.casefold(), require_account(call, username))


@implements(LocalAccounts.create)
async def create(call: Call, username: Id, config: LocalAccounts.Config) -> None:
    """A new one, which may log in at once, unless it is not enabled.

    :raises AlreadyExists: there is one of that name.
    :raises InvalidArgument: name, roles, days or texts are none, or the password is against the rules.
    :raises Unauthorized: it would administer, and the caller does not.
    """
    require_name(username)
    role, kept = role_of(config.roles), profile(config, LocalAccount(roles=()))
    require_may_give(call, role)
    changes = call.environment.identities.account_changes
    id = await changes.create(account_id(username), config.password, role=role)
    if config.enabled is False:
        await changes.update(id, AccountUpdate(disabled=True))
    await keep(call, username, kept)


@implements(LocalAccounts.set)
async def set_(call: Call, username: Id, config: LocalAccounts.Config) -> None:
    """All of one anew, its password too; what is unset is as it is of a new one.

    :raises NotFound: there is none of that name.
    :raises InvalidArgument: roles, days or texts are none, or the password is against the rules.
    :raises Unauthorized: it administers, or would, and the caller does not.
    """
    await change(call, username, config, LocalAccount(roles=()), enabled=config.enabled is not False)


@implements(LocalAccounts.update)
async def update(call: Call, username: Id, config: LocalAccounts.UpdateConfig) -> None:
    """Change one; what is unset stays.

    :raises NotFound: there is none of that name.
    :raises InvalidArgument: roles, days or texts are none, or the password is against the rules.
    :raises Unauthorized: it administers, or would, and the caller does not.
    """
    await change(call, username, config, profile_of(call, username), enabled=config.enabled)


@implements(LocalAccounts.delete)
async def delete(call: Call, username: Id) -> None:
    """Remove one, with its sessions.

    :raises NotFound: there is none of that name.
    :raises InvalidArgument: it is root.
    :raises Unauthorized: it administers, and the caller does not.
    """
    account = require_account(call, username)
    if username.casefold() == ROOT:
        raise root_stays()
    require_equal_to_user(call, account.id)
    await call.environment.identities.account_changes.remove(account.id)
    name = username.casefold()
    await change_setting(
        call, Kept, lambda kept: Kept(by_name={key: each for key, each in kept.by_name.items() if key != name})
    )


async def change(
    call: Call,
    username: str,
    config: LocalAccounts.Config | LocalAccounts.UpdateConfig,
    before: LocalAccount,
    *,
    enabled: bool | None,
) -> None:
    """Change an account and what is kept of it, the password last: a session of its own ends with it."""
    account = require_account(call, username)
    role = None if config.roles is None else role_of(config.roles)
    kept = profile(config, before)
    require_equal_to_user(call, account.id)
    require_may_give(call, role)
    is_root = username.casefold() == ROOT
    if is_root and (enabled is False or SUPER_ADMIN not in kept.roles):
        raise root_stays()
    password: Secret | None = config.password
    changes = call.environment.identities.account_changes
    if password is not None:
        if own_account(call, username) is not None:
            await require_own_password(call, account, config.old_password)
        changes.require_fit(password)
    await keep(call, username, kept)
    if own_account(call, username) is None:
        if password is not None:
            await changes.create(account_id(username), password, role=ROLES[SUPER_ADMIN])
        return
    if role is not None or enabled is not None:
        disabled = None if enabled is None else not enabled
        await changes.update(account.id, AccountUpdate(role=role, disabled=disabled))
    if password is not None:
        await changes.set_password(account.id, password)


def root_stays() -> InvalidArgument:
    """Of what would leave the appliance without its first account."""
    text = "The account root stays, is enabled and has the role {0}."
    return InvalidArgument(message("resphere.appliance.root_stays", text, SUPER_ADMIN))


async def keep(call: Call, username: str, kept: LocalAccount) -> None:
    """Keep what is kept beside the account."""
    name = username.casefold()
    await change_setting(
        call, Kept, lambda all_kept: msgspec.structs.replace(all_kept, by_name={**all_kept.by_name, name: kept})
    )
