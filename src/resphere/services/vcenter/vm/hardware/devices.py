"""What all device resources share: finding a device, changing it, connecting it, and the rules of power states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from resphere.contract.errors import (
    AlreadyInDesiredState,
    message,
)
from resphere.contract.generated.vcenter_vm_hardware import ConnectionState
from resphere.inventory.effects import ReconfigureVm
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.hardware.devices import C, D, Family, K, R, refuse, require_on
from resphere.services.call import Call
from resphere.tasks.change import Decision


async def reconfigure(call: Call, vm: str, change: Callable[[VirtualMachine], tuple[VirtualMachine, R]]) -> R:
    """Change the VM's hardware; ``change`` may refuse and is asked again inside the transaction."""
    target = call.require(VirtualMachine, vm)

    def decide(_: Edit, current: VirtualMachine) -> Decision[R]:
        after, result = change(current)
        return Decision(ReconfigureVm(before=current, after=after), result)

    return await call.run("VirtualMachine.reconfigure", target, decide, lambda current: refuse(change, current))


async def alter(call: Call, vm: str, family: Family[K, D], key: K, make: Callable[[VirtualMachine, D], D]) -> None:
    """Change one device to what ``make`` makes of it."""

    def change(current: VirtualMachine) -> tuple[VirtualMachine, None]:
        return family.with_(current, key, make(current, family.require(current, key))), None

    await reconfigure(call, vm, change)


async def remove(call: Call, vm: str, family: Family[K, Any], key: K, guard: Callable[[VirtualMachine], None]) -> None:
    """Take a device out, where ``guard`` allows it."""

    def change(current: VirtualMachine) -> tuple[VirtualMachine, None]:
        family.require(current, key)
        guard(current)
        return family.without(current, key), None

    await reconfigure(call, vm, change)


async def set_connected(call: Call, vm: str, family: Family[K, C], key: K, connected: bool) -> None:
    """Connect a device of a running VM to its backing, or disconnect it.

    :raises NotAllowedInCurrentState: the VM is not powered on.
    :raises AlreadyInDesiredState: it is as asked.
    """
    state = ConnectionState.CONNECTED if connected else ConnectionState.NOT_CONNECTED

    def change(current: VirtualMachine) -> tuple[VirtualMachine, None]:
        device = family.require(current, key)
        require_on(current, f"{'connect' if connected else 'disconnect'} {device.label}")
        if device.state is state:
            raise AlreadyInDesiredState(
                message(
                    "resphere.vm.hardware.already_in_state",
                    "{0} of {1} is already {2}.",
                    device.label,
                    named(current),
                    "connected" if connected else "disconnected",
                )
            )
        changed: Any = device
        return family.with_(current, key, msgspec.structs.replace(changed, state=state)), None

    await reconfigure(call, vm, change)
