"""``com.vmware.vcenter.authorization.roles`` and ``.privileges``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.access.privileges import PRIVILEGES
from resphere.access.roles import ADMIN, NO_CRYPTO_ADMIN, OF_EVERY_ROLE, READ_ONLY, SYSTEM_ROLES
from resphere.contract.generated import ids, vcenter_vm
from resphere.contract.generated.vcenter_authorization import Privileges, Roles
from resphere.inventory.model import ROOT_FOLDER, VirtualMachine
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Failure, Served

DIALECTS = ("by_api", "by_jsonrpc")
ON = ids.VcenterAuthorizationPrivilegeId("VirtualMachine.Interact.PowerOn")
SUSPEND = ids.VcenterAuthorizationPrivilegeId("VirtualMachine.Interact.Suspend")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def create(name: str, *privileges: str, description: str = "") -> Any:
    given = frozenset(map(ids.VcenterAuthorizationPrivilegeId, privileges))
    return Roles.create.input(spec=Roles.CreateSpec(name=name, description=description, privileges=given))


def update(role: str, **fields: Any) -> Any:
    return Roles.update.input(role=ids.VcenterAuthorizationRoleId(role), spec=Roles.UpdateSpec(**fields))


def listed(served: Served, **filter: Any) -> list[str]:
    value = Roles.list.input(filter=Roles.FilterSpec(**filter) if filter else None)
    return [each.info.name for each in served.by_api(Roles.list, value).items]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_role_from_its_beginning_to_its_end(served: Served, dialect: str) -> None:
    ask = getattr(served, dialect)
    id = ask(Roles.create, create("Operator", ON, description="starts machines"))
    info = ask(Roles.get, Roles.get.input(role=id))
    assert (info.name, info.description, info.system) == ("Operator", "starts machines", False)
    assert info.privileges == OF_EVERY_ROLE | {ON}
    assert ask(Roles.update, update(id, name="Night operator", privileges=frozenset({SUSPEND}))) == b""
    changed = ask(Roles.get, Roles.get.input(role=id))
    assert (changed.name, changed.description) == ("Night operator", "starts machines")
    assert changed.privileges == OF_EVERY_ROLE | {SUSPEND}
    assert ask(Roles.update, update(id, description="")) == b""
    assert ask(Roles.get, Roles.get.input(role=id)).description == ""
    assert ask(Roles.delete, Roles.delete.input(role=id)) == b""
    for operation in (Roles.get, Roles.delete):
        assert ask(operation, operation.input(role=id)).error_type == "NOT_FOUND"
    assert ask(Roles.update, update(id, name="x")).error_type == "NOT_FOUND"


def test_vcenters_own_roles(served: Served) -> None:
    assert listed(served, is_system=True) == [SYSTEM_ROLES[id].name for id in sorted(SYSTEM_ROLES)]
    admin = served.by_api(Roles.get, Roles.get.input(role=ADMIN.id))
    assert (admin.name, admin.privileges, admin.system) == ("Admin", PRIVILEGES, True)
    for role in SYSTEM_ROLES:
        for operation, value in ((Roles.delete, Roles.delete.input(role=role)), (Roles.update, update(role, name="x"))):
            assert served.by_api(operation, value).error_type == "UNSUPPORTED"
    assert not NO_CRYPTO_ADMIN.holds("Cryptographer.Decrypt")
    assert NO_CRYPTO_ADMIN.holds("VirtualMachine.Interact.PowerOn")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_no_role_is_refused(served: Served, dialect: str) -> None:
    ask = getattr(served, dialect)
    id = ask(Roles.create, create("Operator"))
    for name in ("", " ", "a\nb", "x" * 81):
        for operation, value in ((Roles.create, create(name)), (Roles.update, update(id, name=name))):
            assert ask(operation, value).message_ids == ("resphere.authorization.invalid_name",)
    for name in ("operator", "ADMIN", "Operator"):
        assert ask(Roles.create, create(name)).error_type == "ALREADY_EXISTS"
    assert ask(Roles.update, update(id, name="readonly")).error_type == "ALREADY_EXISTS"
    assert ask(Roles.update, update(id, name="OPERATOR")) == b""
    failure = ask(Roles.create, create("x", "VirtualMachine.Interact.PowerOnn"))
    assert failure.error_type == "INVALID_ARGUMENT"
    assert failure.texts[0].endswith("did you mean VirtualMachine.Interact.PowerOn?")


def test_a_role_that_is_given_stays(served: Served) -> None:
    id = served.by_api(Roles.create, create("Operator", ON))
    role = served.by_api(Roles.get, Roles.get.input(role=id))
    assert not isinstance(role, Failure)
    stored = next(r for r in served.world.inventory.all(type(ADMIN)).values() if r.id == id)
    administrator = served.token
    vm = next(iter(served.world.inventory.all(VirtualMachine)))
    ask_as_ann(served, [permission(vm, stored)])
    ann, served.token = served.token, administrator
    assert served.by_api(Roles.delete, Roles.delete.input(role=id)).error_type == "RESOURCE_IN_USE"
    # A change of the role is felt at once by who has it.
    suspend = vcenter_vm.Power.suspend
    served.token = ann
    assert served.by_api(suspend, suspend.input(vm=vm)).error_type == "UNAUTHORIZED"
    served.token = administrator
    assert served.by_api(Roles.update, update(id, privileges=frozenset({SUSPEND}))) == b""
    served.token = ann
    failure = served.by_api(suspend, suspend.input(vm=vm))
    assert not isinstance(failure, Failure) or failure.error_type != "UNAUTHORIZED"


def test_filters_and_pages(served: Served) -> None:
    served.by_api(Roles.create, create("Operator", ON))
    assert listed(served, names=frozenset({"Operator", "nothing"})) == ["Operator"]
    assert set(listed(served, privileges=frozenset({ON}))) == {"Admin", "NoCryptoAdmin", "NoTrustedAdmin", "Operator"}
    first = served.by_api(Roles.list, Roles.list.input(iterate=Roles.IterationSpec(page_size=4)))
    second = served.by_api(Roles.list, Roles.list.input(iterate=Roles.IterationSpec(marker=first.marker)))
    assert second.marker is None
    assert [each.info.name for each in (*first.items, *second.items)] == listed(served)
    for wrong in (Roles.IterationSpec(marker="no"), Roles.IterationSpec(page_size=0)):
        assert served.by_api(Roles.list, Roles.list.input(iterate=wrong)).error_type == "INVALID_ARGUMENT"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_privileges(served: Served, dialect: str) -> None:
    ask = getattr(served, dialect)
    found: dict[str, Privileges.Info] = {}
    iterate = Privileges.IterationSpec()
    while True:
        result = ask(Privileges.list, Privileges.list.input(iterate=iterate))
        found |= {each.privilege: each.info for each in result.items}
        if result.marker is None:
            break
        iterate = Privileges.IterationSpec(marker=result.marker)
    assert list(found) == sorted(PRIVILEGES)
    info = ask(Privileges.get, Privileges.get.input(privilege=ON))
    assert info == found[ON]
    assert (info.name, info.on_parent, info.version) == (ON, False, 0)
    missing = ask(Privileges.get, Privileges.get.input(privilege="Virtual.Nothing"))
    assert missing.error_type == "NOT_FOUND"
    filter = Privileges.FilterSpec(is_on_parent=True, names=frozenset({ON, "Folder.Delete"}))
    result = ask(Privileges.list, Privileges.list.input(filter=filter))
    assert [each.privilege for each in result.items] == ["Folder.Delete"]
    none = Privileges.FilterSpec(versions=frozenset({1}))
    assert ask(Privileges.list, Privileges.list.input(filter=none)).items == ()


def test_who_only_reads_changes_no_roles(served: Served) -> None:
    id = served.by_api(Roles.create, create("Operator", ON))
    ask_as_ann(served, [permission(ROOT_FOLDER, READ_ONLY)])
    assert "Operator" in listed(served)
    for operation, value in (
        (Roles.create, create("Mine", ON)),
        (Roles.update, update(id, privileges=frozenset({SUSPEND}))),
        (Roles.delete, Roles.delete.input(role=id)),
    ):
        assert served.by_api(operation, value).error_type == "UNAUTHORIZED"
