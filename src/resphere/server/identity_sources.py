"""The file of identity sources: directories and identity providers as an operator declares them.

::

    directories:
      - name: corp
        domain: corp.example.com
        servers: [ldaps://dc1.corp.example.com, ldaps://dc2.corp.example.com]
        ca_file: corp-ca.pem
        users_base_dn: dc=corp,dc=example,dc=com
        groups_base_dn: dc=corp,dc=example,dc=com
        bind_name: reader@corp.example.com
        bind_password_file: reader-password
        groups: {vSphere Admins: [Administrators@vsphere.local]}
    providers:
      - name: keycloak
        discovery_endpoint: https://idp.example.com/realms/corp/.well-known/openid-configuration
        client_id: resphere
        upn_claim: upn
        groups_claim: groups
        domain_names: [corp.example.com]
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from resphere.auth.federated import end_sessions
from resphere.auth.ldap.settings import Directory, DirectoryKind, LdapSource
from resphere.auth.names import fits
from resphere.auth.oidc.people import PERMISSIONS
from resphere.auth.oidc.providers import ALGORITHMS, CLOCK_SKEW_SECONDS, ConfigType, IdentityProvider
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.server.keys import require_keys
from resphere.yaml_text import Document, Value, YamlFault, read

T = TypeVar("T", bound=msgspec.Struct)
MOST_FILE_BYTES = 1024 * 1024
NAMESPACE = uuid.UUID("6d1f3a86-6d0c-4a3b-9f6e-0d5f2f0c4f0e")
"""Of the ids of declared providers, which follow from their names."""

Source = LdapSource | IdentityProvider


class IdentitySourcesError(ValueError):
    """The file cannot be used; the message says what is wrong and where."""


class DirectoryEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A directory as the file has it; see :class:`~resphere.auth.ldap.settings.Directory`. Files are named relative to
    the file itself."""

    name: str
    domain: str
    servers: tuple[str, ...]
    users_base_dn: str
    groups_base_dn: str
    alias: str | None = None
    type: DirectoryKind = DirectoryKind.ACTIVE_DIRECTORY
    ca_file: str | None = None
    unencrypted: bool = False
    bind_name: str | None = None
    bind_password_file: str | None = None
    bind_as: str | None = None
    name_attribute: str | None = None
    group_name_attribute: str | None = None
    member_attribute: str | None = None
    groups: dict[str, tuple[str, ...]] = {}


class ProviderEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An identity provider as the file has it; see :class:`~resphere.auth.oidc.providers.IdentityProvider`."""

    name: str
    discovery_endpoint: str
    client_id: str
    client_secret_file: str | None = None
    audiences: tuple[str, ...] = ()
    domain_names: tuple[str, ...] = ()
    upn_claim: str | None = None
    groups_claim: str | None = None
    required_claims: dict[str, str] = {}
    algorithms: tuple[str, ...] = ALGORITHMS
    clock_skew_seconds: int = CLOCK_SKEW_SECONDS
    ca_file: str | None = None
    default: bool = False
    groups: dict[str, tuple[str, ...]] = {}


class SourcesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as a whole."""

    directories: tuple[DirectoryEntry, ...] = ()
    providers: tuple[ProviderEntry, ...] = ()


def read_sources(path: Path) -> tuple[Source, ...]:
    """The sources that a file declares.

    :raises IdentitySourcesError: unreadable, not YAML, or against the form; names the line and the key.
    """
    try:
        data = path.read_bytes()
        if len(data) > MOST_FILE_BYTES:
            raise IdentitySourcesError(f"identity sources {path}: the file has more than {MOST_FILE_BYTES} bytes")
        document = read(data.decode("utf-8-sig"), typed=True)
    except OSError as error:
        raise IdentitySourcesError(f"identity sources {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise IdentitySourcesError(f"identity sources {path}: this is not UTF-8: byte {error.start}") from error
    except YamlFault as fault:
        where = f"line {fault.line}: " if fault.line is not None else ""
        raise IdentitySourcesError(f"identity sources {path}: {where}{fault}") from fault
    return tuple(made(path, document))


def made(path: Path, document: Document) -> Iterator[Source]:
    """The sources of a document, each with its place where it is none."""
    given: Any = document.value or {}
    try:
        require_keys(given, SourcesFile)
    except ValueError as error:
        raise IdentitySourcesError(f"identity sources {path}: {error}") from error
    names: dict[str, str] = {}
    taken: dict[str, str] = {}
    sections: tuple[tuple[str, type[Any], Callable[[Path, Any], Source]], ...] = (
        ("directories", DirectoryEntry, directory_source),
        ("providers", ProviderEntry, provider_source),
    )
    for section, form, make in sections:
        entries = given.get(section) or []
        if not isinstance(entries, list):
            raise IdentitySourcesError(f"identity sources {path}: {section} must be a list")
        for number, entry in enumerate(entries):
            place = f"{section}[{number}]"
            try:
                source = make(path.parent, converted(entry, form))
                once(names, source.id, place, "the name")
                for domain in source.domains if isinstance(source, LdapSource) else ():
                    once(taken, domain, place, f"the domain {domain}")
            except (ValueError, OSError) as error:
                line = document.lines.get((section, number))
                where = place if line is None else f"line {line}: {place}"
                why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                file = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
                raise IdentitySourcesError(f"identity sources {path}: {where}: {file}{why}") from error
            yield source


def converted(entry: Value, form: type[T]) -> T:
    """An entry as its form has it.

    :raises ValueError: it is none.
    """
    require_keys(entry, form, "it")
    return msgspec.convert(entry, form)


def once(seen: dict[str, str], key: str, place: str, what: str) -> None:
    """Refuse what stands there twice."""
    if key in seen:
        raise ValueError(f"{what} is that of {seen[key]} too")
    seen[key] = place


def directory_source(folder: Path, entry: DirectoryEntry) -> LdapSource:
    """The directory of an entry.

    :raises ValueError: it is none.
    :raises OSError: a file that it names cannot be read.
    """
    if not fits(entry.name):
        raise ValueError("name must not be empty, and have none of @, \\ and :")
    password = None if entry.bind_password_file is None else secret_in(folder / entry.bind_password_file)
    return LdapSource(
        id=entry.name,
        domain=entry.domain.casefold(),
        alias=None if entry.alias is None else entry.alias.casefold(),
        groups=entry.groups,
        declared=True,
        directory=Directory(
            servers=entry.servers,
            users_base_dn=entry.users_base_dn,
            groups_base_dn=entry.groups_base_dn,
            type=entry.type,
            ca=text_in(folder, entry.ca_file),
            unencrypted=entry.unencrypted,
            bind_name=entry.bind_name,
            bind_password=password,
            bind_as=entry.bind_as,
            name_attribute=entry.name_attribute,
            group_name_attribute=entry.group_name_attribute,
            member_attribute=entry.member_attribute,
        ),
    )


def provider_source(folder: Path, entry: ProviderEntry) -> IdentityProvider:
    """The identity provider of an entry. Its metadata is fetched when a token of it comes.

    :raises ValueError: it is none.
    :raises OSError: a file that it names cannot be read.
    """
    if not fits(entry.name):
        raise ValueError("name must not be empty, and have none of @, \\ and :")
    return IdentityProvider(
        id=str(uuid.uuid5(NAMESPACE, entry.name)),
        config=ConfigType.OIDC,
        name=entry.name,
        client_id=entry.client_id,
        client_secret=None if entry.client_secret_file is None else secret_in(folder / entry.client_secret_file),
        discovery_endpoint=entry.discovery_endpoint,
        audiences=entry.audiences,
        domain_names=tuple(sorted({each.casefold() for each in entry.domain_names})),
        upn_claim=entry.upn_claim,
        groups_claim=entry.groups_claim,
        claim_map={PERMISSIONS: entry.groups} if entry.groups else {},
        required_claims=entry.required_claims,
        algorithms=entry.algorithms,
        clock_skew_seconds=entry.clock_skew_seconds,
        ca=text_in(folder, entry.ca_file),
        is_default=entry.default,
        declared=True,
    )


def text_in(folder: Path, name: str | None) -> str | None:
    """What a file holds."""
    return None if name is None else (folder / name).read_text(encoding="utf-8")


def secret_in(path: Path) -> str:
    """The first line of a file.

    :raises ValueError: it is empty.
    """
    line = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    if not line:
        raise ValueError(f"{path}: the first line is empty")
    return line


async def declare(replica: Replica, sources: tuple[Source, ...]) -> None:
    """Have a store hold what a file declares, and no more what it declared once. Sessions of users of sources that were
    changed, or are gone, end.

    :raises ValueError: something of that name was made otherwise.
    """
    wanted = {source.id: source for source in sources}

    def plan(edit: Edit) -> None:
        present: dict[str, Source] = {**replica.all(LdapSource), **replica.all(IdentityProvider)}
        for id, before in present.items():
            after = wanted.get(id)
            if not before.declared:
                if after is not None:
                    raise ValueError(f"--identity-sources: {id} is there already, made by the API: delete it first")
                continue
            if after != before:
                end_sessions(edit, replica, id)
            if after is None:
                edit.delete(type(before), id)
        for source in sources:
            for domain in source.domains if isinstance(source, LdapSource) else ():
                for other in replica.by(LdapSource, "domain", domain).values():
                    if not other.declared:
                        raise ValueError(f"--identity-sources: {domain} is the domain of {other.id}, made by the API")
            edit.put(source)

    await replica.change(plan)
