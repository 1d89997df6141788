"""A directory is asked the same for an unknown name as for a wrong password, and never without a password."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ldap3 import Connection

from resphere.auth.ldap.asking import verify
from resphere.auth.ldap.connection import Bounds, Entry, Session
from resphere.auth.ldap.settings import Directory, DirectoryKind

USERS = "ou=people,dc=example,dc=com"
ALICE = f"uid=alice,{USERS}"


class Noted(Session):
    """A server with one user; notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(cast(Connection, None), cast(Bounds, None))
        self.asked: list[str] = []

    def bind(self, name: str, password: str) -> bool:
        self.asked.append("bind")
        return (name, password) in (("reader", "reads"), (ALICE, "good"))

    def search(self, base: str, filter: str, attributes: tuple[str, ...], most: int) -> list[Entry]:
        self.asked.append(f"search {base}")
        return [Entry(ALICE, {"uid": (b"alice",)})] if filter == "(uid=alice)" else []


def asked(user: str, password: str) -> list[str]:
    directory = Directory(
        servers=("ldaps://dc.example.com",),
        users_base_dn=USERS,
        groups_base_dn="ou=groups,dc=example,dc=com",
        type=DirectoryKind.GROUP_OF_NAMES,
        bind_name="reader",
        bind_password="reads",
    )
    session = Noted()
    person = verify(session, directory, "example.com", user, password)
    assert (person is not None) == ((user, password) == ("alice", "good"))
    return session.asked


@pytest.mark.parametrize("user", ["nobody", "alice", "a" * 256])
def test_who_is_wrong_learns_nothing_by_what_is_asked(user: str) -> None:
    assert asked(user, "wrong") == ["bind", f"search {USERS}", "bind"]


def test_who_is_right_is_asked_for_groups() -> None:
    assert asked("alice", "good") == ["bind", f"search {USERS}", "bind", "bind", "search ou=groups,dc=example,dc=com"]


class Binding:
    """A connection that takes whatever it is given, as servers take binds of nobody."""

    def __init__(self) -> None:
        self.binds = 0

    def bind(self) -> Any:
        self.binds += 1
        return True, {"result": 0, "description": "success"}, [], {}


@pytest.mark.parametrize(("name", "password", "binds"), [(ALICE, "", 0), ("", "x", 0), ("", "", 0), (ALICE, "x", 1)])
def test_a_bind_has_a_name_and_a_password(name: str, password: str, binds: int) -> None:
    connection = Binding()
    session = Session(cast(Connection, connection), cast(Bounds, None))
    assert session.bind(name, password) == (binds == 1)
    assert connection.binds == binds
