"""Which groups somebody is in, and what becomes of groups when what is in them goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given as given_examples
from hypothesis import strategies as st

from resphere.access.principal import ADMINISTRATORS, Principal
from resphere.access.wiring import TABLES as ACCESS_TABLES
from resphere.auth.account_changes import AccountChanges
from resphere.auth.accounts import ADMINISTRATOR, LocalAccounts
from resphere.auth.group_changes import GroupChanges, Members, put_built_in_groups
from resphere.auth.groups import (
    BUILT_IN,
    EVERYONE,
    USERS,
    Group,
    Memberships,
    containing,
    foreign,
    given,
    is_local,
    stored,
    with_groups,
)
from resphere.auth.wiring import WIRING
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound
from resphere.replica.replica import Replica
from tests.replica.worlds import run

NAMES = [f"g{number}@vsphere.local" for number in range(6)]
PEOPLE = ["ann@vsphere.local", "ben@corp.example"]


def names_of(mapping: Mapping[str, tuple[frozenset[str], frozenset[str]]]) -> list[Group]:
    return [
        Group(id=name, name=name, users=tuple(sorted(users)), groups=tuple(sorted(groups)))
        for name, (users, groups) in mapping.items()
    ]


members = st.tuples(st.frozensets(st.sampled_from(PEOPLE)), st.frozensets(st.sampled_from(NAMES)))


@given_examples(st.dictionaries(st.sampled_from(NAMES), members), st.sampled_from(PEOPLE))
def test_in_a_group_is_who_is_in_it_or_in_one_that_is(
    directory: dict[str, tuple[frozenset[str], frozenset[str]]], user: str
) -> None:
    """Compared with the plain fixed point, whatever circles there are."""
    found: set[str] = set()
    while True:
        more = {name for name, (users, groups) in directory.items() if user in users or groups & found}
        if more == found:
            break
        found = more
    assert containing(given(names_of(directory)), user, ()) == found


def test_who_is_in_what_without_being_added() -> None:
    nothing = given(())
    assert with_groups(Principal("ann@vsphere.local"), nothing).groups == {EVERYONE, USERS}
    assert with_groups(Principal("ann@corp.example"), nothing).groups == {EVERYONE}
    assert with_groups(Principal(ADMINISTRATOR), nothing).groups == {EVERYONE, USERS, ADMINISTRATORS}


@pytest.mark.parametrize(
    "told", ["Administrators@vsphere.local", "VSPHERE.LOCAL\\administrators", "Administrators", "X@VSPHERE.LOCAL"]
)
def test_no_other_source_speaks_for_local_groups(told: str) -> None:
    assert is_local(told)
    principal = Principal(ADMINISTRATOR, frozenset({told, "staff@corp.example"}), "corp.example")
    assert with_groups(principal, given(())).groups == {EVERYONE, "staff@corp.example"}
    assert foreign(principal.groups) == {"staff@corp.example"}


def test_groups_of_another_source_may_be_members() -> None:
    groups = (Group(id="ops@vsphere.local", name="Ops@vsphere.local", groups=("staff@corp.example",)),)
    principal = Principal("ben@corp.example", frozenset({"Staff@CORP.example"}), "corp.example")
    assert "Ops@vsphere.local" in with_groups(principal, given(groups)).groups


class Office:
    """What one worker has."""

    def __init__(self, replica: Replica, accounts: LocalAccounts) -> None:
        self.replica = replica
        self.accounts = accounts
        self.users = AccountChanges(replica, accounts)
        self.groups = GroupChanges(replica)

    def group(self, id: str) -> Group:
        """The group of that id."""
        return self.replica.all(Group)[id]


def office(test: Callable[[Office], Awaitable[None]], path: Path) -> None:
    """Run a test with one worker."""

    async def whole(replica: Replica) -> None:
        accounts = LocalAccounts(replica, bytes)
        await replica.change(put_built_in_groups)
        await test(Office(replica, accounts))
        await accounts.finish()

    run(whole, path / "store.db", tables=(*WIRING.tables, *ACCESS_TABLES))


def test_who_is_removed_is_in_no_group_for_whoever_gets_the_name(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        ann = await office.users.create("Ann@vsphere.local", "Secret-2026")
        ops = await office.groups.create("Ops")
        await office.groups.add(ops, Members(users=("ANN@vsphere.local",)))
        principal = office.accounts.principal(ann)
        assert principal is not None
        assert "Ops@vsphere.local" in principal.groups
        await office.users.remove(ann)
        assert office.group(ops).users == ()
        await office.users.create("ann@vsphere.local", "Secret-2026")
        again = office.accounts.principal(ann)
        assert again is not None
        assert "Ops@vsphere.local" not in again.groups

    office(test, tmp_path)


def test_a_deleted_group_is_in_no_other(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        inner, outer = await office.groups.create("inner"), await office.groups.create("outer@vsphere.local")
        await office.groups.add(outer, Members(groups=(inner,)))
        assert containing(stored(office.replica), "", (inner,)) == {"outer@vsphere.local"}
        await office.groups.delete(inner)
        assert office.group(outer).groups == ()

    office(test, tmp_path)


def test_no_group_is_in_itself_however_far(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        made = [await office.groups.create(f"level{number}") for number in range(4)]
        for inner, outer in pairwise(made):
            await office.groups.add(outer, Members(groups=(inner,)))
        for each in made:
            with pytest.raises(InvalidArgument, match="would be in itself"):
                await office.groups.add(made[0], Members(groups=(each,)))

    office(test, tmp_path)


def test_names_are_taken_in_any_case(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        await office.groups.create("Ops")
        for name in ("ops", "OPS@vsphere.local", "VSPHERE.LOCAL\\ops"):
            with pytest.raises(AlreadyExists):
                await office.groups.create(name)
        with pytest.raises(InvalidArgument, match="must be of the domain"):
            await office.groups.create("ops@corp.example")
        with pytest.raises(NotFound):
            await office.groups.add("none@vsphere.local", Members())

    office(test, tmp_path)


def test_the_built_in_groups_are_there_and_stay(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        assert {group.name for group in office.replica.all(Group).values()} == set(BUILT_IN)
        assert office.group(ADMINISTRATORS.casefold()).users == (ADMINISTRATOR,)
        sequence = office.replica.sequence
        await office.replica.change(put_built_in_groups)
        assert office.replica.sequence == sequence
        for name in BUILT_IN:
            with pytest.raises(InvalidArgument, match="built in"):
                await office.groups.delete(name.casefold())

    office(test, tmp_path)


def test_what_is_remembered_of_memberships_follows_the_groups(tmp_path: Path) -> None:
    async def test(office: Office) -> None:
        memberships, ben = Memberships(office.replica), Principal("ben@corp.example", source="corp.example")
        assert memberships.joined(ben).groups == {EVERYONE}
        ops = await office.groups.create("Ops")
        await office.groups.add(ops, Members(users=("ben@corp.example",)))
        assert memberships.joined(ben).groups == {EVERYONE, "Ops@vsphere.local"}
        await office.groups.remove(ops, Members(users=("ben@corp.example",)))
        assert memberships.joined(ben).groups == {EVERYONE}

    office(test, tmp_path)
