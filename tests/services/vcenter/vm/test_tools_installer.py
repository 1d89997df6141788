"""The installer of VMware Tools, and upgrades at a start."""

from __future__ import annotations

import msgspec
import pytest

from resphere.contract.errors import AlreadyInDesiredState, NotAllowedInCurrentState, NotFound
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import Power, Tools
from resphere.contract.generated.vcenter_vm_guest import Identity, Operations
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, ConnectionState
from resphere.contract.generated.vcenter_vm_tools import Installer
from resphere.providers.simulator.catalog import CURRENT_TOOLS, OLD_TOOLS
from tests.support.guests import machine
from tests.support.world import World

Id = ids.VirtualMachineId
Status = Tools.VersionStatus


def without_tools(world: World, vm: Id) -> None:
    tools = Tools.Info(
        auto_update_supported=False,
        upgrade_policy=Tools.UpgradePolicy.MANUAL,
        version_status=Status.NOT_INSTALLED,
        run_state=Tools.RunState.NOT_RUNNING,
    )
    world.change(machine(world, vm), tools=tools, guest=None)


def test_the_installer_comes_and_goes(world: World, vm: Id) -> None:
    before = machine(world, vm).tools
    assert not world.call(Installer.get, vm).is_connected
    world.call(Installer.connect, vm)
    assert world.call(Installer.get, vm).is_connected
    drive = next(iter(machine(world, vm).cdroms.values()))
    assert (drive.backing.iso_file, drive.state) == (
        "[] /usr/lib/vmware/isoimages/linux.iso",
        ConnectionState.CONNECTED,
    )
    with pytest.raises(AlreadyInDesiredState) as refusal:
        world.call(Installer.connect, vm)
    assert refusal.value.messages[0].id == "resphere.vm.tools.installer"
    world.call(Installer.disconnect, vm)
    assert not world.call(Installer.get, vm).is_connected
    assert next(iter(machine(world, vm).cdroms.values())).backing.type is Cdrom.BackingType.HOST_DEVICE
    world.call(Installer.disconnect, vm)
    assert machine(world, vm).tools == before


def test_a_guest_without_tools_installs_them(world: World, vm: Id) -> None:
    without_tools(world, vm)
    assert not world.call(Operations.get, vm).guest_operations_ready
    world.call(Installer.connect, vm)
    tools = world.call(Tools.get, vm)
    assert (tools.version_status, tools.run_state) == (Status.CURRENT, Tools.RunState.RUNNING)
    assert tools.version_number == CURRENT_TOOLS.number
    assert world.call(Operations.get, vm).guest_operations_ready
    identity = world.call(Identity.get, vm)
    assert (identity.ip_address or "").startswith("10.")
    world.call(Power.stop, vm)
    assert world.call(Tools.get, vm).run_state is Tools.RunState.NOT_RUNNING
    world.call(Power.start, vm)
    assert world.call(Tools.get, vm).run_state is Tools.RunState.RUNNING


def test_when_it_cannot_be(world: World, vm: Id) -> None:
    world.change(machine(world, vm), cdroms={})
    with pytest.raises(NotAllowedInCurrentState) as refusal:
        world.call(Installer.connect, vm)
    assert refusal.value.messages[0].id == "resphere.vm.tools.no_cdrom"
    world.call(Power.stop, vm)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Installer.connect, vm)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Installer.disconnect, vm)
    with pytest.raises(NotFound):
        world.call(Installer.get, Id("vm-999999"))


def old_tools(world: World, vm: Id) -> None:
    tools = msgspec.structs.replace(
        machine(world, vm).tools,
        version_status=Status.SUPPORTED_OLD,
        version_number=OLD_TOOLS.number,
        version=OLD_TOOLS.text,
    )
    world.change(machine(world, vm), tools=tools)


def test_an_upgrade_brings_the_current_release(world: World, vm: Id) -> None:
    old_tools(world, vm)
    world.call(Tools.upgrade, vm, None)
    tools = world.call(Tools.get, vm)
    assert (tools.version_status, tools.version) == (Status.CURRENT, str(CURRENT_TOOLS.number))
    assert tools.install_attempt_count == 0


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (Tools.UpgradePolicy.UPGRADE_AT_POWER_CYCLE, Status.CURRENT),
        (Tools.UpgradePolicy.MANUAL, Status.SUPPORTED_OLD),
    ],
)
def test_an_upgrade_at_the_next_start(
    world: World, vm: Id, policy: Tools.UpgradePolicy, status: Tools.VersionStatus
) -> None:
    old_tools(world, vm)
    world.call(Tools.update, vm, Tools.UpdateSpec(upgrade_policy=policy))
    world.call(Power.stop, vm)
    assert world.call(Tools.get, vm).version_status is Status.SUPPORTED_OLD
    world.call(Power.start, vm)
    assert world.call(Tools.get, vm).version_status is status
