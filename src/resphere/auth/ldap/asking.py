"""What a directory is asked: whether a name and password belong together, who that is, and in which groups.

Blocking, as :mod:`resphere.auth.ldap.connection` is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import msgspec

from resphere.auth.ldap.connection import DirectoryUnavailable, Entry, Session
from resphere.auth.ldap.filters import (
    SID,
    name_to_bind,
    of_group,
    of_group_by_sid,
    of_groups,
    of_groups_in_chain,
    of_user,
)
from resphere.auth.ldap.settings import Directory, DirectoryKind
from resphere.auth.names import fits

MOST_GROUPS = 1000
"""That one user may be in. Nobody is let in with a part of them: the missing ones may be those that forbid."""
MOST_DEPTH = 32
PRIMARY_GROUP = "primaryGroupID"
AT_ONCE = 50
"""Of how many groups it is asked at once what they are in."""


class Person(msgspec.Struct, frozen=True):
    """A user of a directory: the name that the directory has for it, its entry, and the names of all its groups."""

    name: str
    dn: str
    groups: frozenset[str]


def verify(session: Session, directory: Directory, domain: str, user: str, password: str) -> Person | None:
    """The user of that name and password, ``None`` where they do not belong together.

    A name that nobody has takes as many questions as a wrong password.

    :raises DirectoryUnavailable: the directory cannot tell.
    """
    if directory.bind_as is not None:
        if not fits(user) or not session.bind(name_to_bind(directory.bind_as, user), password):
            return None
        entry = one(session, directory, domain, user)
        return None if entry is None else person(session, directory, entry)
    bind_to_search(session, directory)
    entry = one(session, directory, domain, user) if fits(user) else None
    nobody = f"cn={secrets.token_hex(8)},{directory.users_base_dn}"
    good = session.bind(nobody if entry is None else entry.dn, password)
    if entry is None or not good:
        return None
    bind_to_search(session, directory)
    return person(session, directory, entry)


def find(session: Session, directory: Directory, domain: str, user: str) -> Person | None:
    """The user of that name, whose password nobody asks for.

    :raises DirectoryUnavailable: the directory cannot tell.
    """
    bind_to_search(session, directory)
    entry = one(session, directory, domain, user) if fits(user) else None
    return None if entry is None else person(session, directory, entry)


def has_user(session: Session, directory: Directory, domain: str, user: str) -> bool:
    """Whether there is a user of that name.

    :raises DirectoryUnavailable: the directory cannot tell.
    """
    bind_to_search(session, directory)
    return fits(user) and one(session, directory, domain, user) is not None


def has_group(session: Session, directory: Directory, group: str) -> bool:
    """Whether there is a group of that name.

    :raises DirectoryUnavailable: the directory cannot tell.
    """
    bind_to_search(session, directory)
    return fits(group) and bool(groups(session, directory, of_group(directory, group), 1))


def bind_to_search(session: Session, directory: Directory) -> None:
    """Bind as the account that may search.

    :raises DirectoryUnavailable: there is none, or it may not.
    """
    if directory.bind_name is None or directory.bind_password is None:
        raise DirectoryUnavailable("no account is known that may search it")
    if not session.bind(directory.bind_name, directory.bind_password):
        raise DirectoryUnavailable(f"it does not take the name and password of {directory.bind_name}, who searches")


def one(session: Session, directory: Directory, domain: str, user: str) -> Entry | None:
    """The entry of the user of that name.

    :raises DirectoryUnavailable: several have it.
    """
    attributes: tuple[str, ...] = (directory.attributes.name,)
    if directory.type is DirectoryKind.ACTIVE_DIRECTORY:
        attributes = (*attributes, SID, PRIMARY_GROUP)
    found = session.search(directory.users_base_dn, of_user(directory, user, domain), attributes, 1)
    return found[0] if found else None


def person(session: Session, directory: Directory, entry: Entry) -> Person | None:
    """Who has an entry; ``None`` where its name cannot be one here."""
    name = entry.first(directory.attributes.name)
    if name is None or not fits(name):
        return None
    groups = groups_of(session, directory, entry, name)
    return Person(name, entry.dn, frozenset(each for each in groups if fits(each)))


def groups_of(session: Session, directory: Directory, entry: Entry, name: str) -> Iterator[str]:
    """The names of all groups that a user is in, itself or by others.

    :raises DirectoryUnavailable: there are too many.
    """
    if directory.type is DirectoryKind.ACTIVE_DIRECTORY:
        primary = primary_groups(session, directory, entry)
        dns = (entry.dn, *(group.dn for group in primary))
        found = [*primary, *groups(session, directory, of_groups_in_chain(directory, dns), MOST_GROUPS)]
    elif directory.type is DirectoryKind.POSIX:
        found = groups(session, directory, of_groups(directory, (name,)), MOST_GROUPS)
    else:
        found = walked(session, directory, entry.dn)
    for group in found:
        text = group.first(directory.attributes.group_name)
        if text is not None:
            yield text


def primary_groups(session: Session, directory: Directory, entry: Entry) -> list[Entry]:
    """The primary group of a user of Active Directory, usually ``Domain Users``, where it is below the groups' base: no
    group has the user as a member by it.

    :raises DirectoryUnavailable: the entry does not say which that is.
    """
    sid, number = entry.data(SID), entry.first(PRIMARY_GROUP)
    if sid is None or number is None:
        return []
    return groups(session, directory, of_group_by_sid(in_domain_of(sid, number)), 1)


def in_domain_of(sid: bytes, number: str) -> bytes:
    """The security identifier with that number at its end, in the domain of another one (MS-DTYP, 2.4.2.2).

    :raises DirectoryUnavailable: these are none.
    """
    if len(sid) < 12 or sid[0] != 1 or len(sid) != 8 + 4 * sid[1]:
        raise DirectoryUnavailable(f"{SID} of a user is no security identifier")
    if not number.isascii() or not number.isdigit() or int(number) >= 2**32:
        raise DirectoryUnavailable(f"{PRIMARY_GROUP} of a user is no number of a group")
    return sid[:-4] + int(number).to_bytes(4, "little")


def walked(session: Session, directory: Directory, dn: str) -> list[Entry]:
    """The groups above an entry, level by level, each once: groups that are in each other lead nowhere twice.

    :raises DirectoryUnavailable: there are too many, or they lie too deep.
    """
    seen: dict[str, Entry] = {}
    level = [dn]
    for _ in range(MOST_DEPTH):
        above: list[str] = []
        for begin in range(0, len(level), AT_ONCE):
            members = of_groups(directory, level[begin : begin + AT_ONCE])
            for group in groups(session, directory, members, MOST_GROUPS):
                if group.dn.casefold() not in seen:
                    seen[group.dn.casefold()] = group
                    above.append(group.dn)
            if len(seen) > MOST_GROUPS:
                raise DirectoryUnavailable(f"{dn} is in more than {MOST_GROUPS} groups")
        if not above:
            return list(seen.values())
        level = above
    raise DirectoryUnavailable(f"the groups of {dn} are more than {MOST_DEPTH} deep in one another")


def groups(session: Session, directory: Directory, filter: str, most: int) -> list[Entry]:
    """The groups that fit."""
    return session.search(directory.groups_base_dn, filter, (directory.attributes.group_name,), most)
