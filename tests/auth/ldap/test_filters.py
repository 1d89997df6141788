"""Whatever somebody writes is a value in filters and distinguished names, never syntax."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation import search
from ldap3.utils.dn import parse_dn

from resphere.auth.ldap.filters import (
    IN_CHAIN,
    name_to_bind,
    of_group_by_sid,
    of_groups,
    of_groups_in_chain,
    of_user,
)
from resphere.auth.ldap.settings import Directory, DirectoryKind

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.text('()*\\|&!=<>~: \0,+"#;/', min_size=1)


def directory(type: DirectoryKind) -> Directory:
    return Directory(
        servers=("ldaps://dc.example.com",),
        users_base_dn="dc=example,dc=com",
        groups_base_dn="dc=example,dc=com",
        type=type,
        bind_name="reader",
        bind_password="reads",
    )


def compiled(filter: str) -> Any:
    """The filter as it goes over the wire."""
    wire: Any = search
    return wire.compile_filter(wire.parse_filter(filter, None, False, True, None, False).elements[0])


@given(TEXT)
def test_a_user_s_name_is_one_value(name: str) -> None:
    match = compiled(of_user(directory(DirectoryKind.GROUP_OF_NAMES), name, "example.com"))
    assert match.getName() == "equalityMatch"
    assert str(match.getComponent()["attributeDesc"]) == "uid"
    assert bytes(match.getComponent()["assertionValue"]) == name.encode()


@given(TEXT)
def test_a_user_s_name_in_active_directory(name: str) -> None:
    both = compiled(of_user(directory(DirectoryKind.ACTIVE_DIRECTORY), name, "example.com"))
    parts = list(both.getComponent())
    assert [part.getName() for part in parts] == ["equalityMatch", "notFilter", "or"]
    names = [bytes(each.getComponent()["assertionValue"]) for each in parts[2].getComponent()]
    assert names == [name.encode(), f"{name}@example.com".encode()]


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_members_are_values(members: list[str]) -> None:
    either = compiled(of_groups(directory(DirectoryKind.GROUP_OF_NAMES), members))
    assert either.getName() == "or"
    found = [bytes(each.getComponent()["assertionValue"]) for each in either.getComponent()]
    assert found == [member.encode() for member in members]


@given(TEXT)
def test_active_directory_follows_groups_itself(dn: str) -> None:
    both = compiled(of_groups_in_chain(directory(DirectoryKind.ACTIVE_DIRECTORY), (dn, "cn=primary")))
    chains = list(list(both.getComponent())[1].getComponent())
    assert [chain.getName() for chain in chains] == 2 * ["extensibleMatch"]
    assert {str(chain.getComponent()["matchingRule"]) for chain in chains} == {IN_CHAIN}
    assert {str(chain.getComponent()["type"]) for chain in chains} == {"member"}
    assert [bytes(chain.getComponent()["matchValue"]) for chain in chains] == [dn.encode(), b"cn=primary"]


@given(st.binary(min_size=1, max_size=70))
def test_a_security_identifier_is_one_value(sid: bytes) -> None:
    match = list(compiled(of_group_by_sid(sid)).getComponent())[1]
    assert match.getName() == "equalityMatch"
    assert bytes(match.getComponent()["assertionValue"]) == sid


@given(TEXT)
def test_a_name_is_one_value_of_the_name_to_bind(name: str) -> None:
    parts = parse_dn(name_to_bind("uid={user},ou=people,dc=example,dc=com", name))
    assert [attribute for attribute, _, _ in parts] == ["uid", "ou", "dc", "dc"]
    assert bytes.fromhex("".join(hexed(parts[0][1]))) == name.encode()


def hexed(value: str) -> list[str]:
    """The bytes of a value as a distinguished name has them."""
    found, rest = [], value
    while rest:
        taken = rest[1:3] if rest[0] == "\\" else f"{ord(rest[0]):02x}"
        found.append(taken)
        rest = rest[3:] if rest[0] == "\\" else rest[1:]
    return found
