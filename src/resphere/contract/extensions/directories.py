"""Directories whose users may log in: vCenter manages them by its SSO service alone, which has no REST API."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES

MANAGE = (m.Requirement(("VcIdentityProviders.Manage",)),)
READ = (m.Requirement(("VcIdentityProviders.Read",)),)
CREATE = (m.Requirement(("VcIdentityProviders.Create", "VcIdentityProviders.Manage")),)


class Directories:
    """``resphere.vcenter.identity.directories``: LDAP directories and Active Directory, by name."""

    class Type(StrEnum):
        """How it says who belongs to a group: ``member``, with groups in groups followed by the server or by us, or
        ``memberUid``."""

        ACTIVE_DIRECTORY = "ACTIVE_DIRECTORY"
        GROUP_OF_NAMES = "GROUP_OF_NAMES"
        POSIX = "POSIX"

    class Info(m.Struct, frozen=True, kw_only=True):
        """A directory, without its password. ``declared``: it stands in the file of identity sources."""

        __vapi_name__ = "resphere.vcenter.identity.directories.info"
        name: str
        domain: str
        alias: str | None = None
        type: Directories.Type
        servers: tuple[str, ...]
        users_base_dn: str
        groups_base_dn: str
        ca: str | None = None
        unencrypted: bool
        bind_name: str | None = None
        bind_as: str | None = None
        name_attribute: str | None = None
        group_name_attribute: str | None = None
        member_attribute: str | None = None
        groups: dict[str, tuple[str, ...]]
        declared: bool

    class SetSpec(m.Struct, frozen=True, kw_only=True):
        """A directory. ``servers`` are addresses of ``ldaps:``, or of ``ldap:``, which are asked for StartTLS unless
        ``unencrypted``; ``ca`` the certificates in PEM that vouch for them. ``bind_name`` and ``bind_password`` are an
        account that may search, else users bind as ``bind_as`` says (``uid={user},ou=people,dc=example,dc=com``).
        ``groups`` maps groups of the directory to those of this vCenter.
        """

        __vapi_name__ = "resphere.vcenter.identity.directories.set_spec"
        domain: str
        alias: str | None = None
        type: Directories.Type | None = None
        servers: tuple[str, ...]
        users_base_dn: str
        groups_base_dn: str
        ca: str | None = None
        unencrypted: bool | None = None
        bind_name: str | None = None
        bind_password: m.Secret | None = None
        bind_as: str | None = None
        name_attribute: str | None = None
        group_name_attribute: str | None = None
        member_attribute: str | None = None
        groups: dict[str, tuple[str, ...]] | None = None

    class NameInput(m.Struct, frozen=True, kw_only=True):
        directory: str

    class SetInput(m.Struct, frozen=True, kw_only=True):
        directory: str
        spec: Directories.SetSpec

    list: ClassVar[m.Operation[[], tuple[Directories.Info, ...]]] = m.Operation(
        "resphere.vcenter.identity.directories",
        "list",
        output=lambda: tuple[Directories.Info, ...],
        api=m.Route("GET", "/api/vcenter/identity/directories", 200),
        errors=("unauthenticated", "unauthorized"),
        privileges=READ,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], Directories.Info]] = m.Operation(
        "resphere.vcenter.identity.directories",
        "get",
        input=NameInput,
        output=lambda: Directories.Info,
        api=m.Route("GET", "/api/vcenter/identity/directories/{directory}", 200),
        errors=("not_found", "unauthenticated", "unauthorized"),
        privileges=READ,
        releases=ALL_RELEASES,
    )

    set: ClassVar[m.Operation[[str, Directories.SetSpec], None]] = m.Operation(
        "resphere.vcenter.identity.directories",
        "set",
        input=SetInput,
        api=m.Route("PUT", "/api/vcenter/identity/directories/{directory}", 204, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "unauthenticated", "unauthorized"),
        privileges=CREATE,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.vcenter.identity.directories",
        "delete",
        input=NameInput,
        api=m.Route("DELETE", "/api/vcenter/identity/directories/{directory}", 204),
        errors=("invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )
