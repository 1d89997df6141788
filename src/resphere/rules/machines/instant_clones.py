"""Machines that run on from where another one is."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import VapiError, message
from resphere.contract.generated import vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import ConnectionState
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.replica.replica import Replica
from resphere.rules.candidates import Usable, anything
from resphere.rules.hardware.ethernet import nic_with
from resphere.rules.hardware.families import NICS, PARALLEL_PORTS, SERIAL_PORTS
from resphere.rules.hardware.parallel import parallel_port_with
from resphere.rules.hardware.serial import serial_port_with
from resphere.rules.machines.copies import copied, needs_of, targets
from resphere.rules.machines.new_machine import Identity
from resphere.rules.placement.resolution import Wanted, resolve, wanted
from resphere.rules.refusals import invalid_state

Spec = vcenter.VM.InstantCloneSpec


ON = vcenter_vm.Power.State.POWERED_ON


def require_running(vm: VirtualMachine) -> None:
    """Refuse a source that does not run."""
    if vm.power_state is not ON:
        raise VapiError(
            message(
                "resphere.vm.instant_clone.power_state",
                "Cannot clone {0} instantly: the source must be powered on.",
                named(vm),
            ),
            invalid_state(vm),
        )


def where_of(spec: Spec, source: VirtualMachine) -> Wanted:
    """What the spec says; memory is shared, so the host is the source's."""
    return msgspec.structs.replace(wanted(spec.placement), host=source.host)


def made(
    inventory: Replica, spec: Spec, source: VirtualMachine, id: str, identity: Identity, usable: Usable = anything
) -> VirtualMachine:
    """The clone, still running; what the spec leaves open of its place is ``usable``."""
    where = where_of(spec, source)
    disks = targets(inventory, source, where.datastore, {})
    place = resolve(inventory, where, present=source, needs=needs_of(inventory, source, disks), usable=usable)
    vm = copied(inventory, source, id, spec.name, place, disks, identity)
    if spec.disconnect_all_nics:
        off = ConnectionState.NOT_CONNECTED
        vm = msgspec.structs.replace(
            vm, nics={key: msgspec.structs.replace(nic, state=off) for key, nic in vm.nics.items()}
        )
    for nic, change in (spec.nics_to_update or {}).items():
        vm = NICS.with_(vm, nic, nic_with(inventory, vm, nic, NICS.require(vm, nic), change))
    for port, parallel in (spec.parallel_ports_to_update or {}).items():
        vm = PARALLEL_PORTS.with_(vm, port, parallel_port_with(PARALLEL_PORTS.require(vm, port), parallel))
    for port_, serial in (spec.serial_ports_to_update or {}).items():
        vm = SERIAL_PORTS.with_(vm, port_, serial_port_with(SERIAL_PORTS.require(vm, port_), serial))
    return vm
