"""Local groups: users and other groups under one name, which permissions may be given to.

They are of the local domain. Members may be of any: local users and groups, and those of other identity sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

import msgspec

from resphere.access.principal import ADMINISTRATORS, Principal, canonical_name
from resphere.replica.replica import Replica
from resphere.replica.table import Reading, Table

LOCAL_DOMAIN = "vsphere.local"
ADMINISTRATOR = f"administrator@{LOCAL_DOMAIN}"
EVERYONE = f"Everyone@{LOCAL_DOMAIN}"
USERS = f"Users@{LOCAL_DOMAIN}"
KEPT_MEMBERSHIPS = 4096

IMPLIED = {
    EVERYONE: "All who are let in, whatever identity source knows them",
    USERS: "All local users of the domain",
}
"""Groups that have their members without anybody adding them."""

BUILT_IN: Mapping[str, str] = {
    ADMINISTRATORS: "Administrators of this vCenter and of its users and groups",
    **IMPLIED,
    f"ActAsUsers@{LOCAL_DOMAIN}": "Users who may act for others",
    f"CAAdmins@{LOCAL_DOMAIN}": "Administrators of the certificate authority",
    f"ComponentManager.Administrators@{LOCAL_DOMAIN}": "Administrators of the component manager",
    f"DCAdmins@{LOCAL_DOMAIN}": "Administrators of the directory service",
    f"DCClients@{LOCAL_DOMAIN}": "Readers of the directory service",
    f"ExternalIDPUsers@{LOCAL_DOMAIN}": "Users of external identity providers",
    f"LicenseService.Administrators@{LOCAL_DOMAIN}": "Administrators of licenses",
    f"RegistryAdministrators@{LOCAL_DOMAIN}": "Administrators of registries",
    f"SolutionUsers@{LOCAL_DOMAIN}": "Services of vCenter",
    f"SystemConfiguration.Administrators@{LOCAL_DOMAIN}": "Administrators of the system configuration",
    f"SystemConfiguration.BashShellAdministrators@{LOCAL_DOMAIN}": "Users who may use the appliance's shell",
    f"SystemConfiguration.ReadOnly@{LOCAL_DOMAIN}": "Readers of the system configuration",
    f"SystemConfiguration.SupportUsers@{LOCAL_DOMAIN}": "Users who may fetch support bundles",
    f"TrustedAdmins@{LOCAL_DOMAIN}": "Administrators of trusted infrastructure",
}
"""Name -> description of the groups that every vCenter has (vSphere Authentication, "Groups in the vCenter Single
Sign-On Domain", 7.0 and 8.0). The administrator is in the first."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A local group; ``id`` is the name in lower case. ``users`` and ``groups`` are the names of its members in lower
    case, sorted."""

    kind: ClassVar[str] = "group"

    id: str
    name: str
    description: str = ""
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


GROUPS = Table(
    cls=Group,
    indexes={"user": lambda group: group.users, "group": lambda group: group.groups},
    revises=False,
)


def built_in_groups() -> tuple[Group, ...]:
    """The groups of a server that nobody has changed."""
    return tuple(
        Group(
            id=name.casefold(),
            name=name,
            description=description,
            users=(ADMINISTRATOR,) if name == ADMINISTRATORS else (),
        )
        for name, description in BUILT_IN.items()
    )


def is_built_in(group: Group) -> bool:
    """Whether every vCenter has the group."""
    return group.name in BUILT_IN


def is_local(name: str) -> bool:
    """Whether a user or group of that name can be of the local domain, for which no other identity source speaks."""
    name = canonical_name(name)
    return name.endswith(f"@{LOCAL_DOMAIN}") or "@" not in name


def foreign(groups: Iterable[str]) -> frozenset[str]:
    """Those of the groups that another identity source may tell of."""
    return frozenset(group for group in groups if not is_local(group))


Find = Callable[[str, str], Iterable[Group]]
"""Finds groups by a member: by the index ``user`` or ``group``, and a name in lower case."""


def stored(among: Reading) -> Find:
    """Finds among the groups that there are."""
    return lambda index, name: among.by(Group, index, name).values()


def given(groups: Iterable[Group]) -> Find:
    """Finds among those groups."""
    groups = tuple(groups)
    return lambda index, name: [each for each in groups if name in (each.users if index == "user" else each.groups)]


def containing(find: Find, user: str, groups: Iterable[str]) -> frozenset[str]:
    """The names of the local groups that the user, or one of those groups, is in, through others too.

    ``user`` and ``groups`` are names in lower case.
    """
    found: dict[str, str] = {}
    waiting = [*find("user", user)]
    for name in groups:
        waiting += find("group", name)
    while waiting:
        group = waiting.pop()
        if group.id not in found:
            found[group.id] = group.name
            waiting += find("group", group.id)
    return frozenset(found.values())


def with_groups(principal: Principal, find: Find) -> Principal:
    """The principal with all groups: those that its own source tells of, and the local ones that follow.

    A source other than the local accounts tells nothing of local groups, but for those that it is granted.
    """
    told = frozenset[str]() if principal.source is None else foreign(principal.groups)
    user, implied = canonical_name(principal.name), {EVERYONE, *principal.granted}
    if principal.source is None:
        if is_local(user):
            implied.add(USERS)
        if user == ADMINISTRATOR:
            implied.add(ADMINISTRATORS)
    followed = containing(find, user, map(canonical_name, (*told, *implied)))
    return msgspec.structs.replace(principal, groups=told | implied | followed)


class Memberships:
    """Which groups principals are in, as local groups are now."""

    def __init__(self, replica: Replica) -> None:
        self._find = stored(replica)
        self._kept: dict[Principal, Principal] = {}
        replica.subscribe(Group, lambda *_: self._kept.clear())

    def joined(self, principal: Principal) -> Principal:
        """The principal :func:`with_groups`."""
        found = self._kept.get(principal)
        if found is None:
            if len(self._kept) >= KEPT_MEMBERSHIPS:
                self._kept.clear()
            found = self._kept[principal] = with_groups(principal, self._find)
        return found
