"""What a change of power does to a virtual machine. Pure functions."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from resphere.contract.generated import vcenter_vm, vcenter_vm_hardware
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.hot_add import memory_of
from resphere.rules.hardware.pci_slots import with_pci_slots
from resphere.rules.machines.guest_os_defaults import defaults_of

State = vcenter_vm.Power.State
RunState = vcenter_vm.Tools.RunState
Connection = vcenter_vm_hardware.ConnectionState

D = TypeVar(
    "D",
    vcenter_vm_hardware.Ethernet.Info,
    vcenter_vm_hardware.Cdrom.Info,
    vcenter_vm_hardware.Floppy.Info,
    vcenter_vm_hardware.Parallel.Info,
    vcenter_vm_hardware.Serial.Info,
)
K = TypeVar("K")


def powered_on(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` running: devices have slots, those that start connected are, and installed Tools run."""
    vm = msgspec.structs.replace(vm, memory=memory_of(vm.memory, True, defaults_of(vm.guest_OS).family))
    return _changed(with_pci_slots(vm), State.POWERED_ON, tools_run=has_tools(vm), connected=True)


def has_tools(vm: VirtualMachine) -> bool:
    """Whether Tools are installed."""
    return vm.tools.version_status not in (None, vcenter_vm.Tools.VersionStatus.NOT_INSTALLED)


def with_tools(vm: VirtualMachine, *, run: bool) -> VirtualMachine:
    """``vm`` with Tools that run, or do not."""
    run_state = RunState.RUNNING if run else RunState.NOT_RUNNING
    if vm.tools.run_state is run_state:
        return vm
    return msgspec.structs.replace(vm, tools=msgspec.structs.replace(vm.tools, run_state=run_state))


def powered_off(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` off: cleanly, whether its guest was asked or not, as the official SDK's sample of power has it."""
    off = _changed(vm, State.POWERED_OFF, tools_run=False, connected=False)
    return msgspec.structs.replace(off, memory=memory_of(off.memory, running=False), clean_power_off=True)


def suspended(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` suspended."""
    return _changed(vm, State.SUSPENDED, tools_run=False, connected=False)


def _changed(vm: VirtualMachine, state: State, *, tools_run: bool, connected: bool) -> VirtualMachine:
    return msgspec.structs.replace(
        with_tools(vm, run=tools_run),
        power_state=state,
        nics=_connected(vm.nics, connected),
        cdroms=_connected(vm.cdroms, connected),
        floppies=_connected(vm.floppies, connected),
        parallel_ports=_connected(vm.parallel_ports, connected),
        serial_ports=_connected(vm.serial_ports, connected),
    )


def _connected(devices: dict[K, D], running: bool) -> dict[K, D]:
    return {key: _device(device, running) for key, device in devices.items()} if devices else devices


def _device(device: D, running: bool) -> D:
    state = Connection.CONNECTED if running and device.start_connected else Connection.NOT_CONNECTED
    return device if device.state is state else msgspec.structs.replace(device, state=state)
