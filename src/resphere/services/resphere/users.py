"""``resphere.users``: local users."""

from __future__ import annotations

from resphere.access.principal import canonical_name
from resphere.access.tree import roles_at_root
from resphere.auth.account_changes import AccountUpdate, no_user
from resphere.auth.accounts import Account
from resphere.contract.extensions.users import Users
from resphere.contract.model import Secret
from resphere.services.call import Call
from resphere.services.checks.administrators import require_equal_to_user, require_may_give
from resphere.services.registry import implements


@implements(Users.list)
async def list_users(call: Call) -> tuple[Users.Summary, ...]:
    """The local users by name."""
    accounts = sorted(call.all(Account).values(), key=lambda account: account.id)
    return tuple(Users.Summary(user=each.id, name=each.name, disabled=each.disabled) for each in accounts)


@implements(Users.get)
async def get(call: Call, user: str) -> Users.Info:
    """One local user.

    :raises NotFound: there is none of that name.
    """
    account = call.get(Account, canonical_name(user))
    if account is None:
        raise no_user(user)
    accounts = call.environment.identities.accounts
    return Users.Info(
        user=account.id,
        name=account.name,
        description=account.description,
        roles=tuple(role.name for role in roles_at_root(call.unfiltered, accounts.whoever(account))),
        groups=tuple(sorted(accounts.whoever(account).groups)),
        disabled=account.disabled,
        must_change_password=account.must_change,
        password_time=account.password_time,
        locked_until=accounts.lockout.locked_until(account.id, ""),
    )


@implements(Users.create)
async def create(call: Call, spec: Users.CreateSpec) -> str:
    """A new user, who may log in at once.

    :raises AlreadyExists: there is one of that name.
    :raises InvalidArgument: the name is none, there is no such role, or the password is against the rules.
    :raises Unauthorized: it would administer, and the caller does not.
    """
    require_may_give(call, spec.role)
    return await call.environment.identities.account_changes.create(
        spec.name,
        spec.password,
        role=spec.role,
        description=spec.description or "",
        must_change=bool(spec.must_change_password),
    )


@implements(Users.update)
async def update(call: Call, user: str, spec: Users.UpdateSpec) -> None:
    """Change a user, at once. Sessions of one who is disabled end.

    :raises NotFound: there is none of that name.
    :raises InvalidArgument: there is no such role, or it is the built-in administrator's.
    :raises Unauthorized: it administers, or would, and the caller does not.
    """
    require_equal_to_user(call, user)
    require_may_give(call, spec.role)
    await call.environment.identities.account_changes.update(
        canonical_name(user),
        AccountUpdate(
            role=spec.role,
            description=spec.description,
            disabled=spec.disabled,
            must_change=spec.must_change_password,
        ),
    )


@implements(Users.delete)
async def delete(call: Call, user: str) -> None:
    """Remove a user, with sessions, API tokens and places in groups.

    :raises NotFound: there is none of that name.
    :raises InvalidArgument: it is the built-in administrator.
    :raises Unauthorized: it administers, and the caller does not.
    """
    require_equal_to_user(call, user)
    await call.environment.identities.account_changes.remove(canonical_name(user))


@implements(Users.set_password)
async def set_password(call: Call, user: str, password: Secret, must_change_password: bool | None) -> None:
    """Give a user another password: the user's sessions end.

    :raises NotFound: there is none of that name.
    :raises InvalidArgument: the password is against the rules.
    :raises Unauthorized: the user administers, and the caller does not.
    """
    require_equal_to_user(call, user)
    await call.environment.identities.account_changes.set_password(
        canonical_name(user), password, must_change=bool(must_change_password)
    )


@implements(Users.unlock)
async def unlock(call: Call, user: str) -> None:
    """Forget the wrong passwords that have locked a user out.

    :raises NotFound: there is none of that name.
    """
    await call.environment.identities.account_changes.unlock(canonical_name(user))
