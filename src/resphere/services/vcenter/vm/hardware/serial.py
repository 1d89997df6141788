"""``com.vmware.vcenter.vm.hardware.serial``: serial ports."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Serial
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import require_backing_changeable, require_off
from resphere.rules.hardware.families import SERIAL_PORTS
from resphere.rules.hardware.serial import Key, serial_port_with, with_serial
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import alter, reconfigure, remove, set_connected


@implements(Serial.list, kept=True)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[Serial.Summary, ...]:
    """The VM's serial ports."""
    return tuple(Serial.Summary(port=key) for key in SERIAL_PORTS.keys(call.require(VirtualMachine, vm)))


@implements(Serial.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId, port: Key) -> Serial.Info:
    """One serial port."""
    return SERIAL_PORTS.require(call.require(VirtualMachine, vm), port)


@implements(Serial.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: Serial.CreateSpec) -> Key:
    """Add a serial port to a VM that is off, and return its key."""
    return await reconfigure(call, vm, lambda current: with_serial(current, spec))


@implements(Serial.update)
async def update(call: Call, vm: ids.VirtualMachineId, port: Key, spec: Serial.UpdateSpec) -> None:
    """Change a serial port; its backing only where it is not connected in a running VM."""

    def make(current: VirtualMachine, device: Serial.Info) -> Serial.Info:
        if spec.backing is not None:
            require_backing_changeable(current, device)
        return serial_port_with(device, spec)

    await alter(call, vm, SERIAL_PORTS, port, make)


@implements(Serial.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, port: Key) -> None:
    """Remove a serial port of a VM that is off."""
    await remove(call, vm, SERIAL_PORTS, port, lambda current: require_off(current, "remove a serial port"))


@implements(Serial.connect)
async def connect(call: Call, vm: ids.VirtualMachineId, port: Key) -> None:
    """Connect a serial port of a running VM."""
    await set_connected(call, vm, SERIAL_PORTS, port, True)


@implements(Serial.disconnect)
async def disconnect(call: Call, vm: ids.VirtualMachineId, port: Key) -> None:
    """Disconnect a serial port of a running VM."""
    await set_connected(call, vm, SERIAL_PORTS, port, False)
