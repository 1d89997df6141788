"""What permissions and roles come to for one principal, as they come and go."""

from __future__ import annotations

import msgspec
import pytest

from resphere.access.grants import Grants, grants_among
from resphere.access.permissions import Permission
from resphere.access.principal import Principal
from resphere.access.roles import NO_ACCESS, READ_ONLY, users_role
from tests.inventory import samples

ON, READ = "VirtualMachine.Interact.PowerOn", "System.Read"
POWER = users_role("9001", "Operator", {ON})
ANN = Principal("ann@vsphere.local", frozenset({"staff@vsphere.local"}))
MINE = Permission(principal="Ann@vsphere.local", object="vm-1", role=POWER.id)
STAFF = Permission(principal="Staff@vsphere.local", group=True, object="vm-1", role=READ_ONLY.id)


def holds(grants: Grants, privilege: str, object: str = "vm-1") -> bool:
    granted = grants.of(ANN).get(object)
    return granted is not None and granted.there is not None and granted.there.holds(privilege)


def test_what_is_taken_is_had_no_more() -> None:
    grants = grants_among([MINE, STAFF], [POWER])
    assert holds(grants, ON)
    grants.permission_changed(MINE, None)
    assert not holds(grants, ON)
    assert holds(grants, READ)
    grants.permission_changed(STAFF, None)
    assert grants.of(ANN) == {}


def test_a_role_that_is_no_more_gives_nothing() -> None:
    """Whatever is heard of first, the end of a role or that of its permissions."""
    grants = grants_among([MINE], [POWER])
    grants.role_changed(POWER, None)
    assert not holds(grants, ON)
    assert not holds(grants, READ)
    grants.role_changed(None, users_role(POWER.id, "other", set()))
    assert not holds(grants, ON)
    assert holds(grants, READ)


def test_the_revision_rises_with_each_permission_and_role() -> None:
    grants = grants_among([], [])
    seen = {grants.revision}
    grants.role_changed(None, POWER)
    seen.add(grants.revision)
    grants.permission_changed(None, MINE)
    seen.add(grants.revision)
    grants.permission_changed(MINE, msgspec.structs.replace(MINE, role=NO_ACCESS.id))
    seen.add(grants.revision)
    grants.role_changed(POWER, None)
    seen.add(grants.revision)
    assert len(seen) == 5


VM = samples.virtual_machine("vm-1", "web", "group-v3")


@pytest.mark.parametrize(
    ("fields", "moves"),
    [({"parent": "group-v4"}, 1), ({"resource_pool": "resgroup-2"}, 1), ({"name": "other"}, 0), ({}, 0)],
)
def test_a_machine_moves_between_folders_and_pools(fields: dict[str, str], moves: int) -> None:
    grants = Grants()
    grants.machine_changed(VM, msgspec.structs.replace(VM, **fields))
    assert grants.moves == moves


def test_a_machine_that_comes_or_goes_moves_nothing() -> None:
    grants = Grants()
    grants.machine_changed(None, VM)
    grants.machine_changed(VM, None)
    assert grants.moves == 0


def test_what_others_stand_in_moves_where_it_comes_goes_or_has_another_parent() -> None:
    grants = Grants()
    folder = next(each for each in samples.skeleton() if each.parent is not None)
    for old, new, moves in (
        (None, folder, 1),
        (folder, msgspec.structs.replace(folder, name="other"), 1),
        (folder, msgspec.structs.replace(folder, parent="group-d9"), 2),
        (folder, None, 3),
    ):
        grants.object_changed(old, new)
        assert grants.moves == moves
