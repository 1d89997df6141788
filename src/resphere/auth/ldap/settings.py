"""What is known of a directory: where it is, how it is asked, and who its people are here."""

from __future__ import annotations

import re
import ssl
from enum import StrEnum
from typing import ClassVar
from urllib.parse import urlsplit

import msgspec

from resphere.auth.names import LOCAL_DOMAIN, is_domain
from resphere.replica.table import Table

PORTS = {"ldap": 389, "ldaps": 636}
MOST_SERVERS = 16
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}\Z")
_DN = re.compile(r"\s*[A-Za-z][A-Za-z0-9-]*\s*=.+\Z", re.DOTALL)
USER = "{user}"
"""What stands for the name in :attr:`Directory.bind_as`."""


class DirectoryKind(StrEnum):
    """How a directory says who belongs to a group."""

    ACTIVE_DIRECTORY = "active_directory"
    """By ``member``; the server follows groups within groups itself."""
    GROUP_OF_NAMES = "group_of_names"
    """By ``member``, a distinguished name: OpenLDAP, 389, FreeIPA. Groups within groups are followed here."""
    POSIX = "posix"
    """By ``memberUid``, a user's name. There are no groups within groups."""


class Attributes(msgspec.Struct, frozen=True):
    """Where a kind of directory keeps what is asked for."""

    name: str
    group_name: str
    member: str


ATTRIBUTES = {
    DirectoryKind.ACTIVE_DIRECTORY: Attributes("sAMAccountName", "sAMAccountName", "member"),
    DirectoryKind.GROUP_OF_NAMES: Attributes("uid", "cn", "member"),
    DirectoryKind.POSIX: Attributes("uid", "cn", "memberUid"),
}


class Endpoint(msgspec.Struct, frozen=True):
    """A server of a directory; ``tls``: from the first byte, else by StartTLS if the directory is not unencrypted."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{'ldaps' if self.tls else 'ldap'}://{self.host}:{self.port}"


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """How an LDAP directory is asked.

    ``servers`` are addresses such as ``ldaps://dc1.corp.example.com``, in the order in which they are tried; those of
    ``ldap:`` are asked for StartTLS before anything is said, unless ``unencrypted``. ``ca`` (PEM) are the only
    authorities that may vouch for them; where it is ``None``, those of the operating system and of trusted root chains.

    ``bind_name`` and ``bind_password`` are an account that may search. Without one, users search for themselves, and
    ``bind_as`` says under which name they bind, such as ``uid={user},ou=people,dc=example,dc=com``.
    """

    servers: tuple[str, ...]
    users_base_dn: str
    groups_base_dn: str
    type: DirectoryKind = DirectoryKind.ACTIVE_DIRECTORY
    ca: str | None = None
    unencrypted: bool = False
    bind_name: str | None = None
    bind_password: str | None = None
    bind_as: str | None = None
    name_attribute: str | None = None
    group_name_attribute: str | None = None
    member_attribute: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.servers) <= MOST_SERVERS:
            raise ValueError(f"servers must be from 1 to {MOST_SERVERS} addresses, not {len(self.servers)}")
        for server in self.servers:
            endpoint(server)
        for name in ("users_base_dn", "groups_base_dn"):
            if not _DN.match(getattr(self, name)):
                raise ValueError(f"{name} must be a distinguished name, such as dc=example,dc=com")
        for name in ("name_attribute", "group_name_attribute", "member_attribute"):
            if (value := getattr(self, name)) is not None and not _ATTRIBUTE.match(value):
                raise ValueError(f"{name} must be the name of an attribute, such as uid, not {value}")
        self._require_binding()
        if self.ca is not None:
            require_certificates(self.ca)

    def _require_binding(self) -> None:
        if (self.bind_name is None) == (self.bind_as is None):
            raise ValueError("one of bind_name and bind_as must be given: who searches for users")
        if self.bind_name is not None and not (self.bind_name and self.bind_password):
            # A bind without a password is none (RFC 4513, 5.1.2), and yet the server calls it a success.
            raise ValueError("bind_name needs a name, and a password that is not empty")
        if self.bind_as is not None and (self.bind_as.count(USER) != 1 or "{" in self.bind_as.replace(USER, "")):
            raise ValueError(f"bind_as must hold {USER} once, where the user's name goes")

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The servers."""
        return tuple(endpoint(server) for server in self.servers)

    @property
    def attributes(self) -> Attributes:
        """Where it keeps what is asked for."""
        usual = ATTRIBUTES[self.type]
        return Attributes(
            self.name_attribute or usual.name,
            self.group_name_attribute or usual.group_name,
            self.member_attribute or usual.member,
        )


class LdapSource(msgspec.Struct, frozen=True, kw_only=True):
    """A directory whose users may log in; ``id`` is what people call it.

    Its users and groups are those of ``domain`` (lower case), which ``alias`` is another name of, such as the one of
    Windows before DNS. ``groups`` says in which groups of this vCenter those in a group of the directory are.
    ``declared``: it stands in the file of identity sources, and is changed there.
    """

    kind: ClassVar[str] = "ldap_source"

    id: str
    domain: str
    directory: Directory
    alias: str | None = None
    groups: dict[str, tuple[str, ...]] = {}
    declared: bool = False

    def __post_init__(self) -> None:
        for name in ("domain", "alias"):
            value = getattr(self, name)
            if value is not None and (not is_domain(value) or value == LOCAL_DOMAIN):
                raise ValueError(f"{name} must be a domain other than {LOCAL_DOMAIN}, in lower case, not {value}")
        if self.alias == self.domain:
            raise ValueError(f"alias must be another name than the domain {self.domain}")

    @property
    def domains(self) -> tuple[str, ...]:
        """Whose users it knows."""
        return (self.domain,) if self.alias is None else (self.domain, self.alias)


LDAP_SOURCES = Table(
    cls=LdapSource,
    indexes={"domain": lambda source: source.domains},
    claims=lambda source: tuple(f"identity-domain/{domain}" for domain in source.domains),
    revises=False,
    sealed=("directory",),
)


def endpoint(address: str) -> Endpoint:
    """The server of an address.

    :raises ValueError: it is none.
    """
    try:
        split = urlsplit(address)
        port = split.port
    except ValueError:
        raise ValueError(f"{address!r} is no address of a server, such as ldaps://dc1.example.com:636") from None
    if split.scheme not in PORTS or not split.hostname or split.path.strip("/") or split.query or "@" in split.netloc:
        raise ValueError(f"{address!r} is no address of a server, such as ldaps://dc1.example.com:636")
    return Endpoint(split.hostname, PORTS[split.scheme] if port is None else port, split.scheme == "ldaps")


def require_certificates(pem: str) -> None:
    """Refuse what holds no certificates.

    :raises ValueError: so it is.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise ValueError("ca must be certificates in PEM") from None
    if not context.get_ca_certs():
        raise ValueError("ca must be certificates of authorities in PEM")
