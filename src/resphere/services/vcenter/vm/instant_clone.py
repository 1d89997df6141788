"""``com.vmware.vcenter.VM``: instant clone."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import VapiError, message
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import ConnectionState
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Copy
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.checks.names import require_free, require_name
from resphere.services.registry import implements
from resphere.services.vcenter.vm.copies import copied, needs_of, require_uuid, targets
from resphere.services.vcenter.vm.hardware.ethernet import nic_with
from resphere.services.vcenter.vm.hardware.families import NICS, PARALLEL_PORTS, SERIAL_PORTS
from resphere.services.vcenter.vm.hardware.parallel import parallel_port_with
from resphere.services.vcenter.vm.hardware.serial import serial_port_with
from resphere.services.vcenter.vm.new_machine import Identity, new_identity
from resphere.services.vcenter.vm.placement import Place, Wanted, folder_of, rely_on, resolve, wanted
from resphere.services.vcenter.vm.power import invalid_state

Spec = vcenter.VM.InstantCloneSpec
ON = vcenter_vm.Power.State.POWERED_ON


@implements(vcenter.VM.instant_clone)
async def instant_clone(call: Call, spec: Spec) -> ids.VirtualMachineId:
    """A VM that runs on from where another one, which runs, is: on its host, with an identity of its own.

    :raises AlreadyExists: something in the folder has the name.
    :raises InvalidArgument: the placement, a device or the UUID asks for what cannot be.
    :raises NotFound: the source, a device of it, or something that the spec names.
    :raises ResourceInaccessible: the host takes no VMs now, or the datastore is not accessible.
    :raises UnableToAllocateResource: no room on the datastore.
    :raises VapiError: the source does not run: the operation declares nothing narrower.
    """
    source = call.require(VirtualMachine, spec.source)
    require_name(spec.name, "virtual machine")
    inventory, random_bytes = call.inventory, call.environment.random_bytes
    identity = require_uuid(spec.bios_uuid, random_bytes) if spec.bios_uuid else new_identity(random_bytes)

    def guard(current: VirtualMachine) -> None:
        require_running(current)
        where = where_of(spec, current)
        require_free(inventory, folder_of(inventory, where, current), spec.name)
        made(inventory, spec, current, "vm-0", identity)

    def make(edit: Edit, current: VirtualMachine) -> Copy:
        vm, place = made(inventory, spec, current, edit.new_id(VirtualMachine.id_prefix), identity)
        edit.rely_on(current)
        rely_on(edit, place)
        return Copy(vm=vm, running=True)

    return await call.run(
        "VirtualMachine.instantClone",
        source,
        lambda job: call.provider.lifecycle.clone_vm(job, make),
        guard,
        exclusive=False,
    )


def require_running(vm: VirtualMachine) -> None:
    """Refuse a source that does not run."""
    if vm.power_state is not ON:
        raise VapiError(
            message(
                "resphere.vm.instant_clone.power_state",
                "Cannot clone {0} instantly: the source must be powered on.",
                vm.name,
            ),
            invalid_state(vm),
        )


def where_of(spec: Spec, source: VirtualMachine) -> Wanted:
    """What the spec says; memory is shared, so the host is the source's."""
    return msgspec.structs.replace(wanted(spec.placement), host=source.host)


def made(
    inventory: Replica, spec: Spec, source: VirtualMachine, id: str, identity: Identity
) -> tuple[VirtualMachine, Place]:
    """The clone, still running, and its place."""
    where = where_of(spec, source)
    disks = targets(inventory, source, where.datastore, {})
    place = resolve(inventory, where, present=source, needs=needs_of(inventory, source, disks))
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
    return vm, place
