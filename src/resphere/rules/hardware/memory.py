"""Memory: sizes, and what a running machine takes."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, message
from resphere.contract.generated import vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Memory
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import wrong_power_state
from resphere.rules.hardware.hot_add import MOST_MIB, memory_of

State = vcenter_vm.Power.State


LEAST_MIB = 4


STEP_MIB = 4


def with_memory(vm: VirtualMachine, spec: Memory.UpdateSpec) -> VirtualMachine:
    """``vm`` with the memory that ``spec`` makes of its own."""
    memory = vm.memory
    if spec.hot_add_enabled is not None and vm.power_state is State.POWERED_ON:
        raise wrong_power_state(vm, "change whether memory can be added while it runs")
    if spec.size_MiB is not None and spec.size_MiB != memory.size_MiB:
        require_size(spec.size_MiB)
        if vm.power_state is not State.POWERED_OFF:
            require_hot_add(vm, spec.size_MiB)
        memory = msgspec.structs.replace(memory, size_MiB=spec.size_MiB)
    if spec.hot_add_enabled is not None:
        memory = memory_of(msgspec.structs.replace(memory, hot_add_enabled=spec.hot_add_enabled), running=False)
    return msgspec.structs.replace(vm, memory=memory)


def require_size(size_MiB: int) -> None:
    """Refuse sizes that no VM can have."""
    if not LEAST_MIB <= size_MiB <= MOST_MIB or size_MiB % STEP_MIB:
        raise InvalidArgument(
            message(
                "resphere.vm.memory.size",
                "spec.size_MiB: must be a multiple of {0} from {1} to {2}, not {3}.",
                STEP_MIB,
                LEAST_MIB,
                MOST_MIB,
                size_MiB,
            )
        )


def require_hot_add(vm: VirtualMachine, size_MiB: int) -> None:
    """Refuse what a VM that is not off does not allow."""
    memory = vm.memory
    step, limit = memory.hot_add_increment_size_MiB, memory.hot_add_limit_MiB
    if vm.power_state is State.SUSPENDED or not memory.hot_add_enabled or size_MiB < memory.size_MiB:
        raise wrong_power_state(vm, "change the memory")
    if (step and (size_MiB - memory.size_MiB) % step) or (limit and size_MiB > limit):
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.memory.hot_add",
                "Memory of {0} can be added while it runs in steps of {1} MiB up to {2} MiB.",
                named(vm),
                step,
                limit,
            )
        )
