"""``com.vmware.vcenter.authorization.permissions``, in all dialects, as the administrator and as somebody delegated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.access.permissions import Permission
from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY, users_role
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vapi_std import DynamicID
from resphere.contract.generated.vcenter_authorization import Permissions
from resphere.inventory.model import ROOT_FOLDER, Cluster, Datacenter, ManagedObject, ResourcePool, VirtualMachine
from resphere.inventory.tagging import type_of
from tests.support.scoped import ANN, ask_as_ann, give, permission
from tests.support.served import Failure, Served
from tests.support.server import ADMINISTRATOR

DIALECTS = ("by_api", "by_jsonrpc")
Principal = Permissions.Principal
USER, GROUP = Principal.Type.USER, Principal.Type.GROUP
BOB = Principal(type=Principal.Type.USER, name="Bob", domain="vsphere.local")
STAFF = Principal(type=Principal.Type.GROUP, name="Staff", domain="VSPHERE.local")
GLOBAL = DynamicID(type="Global", id="")
READS = ids.VcenterAuthorizationRoleId(READ_ONLY.id)
MODIFY = users_role("9001", "Delegate", {"Authorization.ModifyPermissions"})


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        served.world.run(served.accounts.put("bob@vsphere.local", "secret"))
        served.world.run(served.world.environment.identities.group_changes.create("Staff"))
        yield served


def dynamic(obj: ManagedObject) -> DynamicID:
    return DynamicID(type=type_of(obj), id=obj.id)


def machine(served: Served) -> VirtualMachine:
    return next(iter(served.world.inventory.all(VirtualMachine).values()))


def spec(object: DynamicID, principal: Principal = BOB, role: str = READ_ONLY.id, **fields: Any) -> Any:
    return Permissions.create.input(
        spec=Permissions.CreateSpec(
            object=object,
            principal=principal,
            role=ids.VcenterAuthorizationRoleId(role),
            **{"propagating": True, **fields},
        )
    )


def listed(served: Served, dialect: str = "by_api", **filter: Any) -> list[str]:
    value = Permissions.list.input(filter=Permissions.FilterSpec(**filter) if filter else None)
    return [each.permission for each in getattr(served, dialect)(Permissions.list, value).items]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_permission_from_its_beginning_to_its_end(served: Served, dialect: str) -> None:
    ask, vm = getattr(served, dialect), machine(served)
    id = ask(Permissions.create, spec(dynamic(vm)))
    info = Permissions.Info(object=dynamic(vm), principal=BOB, role=READS, propagating=True)
    assert ask(Permissions.get, Permissions.get.input(permission=id)) == info
    assert id in listed(served, dialect)
    change = Permissions.UpdateSpec(role=ids.VcenterAuthorizationRoleId(NO_ACCESS.id), is_propagating=False)
    assert ask(Permissions.update, Permissions.update.input(permission=id, spec=change)) == b""
    changed = ask(Permissions.get, Permissions.get.input(permission=id))
    assert (changed.role, changed.propagating) == (NO_ACCESS.id, False)
    assert ask(Permissions.update, Permissions.update.input(permission=id, spec=Permissions.UpdateSpec())) == b""
    assert ask(Permissions.get, Permissions.get.input(permission=id)) == changed
    assert ask(Permissions.delete, Permissions.delete.input(permission=id)) == b""
    for operation in (Permissions.get, Permissions.delete):
        assert ask(operation, operation.input(permission=id)).error_type == "NOT_FOUND"
    gone = Permissions.update.input(permission=id, spec=change)
    assert ask(Permissions.update, gone).error_type == "NOT_FOUND"


def test_a_permission_goes_with_its_object(served: Served) -> None:
    vm = machine(served)
    served.by_api(Permissions.create, spec(dynamic(vm)))
    delete = vcenter.VM.delete
    served.world.change(vm, power_state=type(vm.power_state).POWERED_OFF)
    assert served.by_api(delete, delete.input(vm=vm.id)) == b""
    assert listed(served, objects=(dynamic(vm),)) == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_cannot_be_set_is_refused(served: Served, dialect: str) -> None:
    ask, vm = getattr(served, dialect), machine(served)
    inventory = served.world.inventory
    datacenter = next(iter(inventory.all(Datacenter).values()))
    cluster = next(iter(inventory.all(Cluster).values()))
    pool = inventory.all(ResourcePool)[cluster.resource_pool]
    refused = {
        "a role that is none": (spec(dynamic(vm), role="404"), "no_role_to_give"),
        "a role that none can have": (spec(dynamic(vm), role="-3"), "no_role_to_give"),
        "no object": (spec(DynamicID(type="VirtualMachine", id="vm-404")), "no_object"),
        "an object of another type": (spec(DynamicID(type="Folder", id=vm.id)), "no_object"),
        "an object of no type": (spec(DynamicID(type="", id=vm.id)), "no_object"),
        "a folder of a datacenter": (spec(DynamicID(type="Folder", id=datacenter.vm_folder)), "part_of_another"),
        "a root pool": (spec(dynamic(pool)), "part_of_another"),
        "nobody": (spec(dynamic(vm), Principal(type=Principal.Type.USER, name=" ")), "no_principal"),
        "no user": (spec(dynamic(vm), Principal(type=USER, name="carol", domain="vsphere.local")), "no_user"),
        "no user of the operating system": (spec(dynamic(vm), Principal(type=USER, name="bob")), "no_user"),
        "no group": (spec(dynamic(vm), Principal(type=GROUP, name="bob", domain="vsphere.local")), "no_group"),
        "no domain": (spec(dynamic(vm), Principal(type=USER, name="bob", domain="corp.example")), "no_identity_source"),
        "several lines": (spec(dynamic(vm), Principal(type=Principal.Type.USER, name="a\nb")), "no_principal"),
    }
    for what, (value, reason) in refused.items():
        failure = ask(Permissions.create, value)
        assert isinstance(failure, Failure), what
        assert failure.error_type == "INVALID_ARGUMENT", what
        assert failure.message_ids == (f"resphere.authorization.{reason}",), what
    assert ask(Permissions.create, spec(dynamic(vm)))
    again = Principal(type=Principal.Type.USER, name="BOB", domain="VSPHERE.LOCAL")
    assert ask(Permissions.create, spec(dynamic(vm), again)).error_type == "ALREADY_EXISTS"
    update = Permissions.UpdateSpec(role=ids.VcenterAuthorizationRoleId("404"))
    id = f"{vm.id}:user:bob@vsphere.local"
    failure = ask(Permissions.update, Permissions.update.input(permission=id, spec=update))
    assert failure.error_type == "INVALID_ARGUMENT"


def test_global_permissions(served: Served) -> None:
    ask = served.by_api
    id = ask(Permissions.create, spec(GLOBAL, STAFF))
    assert ask(Permissions.get, Permissions.get.input(permission=id)).object == GLOBAL
    assert ask(Permissions.create, spec(DynamicID(type="", id=""), STAFF)).error_type == "ALREADY_EXISTS"
    assert ask(Permissions.create, spec(DynamicID(type="Folder", id=""), BOB)).error_type == "INVALID_ARGUMENT"
    assert listed(served, objects=(GLOBAL,)) == [id]


def test_the_filters_of_lists(served: Served) -> None:
    vm, other, *_ = served.world.inventory.all(VirtualMachine).values()
    given = [
        permission(vm.id, READ_ONLY, principal="Bob@vsphere.local"),
        permission(vm.id, ADMIN, principal="Staff@vsphere.local", group=True),
        permission(other.id, NO_ACCESS, False, principal="bob"),
    ]
    give(served.world, given)
    reads, admin, none = (each.permission.id for each in given)
    administrator = f"{ROOT_FOLDER}:user:{ADMINISTRATOR}"
    nobody = Principal(type=Principal.Type.USER, name="bob", domain="LOCALOS")
    assert listed(served) == sorted([reads, admin, none, administrator])
    assert listed(served, objects=(dynamic(vm),)) == sorted([reads, admin])
    assert listed(served, principals=(BOB, STAFF)) == sorted([reads, admin])
    assert listed(served, principals=(nobody,)) == [none]
    assert listed(served, roles=frozenset({READS})) == [reads]
    assert listed(served, is_propagating=False) == [none]
    assert listed(served, objects=(dynamic(vm),), roles=frozenset({READS})) == [reads]
    assert listed(served, objects=()) == []


def test_pages(served: Served) -> None:
    give(served.world, [permission(vm, READ_ONLY) for vm in served.world.inventory.all(VirtualMachine)])
    filter = Permissions.FilterSpec(roles=frozenset({READS}))
    found: list[str] = []
    following = Permissions.IterationSpec()
    first = Permissions.list.input(filter=filter, iterate=Permissions.IterationSpec(page_size=5))
    result = served.by_api(Permissions.list, first)
    while result.marker is not None:
        assert len(result.items) == 5
        found += [each.permission for each in result.items]
        following = Permissions.IterationSpec(page_size=5, marker=result.marker)
        result = served.by_api(Permissions.list, Permissions.list.input(iterate=following))
    found += [each.permission for each in result.items]
    assert found == listed(served, roles=frozenset({READS}))
    both = Permissions.list.input(filter=filter, iterate=following)
    assert served.by_api(Permissions.list, both).message_ids == ("resphere.authorization.marker_with_filter",)
    for wrong in (Permissions.IterationSpec(marker="no"), Permissions.IterationSpec(page_size=0)):
        refused = served.by_api(Permissions.list, Permissions.list.input(iterate=wrong))
        assert refused.error_type == "INVALID_ARGUMENT"


def test_the_last_administrator_stays(served: Served) -> None:
    id = f"{ROOT_FOLDER}:user:{ADMINISTRATOR}"
    lesser = Permissions.UpdateSpec(role=READS)
    for operation, value in (
        (Permissions.delete, Permissions.delete.input(permission=id)),
        (Permissions.update, Permissions.update.input(permission=id, spec=lesser)),
    ):
        failure = served.by_api(operation, value)
        assert failure.error_type == "RESOURCE_BUSY"
        assert failure.message_ids == ("resphere.authorization.last_administrator",)


def test_a_permission_that_overrides_the_last_administrator_s_is_refused(served: Served) -> None:
    name, _, domain = ADMINISTRATOR.partition("@")
    myself = Principal(type=Principal.Type.USER, name=name, domain=domain)
    staff = permission("", ADMIN, principal="Administrators@vsphere.local", group=True)
    give(served.world, [staff])
    mine = f"{ROOT_FOLDER}:user:{ADMINISTRATOR}"
    assert served.by_api(Permissions.delete, Permissions.delete.input(permission=mine)) == b""
    failure = served.by_api(Permissions.create, spec(DynamicID(type="Folder", id=ROOT_FOLDER), myself, NO_ACCESS.id))
    assert failure.error_type == "INVALID_ARGUMENT"
    assert failure.message_ids == ("resphere.authorization.last_administrator",)


class TestDelegated:
    """Somebody who may change permissions on one folder, and on what is below it."""

    @pytest.fixture
    def below(self, served: Served) -> tuple[VirtualMachine, VirtualMachine]:
        """A machine in the folder, and one elsewhere."""
        mine, *others = served.world.inventory.all(VirtualMachine).values()
        other = next(each for each in others if each.parent != mine.parent)
        ask_as_ann(served, [permission(mine.parent or "", MODIFY), permission(ROOT_FOLDER, ADMIN, principal="bob@x")])
        return mine, other

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_gives_there_and_nowhere_else(
        self, served: Served, below: tuple[VirtualMachine, VirtualMachine], dialect: str
    ) -> None:
        ask, (mine, other) = getattr(served, dialect), below
        id = ask(Permissions.create, spec(dynamic(mine)))
        assert id == f"{mine.id}:user:bob@vsphere.local"
        for place in (dynamic(other), DynamicID(type="Folder", id=ROOT_FOLDER), GLOBAL):
            assert ask(Permissions.create, spec(place)).error_type == "UNAUTHORIZED"
        # On the folder itself: the privilege is not had on what that stands in.
        folder = DynamicID(type="Folder", id=mine.parent or "")
        assert ask(Permissions.create, spec(folder)).error_type == "UNAUTHORIZED"
        assert ask(Permissions.delete, Permissions.delete.input(permission=id)) == b""

    def test_learns_of_no_others(self, served: Served, below: tuple[VirtualMachine, VirtualMachine]) -> None:
        mine, other = below
        assert listed(served) == [f"{mine.parent}:user:{ANN.name}"]
        for place in (ROOT_FOLDER, other.id, "global"):
            unseen = f"{place}:user:bob@x"
            for operation in (Permissions.get, Permissions.delete):
                assert served.by_api(operation, operation.input(permission=unseen)).error_type == "UNAUTHORIZED"


def test_who_only_reads_sees_permissions_and_changes_none(served: Served) -> None:
    ask_as_ann(served, [permission(ROOT_FOLDER, READ_ONLY)])
    mine = f"{ROOT_FOLDER}:user:{ANN.name}"
    assert mine in listed(served)
    assert served.by_api(Permissions.get, Permissions.get.input(permission=mine)).role == READ_ONLY.id
    refused = served.by_api(Permissions.delete, Permissions.delete.input(permission=mine))
    assert refused.error_type == "UNAUTHORIZED"
    spec = Permissions.UpdateSpec(role=ids.VcenterAuthorizationRoleId(ADMIN.id))
    more = Permissions.update.input(permission=mine, spec=spec)
    assert served.by_api(Permissions.update, more).error_type == "UNAUTHORIZED"
    assert served.world.inventory.all(Permission)[mine].role == READ_ONLY.id


def test_who_has_nothing_gets_an_empty_list(served: Served) -> None:
    ask_as_ann(served, [])
    assert listed(served) == []


def test_the_owner_of_a_permission_feels_it_at_once(served: Served) -> None:
    """In the same session."""
    vm = machine(served)
    administrator = served.token
    ask_as_ann(served, [])
    ann, get = served.token, vcenter.VM.get
    name, _, domain = ANN.name.partition("@")
    her = Principal(type=Principal.Type.USER, name=name, domain=domain)
    assert served.by_api(get, get.input(vm=vm.id)).error_type == "UNAUTHORIZED"
    served.token = administrator
    id = served.by_api(Permissions.create, spec(dynamic(vm), her))
    served.token = ann
    assert not isinstance(served.by_api(get, get.input(vm=vm.id)), Failure)
    served.token = administrator
    served.by_api(Permissions.delete, Permissions.delete.input(permission=id))
    served.token = ann
    assert served.by_api(get, get.input(vm=vm.id)).error_type == "UNAUTHORIZED"
