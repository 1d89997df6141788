"""``com.vmware.vcenter.vm.hardware.ethernet``: Ethernet adapters."""

from __future__ import annotations

from resphere.contract.errors import VapiError
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import changed, require_not_suspended
from resphere.rules.hardware.ethernet import Key, nic_with, with_nic
from resphere.rules.hardware.families import NICS
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import alter, reconfigure, set_connected
from resphere.services.vcenter.vm.machines import nics_with_names


@implements(Ethernet.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Ethernet.Summary, ...]:
    """The VM's Ethernet adapters."""
    return tuple(Ethernet.Summary(nic=key) for key in NICS.keys(call.require(VirtualMachine, vm)))


@implements(Ethernet.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, nic: Key) -> Ethernet.Info:
    """One Ethernet adapter, with its network's present name."""
    found = call.require(VirtualMachine, vm)
    NICS.require(found, nic)
    return nics_with_names(call, found)[nic]


@implements(Ethernet.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Ethernet.CreateSpec) -> Key:
    """Add an Ethernet adapter, also to a running VM, and return its key.

    :raises NotFound: there is no such network, or the VM's host is not connected to any.
    :raises InvalidArgument: a malformed MAC address, or one that does not go with its type.
    """
    return await reconfigure(call, vm, lambda current: with_nic(call.unfiltered, current, spec, call.may_use))


@implements(Ethernet.update)
async def update(call: Call, vm: ids.VirtualMachineId, nic: Key, spec: Ethernet.UpdateSpec) -> None:
    """Change an Ethernet adapter. A running VM takes some of it up at its next power-on; it is shown at once."""

    await alter(call, vm, NICS, nic, lambda current, device: nic_with(call.unfiltered, current, nic, device, spec))


@implements(Ethernet.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, nic: Key) -> None:
    """Remove an Ethernet adapter, also from a running VM; it leaves the boot order too."""

    def change(current: VirtualMachine) -> tuple[VirtualMachine, None]:
        NICS.require(current, nic)
        require_not_suspended(current, "remove an Ethernet adapter", VapiError)
        left = NICS.without(current, nic)
        entries = tuple(entry for entry in left.boot_devices if entry.nic != nic)
        return changed(left, boot_devices=entries), None

    await reconfigure(call, vm, change)


@implements(Ethernet.connect)
async def connect(call: Call, vm: ids.VirtualMachineId, nic: Key) -> None:
    """Connect an Ethernet adapter of a running VM."""
    await set_connected(call, vm, NICS, nic, True)


@implements(Ethernet.disconnect)
async def disconnect(call: Call, vm: ids.VirtualMachineId, nic: Key) -> None:
    """Disconnect an Ethernet adapter of a running VM."""
    await set_connected(call, vm, NICS, nic, False)
