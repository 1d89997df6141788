"""Serial ports."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Serial
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import added, changed, initial_state, require_off
from resphere.rules.hardware.families import SERIAL_PORTS

Key = ids.VcenterVmHardwareSerialPortId


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


def serial_port_with(device: Serial.Info, spec: Serial.UpdateSpec) -> Serial.Info:
    """The port with what ``spec`` changes."""
    return changed(
        device,
        backing=backing_info(spec.backing) if spec.backing else None,
        start_connected=spec.start_connected,
        allow_guest_control=spec.allow_guest_control,
        yield_on_poll=spec.yield_on_poll,
    )


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
