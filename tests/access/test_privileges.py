"""Every operation has a privilege, stated by the contract or given by the rules; the exceptions are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from resphere.access.check import authorize, authorize_references
from resphere.access.defaults import OWN_SESSION, PUBLIC, requirements_of
from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY
from resphere.access.view import RootView
from resphere.contract import lookup
from resphere.contract.errors import Unauthorized
from resphere.contract.generated import ids, index, vcenter, vcenter_vm
from resphere.contract.model import AnyOperation

GENERATED = [lookup.operation_at(place) for place in index.OPERATIONS.values()]
GIVEN = Path(__file__).with_name("given_privileges.txt")


def test_how_many_operations_state_a_privilege() -> None:
    assert sum(1 for operation in GENERATED if operation.privileges) == 951


def test_operations_without_a_stated_privilege_and_what_they_get() -> None:
    """The list beside this test is the whole of them: a change of it is a change of who may do what."""
    given = "".join(
        f"{operation.id}\t{', '.join(p for r in requirements_of(operation) for p in r.privileges) or 'own session'}\n"
        for operation in GENERATED
        if not operation.privileges
    )
    assert given == GIVEN.read_text()


@pytest.mark.parametrize("operation", list(lookup.all_operations()), ids=lambda operation: operation.id)
def test_nothing_but_the_named_exceptions_needs_no_privilege(operation: AnyOperation) -> None:
    if operation.id in PUBLIC or operation.id in OWN_SESSION:
        authorize(RootView(NO_ACCESS), operation, {})
    else:
        assert requirements_of(operation)
        authorize(RootView(ADMIN), operation, {})


def test_read_only_reads_and_changes_nothing() -> None:
    view = RootView(READ_ONLY)
    authorize(view, vcenter.VM.get, {"vm": "vm-1"})
    with pytest.raises(Unauthorized) as refusal:
        authorize(view, vcenter_vm.Power.start, {"vm": "vm-1"})
    assert refusal.value.messages[0].args == ("VirtualMachine.Interact.PowerOn", "the object vm-1")


def test_no_access_sees_nothing() -> None:
    with pytest.raises(Unauthorized):
        authorize(RootView(NO_ACCESS), vcenter.VM.list, {})


def test_privileges_on_what_the_body_refers_to_are_asked_of_those_objects() -> None:
    """vCenter's VM.create states privileges on the folder, pool and datastore inside its specification."""
    asked: list[tuple[str, str | None]] = []

    class Recorder(RootView, frozen=True):
        def holds(self, privilege: str, target: str | None) -> bool:
            asked.append((privilege, target))
            return True

    spec = vcenter.VM.CreateSpec(
        guest_OS=vcenter_vm.GuestOS.DEBIAN_12_64,
        placement=vcenter.VM.PlacementSpec(
            folder=ids.FolderId("group-v3"),
            resource_pool=ids.ResourcePoolId("resgroup-9"),
            datastore=ids.DatastoreId("datastore-15"),
        ),
    )
    create_input = vcenter.VM.create.input(spec=spec)
    authorize_references(Recorder(ADMIN), vcenter.VM.create, create_input)
    assert ("VirtualMachine.Inventory.Create", "group-v3") in asked
    assert ("Datastore.AllocateSpace", "datastore-15") in asked
    assert ("Resource.AssignVMToPool", "resgroup-9") in asked
