"""Roles: those of the system, those of users, and how they are found."""

from __future__ import annotations

from pathlib import Path

from resphere.access.permissions import permission_id
from resphere.access.privileges import PRIVILEGES
from resphere.access.roles import (
    ADMIN,
    NO_CRYPTO_ADMIN,
    NO_TRUSTED_ADMIN,
    OF_EVERY_ROLE,
    READ_ONLY,
    ROLES,
    TRUSTED_ADMIN,
    role_named,
    role_of,
    users_role,
)
from resphere.replica.replica import Replica
from tests.replica.worlds import put, run

NIGHT = users_role("3001", "Night", {"VirtualMachine.Interact.PowerOn"})


def test_all_privileges_by_name() -> None:
    assert ADMIN.all_privileges == PRIVILEGES
    assert READ_ONLY.all_privileges == OF_EVERY_ROLE


def test_what_administrators_of_less_than_all_lack() -> None:
    """As the roles of a vCenter Server 9 do."""
    trusted = {"Host.Tpm.Read", "Host.Tpm.Unseal", *(each for each in PRIVILEGES if "TrustedAdmin." in each)}
    assert len(trusted) > 2
    assert TRUSTED_ADMIN.all_privileges == trusted | OF_EVERY_ROLE
    assert NO_TRUSTED_ADMIN.all_privileges == PRIVILEGES - trusted
    lacking = PRIVILEGES - trusted - NO_CRYPTO_ADMIN.all_privileges
    ciphers = {each for each in lacking if each.startswith("Cryptographer.")}
    assert ciphers == {each for each in PRIVILEGES if each.startswith("Cryptographer.")} != set()
    assert lacking - ciphers == {
        "Global.Diagnostics",
        "Host.Inventory.AddHostToCluster",
        "Host.Inventory.AddStandaloneHost",
        "Host.Local.ManageUserGroups",
        "VirtualMachine.Interact.GuestControl",
    }


def test_roles_are_found_by_id_and_by_name_in_any_case(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(NIGHT))
        assert role_of(replica, NIGHT.id) == NIGHT
        assert role_of(replica, ADMIN.id) == ADMIN
        assert role_of(replica, "404") is None
        assert role_named(replica, "nIGHT") == NIGHT
        assert role_named(replica, "admin") == ADMIN
        assert role_named(replica, "other") is None

    run(test, tmp_path / "store", tables=(ROLES,))


def test_a_users_permission_and_a_groups_are_two() -> None:
    assert permission_id("vm-1", "Ann@vsphere.local", group=False) == "vm-1:user:ann@vsphere.local"
    assert permission_id("", "Ann@vsphere.local", group=True) == "global:group:ann@vsphere.local"
