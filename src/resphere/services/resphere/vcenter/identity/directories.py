"""``resphere.vcenter.identity.directories``: the directories whose users may log in. No answer has their passwords."""

from __future__ import annotations

from resphere.auth.federated import MOST_SOURCES, end_sessions
from resphere.auth.ldap.settings import Directory, DirectoryKind, LdapSource
from resphere.auth.names import LONGEST_NAME, fits
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, message
from resphere.contract.extensions.directories import Directories
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.registry import implements

Kind = Directories.Type


@implements(Directories.list)
async def list_directories(call: Call) -> tuple[Directories.Info, ...]:
    """All of them, by name."""
    return tuple(told(source) for _, source in sorted(call.unfiltered.all(LdapSource).items()))


@implements(Directories.get)
async def get(call: Call, directory: str) -> Directories.Info:
    """One of them."""
    found = call.unfiltered.get(LdapSource, directory)
    if found is None:
        raise no_directory(directory)
    return told(found)


@implements(Directories.set)
async def set_directory(call: Call, directory: str, spec: Directories.SetSpec) -> None:
    """Trust a directory from now on, or change one: then the sessions of its users end. Without a password it keeps the
    one that it had for the same name and servers.

    :raises AlreadyExists: another one is that of the domain.
    :raises InvalidArgument: the specification is none of a directory, or it is declared elsewhere.
    """
    if not fits(directory):
        raise invalid(f"the name must have from 1 to {LONGEST_NAME} characters, and none of @, \\ and :")
    require_undeclared(call.unfiltered.get(LdapSource, directory))

    def plan(edit: Edit) -> None:
        before = edit.get(LdapSource, directory)
        require_undeclared(before)
        made = source_of(directory, spec, before)
        require_free(call.unfiltered, made)
        edit.put(made)
        end_sessions(edit, call.unfiltered, directory)

    await call.settle(plan)


@implements(Directories.delete)
async def delete(call: Call, directory: str) -> None:
    """Trust a directory no longer. The sessions of its users end."""

    def plan(edit: Edit) -> None:
        before = edit.get(LdapSource, directory)
        if before is None:
            raise no_directory(directory)
        require_undeclared(before)
        edit.delete(LdapSource, directory)
        end_sessions(edit, call.unfiltered, directory)

    await call.settle(plan)


def source_of(name: str, spec: Directories.SetSpec, before: LdapSource | None) -> LdapSource:
    """The source that a specification describes.

    :raises InvalidArgument: none.
    """
    password: str | None = spec.bind_password
    if password is None and before is not None and spec.bind_name == before.directory.bind_name:
        # A password is for the servers that it was given for: nobody gets it by naming others.
        password = before.directory.bind_password if spec.servers == before.directory.servers else None
    try:
        return LdapSource(
            id=name,
            domain=spec.domain.casefold(),
            alias=None if spec.alias is None else spec.alias.casefold(),
            groups=spec.groups or {},
            directory=Directory(
                servers=spec.servers,
                users_base_dn=spec.users_base_dn,
                groups_base_dn=spec.groups_base_dn,
                type=DirectoryKind((spec.type or Kind.ACTIVE_DIRECTORY).value.lower()),
                ca=spec.ca,
                unencrypted=bool(spec.unencrypted),
                bind_name=spec.bind_name,
                bind_password=password,
                bind_as=spec.bind_as,
                name_attribute=spec.name_attribute,
                group_name_attribute=spec.group_name_attribute,
                member_attribute=spec.member_attribute,
            ),
        )
    except ValueError as error:
        raise invalid(str(error)) from error


def told(source: LdapSource) -> Directories.Info:
    """What may be known of a source."""
    directory = source.directory
    return Directories.Info(
        name=source.id,
        domain=source.domain,
        alias=source.alias,
        type=Kind(directory.type.value.upper()),
        servers=directory.servers,
        users_base_dn=directory.users_base_dn,
        groups_base_dn=directory.groups_base_dn,
        ca=directory.ca,
        unencrypted=directory.unencrypted,
        bind_name=directory.bind_name,
        bind_as=directory.bind_as,
        name_attribute=directory.name_attribute,
        group_name_attribute=directory.group_name_attribute,
        member_attribute=directory.member_attribute,
        groups=source.groups,
        declared=source.declared,
    )


def require_undeclared(source: LdapSource | None) -> None:
    """Refuse to change what a file says.

    :raises InvalidArgument: the file of identity sources has it.
    """
    if source is not None and source.declared:
        raise invalid(f"the directory {source.id} is declared in the file of identity sources")


def require_free(inventory: Replica, source: LdapSource) -> None:
    """Refuse a second directory of a domain, and one too many.

    :raises AlreadyExists: there is one.
    :raises InvalidArgument: there are as many as there can be.
    """
    others = [each for each in inventory.all(LdapSource).values() if each.id != source.id]
    if len(others) >= MOST_SOURCES:
        raise invalid(f"there are {MOST_SOURCES} directories already")
    for other in others:
        for domain in set(other.domains) & set(source.domains):
            raise AlreadyExists(
                message(
                    "resphere.identity.directories.already_exists",
                    "The domain {0} is that of another directory already.",
                    domain,
                )
            )


def invalid(why: str) -> InvalidArgument:
    """The refusal of a specification."""
    return InvalidArgument(message("resphere.identity.directories.invalid", "The directory cannot be so: {0}.", why))


def no_directory(name: str) -> NotFound:
    """The refusal of an unknown name."""
    return NotFound(message("resphere.identity.directories.not_found", "There is no directory {0}.", name))
