"""Every operation has a privilege, stated by the contract or given by the rules; the exceptions are named."""

from __future__ import annotations

from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from resphere.access.check import authorize, authorize_references, references_of
from resphere.access.defaults import OWN_SESSION, PUBLIC, needed_to_find, needed_to_use, requirements_of
from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY
from resphere.access.view import RootView
from resphere.contract import lookup
from resphere.contract.errors import Unauthorized
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.generated import (
    ids,
    index,
    vcenter,
    vcenter_cluster,
    vcenter_inventory,
    vcenter_vm,
    vcenter_vm_hardware,
)
from resphere.contract.model import AnyOperation, LocalizableMessage, Operation, Requirement

P = ParamSpec("P")
R = TypeVar("R")
VCENTER = "d6e608b5-3ba4-45a1-a7a9-76bc0879e33c"
GENERATED = [lookup.operation_at(place) for place in index.OPERATIONS.values()]
GIVEN = Path(__file__).with_name("given_privileges.txt")


def test_how_many_operations_state_a_privilege() -> None:
    assert sum(1 for operation in GENERATED if operation.privileges) == 952


def test_operations_without_a_stated_privilege_and_what_they_get() -> None:
    """The list beside this test is the whole of them: a change of it is a change of who may do what."""
    given = "".join(
        f"{operation.id}\t{'; '.join(map(words, requirements_of(operation))) or 'own session'}\n"
        for operation in GENERATED
        if not operation.privileges
    )
    assert given == GIVEN.read_text()


def words(requirement: Requirement) -> str:
    """Privileges and where they are asked."""
    privileges = ", ".join(requirement.privileges)
    if requirement.anywhere:
        return f"{privileges} anywhere"
    target = requirement.parameter or requirement.attribute
    return f"{privileges} on {requirement.resource} {target}" if target else privileges


def test_nothing_but_the_named_exceptions_needs_no_privilege() -> None:
    exceptions = PUBLIC | OWN_SESSION
    for operation in lookup.all_operations():
        if operation.id in exceptions:
            authorize(RootView(NO_ACCESS), VCENTER, operation, {})
        else:
            assert requirements_of(operation), operation.id
            authorize(RootView(ADMIN), VCENTER, operation, {})


def test_read_only_reads_and_changes_nothing() -> None:
    view = RootView(READ_ONLY)
    authorize(view, VCENTER, vcenter.VM.get, {"vm": "vm-1"})
    with pytest.raises(Unauthorized) as refusal:
        authorize(view, VCENTER, vcenter_vm.Power.start, {"vm": "vm-1"})
    assert refusal.value.messages[0] == LocalizableMessage(
        id="vapi.authz.error.no.privs",
        default_message="The user does not have sufficient privileges "
        f"(object: vm-1:{VCENTER} privileges: VirtualMachine.Interact.PowerOn)",
        args=(f"object: vm-1:{VCENTER} privileges: VirtualMachine.Interact.PowerOn",),
    )


def test_lists_answer_whoever_sees_nothing() -> None:
    authorize(RootView(NO_ACCESS), VCENTER, vcenter.VM.list, {})


class Recorder(RootView, frozen=True, kw_only=True):
    """Notes what was asked."""

    asked: list[str]

    def holds(self, privilege: str, target: str | None) -> bool:
        self.asked.append(f"{privilege} on {target}")
        return True

    def holds_anywhere(self, privilege: str) -> bool:
        self.asked.append(f"{privilege} anywhere")
        return True


def asked_of(operation: Operation[P, R], parameters: dict[str, str], *args: P.args, **kwargs: P.kwargs) -> set[str]:
    """What privileges are asked of a call, each with the object."""
    recorder = Recorder(role=ADMIN, asked=[])
    authorize(recorder, VCENTER, operation, parameters)
    by_name = dict(zip(operation.input.__struct_fields__, args, strict=False))
    references = references_of(operation, parameters, operation.input(**by_name, **kwargs))
    authorize_references(recorder, VCENTER, references)
    return set(recorder.asked)


VM = ids.VirtualMachineId("vm-7")
NET = ids.NetworkId("network-5")


def test_privileges_on_what_the_body_refers_to_are_asked_of_those_objects() -> None:
    """vCenter's VM.create states privileges on the folder, pool and datastore inside its specification."""
    spec = vcenter.VM.CreateSpec(
        guest_OS=vcenter_vm.GuestOS.DEBIAN_12_64,
        placement=vcenter.VM.PlacementSpec(
            folder=ids.FolderId("group-v3"),
            resource_pool=ids.ResourcePoolId("resgroup-9"),
            datastore=ids.DatastoreId("datastore-15"),
        ),
    )
    assert asked_of(vcenter.VM.create, {}, spec) == {
        "VirtualMachine.Inventory.Create on group-v3",
        "Datastore.AllocateSpace on datastore-15",
        "Resource.AssignVMToPool on resgroup-9",
    }


def test_where_the_operation_chooses_it_is_asked_whether_there_may_be_something_to_choose() -> None:
    spec = vcenter.VM.CreateSpec(guest_OS=vcenter_vm.GuestOS.DEBIAN_12_64)
    assert asked_of(vcenter.VM.create, {}, spec) == {
        "VirtualMachine.Inventory.Create anywhere",
        "Datastore.AllocateSpace anywhere",
        "Resource.AssignVMToPool anywhere",
    }


def test_what_must_be_named_and_is_not_asks_the_root_folder() -> None:
    spec = vcenter.Datacenter.CreateSpec(name="new")
    assert asked_of(vcenter.Datacenter.create, {}, spec) == {"Datacenter.Create on None"}


def test_what_a_change_does_not_name_it_leaves_alone() -> None:
    assert asked_of(vcenter.VM.relocate, {"vm": VM}, VM, vcenter.VM.RelocateSpec()) == {"Resource.ColdMigrate on vm-7"}


def test_a_list_that_is_given_empty_asks_the_root_folder() -> None:
    spec = Datastores.HostsSpec(hosts=frozenset())
    store = ids.DatastoreId("datastore-15")
    assert asked_of(Datastores.mount, {"datastore": store}, store, spec) == {
        "Host.Config.Storage on None",
        "System.Read on datastore-15",
    }


def test_any_of_several_fields_names_what_a_privilege_is_asked_on() -> None:
    spec = vcenter.VM.CloneSpec(
        source=VM,
        name="copy",
        placement=vcenter.VM.ClonePlacementSpec(datastore=ids.DatastoreId("datastore-15")),
    )
    asked = asked_of(vcenter.VM.clone, {}, spec)
    assert "Datastore.AllocateSpace on datastore-15" in asked
    assert "Datastore.AllocateSpace on None" not in asked


def test_a_target_that_is_in_no_path_is_taken_from_the_input() -> None:
    asked = asked_of(vcenter_inventory.Network.find, {}, (NET, ids.NetworkId("network-6")))
    assert asked == {"System.Read on None", "System.Read on network-5", "System.Read on network-6"}


def test_targets_follow_from_the_types_of_identifiers() -> None:
    assert asked_of(vcenter_vm.Hardware.get, {"vm": VM}, VM) == {"System.Read on vm-7"}
    spec = vcenter_vm_hardware.Ethernet.UpdateSpec(
        backing=vcenter_vm_hardware.Ethernet.BackingSpec(
            type=vcenter_vm_hardware.Ethernet.BackingType.STANDARD_PORTGROUP, network=NET
        )
    )
    nic = ids.VcenterVmHardwareEthernetId("4000")
    assert asked_of(vcenter_vm_hardware.Ethernet.update, {"vm": VM, "nic": nic}, VM, nic, spec) == {
        "VirtualMachine.Config.EditDevice on vm-7",
        "Network.Assign on network-5",
    }


def test_filters_of_lists_name_no_targets() -> None:
    assert asked_of(vcenter.VM.list, {}, vcenter.VM.FilterSpec(vms=frozenset({VM}))) == {"System.Read anywhere"}


@pytest.mark.parametrize(
    "operation",
    [each for each in lookup.all_operations() if each.api is not None and "/vm/{vm}" in each.api.path],
    ids=lambda operation: operation.id,
)
def test_whatever_is_below_a_machine_asks_the_machine(operation: AnyOperation) -> None:
    targets = {each.parameter for each in requirements_of(operation) if each.attribute is None}
    assert targets == {"vm"}


@pytest.mark.parametrize(
    ("operation", "resource", "needed"),
    [
        (vcenter.VM.create, "Folder", "VirtualMachine.Inventory.Create"),
        (vcenter.VM.create, "ResourcePool", "Resource.AssignVMToPool"),
        (vcenter.VM.create, "HostSystem", "System.Read"),
        (vcenter.VM.clone, "VirtualMachine", "VirtualMachine.Provisioning.Clone"),
        (vcenter.VM.clone, "Network", "Network.Assign"),
        # What is moved is not chosen.
        (vcenter.VM.relocate, "VirtualMachine", "System.Read"),
        (vcenter.VM.relocate, "Datastore", "System.Read"),
    ],
)
def test_what_is_chosen_needs_what_naming_it_would(operation: AnyOperation, resource: str, needed: str) -> None:
    assert needed_to_use(operation, resource) == (needed,)


def test_what_may_only_be_viewed_is_found_where_no_more_is_asked_of_it() -> None:
    assert needed_to_find(vcenter_cluster.EvcMode.get, "ClusterComputeResource") == "System.View"
    assert needed_to_find(vcenter_cluster.EvcMode.get, "HostSystem") == "System.Read"
    assert needed_to_find(vcenter_cluster.EvcMode.set_task, "ClusterComputeResource") == "System.Read"
    assert needed_to_find(vcenter.VM.get, "VirtualMachine") == "System.Read"
