"""``com.vmware.vcenter.vm.tools.installer``: the CD that Tools are installed from."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_tools import Installer
from resphere.inventory.effects import ConnectInstaller, DisconnectInstaller
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import require_on
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(Installer.get)
async def get(call: Call, vm: ids.VirtualMachineId) -> Installer.Info:
    """Whether the installer is connected."""
    found = call.require(VirtualMachine, vm)
    return Installer.Info(is_connected=call.required(call.provider.capabilities.tools).has_installer(found))


@implements(Installer.connect)
async def connect(call: Call, vm: ids.VirtualMachineId) -> None:
    """Connect the installer to a CD-ROM drive of a running VM; a guest without Tools then installs them.

    :raises AlreadyInDesiredState: it is connected.
    :raises NotAllowedInCurrentState: the VM does not run, or has no CD-ROM drive.
    """
    await call.run(
        "VirtualMachine.mountToolsInstaller",
        call.require(VirtualMachine, vm),
        lambda _, current: Decision(ConnectInstaller(vm=current), None),
        lambda current: require_on(current, "connect the VMware Tools installer"),
    )


@implements(Installer.disconnect)
async def disconnect(call: Call, vm: ids.VirtualMachineId) -> None:
    """Disconnect the installer; one that is not connected is left so.

    :raises NotAllowedInCurrentState: the VM does not run.
    """
    await call.run(
        "VirtualMachine.unmountToolsInstaller",
        call.require(VirtualMachine, vm),
        lambda _, current: Decision(DisconnectInstaller(vm=current), None),
        lambda current: require_on(current, "disconnect the VMware Tools installer"),
    )
