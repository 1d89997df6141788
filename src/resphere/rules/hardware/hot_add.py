"""Memory that is added to a running virtual machine: in which steps, up to which size."""

from __future__ import annotations

import msgspec

from resphere.contract.generated.vcenter_vm import GuestOSFamily
from resphere.contract.generated.vcenter_vm_hardware import Memory

MOST_MIB = 24 * 1024 * 1024
"""The memory of the largest VM."""
_STEP_MIB = 128
_FACTOR = 16
"""The limit is this many times what the VM was powered on with."""
_LEAST_OF_LINUX_MIB = 3072
"""Linux that started with so much or less grows to it, and no further (vCenter 7.0.3: 3072 for 1024)."""


def memory_of(memory: Memory.Info, running: bool, family: GuestOSFamily | None = None) -> Memory.Info:
    """``memory`` of a VM that runs or is off: steps and limit are known only while it runs, from its start on.

    Without hot add they are 0 and what there is, as vCenter 8.0.2 tells.
    """
    if not running:
        step, limit = None, None
    elif not memory.hot_add_enabled:
        step, limit = 0, memory.size_MiB
    elif memory.hot_add_limit_MiB is not None:
        return memory
    elif family is GuestOSFamily.LINUX and memory.size_MiB <= _LEAST_OF_LINUX_MIB:
        step, limit = _STEP_MIB, _LEAST_OF_LINUX_MIB
    else:
        step, limit = _STEP_MIB, min(memory.size_MiB * _FACTOR, MOST_MIB)
    return msgspec.structs.replace(memory, hot_add_increment_size_MiB=step, hot_add_limit_MiB=limit)
