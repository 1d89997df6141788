"""``resphere identity``: the directories and identity providers whose users may log in."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from resphere.auth.federated import principal_of
from resphere.auth.ldap.asking import Person, bind_to_search, find
from resphere.auth.ldap.connection import DirectoryUnavailable, Session
from resphere.auth.ldap.settings import LdapSource
from resphere.auth.ldap.source import Directories
from resphere.auth.names import split_name
from resphere.auth.oidc.fetching import HttpFetcher, ProviderUnavailable
from resphere.auth.oidc.providers import IdentityProvider
from resphere.auth.oidc.publishing import Published
from resphere.certificates.tls import Roots
from resphere.cli.store import access_opened, add_store, opened_store, store_url
from resphere.nearest import meant
from resphere.replica.replica import Replica
from resphere.server.settings import Settings
from resphere.server.tls import keeper, utc_now


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("identity", help="directories and identity providers")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="list them", description=list_sources.__doc__)
    listing.set_defaults(run=list_sources)
    checking = verbs.add_parser("check", help="ask one, and tell what it says", description=check_source.__doc__)
    checking.add_argument("name", help="as resphere identity list has it")
    checking.add_argument("--user", help="a user of the directory to look up, such as alice or alice@corp.example.com")
    checking.set_defaults(run=check_source)
    for verb in (listing, checking):
        add_store(verb)


def list_sources(options: argparse.Namespace) -> int:
    """List directories and identity providers: name, kind, domains, where they are."""
    for line in asyncio.run(listed(store_url(options))):
        print(line)
    return 0


def check_source(options: argparse.Namespace) -> int:
    """Ask a directory or an identity provider what the server would ask it, and tell what it says. Of a directory every
    server is asked; status 1 where one does not answer."""
    good = True
    for told, line in asyncio.run(
        checked(store_url(options), options.name, options.user, trusted_roots(options.data_dir))
    ):
        print(line)
        good = good and told
    return 0 if good else 1


def trusted_roots(data_dir: Path) -> Roots:
    """Those of a server's trusted root chains."""
    return keeper(Settings(data_dir=data_dir), utc_now).trusted_pem


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Replica]:
    """The identity sources of a store."""
    async with opened_store(url) as store:
        yield await access_opened(store, ())


async def listed(url: str) -> list[str]:
    """A line each."""
    async with opened(url) as replica:
        directories = sorted(replica.all(LdapSource).values(), key=lambda each: each.id)
        providers = sorted(replica.all(IdentityProvider).values(), key=lambda each: (each.name, each.id))
        rows = [row(each.id, each.directory.type, each.domains, each.directory.servers, each) for each in directories]
        rows += [row(each.shown_name, each.config, each.domain_names, places(each), each) for each in providers]
        return rows


def row(
    name: str, kind: str, domains: Iterable[str], places: Iterable[str], source: LdapSource | IdentityProvider
) -> str:
    """A source in a line, its parts with tabs between."""
    made = "declared" if source.declared else "API"
    return "\t".join((name, kind, " ".join(domains) or "-", " ".join(places) or "-", made))


def places(provider: IdentityProvider) -> Iterator[str]:
    """Where a provider is."""
    if provider.discovery_endpoint is not None:
        yield provider.discovery_endpoint
    elif provider.endpoints is not None:
        yield provider.endpoints.issuer


async def checked(url: str, name: str, user: str | None, roots: Roots) -> list[tuple[bool, str]]:
    """What a source says, and whether that is good.

    :raises ValueError: there is no such source.
    """
    async with opened(url) as replica:
        directory = replica.get(LdapSource, name)
        if directory is not None:
            return await checked_directory(directory, user, roots)
        named = [each for each in replica.all(IdentityProvider).values() if name in (each.name, each.id)]
        if len(named) == 1:
            return await checked_provider(named[0], roots)
        known = [*replica.all(LdapSource), *(each.shown_name for each in replica.all(IdentityProvider).values())]
        raise ValueError(f"there is no identity source {name}{meant(name, known)}")


async def checked_directory(source: LdapSource, user: str | None, roots: Roots) -> list[tuple[bool, str]]:
    """What each of its servers says."""
    lines: list[tuple[bool, str]] = []

    def question(session: Session) -> Person | None:
        if user is None:
            if source.directory.bind_name is not None:
                bind_to_search(session, source.directory)
            return None
        return find(session, source.directory, source.domain, split_name(user.strip()).user)

    with closing(Directories(roots=roots)) as directories:
        for endpoint in source.directory.endpoints:
            try:
                person = await directories.check(source.directory, endpoint, question)
            except DirectoryUnavailable as error:
                lines.append((False, f"{endpoint}: {error}"))
                continue
            lines += [(good, f"{endpoint}: {line}") for good, line in found(source, user, person)]
    return lines


def found(source: LdapSource, user: str | None, person: Person | None) -> Iterator[tuple[bool, str]]:
    """What a server that answers has said."""
    if user is None:
        bound = f", and takes {source.directory.bind_name}" if source.directory.bind_name is not None else ""
        yield True, f"answers{bound}"
    elif person is None:
        yield False, f"knows no user {user}"
    else:
        principal = principal_of(source, person)
        yield True, f"{principal.name} is {person.dn}"
        for group in sorted(principal.groups | principal.granted):
            yield True, f"  in {group}"


async def checked_provider(provider: IdentityProvider, roots: Roots) -> list[tuple[bool, str]]:
    """What it publishes."""
    published = Published(HttpFetcher(roots=roots), time.monotonic)
    try:
        endpoints = await published.endpoints(provider)
        keys = await published.keys(provider)
    except ProviderUnavailable as error:
        return [(False, str(error))]
    kinds = ", ".join(sorted({key.kty for key in keys}))
    return [
        (True, f"issuer {endpoints.issuer}"),
        (True, f"audience {', '.join(provider.accepted_audiences)}"),
        (bool(keys), f"{len(keys)} keys that sign tokens{f': {kinds}' if kinds else ''}"),
    ]
