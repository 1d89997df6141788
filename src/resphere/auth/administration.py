"""Somebody with an account always has the role Admin on the root folder, and on what is below it.

vCenter refuses what "will leave the system without Administrator permission on the root resource"
(``com.vmware.vcenter.authorization.permissions.delete``); here that holds for whatever would do so: a change of
permissions, of accounts, or of groups.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from resphere.access.grants import grants_among
from resphere.access.permissions import Permission, permissions_on
from resphere.access.principal import Principal
from resphere.access.tree import AT_THE_ROOT, TreeView
from resphere.auth.accounts import Account
from resphere.auth.groups import Group, given, with_groups
from resphere.contract.errors import ResourceBusy, message
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica, Rule


def keep_administered(replica: Replica, edit: Edit, before: Any, after: Any) -> None:
    """Refuse a change after which nobody administers any more what somebody did before.

    :raises ResourceBusy: it is one.
    """
    changed = after if before is None else before
    if isinstance(changed, Permission):
        if changed.object not in AT_THE_ROOT:
            return
    elif isinstance(changed, Account) and after is not None and not after.disabled:
        return
    if edit.is_asked_anew("administration"):
        require_administered(replica, edit)


def require_administered(replica: Replica, edit: Edit) -> None:
    """Refuse an edit after which nobody administers any more what somebody did before.

    :raises ResourceBusy: it is one.
    """
    stored = [each for place in AT_THE_ROOT for each in permissions_on(replica, place)]
    written = [edit.get(cls, id) for cls, id in edit.written() if cls is Permission]
    kept = [each for each in stored if edit.get(Permission, each.id) == each]
    accounts, groups = replica.all(Account).values(), replica.all(Group).values()
    if administered(
        replica,
        [*kept, *[each for each in written if each is not None and each.object in AT_THE_ROOT]],
        [account for each in accounts if (account := edit.get(Account, each.id)) is not None],
        [group for each in groups if (group := edit.get(Group, each.id)) is not None],
    ):
        return
    if administered(replica, stored, accounts, groups):
        raise last_administrator()


def administered(
    replica: Replica, permissions: Iterable[Permission], accounts: Iterable[Account], groups: Iterable[Group]
) -> bool:
    """Whether one of the accounts, who are in those groups, has the role Admin, by permissions on the root folder and
    global ones."""
    grants, find = grants_among(permissions, ()), given(groups)
    for account in accounts:
        if account.disabled:
            continue
        granted = grants.of(with_groups(Principal(account.name), find))
        if granted and TreeView(replica, grants, granted).administers:
            return True
    return False


def last_administrator() -> ResourceBusy:
    """The refusal: the error is that of the operations on permissions."""
    return ResourceBusy(
        message(
            "resphere.authorization.last_administrator",
            "Nobody would be left who has the role Admin on the root folder and on all that is below it.",
        )
    )


RULES = (Rule(Permission, keep_administered), Rule(Account, keep_administered), Rule(Group, keep_administered))
