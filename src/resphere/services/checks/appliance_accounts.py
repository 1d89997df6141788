"""The appliance's local accounts are accounts of this server: ``root`` is ``root@localos``, as vCenter calls it too.

The roles of the appliance are given as roles of this server on the root folder, so that whoever gives one has to have
what it gives. Until root has a password of its own it is the administrator by another name: there is no account with a
password that nobody changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import msgspec

from resphere.access.principal import canonical_name
from resphere.auth.accounts import Account
from resphere.auth.local_os import LOCAL_OS, ROOT, account_id, account_of_root
from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import LocalAccounts
from resphere.contract.model import Secret
from resphere.inventory.appliance.accounts import LocalAccount, LocalAccountPolicy
from resphere.inventory.appliance.accounts import LocalAccounts as Kept
from resphere.rules.appliance_values import invalid, require_few, require_range
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import setting

NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?\Z")
LONGEST_NAME = 64
LONGEST_TEXT = 256
SUPER_ADMIN = "superAdmin"
ROLES: Mapping[str, str] = MappingProxyType({SUPER_ADMIN: "Admin", "admin": "Admin", "operator": "ReadOnly"})
"""The roles of the appliance, the mightiest first -> those of this server that they are."""
DAYS = range(-1, 100_000)
"""Days that can be given; -1 is never."""


def local_accounts(call: Call) -> dict[str, Account]:
    """All of them by name, in order."""
    ending = f"@{LOCAL_OS}"
    there = {id.removesuffix(ending): account for id, account in call.all(Account).items() if id.endswith(ending)}
    root = call.get(Account, account_of_root(call.inventory))
    if root is not None:
        there[ROOT] = root
    return dict(sorted(there.items()))


def own_account(call: Call, name: str) -> Account | None:
    """The account of that name, where it has one of its own."""
    return call.get(Account, account_id(name)) if NAME.match(name) else None


def require_account(call: Call, name: str) -> Account:
    """The account of that name.

    :raises NotFound: there is none.
    """
    is_root = name.casefold() == ROOT
    account = call.get(Account, account_of_root(call.inventory)) if is_root else own_account(call, name)
    if account is None:
        raise NotFound(message("resphere.appliance.no_account", "There is no local account {0}.", name[:LONGEST_TEXT]))
    return account


def profile_of(call: Call, name: str) -> LocalAccount:
    """What is kept beside the account of that name."""
    roles = (SUPER_ADMIN,) if name.casefold() == ROOT else ()
    return setting(call, Kept).by_name.get(name.casefold(), LocalAccount(roles=roles))


def require_name(name: str) -> None:
    """Refuse what no local account can be called; vCenter's names may have an @ as well, which ours end at.

    :raises InvalidArgument: it is none.
    """
    if not NAME.match(name) or len(name) > LONGEST_NAME:
        reason = "a name has up to {1} letters, digits, dots and hyphens, and begins and ends with a letter or a digit."
        raise invalid("username", reason, LONGEST_NAME)


def role_of(roles: tuple[ids.ApplianceRolesId, ...], field: str = "config") -> str:
    """The role of this server that the appliance's are: the mightiest.

    :raises InvalidArgument: there are none, or one that is none.
    """
    if not roles:
        raise invalid(f"{field}.roles", "a role has to be given: {1}.", ", ".join(ROLES))
    for place, role in enumerate(roles):
        if role not in ROLES:
            raise invalid(f"{field}.roles[{place}]", "{1} is none of {2}.", repr(role), ", ".join(ROLES))
    require_few(f"{field}.roles", roles)
    return next(ours for role, ours in ROLES.items() if role in roles)


def profile(
    config: LocalAccounts.Config | LocalAccounts.UpdateConfig, before: LocalAccount, field: str = "config"
) -> LocalAccount:
    """What is to be kept beside the account; what is unset stays as it was before.

    :raises InvalidArgument: days or texts that cannot be.
    """
    for name in ("full_name", "email"):
        text = getattr(config, name)
        if text is not None and (len(text) > LONGEST_TEXT or not text.isprintable()):
            raise invalid(f"{field}.{name}", "it has at most {1} characters, and no control characters.", LONGEST_TEXT)
    days = {
        "inactive_days": "days_after_password_expiration",
        "min_days": "min_days_between_password_change",
        "max_days": "max_days_between_password_change",
        "warn_days": "warn_days_before_password_expiration",
    }
    given = {ours: getattr(config, theirs) for ours, theirs in days.items()}
    for ours, theirs in days.items():
        if given[ours] is not None:
            require_range(f"{field}.{theirs}", given[ours], DAYS.start, DAYS.stop - 1)
    wanted = {
        **given,
        "roles": config.roles,
        "full_name": config.full_name,
        "email": config.email,
        "password_expires": config.password_expires,
        "expires_at": config.password_expires_at,
        "inactive_after_expiration": config.inactive_after_password_expiration,
    }
    changes = {name: value for name, value in wanted.items() if value is not None}
    return msgspec.structs.replace(before, **changes)


async def require_own_password(call: Call, account: Account, old: Secret | None) -> None:
    """Whoever changes the own password has to know the present one.

    :raises InvalidArgument: it is not that.
    """
    if canonical_name(call.session.user) != account.id:
        return
    accounts = call.environment.identities.accounts
    if old is None or await accounts.verify(account.id, old, call.client) is None:
        raise InvalidArgument(
            message("resphere.appliance.old_password", "config.old_password: it is not the present password.")
        )


def info(call: Call, name: str, account: Account) -> LocalAccounts.Info:
    """What is told of one."""
    kept = profile_of(call, name)
    policy = setting(call, LocalAccountPolicy)
    max_days = policy.max_days if kept.max_days is None else kept.max_days
    expires_at = kept.expires_at
    if expires_at is None and account.password_time is not None and max_days is not None and max_days >= 0:
        expires_at = account.password_time + timedelta(days=max_days)
    if not kept.password_expires:
        expires_at = None
    inactive = kept.inactive_after_expiration and kept.inactive_days is not None and kept.inactive_days >= 0
    return LocalAccounts.Info(
        fullname=kept.full_name,
        email=kept.email,
        roles=tuple(ids.ApplianceRolesId(role) for role in kept.roles),
        enabled=not account.disabled,
        has_password=True,
        last_password_change=account.password_time,
        password_expires_at=expires_at,
        inactive_at=expires_at + timedelta(days=kept.inactive_days or 0) if inactive and expires_at else None,
        min_days_between_password_change=policy.min_days if kept.min_days is None else kept.min_days,
        max_days_between_password_change=max_days,
        warn_days_before_password_expiration=policy.warn_days if kept.warn_days is None else kept.warn_days,
    )
