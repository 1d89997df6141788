"""The guest as its Tools report it, and what it can be asked to do."""

from __future__ import annotations

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyInDesiredState,
    NotAllowedInCurrentState,
    ServiceUnavailable,
    Unsupported,
)
from resphere.contract.generated import ids, vcenter_vm, vcenter_vm_guest
from resphere.contract.generated.vcenter_vm_guest import Identity, LocalFilesystem, Networking
from resphere.contract.model import AnyOperation
from resphere.inventory.model import VirtualMachine
from tests.support.world import World

Id = ids.VirtualMachineId
GuestPower = vcenter_vm_guest.Power
State = vcenter_vm.Power.State
Tools = vcenter_vm.Tools


def running(world: World) -> VirtualMachine:
    """A VM that is on, with Tools that run and have reported."""
    return next(
        vm
        for vm in world.inventory.all(VirtualMachine).values()
        if vm.tools.run_state is Tools.RunState.RUNNING and vm.guest
    )


def test_identity(world: World) -> None:
    vm = running(world)
    assert vm.guest is not None
    identity = world.call(Identity.get, Id(vm.id))
    assert (identity.name, identity.host_name) == (vm.guest_OS, vm.guest.host_name)
    assert identity.full_name.default_message == vm.guest.full_name
    assert identity.ip_address == vm.guest.ip_addresses[0]
    assert world.call(Networking.get, Id(vm.id)).dns_values is not None
    filesystems = world.call(LocalFilesystem.get, Id(vm.id))
    assert filesystems
    assert all(0 <= f.free_space <= f.capacity for f in filesystems.values())


@pytest.mark.parametrize("operation", [Identity.get, Networking.get, LocalFilesystem.get])
def test_without_tools_nothing_is_known(world: World, operation: AnyOperation) -> None:
    vm = running(world)
    world.call(vcenter_vm.Power.stop, Id(vm.id))
    with pytest.raises(ServiceUnavailable) as error:
        world.call(operation, Id(vm.id))
    assert error.value.messages[0].id == "com.vmware.api.vcenter.vm.guest.tools_not_running"


def test_shutdown_is_clean(world: World) -> None:
    vm = Id(running(world).id)
    assert world.call(GuestPower.get, vm).state is GuestPower.State.RUNNING
    world.call(GuestPower.reboot, vm)
    world.call(GuestPower.shutdown, vm)
    assert world.call(vcenter_vm.Power.get, vm).clean_power_off is True
    assert world.call(GuestPower.get, vm) == GuestPower.Info(state=GuestPower.State.NOT_RUNNING, operations_ready=False)
    with pytest.raises(AlreadyInDesiredState) as error:
        world.call(GuestPower.shutdown, vm)
    assert error.value.messages[0].id == "com.vmware.api.vcenter.vm.power.already_powered_off"
    with pytest.raises(NotAllowedInCurrentState):
        world.call(GuestPower.reboot, vm)


def test_standby_suspends(world: World) -> None:
    vm = Id(running(world).id)
    world.call(GuestPower.standby, vm)
    assert world.call(vcenter_vm.Power.get, vm).state is State.SUSPENDED
    with pytest.raises(AlreadyInDesiredState):
        world.call(GuestPower.standby, vm)


def test_a_guest_without_tools_cannot_be_asked(world: World) -> None:
    vm = running(world)
    silent = Tools.Info(
        auto_update_supported=False, upgrade_policy=Tools.UpgradePolicy.MANUAL, run_state=Tools.RunState.NOT_RUNNING
    )
    world.change(vm, tools=silent)
    assert world.call(GuestPower.get, Id(vm.id)).state is GuestPower.State.UNAVAILABLE
    for operation in (GuestPower.shutdown, GuestPower.reboot, GuestPower.standby):
        with pytest.raises(ServiceUnavailable):
            world.call(operation, Id(vm.id))


def test_templates_have_no_guest(world: World) -> None:
    world.serve_as("6.7.0")
    template = world.change(running(world), template=True, power_state=vcenter_vm.Power.State.POWERED_OFF)
    for operation in (GuestPower.shutdown, GuestPower.reboot, GuestPower.standby):
        with pytest.raises(Unsupported) as error:
            world.call(operation, Id(template.id))
        assert error.value.messages[0].id == "resphere.vm.guest.template"


def test_tools_are_upgraded_once(world: World) -> None:
    vm = running(world)
    old = Tools.Info(
        auto_update_supported=True,
        upgrade_policy=Tools.UpgradePolicy.MANUAL,
        version_status=Tools.VersionStatus.SUPPORTED_OLD,
        run_state=Tools.RunState.RUNNING,
    )
    world.change(vm, tools=old)
    world.call(Tools.update, Id(vm.id), Tools.UpdateSpec(upgrade_policy=Tools.UpgradePolicy.UPGRADE_AT_POWER_CYCLE))
    world.call(Tools.upgrade, Id(vm.id), None)
    tools = world.call(Tools.get, Id(vm.id))
    assert tools.version_status is Tools.VersionStatus.CURRENT
    assert tools.upgrade_policy is Tools.UpgradePolicy.UPGRADE_AT_POWER_CYCLE
    with pytest.raises(AlreadyInDesiredState) as error:
        world.call(Tools.upgrade, Id(vm.id), None)
    assert error.value.messages[0].id == "resphere.vm.tools.current"
    world.call(vcenter_vm.Power.stop, Id(vm.id))
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Tools.upgrade, Id(vm.id), None)


def test_tools_that_do_not_run_cannot_be_upgraded(world: World) -> None:
    vm = running(world)
    world.change(vm, tools=msgspec.structs.replace(vm.tools, run_state=Tools.RunState.NOT_RUNNING))
    with pytest.raises(ServiceUnavailable):
        world.call(Tools.upgrade, Id(vm.id), None)


def test_tools_of_the_guests_own_are_left_alone(world: World) -> None:
    vm = running(world)
    own = Tools.Info(
        auto_update_supported=False,
        upgrade_policy=Tools.UpgradePolicy.MANUAL,
        version_status=Tools.VersionStatus.UNMANAGED,
        run_state=Tools.RunState.RUNNING,
    )
    world.change(vm, tools=own)
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(Tools.upgrade, Id(vm.id), None)
    assert error.value.messages[0].id == "resphere.vm.tools.unmanaged"
