"""Changes of local accounts: by administrators, and by users of their own password."""

from __future__ import annotations

import msgspec

from resphere.access.permissions import on_root
from resphere.access.principal import canonical_name
from resphere.access.roles import Role
from resphere.auth.account_names import fault_of_name
from resphere.auth.accounts import ADMINISTRATOR, Account, LocalAccounts, grantable, with_password
from resphere.auth.groups import Group
from resphere.auth.lockout import Logins
from resphere.auth.principals import remove_permissions
from resphere.auth.sessions import end_sessions
from resphere.auth.tokens import ApiToken
from resphere.auth.tokens import remove as remove_token
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, message
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Reading


class AccountUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be another way; unset stays."""

    role: str | None = None
    description: str | None = None
    disabled: bool | None = None
    must_change: bool | None = None


class AccountChanges:
    """Makes, changes and removes accounts. Each change is in force at once, for every worker."""

    def __init__(self, replica: Replica, accounts: LocalAccounts) -> None:
        self._replica = replica
        self._accounts = accounts

    async def create(
        self, name: str, password: str, *, role: str | None = None, description: str = "", must_change: bool = False
    ) -> str:
        """A new account; returns its id.

        :raises AlreadyExists: there is one of that name.
        :raises InvalidArgument: the name is none, there is no such role, or the password is against the rules.
        """
        require_name(name)
        self.require_fit(password)
        account = Account(
            id=canonical_name(name),
            name=name.strip(),
            password_hash=await self._accounts.digests.make(password),
            description=description,
            must_change=must_change,
            password_time=self._accounts.now(),
        )

        def plan(edit: Edit) -> None:
            if edit.get(Account, account.id) is not None:
                raise AlreadyExists(message("resphere.user.name_taken", "There is a user {0} already.", account.name))
            edit.put(account)
            if role is not None:
                edit.put(on_root(account.name, known_role(self._replica, role)))

        await self._replica.change(plan)
        return account.id

    async def update(self, id: str, update: AccountUpdate) -> None:
        """Change an account. Sessions of one that is disabled end.

        :raises NotFound: there is none.
        :raises InvalidArgument: there is no such role, or the account is the built-in administrator's.
        """

        def plan(edit: Edit) -> None:
            account = require(edit, id)
            given = {name: value for name, value in msgspec.structs.asdict(update).items() if value is not None}
            role = given.pop("role", None)
            changed = msgspec.structs.replace(account, **given)
            if account.id == ADMINISTRATOR and changed.disabled:
                raise built_in()
            if role is not None:
                edit.put(on_root(account.name, known_role(self._replica, role)))
            if changed.disabled:
                end_sessions(edit, self._replica, account.id)
            edit.put(changed)

        await self._replica.change(plan)

    async def set_password(
        self, id: str, password: str, *, must_change: bool = False, any_password: bool = False
    ) -> None:
        """Give an account another password: its sessions end, and it is locked no more.

        ``any_password``: the rules do not matter.

        :raises NotFound: there is no such account.
        :raises InvalidArgument: the password is against the rules.
        """
        account = self._replica.get(Account, id)
        if account is None:
            raise no_user(id)
        if not any_password:
            self.require_fit(password)
            await self._require_new(account, password)
        stored = await self._accounts.digests.make(password)

        def plan(edit: Edit) -> None:
            changed = with_password(require(edit, id), stored, self._accounts.now(), self._accounts.rules)
            edit.put(msgspec.structs.replace(changed, must_change=must_change))
            end_sessions(edit, self._replica, id)
            forget_failures(edit, id)

        await self._replica.change(plan)

    async def unlock(self, id: str) -> None:
        """Forget failed logins.

        :raises NotFound: there is no such account.
        """

        def plan(edit: Edit) -> None:
            require(edit, id)
            forget_failures(edit, id)

        await self._accounts.lockout.finish()
        await self._replica.change(plan)

    async def remove(self, id: str) -> None:
        """Remove an account, its sessions, API tokens and permissions, and its place in groups.

        :raises NotFound: there is none.
        :raises InvalidArgument: it is the built-in administrator's.
        """

        def plan(edit: Edit) -> None:
            account = require(edit, id)
            if id == ADMINISTRATOR:
                raise built_in()
            edit.delete(Account, id)
            remove_permissions(edit, self._replica, account)
            # Else they would go on for whoever gets the name next.
            end_sessions(edit, self._replica, id)
            for token in list(self._replica.by(ApiToken, "owner", id)):
                remove_token(edit, self._replica, token)
            for group in list(self._replica.by(Group, "user", id).values()):
                left = tuple(user for user in group.users if user != id)
                edit.put(msgspec.structs.replace(group, users=left))
            if edit.get(Logins, id) is not None:
                edit.delete(Logins, id)

        await self._replica.change(plan)

    def require_fit(self, password: str) -> None:
        """Refuse a password that is against the rules.

        :raises InvalidArgument: it says all that is wrong, and nothing of the password.
        """
        faults = self._accounts.rules.faults(password)
        if faults:
            raise InvalidArgument(message("resphere.password.against_rules", "The password {0}.", "; it ".join(faults)))

    async def _require_new(self, account: Account, password: str) -> None:
        used = (account.password_hash, *account.previous)[: self._accounts.rules.reuse]
        if await self._accounts.digests.is_any(password, used):
            raise InvalidArgument(
                message(
                    "resphere.password.used_before",
                    "The password is one of the last {0} of this user, which are not taken again.",
                    self._accounts.rules.reuse,
                )
            )


def forget_failures(edit: Edit, id: str) -> None:
    """Unlock an account, as part of a change."""
    logins = edit.get(Logins, id)
    if logins is not None and logins.failures:
        edit.put(msgspec.structs.replace(logins, failures=()))


def require_name(name: str) -> None:
    """Refuse what nobody can be called.

    :raises InvalidArgument: the name is none.
    """
    fault = fault_of_name(name)
    if fault is not None:
        raise InvalidArgument(
            message(
                "resphere.user.name",
                "{0} is no name of an account, such as auditor@vsphere.local: it {1}.",
                repr(name),
                fault,
            )
        )


def require(edit: Edit, id: str) -> Account:
    """The account of that id.

    :raises NotFound: there is none.
    """
    account = edit.get(Account, id)
    if account is None:
        raise no_user(id)
    return account


def no_user(name: str) -> NotFound:
    """The refusal of a user that is not there."""
    return NotFound(message("resphere.user.not_found", "There is no local user {0}.", name))


def built_in() -> InvalidArgument:
    """The refusal of what would leave nobody who administers."""
    return InvalidArgument(
        message(
            "resphere.user.built_in",
            "{0} is built in: it cannot be removed or disabled.",
            ADMINISTRATOR,
        )
    )


def known_role(among: Reading, name: str) -> Role:
    """The role of that name, which a permission may give.

    :raises InvalidArgument: there is none.
    """
    try:
        return grantable(among, name)
    except ValueError as error:
        raise InvalidArgument(message("resphere.user.role", "{0}.", str(error))) from None
