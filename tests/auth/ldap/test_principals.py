"""To whom a permission can be given: of this vCenter, of a directory that is asked, of sources that cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.access.changes import create_permission
from resphere.access.permissions import Permission
from resphere.access.roles import READ_ONLY
from resphere.auth.group_changes import GroupChanges
from resphere.auth.groups import Group
from resphere.auth.ldap.filters import of_group
from resphere.auth.ldap.settings import Directory, DirectoryKind, LdapSource
from resphere.auth.oidc.providers import ConfigType, Endpoints, IdentityProvider
from resphere.auth.principals import Principals, hold, home_name
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, ServiceUnavailable, VapiError
from resphere.replica.edit import Edit
from tests.support.racing import race, two_worlds
from tests.support.slapd import ODD, PEOPLE, Slapd
from tests.support.world import World

NOBODY = "resphere.authorization.no_user"
NO_GROUP = "resphere.authorization.no_group"
NO_SOURCE = "resphere.authorization.no_identity_source"
NO_NAME = "resphere.authorization.no_principal"
CORP, UNIX, SAML, TOKENS = "corp.example.com", "unix.example.com", "saml.example.com", "tokens.example.com"


def permission(principal: str, *, group: bool = False) -> Permission:
    return Permission(principal=principal, group=group, object="", role=READ_ONLY.id)


async def give(world: World, principal: str, *, group: bool = False) -> None:
    """As the operation does, and the command."""
    principals = Principals(world.inventory, world.environment.federation.directories, [SAML.upper()])
    given = await principals.resolve(permission(principal, group=group))

    def plan(edit: Edit) -> None:
        create_permission(edit, world.inventory, given)
        hold(edit, given)

    await world.inventory.change(plan)


def refusal(world: World, principal: str, *, group: bool = False) -> str | None:
    """The message's id, ``None`` where it was given."""
    try:
        world.run(give(world, principal, group=group))
    except InvalidArgument as refused:
        return refused.messages[0].id
    return None


def provider(id: str, *domains: str) -> IdentityProvider:
    endpoints = Endpoints(f"https://{id}", f"https://{id}/auth", f"https://{id}/token", f"https://{id}/keys")
    return IdentityProvider(
        id=id, config=ConfigType.OAUTH2, client_id="resphere", endpoints=endpoints, domain_names=domains
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        parts = world.environment.identities
        world.run(parts.accounts.put("ann@vsphere.local", "secret"))
        world.run(parts.accounts.put("ann@gone.example.com", "secret"))
        world.run(parts.group_changes.create("staff"))
        yield world


@pytest.fixture
def corp(world: World, slapd: Slapd) -> World:
    world.put(
        LdapSource(id="corp", domain=CORP, alias="corp", directory=slapd.directory()),
        LdapSource(id="unix", domain=UNIX, directory=slapd.directory(type=DirectoryKind.POSIX)),
    )
    return world


@pytest.mark.parametrize(
    ("principal", "group", "refused"),
    [
        ("ann@vsphere.local", False, None),
        ("VSPHERE.LOCAL\\Ann", False, None),
        ("staff@vsphere.local", True, None),
        ("nobody@vsphere.local", False, NOBODY),
        ("ann", False, NOBODY),
        ("ann@vsphere.local", True, NO_GROUP),
        ("staff@vsphere.local", False, NOBODY),
        ("Staff", True, NO_GROUP),
        # An account may be called like somebody of elsewhere.
        ("ann@gone.example.com", False, None),
        ("bob@gone.example.com", False, NO_SOURCE),
        ("ann@gone.example.com", True, NO_SOURCE),
        (" ", False, NO_NAME),
        ("a\nb@corp.example.com", False, NO_NAME),
        ("ann@saml.example.com", False, None),
        ("readers@SAML.example.com", True, None),
        ("@saml.example.com", False, NOBODY),
    ],
)
def test_of_this_vcenter_and_of_issuers(world: World, principal: str, group: bool, refused: str | None) -> None:
    assert refusal(world, principal, group=group) == refused


@pytest.mark.parametrize("principal", [f"Alice@{CORP}", "CORP\\Alice", "Alice@corp", f"{CORP.upper()}\\Alice"])
def test_a_domain_has_one_name_in_permissions(corp: World, principal: str) -> None:
    assert refusal(corp, principal) is None
    assert list(corp.inventory.all(Permission)) == [f"global:user:alice@{CORP}"]
    with pytest.raises(AlreadyExists):
        corp.run(give(corp, f"alice@{CORP}"))
    assert home_name(corp.inventory, principal).casefold() in (f"alice@{CORP}", f"{CORP}\\alice")
    assert home_name(corp.inventory, "CORP\\Alice") == f"Alice@{CORP}"
    assert home_name(corp.inventory, "Ann@VSPHERE.local") == "Ann@VSPHERE.local"
    assert home_name(corp.inventory, "ann") == "ann"


@pytest.mark.parametrize(
    ("principal", "group", "refused"),
    [
        (f"alice@{CORP}", False, None),
        ("CORP\\ALICE", False, None),
        (f"staff@{CORP}", True, None),
        ("CORP\\Developers", True, None),
        (f"nobody@{CORP}", False, NOBODY),
        (f"*@{CORP}", False, NOBODY),
        (f"ali*@{CORP}", False, NOBODY),
        (f"alice)(uid=*@{CORP}", False, NOBODY),
        (f"staff@{CORP}", False, NOBODY),
        (f"alice@{CORP}", True, NO_GROUP),
        (f"*@{CORP}", True, NO_GROUP),
        (f"unix@{CORP}", True, NO_GROUP),
        (f"unix@{UNIX}", True, None),
        (f"staff@{UNIX}", True, NO_GROUP),
        (f"{'a' * 300}@{CORP}", False, NOBODY),
        (f"{ODD.replace(chr(92), '')}@{CORP}", False, NOBODY),
    ],
)
def test_a_directory_is_asked(corp: World, principal: str, group: bool, refused: str | None) -> None:
    assert refusal(corp, principal, group=group) == refused


def test_a_directory_that_cannot_be_asked(world: World) -> None:
    nowhere = Directory(
        servers=("ldap://127.0.0.1:1",),
        users_base_dn=PEOPLE,
        groups_base_dn=PEOPLE,
        unencrypted=True,
        bind_name="cn=reader",
        bind_password="reads",
    )
    world.put(LdapSource(id="corp", domain=CORP, directory=nowhere))
    for group in (False, True):
        with pytest.raises(ServiceUnavailable):
            world.run(give(world, f"alice@{CORP}", group=group))
    assert not world.inventory.all(Permission)


def test_a_directory_that_nobody_may_search(world: World, slapd: Slapd) -> None:
    directory = slapd.directory(bind_name=None, bind_password=None, bind_as=f"cn={{user}},{PEOPLE}")
    world.put(LdapSource(id="corp", domain=CORP, directory=directory))
    assert refusal(world, f"whoever@{CORP}") is None


def test_providers_of_tokens_cannot_be_asked(world: World) -> None:
    world.put(provider("one", TOKENS))
    assert refusal(world, f"whoever@{TOKENS}") is None
    assert refusal(world, f"readers@{TOKENS}", group=True) is None
    assert refusal(world, "whoever@elsewhere.example.com") == NO_SOURCE
    world.put(provider("two"))
    assert refusal(world, "whoever@elsewhere.example.com") is None
    assert refusal(world, "whoever@vsphere.local") == NOBODY


@pytest.mark.parametrize("kind", DirectoryKind)
def test_what_is_in_a_name_is_no_syntax(kind: DirectoryKind) -> None:
    directory = Directory(
        servers=("ldaps://dc",), users_base_dn="dc=x", groups_base_dn="dc=x", type=kind, bind_as="uid={user}"
    )
    assert "(objectClass=" in of_group(directory, "x")
    assert of_group(directory, "a)(b=*").endswith("=a\\29\\28b\\3d\\2a))")


@pytest.mark.parametrize("group", [False, True])
def test_with_who_is_removed_go_the_permissions(world: World, group: bool) -> None:
    parts = world.environment.identities
    name = "staff@vsphere.local" if group else "ann@vsphere.local"
    assert refusal(world, name, group=group) is None
    world.put(permission(name, group=not group))
    world.run(parts.group_changes.delete(name) if group else parts.account_changes.remove(name))
    assert [each.group for each in world.inventory.all(Permission).values()] == [not group]


@pytest.mark.parametrize("removal_first", [False, True])
@pytest.mark.parametrize("group", [False, True])
def test_who_is_removed_meanwhile_has_no_permission(tmp_path: Path, group: bool, removal_first: bool) -> None:
    name = "staff@vsphere.local" if group else "ann@vsphere.local"

    async def giving(world: World) -> Any:
        await give(world, name, group=group)

    async def removing(world: World) -> Any:
        parts = world.environment.identities
        await (parts.group_changes.delete(name) if group else parts.account_changes.remove(name))

    with two_worlds(tmp_path) as (one, other):
        parts = one.environment.identities
        one.run(parts.accounts.put("ann@vsphere.local", "secret"))
        one.run(GroupChanges(one.inventory).create("staff"))
        other.refresh()
        outcomes = race(one, other, *((giving, removing) if removal_first else (removing, giving)))
        one.refresh()
        assert not one.inventory.all(Permission)
        assert one.inventory.get(Group, "staff@vsphere.local") is None or not group
        if removal_first:
            assert isinstance(outcomes[1], InvalidArgument)
        else:
            assert not any(isinstance(each, VapiError) for each in outcomes)


def test_a_question_is_asked_in_its_own_thread(corp: World) -> None:
    """Several at once, as the pipeline has them."""

    async def all_of_them() -> list[Any]:
        names = [f"alice@{CORP}", f"nobody@{CORP}", f"bob@{CORP}"]
        return await asyncio.gather(*(give(corp, name) for name in names), return_exceptions=True)

    alice, nobody, bob = corp.run(all_of_them())
    assert (alice, bob) == (None, None)
    assert isinstance(nobody, InvalidArgument)
    assert not isinstance(nobody, NotFound)
