"""``com.vmware.vcenter.vm.hardware.serial``: serial ports."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Serial
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import (
    added,
    alter,
    changed,
    initial_state,
    reconfigure,
    remove,
    require_backing_changeable,
    require_off,
    set_connected,
)
from resphere.services.vcenter.vm.hardware.families import SERIAL_PORTS

Key = ids.VcenterVmHardwareSerialPortId


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


def with_serial(vm: VirtualMachine, spec: Serial.CreateSpec) -> tuple[VirtualMachine, Key]:
    """``vm``, which is off, with a serial port more, and its key."""
    require_off(vm, "add a serial port")
    return added(
        vm,
        SERIAL_PORTS,
        lambda current, number: Serial.Info(
            label=f"Serial port {number + 1}",
            yield_on_poll=bool(spec.yield_on_poll),
            backing=backing_info(spec.backing),
            state=initial_state(current, bool(spec.start_connected)),
            start_connected=bool(spec.start_connected),
            allow_guest_control=bool(spec.allow_guest_control),
        ),
    )


@implements(Serial.update)
async def update(call: Call, vm: ids.VirtualMachineId, port: Key, spec: Serial.UpdateSpec) -> None:
    """Change a serial port; its backing only where it is not connected in a running VM."""

    def make(current: VirtualMachine, device: Serial.Info) -> Serial.Info:
        if spec.backing is not None:
            require_backing_changeable(current, device)
        return serial_port_with(device, spec)

    await alter(call, vm, SERIAL_PORTS, port, make)


def serial_port_with(device: Serial.Info, spec: Serial.UpdateSpec) -> Serial.Info:
    """The port with what ``spec`` changes."""
    return changed(
        device,
        backing=backing_info(spec.backing) if spec.backing else None,
        start_connected=spec.start_connected,
        allow_guest_control=spec.allow_guest_control,
        yield_on_poll=spec.yield_on_poll,
    )


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


def backing_info(spec: Serial.BackingSpec | None) -> Serial.BackingInfo:
    """The backing that ``spec`` asks for; unset: whatever the host has."""
    if spec is None:
        return Serial.BackingInfo(type=Serial.BackingType.HOST_DEVICE, auto_detect=True, host_device="")
    pipe = spec.type in (Serial.BackingType.PIPE_CLIENT, Serial.BackingType.PIPE_SERVER)
    automatic = spec.host_device is None if spec.type is Serial.BackingType.HOST_DEVICE else None
    return Serial.BackingInfo(
        type=spec.type,
        file=spec.file,
        host_device="" if automatic else spec.host_device,
        auto_detect=automatic,
        pipe=spec.pipe,
        no_rx_loss=bool(spec.no_rx_loss) if pipe else None,
        network_location=spec.network_location,
        proxy=spec.proxy,
    )
