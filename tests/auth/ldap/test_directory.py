"""Names and passwords are checked by OpenLDAP's own server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resphere.auth.ldap import asking
from resphere.auth.ldap.asking import Person
from resphere.auth.ldap.connection import DirectoryUnavailable
from resphere.auth.ldap.settings import Directory, DirectoryKind, LdapSource
from resphere.auth.ldap.source import Directories
from resphere.certificates.files import ensure_certificates
from tests.support.server import free_port
from tests.support.slapd import BASE, ODD, PASSWORD, PEOPLE, READER, READER_PASSWORD, Slapd, dn_of, group_dn


def source_of(directory: Directory) -> LdapSource:
    return LdapSource(id="corp", domain="corp.example.com", directory=directory)


def verify(directory: Directory, user: str, password: str = PASSWORD) -> Person | None:
    with closing(Directories()) as directories:
        return asyncio.run(directories.verify(source_of(directory), user, password))


@pytest.mark.parametrize("start_tls", [False, True])
def test_a_user_is_let_in_with_all_groups(slapd: Slapd, start_tls: bool) -> None:
    directory = slapd.directory(servers=(slapd.ldap if start_tls else slapd.ldaps,))
    person = verify(directory, "alice")
    assert person is not None
    assert person.name == "alice"
    # Groups are in each other in a circle; one has a name that would be another domain's.
    assert person.groups == {"developers", "engineering", "staff"}


def test_the_name_is_the_directory_s_whatever_its_case(slapd: Slapd) -> None:
    person = verify(slapd.directory(), "ALICE")
    assert person is not None
    assert person.name == "alice"


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", PASSWORD + "\0"),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("*", PASSWORD),
        ("ali*", PASSWORD),
        ("alice)(uid=*", PASSWORD),
        ("alice\0", PASSWORD),
        (dn_of("alice"), PASSWORD),
        ("reader", READER_PASSWORD),
    ],
)
def test_who_is_not_let_in(slapd: Slapd, user: str, password: str) -> None:
    assert verify(slapd.directory(), user, password) is None
    assert verify(direct(slapd), user, password) is None


def direct(slapd: Slapd) -> Directory:
    """Users bind and search for themselves."""
    return slapd.directory(bind_name=None, bind_password=None, bind_as=f"cn={{user}},{PEOPLE}")


@pytest.mark.parametrize("user", ["alice", "carol"])
def test_users_may_search_for_themselves(slapd: Slapd, user: str) -> None:
    person = verify(direct(slapd), user)
    assert person is not None
    assert person.name == user


def test_a_name_full_of_syntax_is_nothing_but_a_name(slapd: Slapd) -> None:
    # It fits no name here, so it is taken out of what the filters see; the filter itself is tried with it below.
    assert verify(slapd.directory(), ODD) is None
    with slapd.as_root() as root:
        slapd.add_person(root, "o'brien (jr) *, = ü")
        try:
            person = verify(slapd.directory(), "o'brien (jr) *, = ü")
            assert person is not None
            assert verify(direct(slapd), "o'brien (jr) *, = ü") == person
        finally:
            root.delete(dn_of("o'brien (jr) *, = ü"))


def test_posix_groups_are_those_of_a_name(slapd: Slapd) -> None:
    person = verify(slapd.directory(type=DirectoryKind.POSIX), "alice")
    assert person is not None
    assert person.groups == {"unix"}
    nobody_else = verify(slapd.directory(type=DirectoryKind.POSIX), "bob")
    assert nobody_else is not None
    assert nobody_else.groups == frozenset()


def test_a_name_that_two_have_lets_nobody_in(slapd: Slapd) -> None:
    with slapd.as_root() as root:
        slapd.add_person(root, "bob", f"cn=another,{PEOPLE}")
        try:
            with pytest.raises(DirectoryUnavailable, match="more than 1 entries"):
                verify(slapd.directory(), "bob")
        finally:
            root.delete(f"cn=another,{PEOPLE}")


@pytest.fixture
def many_groups(slapd: Slapd) -> Iterator[None]:
    names = [f"many-{number}" for number in range(60)]
    with slapd.as_root() as root:
        below = dn_of("carol")
        for name in names:
            slapd.add_group(root, name, [below])
            below = group_dn(name)
        yield
        for name in names:
            root.delete(group_dn(name))


@pytest.mark.usefixtures("many_groups")
def test_groups_that_lie_too_deep_let_nobody_in(slapd: Slapd) -> None:
    with pytest.raises(DirectoryUnavailable, match="more than 32 deep"):
        verify(slapd.directory(), "carol")


@pytest.mark.usefixtures("many_groups")
def test_too_many_groups_let_nobody_in(slapd: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_GROUPS", 10)
    with pytest.raises(DirectoryUnavailable, match="more than 10 groups"):
        verify(slapd.directory(), "carol")


def test_a_wrong_account_for_searching_is_no_wrong_password(slapd: Slapd, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DirectoryUnavailable, match="does not take the name and password of"):
        verify(slapd.directory(bind_password="not this one"), "alice")
    assert "not this one" not in caplog.text
    assert PASSWORD not in caplog.text


def test_another_authority_s_certificate_is_not_taken(slapd: Slapd, tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, (), lambda: datetime.now(UTC))
    assert files.ca_certificate is not None
    foreign = files.ca_certificate.read_text()
    for server in (slapd.ldap, slapd.ldaps):
        with pytest.raises(DirectoryUnavailable, match="certificate verify failed"):
            verify(slapd.directory(servers=(server,), ca=foreign), "alice")


def test_a_certificate_of_another_name_is_not_taken(slapd: Slapd) -> None:
    with pytest.raises(DirectoryUnavailable, match="certificate verify failed"):
        verify(slapd.directory(servers=(slapd.other_name,)), "alice")


def test_a_plain_connection_is_one_that_was_asked_for(slapd: Slapd) -> None:
    person = verify(slapd.directory(servers=(slapd.ldap,), unencrypted=True, ca=None), "alice")
    assert person is not None


def test_the_next_server_is_asked_where_one_is_down(slapd: Slapd) -> None:
    down = f"ldaps://127.0.0.1:{free_port()}"
    directory = slapd.directory(servers=(down, slapd.ldaps))

    async def twice() -> None:
        with closing(Directories()) as directories:
            for _ in range(2):
                assert await directories.verify(source_of(directory), "alice", PASSWORD) is not None

    asyncio.run(twice())


def test_a_directory_of_which_no_server_answers(slapd: Slapd) -> None:
    with pytest.raises(DirectoryUnavailable):
        verify(slapd.directory(servers=(f"ldaps://127.0.0.1:{free_port()}",)), "alice")


def test_referrals_are_not_followed(slapd: Slapd) -> None:
    elsewhere = f"ldap://127.0.0.1:{free_port()}/{BASE}"
    with slapd.as_root() as root:
        assert root.add(f"ou=elsewhere,{PEOPLE}", ["referral", "extensibleObject"], {"ref": elsewhere}), root.result
        try:
            # As a part of what is searched it is passed over; as the place itself it is an answer of nobody.
            assert verify(slapd.directory(), "alice") is not None
            with pytest.raises(DirectoryUnavailable, match="referral"):
                verify(slapd.directory(users_base_dn=f"ou=elsewhere,{PEOPLE}"), "alice")
        finally:
            root.delete(f"ou=elsewhere,{PEOPLE}", controls=[("2.16.840.1.113730.3.4.2", True, None)])


def test_somebody_is_found_without_a_password(slapd: Slapd) -> None:
    async def both() -> tuple[Person | None, Person | None]:
        with closing(Directories()) as directories:
            ask = slapd.directory()
            return (
                await directories.find("corp", ask, "corp.example.com", "alice"),
                await directories.find("corp", ask, "corp.example.com", "nobody"),
            )

    alice, nobody = asyncio.run(both())
    assert alice is not None
    assert alice.groups == {"developers", "engineering", "staff"}
    assert nobody is None


def test_the_account_that_searches_is_bound_by_name(slapd: Slapd) -> None:
    assert slapd.directory().bind_name == READER
