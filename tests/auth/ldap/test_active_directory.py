"""Users of Active Directory are in their primary group, of which they are no members, and in those that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from ldap3 import Connection

from resphere.auth.ldap.asking import find, in_domain_of
from resphere.auth.ldap.connection import Bounds, DirectoryUnavailable, Entry, Session
from resphere.auth.ldap.filters import of_group_by_sid, of_groups_in_chain, of_user
from resphere.auth.ldap.settings import Directory, DirectoryKind
from tests.auth.ldap.test_directory import verify
from tests.support.slapd import BASE, GROUPS, PASSWORD, PEOPLE, Slapd

DOMAIN_USERS, GUESTS = 513, 514


def sid(number: int, domain: tuple[int, ...] = (21, 0x28FF41, 7, 0x5C2A2829)) -> bytes:
    """A security identifier of a domain; some of its bytes are syntax of filters, or no text."""
    numbers = (*domain, number)
    return bytes((1, len(numbers), 0, 0, 0, 0, 0, 5)) + b"".join(each.to_bytes(4, "little") for each in numbers)


@pytest.fixture(scope="module")
def windows(slapd: Slapd) -> Iterator[Directory]:
    """A directory with what Active Directory has, beside what the others have."""
    entries: dict[str, tuple[list[str], dict[str, object]]] = {
        f"cn=dave,{PEOPLE}": (
            ["inetOrgPerson", "user"],
            {
                "sn": "dave",
                "userPassword": PASSWORD,
                "sAMAccountName": "dave",
                "userPrincipalName": "dave.long@corp.example.com",
                "objectSid": sid(1104),
                "primaryGroupID": DOMAIN_USERS,
            },
        ),
        f"cn=Domain Users,{GROUPS}": (
            ["groupOfNames", "group"],
            {"member": BASE, "sAMAccountName": "Domain Users", "objectSid": sid(DOMAIN_USERS)},
        ),
        f"cn=Guests,{GROUPS}": (
            ["groupOfNames", "group"],
            {"member": BASE, "sAMAccountName": "Guests", "objectSid": sid(GUESTS)},
        ),
        f"cn=Others,{GROUPS}": (
            ["groupOfNames", "group"],
            {"member": BASE, "sAMAccountName": "Others", "objectSid": sid(DOMAIN_USERS, (21, 1, 2, 3))},
        ),
    }
    with slapd.as_root() as root:
        for dn, (classes, values) in entries.items():
            assert root.add(dn, classes, values), root.result
        yield slapd.directory(type=DirectoryKind.ACTIVE_DIRECTORY)
        for dn in entries:
            assert root.delete(dn), root.result


@pytest.mark.parametrize("name", ["dave", "DAVE", "dave.long"])
def test_a_user_is_in_the_primary_group(windows: Directory, name: str) -> None:
    person = verify(windows, name)
    assert person is not None
    assert person.name == "dave"
    # Not in one of the same number in another domain.
    assert person.groups == {"Domain Users"}


def test_a_primary_group_elsewhere_does_not_count(windows: Directory, slapd: Slapd) -> None:
    person = verify(slapd.directory(type=DirectoryKind.ACTIVE_DIRECTORY, groups_base_dn=PEOPLE), "dave")
    assert person is not None
    assert person.groups == set()


def test_a_user_that_says_of_no_primary_group(windows: Directory, slapd: Slapd) -> None:
    with slapd.as_root() as root:
        assert root.modify(f"cn=dave,{PEOPLE}", {"primaryGroupID": [("MODIFY_DELETE", [])]}), root.result
        try:
            person = verify(windows, "dave")
        finally:
            root.modify(f"cn=dave,{PEOPLE}", {"primaryGroupID": [("MODIFY_ADD", [DOMAIN_USERS])]})
    assert person is not None
    assert person.groups == set()


def test_nobody_is_let_in_with_a_part_of_the_groups(windows: Directory, slapd: Slapd) -> None:
    with slapd.as_root() as root:
        assert root.modify(f"cn=dave,{PEOPLE}", {"objectSid": [("MODIFY_REPLACE", [b"\x01\x05\0"])]}), root.result
        try:
            with pytest.raises(DirectoryUnavailable, match="objectSid"):
                verify(windows, "dave")
        finally:
            root.modify(f"cn=dave,{PEOPLE}", {"objectSid": [("MODIFY_REPLACE", [sid(1104)])]})


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (b"", "513"),
        (sid(1)[:-1], "513"),
        (sid(1) + b"\0", "513"),
        (b"\x02" + sid(1)[1:], "513"),
        (b"\x01\0\0\0\0\0\0\x05", "513"),
        (sid(1), ""),
        (sid(1), "-1"),
        (sid(1), "5e2"),
        (sid(1), "\u0661"),
        (sid(1), str(2**32)),
    ],
)
def test_what_names_no_group(given: bytes, number: str) -> None:
    with pytest.raises(DirectoryUnavailable):
        in_domain_of(given, number)


def test_the_number_takes_the_place_of_the_user_s() -> None:
    assert in_domain_of(sid(1104), "513") == sid(513)
    assert in_domain_of(sid(1104), str(2**32 - 1)) == sid(2**32 - 1)


class Controller(Session):
    """A domain controller, which knows the rule of members in chains; notes what it is asked."""

    def __init__(self, answers: dict[str, list[Entry]]) -> None:
        super().__init__(cast(Connection, None), cast(Bounds, None))
        self.answers = answers

    def bind(self, name: str, password: str) -> bool:
        return True

    def search(self, base: str, filter: str, attributes: tuple[str, ...], most: int) -> list[Entry]:
        return self.answers.pop(filter)


def test_groups_that_the_primary_group_is_in() -> None:
    directory = Directory(
        servers=("ldaps://dc.example.com",),
        users_base_dn=PEOPLE,
        groups_base_dn=GROUPS,
        bind_name="reader",
        bind_password="reads",
    )
    user, primary = f"cn=dave,{PEOPLE}", f"cn=Domain Users,{GROUPS}"
    values: dict[str, tuple[bytes, ...]] = {
        "samaccountname": (b"dave",),
        "objectsid": (sid(1104),),
        "primarygroupid": (b"513",),
    }
    controller = Controller(
        {
            of_user(directory, "dave", "example.com"): [Entry(user, values)],
            of_group_by_sid(sid(DOMAIN_USERS)): [Entry(primary, {"samaccountname": (b"Domain Users",)})],
            of_groups_in_chain(directory, (user, primary)): [
                Entry(f"cn=Staff,{GROUPS}", {"samaccountname": (b"Staff",)}),
            ],
        }
    )
    person = find(controller, directory, "example.com", "dave")
    assert person is not None
    assert person.groups == {"Domain Users", "Staff"}
    assert not controller.answers
