"""Refusals name objects as vCenter does: by id and the vCenter's instance UUID."""

from __future__ import annotations

import pytest

from resphere.contract.errors import VapiError
from resphere.contract.generated import cis_tagging, ids, vapi_std, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_guest import Identity, Power
from resphere.inventory.model import VirtualMachine
from tests.support.world import World

NO_VM = ids.VirtualMachineId("vm-404")


def test_what_is_not_there(world: World) -> None:
    with pytest.raises(VapiError) as refusal:
        world.call(vcenter.VM.get, NO_VM)
    named = f"{NO_VM}:{world.environment.product.instance_uuid}"
    first, second = refusal.value.messages
    assert first.args == (named,)
    assert first.default_message == f"Virtual machine with identifier '{named}' does not exist."
    assert (second.id, second.args) == ("vmsg.ManagedObjectNotFound.summary", ())


def test_tools_that_do_not_run(world: World) -> None:
    off = vcenter_vm.Power.State.POWERED_OFF
    vm = next(vm.id for vm in world.inventory.all(VirtualMachine).values() if vm.power_state is off and not vm.template)
    with pytest.raises(VapiError) as refusal:
        world.call(Identity.get, ids.VirtualMachineId(vm))
    (message,) = refusal.value.messages
    assert message.args == (f"{vm}:{world.environment.product.instance_uuid}",)
    with pytest.raises(VapiError) as refusal:
        world.call(Power.reboot, ids.VirtualMachineId(vm))
    assert refusal.value.messages[-1].id == "vmsg.InvalidPowerState.summary"
    assert refusal.value.messages[-1].args == ()


def test_objects_of_tags(world: World) -> None:
    spec = cis_tagging.Category.CreateSpec(
        name="env",
        description="",
        cardinality=cis_tagging.CategoryModel.Cardinality.SINGLE,
        associable_types=frozenset(),
    )
    category = world.call(cis_tagging.Category.create, spec)
    one, two = (
        world.call(cis_tagging.Tag.create, cis_tagging.Tag.CreateSpec(name=name, description="", category_id=category))
        for name in ("one", "two")
    )
    vm = vapi_std.DynamicID(type="VirtualMachine", id=next(iter(world.inventory.all(VirtualMachine))))
    world.call(cis_tagging.TagAssociation.attach, one, vm)
    with pytest.raises(VapiError) as refusal:
        world.call(cis_tagging.TagAssociation.attach, two, vm)
    (message,) = refusal.value.messages
    assert f"{vm.id}:{world.inventory.epoch}" in message.args
