"""Templates are no machines of ``com.vmware.vcenter.VM`` from release 7.0.3 on, and some before."""

from __future__ import annotations

import msgspec
import pytest

from resphere import services
from resphere.contract.errors import NotFound
from resphere.contract.generated import vcenter
from resphere.contract.generated.ids import VirtualMachineId
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.inventory.model import VirtualMachine
from resphere.services.registry import load
from tests.services.vcenter.vm.test_moves import OFF, found, some_vm
from tests.support.calls import minimal_input
from tests.support.world import World

VM = vcenter.VM
IMPLEMENTED = load(services).keys()


def subject(operation: AnyOperation) -> str | None:
    """The field by which an operation of machines names the one that it is about."""
    fields = msgspec.structs.fields(operation.input)
    return next((field.name for field in fields if field.type is VirtualMachineId), None)


ABOUT_ONE = [
    operation
    for operation in all_operations()
    if operation.id in IMPLEMENTED
    and operation.api is not None
    and operation.service.startswith(("com.vmware.vcenter.VM", "com.vmware.vcenter.vm."))
    and subject(operation)
]


@pytest.fixture
def template(world: World) -> VirtualMachine:
    """A machine that has become one."""
    return world.change(some_vm(world), template=True, power_state=OFF)


@pytest.mark.parametrize("operation", ABOUT_ONE, ids=lambda operation: operation.id)
def test_no_operation_of_machines_finds_one(world: World, template: VirtualMachine, operation: AnyOperation) -> None:
    value = msgspec.structs.replace(
        minimal_input(operation, world.ids), **{str(subject(operation)): VirtualMachineId(template.id)}
    )
    with pytest.raises(NotFound, match=template.id):
        world.ask(operation, value)


def test_none_is_listed_nor_cloned(world: World, template: VirtualMachine) -> None:
    names = frozenset({template.name})
    assert world.call(VM.list, VM.FilterSpec(names=names)) == ()
    assert world.call(VM.list, VM.FilterSpec(vms=frozenset({VirtualMachineId(template.id)}))) == ()
    with pytest.raises(NotFound, match=template.id):
        world.call(VM.clone, VM.CloneSpec(source=VirtualMachineId(template.id), name="copy"))


@pytest.mark.parametrize("version", ["6.7.0", "7.0.2"])
def test_earlier_releases_show_them(world: World, template: VirtualMachine, version: str) -> None:
    world.serve_as(version)
    listed = world.call(VM.list, VM.FilterSpec(vms=frozenset({VirtualMachineId(template.id)})))
    assert [each.name for each in listed] == [template.name]
    assert template.id in [each.vm for each in world.call(VM.list, None)]
    assert world.call(VM.get, VirtualMachineId(template.id)).name == template.name
    clone = world.call(VM.clone, VM.CloneSpec(source=VirtualMachineId(template.id), name="copy"))
    assert found(world, clone).name == "copy"
