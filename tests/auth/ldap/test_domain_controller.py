"""Names and passwords are checked by a domain controller of Active Directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resphere.auth.ldap.connection import DirectoryUnavailable
from tests.auth.ldap.test_directory import verify
from tests.support.samba import (
    BASE,
    DOMAIN,
    PASSWORD,
    PEOPLE,
    READER,
    SHORT_DOMAIN,
    DomainController,
    dn_of,
    running_domain_controller,
)

DISABLED, COMPUTER = 0x202, 0x1000


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DomainController]:
    """A domain with a few people."""
    with running_domain_controller(tmp_path_factory.mktemp("domain")) as running:
        yield running


@pytest.mark.parametrize("start_tls", [False, True])
@pytest.mark.parametrize("name", ["alice", "ALICE", "alice.long"])
def test_a_user_is_in_groups_of_any_depth_and_in_those_of_the_primary_group(
    controller: DomainController, name: str, start_tls: bool
) -> None:
    servers = (controller.ldap if start_tls else controller.ldaps,)
    person = verify(controller.directory(servers=servers), name, PASSWORD)
    assert person is not None
    assert person.name == "alice"
    # Users, a group of the domain's own, has Domain Users as a member.
    assert person.groups == {"developers", "engineering (all)", "Domain Users", "everybody", "Users"}


def test_groups_elsewhere_do_not_count(controller: DomainController) -> None:
    person = verify(controller.directory(groups_base_dn=PEOPLE), "alice", PASSWORD)
    assert person is not None
    assert person.groups == {"developers", "engineering (all)"}


@pytest.mark.parametrize("bind_name", [READER, f"{SHORT_DOMAIN}\\reader", dn_of("reader")])
def test_names_that_the_one_who_searches_may_have(controller: DomainController, bind_name: str) -> None:
    assert verify(controller.directory(bind_name=bind_name), "bob", PASSWORD) is not None


@pytest.mark.parametrize("template", [f"{{user}}@{DOMAIN}", f"{SHORT_DOMAIN}\\{{user}}", f"CN={{user}},{PEOPLE}"])
def test_users_may_search_for_themselves(controller: DomainController, template: str) -> None:
    directory = controller.directory(bind_name=None, bind_password=None, bind_as=template)
    person = verify(directory, "bob", PASSWORD)
    assert person is not None
    assert person.name == "bob"
    assert "engineering (all)" in person.groups
    assert verify(directory, "bob", "wrong") is None


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", PASSWORD + "\0"),
        ("alice", PASSWORD.lower()),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("*", PASSWORD),
        ("ali*", PASSWORD),
        ("alice)(cn=*", PASSWORD),
        ("developers", PASSWORD),
        (dn_of("alice"), PASSWORD),
        ("Administrator", PASSWORD),
    ],
)
def test_who_is_not_let_in(controller: DomainController, user: str, password: str) -> None:
    assert verify(controller.directory(), user, password) is None


def test_accounts_that_are_disabled_expired_or_have_to_change_their_password(controller: DomainController) -> None:
    with controller.as_administrator() as changing:
        controller.add_person(changing, "disabled", DISABLED)
        controller.add_person(changing, "expired", accountExpires=1)
        controller.add_person(changing, "changing", pwdLastSet=0)
    for name in ("disabled", "expired", "changing"):
        assert verify(controller.directory(), name, PASSWORD) is None, name


def test_a_computer_is_no_user(controller: DomainController) -> None:
    with controller.as_administrator() as changing:
        values = {"sAMAccountName": "box$", "userAccountControl": COMPUTER}
        password = {"unicodePwd": f'"{PASSWORD}"'.encode("utf-16-le")}
        assert changing.add(dn_of("box"), "computer", values | password), changing.result
    assert verify(controller.directory(), "box$", PASSWORD) is None


@pytest.mark.parametrize("name", ["o'brien #1", "ünal (jr)", "a&b!c"])
def test_names_that_are_full_of_syntax(controller: DomainController, name: str) -> None:
    with controller.as_administrator() as changing:
        values = {
            "sAMAccountName": name,
            "unicodePwd": f'"{PASSWORD}"'.encode("utf-16-le"),
            "userAccountControl": 0x200,
        }
        dn = f"CN={''.join(f'{chr(92)}{byte:02x}' for byte in name.encode())},{PEOPLE}"
        assert changing.add(dn, "user", values), changing.result
        try:
            person = verify(controller.directory(), name, PASSWORD)
            assert person is not None
            assert person.name == name
            assert "Domain Users" in person.groups
        finally:
            changing.delete(dn)


def test_passwords_do_not_travel_readable_unless_the_controller_takes_them(controller: DomainController) -> None:
    directory = controller.directory(servers=(controller.ldap,), unencrypted=True)
    with pytest.raises(DirectoryUnavailable):
        verify(directory, "alice", PASSWORD)


def test_a_controller_whose_reader_is_not_taken_is_unavailable(controller: DomainController) -> None:
    with pytest.raises(DirectoryUnavailable):
        verify(controller.directory(bind_password="wrong"), "alice", PASSWORD)


def test_referrals_to_other_partitions_are_not_followed(controller: DomainController) -> None:
    """A search from the domain's root is answered with some, beside what was looked for."""
    person = verify(controller.directory(users_base_dn=BASE), "alice", PASSWORD)
    assert person is not None
    assert person.name == "alice"
