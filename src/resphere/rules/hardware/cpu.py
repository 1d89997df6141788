"""Processors: how many, in how many sockets, and what a running machine takes."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, message
from resphere.contract.generated import vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Cpu
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import changed, require_off

OFF = vcenter_vm.Power.State.POWERED_OFF


MOST_CPUS = 768
"""Virtual CPUs of one VM at hardware version 21 (vSphere 8.0 configuration maximums)."""


def with_cpu(vm: VirtualMachine, spec: Cpu.UpdateSpec) -> VirtualMachine:
    """``vm`` with the CPUs that ``spec`` makes of its own."""
    if spec.hot_add_enabled is not None or spec.hot_remove_enabled is not None:
        require_off(vm, "change whether CPUs can be added or removed while it runs")
    cpu = changed(vm.cpu, **msgspec.structs.asdict(spec))
    require_valid(cpu)
    if vm.power_state is not OFF:
        require_hot_change(vm, cpu)
    return msgspec.structs.replace(vm, cpu=cpu)


def require_valid(cpu: Cpu.Info) -> None:
    """Refuse counts that no VM can have."""
    if not 1 <= cpu.count <= MOST_CPUS:
        raise InvalidArgument(
            message("resphere.vm.cpu.count", "spec.count: must be from 1 to {0}, not {1}.", MOST_CPUS, cpu.count)
        )
    if cpu.cores_per_socket < 1 or cpu.count % cpu.cores_per_socket:
        raise InvalidArgument(
            message(
                "resphere.vm.cpu.cores_per_socket",
                "spec.cores_per_socket: the number of CPUs ({0}) must be a multiple of it, which {1} does not divide.",
                cpu.count,
                cpu.cores_per_socket,
            )
        )


def require_hot_change(vm: VirtualMachine, cpu: Cpu.Info) -> None:
    """Refuse what a VM that is not off does not allow."""
    if cpu.count > vm.cpu.count and not vm.cpu.hot_add_enabled:
        raise cold(vm, "hot_add", "added")
    if cpu.count < vm.cpu.count and not vm.cpu.hot_remove_enabled:
        raise cold(vm, "hot_remove", "removed")
    if cpu.cores_per_socket != vm.cpu.cores_per_socket:
        require_off(vm, "change the cores per socket")


def cold(vm: VirtualMachine, name: str, act: str) -> NotAllowedInCurrentState:
    """The refusal of a change that the VM does not allow while it runs."""
    return NotAllowedInCurrentState(
        message(f"resphere.vm.cpu.{name}", f"CPUs of {{0}} cannot be {act} while it is not powered off.", named(vm))
    )
