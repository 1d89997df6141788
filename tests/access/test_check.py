"""The check of privileges, each part alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from resphere.access.check import attributes_in, authorize, given_in, identifiers, named_attributes, require
from resphere.contract.errors import NotFound, Unauthorized, VapiError
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.cis_tagging import Category
from resphere.contract.generated.vcenter_vm_hardware import Disk
from resphere.contract.model import Requirement
from resphere.replica.table import Stored

VCENTER = "d6e608b5-3ba4-45a1-a7a9-76bc0879e33c"
ON, READ = "VirtualMachine.Interact.PowerOn", "System.Read"
CREATE = "InventoryService.Tagging.CreateCategory"
VM = ids.VirtualMachineId("vm-7")


class Given(msgspec.Struct, frozen=True):
    """The view of one who has these privileges on these objects (``None``: on the root folder), and knows of these."""

    on: dict[str | None, tuple[str, ...]] = {}
    known: tuple[str, ...] = ("vm-7",)
    key: str = "given"
    sees_all: bool = False

    def holds(self, privilege: str, target: str | None) -> bool:
        return privilege in self.on.get(target, ())

    def holds_anywhere(self, privilege: str) -> bool:
        return any(privilege in privileges for privileges in self.on.values())

    def sees(self, obj: Stored) -> bool:
        return obj.id in self.on

    def lacks(self, target: str) -> bool:
        return target not in self.known


def refusal(view: Given, requirement: Requirement, target: str | None) -> VapiError | None:
    try:
        require(view, VCENTER, requirement, target)
    except VapiError as error:
        return error
    return None


def test_each_privilege_is_needed() -> None:
    both = Requirement((READ, ON), "VirtualMachine")
    assert refusal(Given({"vm-7": (READ, ON)}), both, "vm-7") is None
    for had, lacked in ((READ, ON), (ON, READ)):
        error = refusal(Given({"vm-7": (had,)}), both, "vm-7")
        assert isinstance(error, Unauthorized)
        assert error.messages[0].args == (f"object: vm-7:{VCENTER} privileges: {lacked}",)


def test_a_privilege_on_one_object_is_none_on_another_or_on_the_root_folder() -> None:
    view = Given({"vm-7": (ON,)}, known=("vm-7", "vm-8"))
    needed = Requirement((ON,), "VirtualMachine")
    assert isinstance(refusal(view, needed, "vm-8"), Unauthorized)
    error = refusal(view, needed, None)
    assert isinstance(error, Unauthorized)
    assert error.messages[0].args == (f"object: group-d1:{VCENTER} privileges: {ON}",)
    assert refusal(view, Requirement((ON,), anywhere=True), None) is None
    assert isinstance(refusal(view, Requirement(("Folder.Create",), anywhere=True), None), Unauthorized)
    assert refusal(view, Requirement((READ,), anywhere=True), None) is None


def test_privileges_on_what_stands_nowhere_in_the_tree_are_had_on_the_root_folder() -> None:
    on_library = Requirement((ON,), "com.vmware.content.Library")
    assert refusal(Given({None: (ON,)}), on_library, "b2b63b9c") is None
    error = refusal(Given({"b2b63b9c": (ON,)}), on_library, "b2b63b9c")
    assert isinstance(error, Unauthorized)
    assert "b2b63b9c" not in error.messages[0].args[0]


def test_privileges_on_an_object_of_no_stated_type_are_had_on_it() -> None:
    """As on the machine that ``vcenter.ovf.library_item.create`` captures."""
    on_source = Requirement((ON,), None, attribute="deployable_identity:id")
    assert refusal(Given({"vm-7": (ON,)}), on_source, "vm-7") is None
    assert isinstance(refusal(Given({None: (ON,)}), on_source, "vm-7"), Unauthorized)


def test_what_is_not_there_is_not_found_where_that_is_no_secret() -> None:
    needed = Requirement((ON,), "VirtualMachine")
    error = refusal(Given(), needed, "vm-9")
    assert isinstance(error, NotFound)
    assert "vm-9" in str(error)
    assert isinstance(refusal(Given(known=("vm-9",)), needed, "vm-9"), Unauthorized)
    assert isinstance(refusal(Given(), Requirement((ON,), "InventoryServiceTag"), "vm-9"), Unauthorized)
    assert refusal(Given({"vm-9": (ON,)}), needed, "vm-9") is None


def test_what_the_path_names_is_asked_first() -> None:
    authorize(Given({"vm-7": (ON,)}), VCENTER, vcenter_vm.Power.start, {"vm": "vm-7"})
    with pytest.raises(Unauthorized):
        authorize(Given({None: (ON,)}), VCENTER, vcenter_vm.Power.start, {"vm": "vm-7"})
    # What the path does not name is the body's.
    authorize(Given(), VCENTER, vcenter_vm.Power.start, {})
    authorize(Given(), VCENTER, vcenter.VM.create, {})
    authorize(Given({None: (CREATE,)}), VCENTER, Category.create, {})
    with pytest.raises(Unauthorized):
        authorize(Given({"vm-7": (CREATE,)}), VCENTER, Category.create, {"vm": "vm-7"})


SPEC = vcenter.VM.CreateSpec(
    guest_OS=vcenter_vm.GuestOS.DEBIAN_12_64,
    placement=vcenter.VM.PlacementSpec(folder=ids.FolderId("group-v3"), host=ids.HostSystemId("host-1")),
    disks=(Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec(name="one")), Disk.CreateSpec()),
)


@pytest.mark.parametrize(
    ("structure", "field", "values"),
    [
        (vcenter.VM.PlacementSpec.__vapi_name__, "folder", ["group-v3"]),
        ("*", "folder", ["group-v3"]),
        (vcenter.VM.ClonePlacementSpec.__vapi_name__, "folder", []),
        ("*", "cluster", []),
        ("*", "host", ["host-1"]),
        (Disk.VmdkCreateSpec.__vapi_name__, "name", ["one"]),
        ("*", "name", ["one"]),
        ("*", "none", []),
    ],
)
def test_values_inside_of_structures(structure: str, field: str, values: list[str]) -> None:
    named = {field: ((structure, "it"),)}

    def found_in(value: Any) -> list[Any]:
        return attributes_in(value, named).get("it", [])

    assert found_in(SPEC) == values
    assert found_in((SPEC, SPEC)) == values * 2
    assert found_in({"a": SPEC, "b": {"c": SPEC}}) == values * 2
    assert found_in(frozenset({SPEC.placement, 7})) == [value for value in values if value != "one"]


def test_attributes_are_found_together() -> None:
    structure = vcenter.VM.PlacementSpec.__vapi_name__
    named = {"folder": ((structure, "s:folder"), ("*", "*:folder"), ("none", "n:folder")), "host": (("*", "*:host"),)}
    found = attributes_in(vcenter.VM.create.input(spec=SPEC), named)
    assert found == {"s:folder": ["group-v3"], "*:folder": ["group-v3"], "*:host": ["host-1"]}
    of_create = named_attributes(vcenter.VM.create)
    assert of_create["host"] == ((structure, f"{structure}:host"),)
    assert not named_attributes(vcenter_vm.Power.start)
    assert not attributes_in(SPEC, {})


def test_values_of_parameters_and_attributes() -> None:
    place = Requirement((READ,), "Folder", attribute=f"{vcenter.VM.PlacementSpec.__vapi_name__}:folder")
    input = vcenter.VM.create.input(spec=SPEC)
    assert list(given_in(input, {str(place.attribute): ["group-v3"]}, place)) == ["group-v3"]
    assert list(given_in(input, {}, place)) == []
    start = vcenter_vm.Power.start.input(vm=VM)
    assert list(given_in(start, {}, Requirement((READ,), "VirtualMachine", parameter="vm"))) == ["vm-7"]
    assert list(given_in(start, {}, Requirement((READ,), "VirtualMachine", parameter="host"))) == []
    found = vcenter.VM.list.input(filter=None)
    assert list(given_in(found, {}, Requirement((READ,), "VirtualMachine", parameter="filter"))) == []


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("vm-7", ["vm-7"]),
        (("b", "a"), ["a", "b"]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({"b": 1, "a": 2}, ["a", "b"]),
        ((), []),
        (7, []),
        (SPEC, []),
    ],
)
def test_identifiers(value: Any, named: list[str]) -> None:
    assert list(identifiers(value)) == named
