"""Who may change users and groups that administer."""

from __future__ import annotations

from resphere.access.principal import Principal, Scope, canonical_name
from resphere.access.refusals import no_privileges
from resphere.auth.accounts import Account
from resphere.auth.groups import containing, stored
from resphere.auth.sessions import administers
from resphere.services.call import Call

MODIFY = "Authorization.ModifyPermissions"
"""The privilege that a refusal names: with it, one could take the role anyway."""


def require_equal(call: Call, *principals: Principal) -> None:
    """Refuse who does not administer to change somebody who does.

    :raises Unauthorized: it does not, or only within the scope of an API token.
    """
    if any(administers(call.unfiltered, each) for each in principals) and not administers_all(call):
        raise no_privileges(MODIFY, None, call.vcenter)


def require_equal_to_user(call: Call, user: str) -> None:
    """Refuse who does not administer to change a user who does.

    :raises Unauthorized: it does not.
    """
    account = call.unfiltered.get(Account, canonical_name(user))
    if account is not None:
        require_equal(call, call.environment.identities.accounts.whoever(account))


def require_equal_to_group(call: Call, group: str) -> None:
    """Refuse who does not administer to change a group whose members do.

    :raises Unauthorized: it does not.
    """
    id = canonical_name(group)
    above = containing(stored(call.unfiltered), "", (id,))
    require_equal(call, Principal("", frozenset({id, *above})))


def require_may_give(call: Call, role: str | None) -> None:
    """Refuse who does not administer to give a role on the root folder, which is a permission there.

    :raises Unauthorized: it does not.
    """
    if role is not None and not administers_all(call):
        raise no_privileges(MODIFY, None, call.vcenter)


def administers_all(call: Call) -> bool:
    """Whether the caller administers everything, and no scope narrows that."""
    principal = call.session.principal
    return principal.scope in (None, Scope()) and administers(call.unfiltered, principal)
