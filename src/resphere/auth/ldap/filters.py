"""Search filters and distinguished names (RFC 4515, 4514), in which whatever somebody wrote is nothing but a value."""

from __future__ import annotations

import string
from collections.abc import Iterable

from resphere.auth.ldap.settings import USER, Directory, DirectoryKind

_PLAIN_BYTES = frozenset(b"-._" + string.ascii_letters.encode() + string.digits.encode())
SID = "objectSid"
IN_CHAIN = "1.2.840.113556.1.4.1941"
"""Active Directory's LDAP_MATCHING_RULE_IN_CHAIN: members of members too."""

GROUP_CLASSES = {
    DirectoryKind.ACTIVE_DIRECTORY: "(objectClass=group)",
    DirectoryKind.GROUP_OF_NAMES: "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))",
    DirectoryKind.POSIX: "(objectClass=posixGroup)",
}
"""What is a group, and no other entry of the same name."""


def escaped(value: str) -> str:
    """``value`` in a filter: each byte but letters, digits and a few marks in hex, so that nothing in it is syntax."""
    return escaped_bytes(value.encode("utf-8", "replace"))


def escaped_bytes(value: bytes) -> str:
    """``value``, which need be no text, likewise."""
    return "".join(chr(byte) if byte in _PLAIN_BYTES else f"\\{byte:02x}" for byte in value)


def escaped_in_dn(value: str) -> str:
    """``value`` in a distinguished name, likewise."""
    return escaped(value)


def of_user(directory: Directory, user: str, domain: str) -> str:
    """The filter for the user of that name."""
    name = f"({directory.attributes.name}={escaped(user)})"
    if directory.type is not DirectoryKind.ACTIVE_DIRECTORY:
        return name
    upn = f"(userPrincipalName={escaped(f'{user}@{domain}')})"
    return f"(&(objectClass=user)(!(objectClass=computer))(|{name}{upn}))"


def of_group(directory: Directory, group: str) -> str:
    """The filter for the group of that name."""
    return f"(&{GROUP_CLASSES[directory.type]}({directory.attributes.group_name}={escaped(group)}))"


def of_groups_in_chain(directory: Directory, dns: Iterable[str]) -> str:
    """The filter for all groups that any of ``dns`` is in, at any depth."""
    rule = f"{directory.attributes.member}:{IN_CHAIN}:"
    return f"(&(objectClass=group)(|{''.join(f'({rule}={escaped(dn)})' for dn in dns)}))"


def of_group_by_sid(sid: bytes) -> str:
    """The filter for the group of that security identifier."""
    return f"(&(objectClass=group)({SID}={escaped_bytes(sid)}))"


def of_groups(directory: Directory, members: Iterable[str]) -> str:
    """The filter for the groups that any of ``members`` is in itself."""
    return f"(|{''.join(f'({directory.attributes.member}={escaped(each)})' for each in members)})"


def name_to_bind(template: str, user: str) -> str:
    """Under which name ``user`` binds: a distinguished name, or what else the server takes (``{user}@example.com``)."""
    return template.replace(USER, escaped_in_dn(user) if "=" in template else user)
