"""Memory that is added to a running virtual machine: in which steps, up to which size."""

from __future__ import annotations

import msgspec

from resphere.contract.generated.vcenter_vm_hardware import Memory

MOST_MIB = 24 * 1024 * 1024
"""The memory of the largest VM."""
_STEP_MIB = 128
_FACTOR = 16
"""The limit is this many times what the VM was powered on with."""


def memory_of(memory: Memory.Info, running: bool) -> Memory.Info:
    """``memory`` of a VM that runs or is off: steps and limit are known only while it runs, from its start on."""
    known = running and memory.hot_add_enabled
    if known == (memory.hot_add_limit_MiB is not None):
        return memory
    return msgspec.structs.replace(
        memory,
        hot_add_increment_size_MiB=_STEP_MIB if known else None,
        hot_add_limit_MiB=min(memory.size_MiB * _FACTOR, MOST_MIB) if known else None,
    )
