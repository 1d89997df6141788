"""Whether there is somebody to give a permission to.

vCenter refuses principals that cannot be looked up (``UserNotFound`` of ``AuthorizationManager``), and what it gave to
those that went is removed when it validates permissions next (vSphere Security, "Change User Validation Settings").
Here local users and groups must be there, and take their permissions along when they are removed; a directory is asked
for its own. Who cannot be looked up is let through: users and groups of identity providers and of issuers of SAML
tokens, which tell of them in tokens alone, and those of a directory without an account that may search it.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from resphere.access.changes import require_name_of_principal
from resphere.access.permissions import Permission
from resphere.access.principal import canonical_name
from resphere.auth.accounts import Account
from resphere.auth.federated import directory_of, unavailable, vouches
from resphere.auth.groups import Group, is_local
from resphere.auth.ldap.asking import has_group, has_user
from resphere.auth.ldap.connection import DirectoryUnavailable, Session
from resphere.auth.ldap.settings import LdapSource
from resphere.auth.ldap.source import Directories
from resphere.auth.names import fits, split_name
from resphere.contract.errors import InvalidArgument, message
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


class Principals:
    """Looks up users and groups. ``issuers`` are the domains of which issuers of SAML tokens speak."""

    def __init__(self, replica: Replica, directories: Directories, issuers: Collection[str] = ()) -> None:
        self._replica = replica
        self._directories = directories
        self._issuers = frozenset(domain.casefold() for domain in issuers)

    async def resolve(self, permission: Permission) -> Permission:
        """The permission of whom it means: a domain may have another name. Refuses one of somebody who is not there;
        for those of this vCenter, :func:`hold` says so.

        :raises InvalidArgument: nobody can be called so, no identity source has the domain, or the directory knows none
            of that name.
        :raises ServiceUnavailable: the directory cannot be asked.
        """
        require_name_of_principal(permission.principal)
        canonical = canonical_name(permission.principal)
        if is_local(canonical) or (not permission.group and self._replica.get(Account, canonical) is not None):
            return permission
        name = split_name(canonical)
        domain = name.domain or ""
        if not fits(name.user):
            raise nobody(permission)
        source = directory_of(self._replica, domain)
        if source is not None:
            if not await self._knows(source, name.user, domain, permission.group):
                raise nobody(permission)
        elif domain not in self._issuers and not vouches(self._replica, domain):
            raise InvalidArgument(
                message(
                    "resphere.authorization.no_identity_source",
                    "There is no identity source for the domain {0} of {1}.",
                    domain,
                    permission.principal,
                )
            )
        return replace(permission, principal=home_name(self._replica, permission.principal))

    async def _knows(self, source: LdapSource, name: str, domain: str, group: bool) -> bool:
        directory = source.directory
        if directory.bind_name is None:
            return True

        def ask(session: Session) -> bool:
            return has_group(session, directory, name) if group else has_user(session, directory, domain, name)

        try:
            return await self._directories.ask(source.id, directory, ask)
        except DirectoryUnavailable as error:
            raise unavailable() from error


def home_name(replica: Replica, name: str) -> str:
    """The name of a user or a group of a directory in the domain of that, where ``name`` has it in another name of the
    domain; permissions are in the former. Any other as it is."""
    split = split_name(name)
    source = None if split.domain is None else directory_of(replica, split.domain)
    return name if source is None or split.domain == source.domain else f"{split.user}@{source.domain}"


def hold(edit: Edit, permission: Permission) -> None:
    """Refuse a permission of a local user or group that is not there, or goes meanwhile.

    :raises InvalidArgument: it is one.
    """
    cls = Group if permission.group else Account
    found = edit.get(cls, canonical_name(permission.principal))
    if found is not None:
        edit.refer_to(found)
    elif is_local(permission.principal):
        raise nobody(permission)


def remove_permissions(edit: Edit, replica: Replica, of: Account | Group) -> None:
    """Take along the permissions of a user or a group that is removed, and those that are given to it meanwhile."""
    edit.rely_on_referrers(of.id)
    for permission in list(replica.by(Permission, "principal", of.id).values()):
        if permission.group == isinstance(of, Group):
            edit.delete(Permission, permission.id)


def nobody(permission: Permission) -> InvalidArgument:
    """The refusal of a principal that is not there."""
    if permission.group:
        return InvalidArgument(
            message("resphere.authorization.no_group", "There is no group {0}.", permission.principal)
        )
    return InvalidArgument(message("resphere.authorization.no_user", "There is no user {0}.", permission.principal))
