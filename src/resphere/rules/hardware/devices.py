"""What all devices share: finding one, adding one, and what power states forbid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from resphere.contract.errors import (
    NotAllowedInCurrentState,
    NotFound,
    UnableToAllocateResource,
    VapiError,
    message,
)
from resphere.contract.generated import vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import ConnectionState
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.rules.refusals import invalid_state

State = vcenter_vm.Power.State


STATE_WORDS = {
    State.POWERED_ON: "powered on",
    State.POWERED_OFF: "powered off",
    State.SUSPENDED: "suspended",
}


D = TypeVar("D")


K = TypeVar("K", bound=str)


R = TypeVar("R")


class Connectable(Protocol):
    """A device that is connected to its backing, or not."""

    @property
    def state(self) -> ConnectionState: ...

    @property
    def label(self) -> str: ...


C = TypeVar("C", bound=Connectable)


class Family(msgspec.Struct, Generic[K, D], frozen=True):
    """One kind of device: the VM's attribute that holds it, its name in messages, how many there may be, and the key
    of the first where keys are numbered in a row."""

    attribute: str
    name: str
    most: int
    first_key: int = 0

    def of(self, vm: VirtualMachine) -> dict[K, D]:
        """The VM's devices of this kind, by key."""
        devices: dict[K, D] = getattr(vm, self.attribute)
        return devices

    def keys(self, vm: VirtualMachine) -> list[K]:
        """The keys in numeric order."""
        return sorted(self.of(vm), key=int)

    def require(self, vm: VirtualMachine, key: K) -> D:
        """The device of that key.

        :raises NotFound: the VM has none.
        """
        found = self.of(vm).get(key)
        if found is None:
            raise NotFound(
                message(
                    "resphere.vm.hardware.no_device",
                    "The virtual machine {0} has no {1} {2}.",
                    named(vm),
                    self.name,
                    key,
                )
            )
        return found

    def with_(self, vm: VirtualMachine, key: K, device: D) -> VirtualMachine:
        """``vm`` with that device, new or changed."""
        return self._replaced(vm, {**self.of(vm), key: device})

    def without(self, vm: VirtualMachine, key: K) -> VirtualMachine:
        """``vm`` without the device of that key.

        :raises NotFound: the VM has none.
        """
        self.require(vm, key)
        return self._replaced(vm, {k: d for k, d in self.of(vm).items() if k != key})

    def key(self, number: int) -> K:
        """The key of the device of that number, where keys are numbered in a row."""
        key: Any = str(self.first_key + number)
        made: K = key
        return made

    def free_number(self, vm: VirtualMachine) -> int:
        """The lowest number, from 0, of which there is no device; the key is ``first_key`` higher.

        :raises UnableToAllocateResource: there are as many devices as there may be.
        """
        used = {int(key) - self.first_key for key in self.of(vm)}
        return lowest_free(used, self.most, self.name, vm)

    def _replaced(self, vm: VirtualMachine, devices: Mapping[K, D]) -> VirtualMachine:
        ordered = dict(sorted(devices.items(), key=lambda item: int(item[0])))
        return msgspec.structs.replace(vm, **{self.attribute: ordered})


def lowest_free(used: Iterable[int], most: int, name: str, vm: VirtualMachine) -> int:
    """The lowest number below ``most`` that is not ``used``.

    :raises UnableToAllocateResource: there is none.
    """
    taken = set(used)
    for number in range(most):
        if number not in taken:
            return number
    raise UnableToAllocateResource(
        message(
            "resphere.vm.hardware.too_many",
            "The virtual machine {0} cannot have more than {1} of the devices {2}.",
            named(vm),
            most,
            name,
        )
    )


def refuse(change: Callable[[VirtualMachine], tuple[VirtualMachine, Any]], vm: VirtualMachine) -> None:
    """Let a change say no before any work begins."""
    change(vm)


def added(
    vm: VirtualMachine, family: Family[K, D], make: Callable[[VirtualMachine, int], D]
) -> tuple[VirtualMachine, K]:
    """``vm`` with one more device of a kind whose keys are numbered in a row, and its key.

    ``make`` gets the VM and the device's number, from 0.

    :raises UnableToAllocateResource: the VM has as many as it may have.
    """
    number = family.free_number(vm)
    key = family.key(number)
    return family.with_(vm, key, make(vm, number)), key


def require_on(vm: VirtualMachine, act: str) -> None:
    """Refuse unless the VM is powered on."""
    if vm.power_state is not State.POWERED_ON:
        raise wrong_power_state(vm, act)


def require_off(vm: VirtualMachine, act: str) -> None:
    """Refuse unless the VM is powered off."""
    if vm.power_state is not State.POWERED_OFF:
        raise wrong_power_state(vm, act)


def require_not_suspended(vm: VirtualMachine, act: str, error: type[VapiError] = NotAllowedInCurrentState) -> None:
    """Refuse a suspended VM, with an error that the operation declares."""
    if vm.power_state is State.SUSPENDED:
        raise error(*wrong_power_state(vm, act).messages)


def require_backing_changeable(vm: VirtualMachine, device: Connectable) -> None:
    """Refuse a new backing for a device that is connected in a running VM."""
    if vm.power_state is State.POWERED_ON and device.state is ConnectionState.CONNECTED:
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.hardware.connected",
                "The backing of {0} of {1} cannot be changed while it is connected; disconnect it first.",
                device.label,
                named(vm),
            )
        )


def wrong_power_state(vm: VirtualMachine, act: str) -> NotAllowedInCurrentState:
    """The refusal where the power state forbids an act (``remove Serial port 1``)."""
    return NotAllowedInCurrentState(
        message(
            "resphere.vm.hardware.power_state",
            "Cannot {0}: the virtual machine {1} is {2}.",
            act,
            named(vm),
            STATE_WORDS[vm.power_state],
        ),
        invalid_state(vm),
    )


def initial_state(vm: VirtualMachine, start_connected: bool) -> ConnectionState:
    """Whether a device that is added now is connected."""
    running = vm.power_state is State.POWERED_ON
    return ConnectionState.CONNECTED if running and start_connected else ConnectionState.NOT_CONNECTED


def changed(device: D, **fields: object) -> D:
    """``device`` with those of ``fields`` that are set."""
    given: Any = device
    made: D = msgspec.structs.replace(given, **{name: value for name, value in fields.items() if value is not None})
    return made
