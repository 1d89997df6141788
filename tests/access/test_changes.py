"""Changes of roles and permissions: what each writes, and each refusal with its words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from resphere.access.changes import (
    FIRST_NUMBER,
    LONGEST_NAME,
    create_permission,
    create_role,
    remove_role,
    require_given,
    require_present,
    require_role,
    update_role,
)
from resphere.access.permissions import GLOBAL, PERMISSIONS, Permission
from resphere.access.roles import ADMIN, NO_ACCESS, OF_EVERY_ROLE, READ_ONLY, ROLES, VIEW_ROLE, Role
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, ResourceInUse, Unsupported, VapiError
from resphere.inventory.model import ROOT_FOLDER, Folder
from resphere.inventory.paths import object_by_id
from resphere.inventory.tables import TABLES
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from tests.inventory import samples
from tests.replica.worlds import put, run

ON, OFF = "VirtualMachine.Interact.PowerOn", "VirtualMachine.Interact.PowerOff"
MINE = Permission(principal="ann@vsphere.local", object="group-h3", role=READ_ONLY.id)
MINE_THERE = msgspec.structs.replace(MINE, object="datacenter-3")


def with_inventory(test: Callable[[Replica], Awaitable[None]], path: Path) -> None:
    async def whole(replica: Replica) -> None:
        await replica.change(put(*samples.skeleton(), MINE_THERE))
        await test(replica)

    run(whole, path / "store", tables=(*TABLES, ROLES, PERMISSIONS))


async def refusal(replica: Replica, plan: Callable[[Edit], object], error: type[VapiError]) -> str:
    """The words of a refusal, which changes nothing."""
    before = replica.sequence
    with pytest.raises(error) as raised:
        await replica.change(plan)
    assert replica.sequence == before
    return str(raised.value.messages[0].default_message)


def new(replica: Replica, name: str) -> Callable[[Edit], Role]:
    return partial(create_role, inventory=replica, name=name, description="", privileges=())


async def made(replica: Replica, name: str, *privileges: str) -> Role:
    return await replica.change(lambda edit: create_role(edit, replica, name, f"about {name}", privileges))


def test_a_new_role(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        role = await made(replica, "Night", ON)
        assert replica.get(Role, role.id) == role == require_role(replica, role.id)
        assert int(role.id) > FIRST_NUMBER
        assert (role.name, role.description, role.privileges) == ("Night", "about Night", OF_EVERY_ROLE | {ON})
        for taken in ("night", "admin"):
            words = await refusal(replica, new(replica, taken), AlreadyExists)
            assert taken.lower() in words.lower()
        for name in ("", "  ", "a\nb", "x" * (LONGEST_NAME + 1)):
            words = await refusal(replica, new(replica, name), InvalidArgument)
            assert words.startswith("name: ")
        assert (await made(replica, "x" * LONGEST_NAME)).name == "x" * LONGEST_NAME

    with_inventory(test, tmp_path)


@pytest.mark.parametrize(
    ("given", "end"),
    [
        ("VirtualMachine.Interact.PowerOnn", "did you mean VirtualMachine.Interact.PowerOn?"),
        ("nothing like it", "'nothing like it'."),
        (f"{ON}{'n' * 200}", "'."),
    ],
)
def test_a_privilege_that_is_none(tmp_path: Path, given: str, end: str) -> None:
    async def test(replica: Replica) -> None:
        words = await refusal(
            replica, lambda edit: create_role(edit, replica, "Night", "", (ON, given)), InvalidArgument
        )
        assert words.startswith(f"privileges: there is no privilege '{given}'")
        assert words.endswith(end)

    with_inventory(test, tmp_path)


def test_what_is_given_of_a_role_is_changed(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        role = await made(replica, "Night", ON)
        other = await made(replica, "Other")

        async def changed(*args: object) -> Role:
            result = await replica.change(lambda edit: update_role(edit, replica, role.id, *args))  # type: ignore[arg-type]
            assert replica.get(Role, role.id) == result
            return result

        assert await changed() == role
        assert await changed("NIGHT") == msgspec.structs.replace(role, name="NIGHT")
        assert await changed(None, "") == msgspec.structs.replace(role, name="NIGHT", description="")
        last = await changed(None, None, (OFF,))
        assert (last.name, last.description, last.privileges) == ("NIGHT", "", OF_EVERY_ROLE | {OFF})
        await refusal(replica, lambda edit: update_role(edit, replica, role.id, other.name), AlreadyExists)
        await refusal(replica, lambda edit: update_role(edit, replica, role.id, " "), InvalidArgument)
        await refusal(replica, lambda edit: update_role(edit, replica, role.id, None, None, ("no",)), InvalidArgument)

    with_inventory(test, tmp_path)


def test_vcenters_own_roles_stay_as_they_are(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        for change in (
            lambda edit: update_role(edit, replica, ADMIN.id, "other"),
            lambda edit: remove_role(edit, replica, ADMIN.id, with_permissions=True),
        ):
            assert "Admin" in await refusal(replica, change, Unsupported)
        for change in (
            lambda edit: update_role(edit, replica, "404"),
            lambda edit: remove_role(edit, replica, "404"),
        ):
            assert "'404'" in await refusal(replica, change, NotFound)

    with_inventory(test, tmp_path)


def test_a_role_that_is_given_goes_with_its_permissions_only(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        role = await made(replica, "Night", ON)
        giving = msgspec.structs.replace(MINE, object="domain-c8", role=role.id)
        await replica.change(lambda edit: create_permission(edit, replica, giving))
        words = await refusal(replica, lambda edit: remove_role(edit, replica, role.id), ResourceInUse)
        assert words == "The role Night is given by permissions; there are 1 of them."
        await replica.change(lambda edit: remove_role(edit, replica, role.id, with_permissions=True))
        assert set(replica.all(Permission)) == {MINE_THERE.id}
        assert not replica.all(Role)
        unused = await made(replica, "Night")
        await replica.change(lambda edit: remove_role(edit, replica, unused.id))
        assert not replica.all(Role)

    with_inventory(test, tmp_path)


@pytest.mark.parametrize("object", [GLOBAL, ROOT_FOLDER, "domain-c8", "host-11", "network-17"])
def test_a_permission_is_set_once(tmp_path: Path, object: str) -> None:
    async def test(replica: Replica) -> None:
        permission = msgspec.structs.replace(MINE, object=object)
        await replica.change(lambda edit: create_permission(edit, replica, permission))
        assert require_present(replica, permission.id) == permission
        again = msgspec.structs.replace(permission, role=NO_ACCESS.id, principal="ANN@vsphere.local")
        words = await refusal(replica, lambda edit: create_permission(edit, replica, again), AlreadyExists)
        assert permission.id in words

    with_inventory(test, tmp_path)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"principal": " "}, "The principal: "),
        ({"principal": "a\nb"}, "The principal: "),
        ({"role": "404"}, "There is no role with the identifier '404' that can be given."),
        ({"role": VIEW_ROLE.id}, f"There is no role with the identifier '{VIEW_ROLE.id}' that can be given."),
        ({"object": "host-404"}, "There is no object 'host-404'"),
        ({}, "host has the permissions of sample-dc: "),
        ({"object": "resgroup-9"}, "Resources has the permissions of sample-cluster: "),
    ],
)
def test_a_permission_that_cannot_be(tmp_path: Path, fields: dict[str, str], words: str) -> None:
    async def test(replica: Replica) -> None:
        wrong = msgspec.structs.replace(MINE, **fields)
        assert words in await refusal(replica, lambda edit: create_permission(edit, replica, wrong), InvalidArgument)

    with_inventory(test, tmp_path)


def test_what_is_there(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        assert object_by_id(replica, "group-h3") == replica.get(Folder, "group-h3")
        assert object_by_id(replica, "host-11") is not None
        assert object_by_id(replica, "host-404") is None
        assert require_given(replica, READ_ONLY.id) == READ_ONLY.id
        with pytest.raises(NotFound, match="global:user:bob"):
            require_present(replica, "global:user:bob")

    with_inventory(test, tmp_path)
