"""Users whom other identity sources know: which source that is, who they are here, and what ends with a source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from resphere.access.principal import Principal
from resphere.auth.ldap.asking import Person
from resphere.auth.ldap.settings import LdapSource
from resphere.auth.ldap.source import Directories
from resphere.auth.names import LOCAL_DOMAIN, split_name
from resphere.auth.oidc.providers import IdentityProvider
from resphere.auth.sessions import Session
from resphere.contract.errors import ServiceUnavailable, message
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

MOST_SOURCES = 100
"""Of each kind."""


def directory_of(replica: Replica, domain: str) -> LdapSource | None:
    """The directory whose users are those of ``domain``."""
    return next(iter(replica.by(LdapSource, "domain", domain).values()), None)


def vouched_domains(replica: Replica, without: str) -> frozenset[str]:
    """The domains for which sources vouch, other than the one of that id."""
    directories = {domain for each in replica.all(LdapSource).values() if each.id != without for domain in each.domains}
    providers = {
        domain for each in replica.all(IdentityProvider).values() if each.id != without for domain in each.domain_names
    }
    return frozenset(directories | providers)


def vouches(replica: Replica, domain: str) -> bool:
    """Whether an identity provider may tell of users of ``domain``, which no directory has: by name, or of any."""
    return any(not each.domain_names or domain in each.domain_names for each in replica.all(IdentityProvider).values())


def principal_of(source: LdapSource, person: Person) -> Principal:
    """A user of a directory, with its groups under each name of the domain, and the local ones they stand for."""
    groups = {f"{group}@{domain}" for group in person.groups for domain in source.domains}
    granted = frozenset(stood_for(source.groups, person.groups))
    return Principal(f"{person.name}@{source.domain}", frozenset(groups), source.id, granted=granted)


async def present(replica: Replica, directories: Directories, principal: Principal) -> Principal | None:
    """A user as the directory that has let it in knows it now, ``None`` where that does so no more. As it was, where
    there is nobody to ask: users of other sources, and of directories that only they themselves may search.

    :raises DirectoryUnavailable: the directory cannot tell.
    """
    source = None if principal.source is None else replica.get(LdapSource, principal.source)
    if source is None or source.directory.bind_name is None:
        return principal
    person = await directories.find(source.id, source.directory, source.domain, split_name(principal.name).user)
    return None if person is None else principal_of(source, person)


def stood_for(known: Mapping[str, tuple[str, ...]], groups: Iterable[str]) -> Iterator[str]:
    """The groups of this vCenter that are given to those in ``groups`` of a source."""
    by_name = {name.casefold(): local for name, local in known.items()}
    for group in groups:
        for local in by_name.get(group.casefold(), ()):
            yield local if split_name(local).domain is not None else f"{local}@{LOCAL_DOMAIN}"


def is_known(replica: Replica, source: str) -> bool:
    """Whether there is an identity source of that id."""
    return replica.get(LdapSource, source) is not None or replica.get(IdentityProvider, source) is not None


def end_sessions(edit: Edit, replica: Replica, source: str) -> None:
    """End the sessions of those whom an identity source has let in, for what it told is true no more."""
    for session in [each for each in replica.all(Session).values() if each.source == source]:
        if edit.get(Session, session.id) is not None:
            edit.delete(Session, session.id)


def unavailable() -> ServiceUnavailable:
    """The refusal while an identity source cannot be asked: it says nothing of the name or the password."""
    return ServiceUnavailable(
        message(
            "resphere.authentication.source_unavailable",
            "The identity source that knows this user cannot be asked now. Users of other sources can go on.",
        )
    )
