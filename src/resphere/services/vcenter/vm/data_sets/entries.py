"""``com.vmware.vcenter.vm.data_sets.entries``: keys and values in a data set."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import NotFound, UnableToAllocateResource, Unauthorized, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import DataSets
from resphere.contract.generated.vcenter_vm_data_sets import Entries
from resphere.inventory.data_sets import DataSet, DataSetEntry, data_set_id, entry_id
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.data_sets.data_sets import (
    invalid,
    require_changeable,
    require_data_set,
    require_machine,
)

LONGEST_KEY_BYTES = 4096
LONGEST_VALUE_BYTES = 1024 * 1024
MOST_BYTES = 100 * 1024 * 1024
"""Of all entries of a VM together."""

Key = ids.VcenterVmDataSetsEntryId


@implements(Entries.list)
async def list_(call: Call, vm: ids.VirtualMachineId, data_set: ids.VcenterVmDataSetId) -> frozenset[str]:
    """The keys in a data set.

    :raises Unauthorized: its access mode for hosts does not allow it.
    """
    found = readable(call, vm, data_set)
    return frozenset(entry.key for entry in call.by(DataSetEntry, "data_set", found.id).values())


@implements(Entries.get)
async def get(call: Call, vm: ids.VirtualMachineId, data_set: ids.VcenterVmDataSetId, key: Key) -> str:
    """The value of a key.

    :raises Unauthorized: the access mode for hosts does not allow it.
    """
    found = readable(call, vm, data_set)
    return require_entry(call.get(DataSetEntry, entry_id(found.id, key)), key).value


@implements(Entries.set)
async def set_(call: Call, vm: ids.VirtualMachineId, data_set: ids.VcenterVmDataSetId, key: Key, value: str) -> None:
    """Give a key a value, whether or not it has one.

    :raises Unauthorized: the access mode for hosts does not allow it.
    :raises UnableToAllocateResource: the VM's entries would take more than they may.
    """
    target = require_machine(call, vm)
    require_sizes(key, value)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        found = writable(edit, current, data_set)
        identity = entry_id(found.id, key)
        old = edit.get(DataSetEntry, identity)
        more = size(key) + size(value) - (0 if old is None else size(old.key) + size(old.value))
        used = sum(each.used for each in call.unfiltered.by(DataSet, "owner", current.id).values())
        if more > 0 and not edit.take(f"data-set-bytes/{current.id}", more, MOST_BYTES - used):
            raise UnableToAllocateResource(
                message(
                    "resphere.vm.data_set.full",
                    "The data sets of a VM hold {0} bytes at most.",
                    MOST_BYTES,
                )
            )
        edit.put(DataSetEntry(id=identity, data_set=found.id, key=key, value=value))
        edit.put(msgspec.structs.replace(found, used=found.used + more))

    await call.change("VirtualMachine.setDataSetEntry", target, plan, require_changeable)


@implements(Entries.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, data_set: ids.VcenterVmDataSetId, key: Key) -> None:
    """Take a key out of a data set.

    :raises Unauthorized: the access mode for hosts does not allow it.
    """
    target = require_machine(call, vm)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        found = writable(edit, current, data_set)
        entry = require_entry(edit.get(DataSetEntry, entry_id(found.id, key)), key)
        edit.delete(DataSetEntry, entry.id)
        edit.put(msgspec.structs.replace(found, used=found.used - size(entry.key) - size(entry.value)))

    await call.change("VirtualMachine.deleteDataSetEntry", target, plan, require_changeable)


def require_sizes(key: str, value: str) -> None:
    """Refuse a key without text, and what is too long."""
    if not 0 < size(key) <= LONGEST_KEY_BYTES:
        raise invalid("key", f"must have 1 to {LONGEST_KEY_BYTES} bytes")
    if size(value) > LONGEST_VALUE_BYTES:
        raise invalid("value", f"must not be longer than {LONGEST_VALUE_BYTES} bytes")


def size(text: str) -> int:
    """Bytes of a text."""
    return len(text.encode("utf-8", "surrogatepass"))


def readable(call: Call, vm: str, data_set: str) -> DataSet:
    """The data set, which hosts must be allowed to read."""
    require_machine(call, vm)
    found = require_data_set(call.get(DataSet, data_set_id(vm, data_set)), data_set)
    if found.host is DataSets.Access.NONE:
        raise no_access(found)
    return found


def writable(edit: Edit, vm: VirtualMachine, data_set: str) -> DataSet:
    """The data set, which hosts must be allowed to write."""
    found = require_data_set(edit.get(DataSet, data_set_id(vm.id, data_set)), data_set)
    if found.host is not DataSets.Access.READ_WRITE:
        raise no_access(found)
    edit.rely_on(vm)  # whose state allows it
    return found


def require_entry(found: DataSetEntry | None, key: str) -> DataSetEntry:
    """The entry.

    :raises NotFound: there is none.
    """
    if found is None:
        raise NotFound(message("resphere.vm.data_set.no_entry", "The data set has no entry '{0}'.", key[:200]))
    return found


def no_access(data_set: DataSet) -> Unauthorized:
    """The refusal by a data set's access mode."""
    return Unauthorized(
        message(
            "resphere.vm.data_set.access",
            "The access mode of the data set '{0}' for hosts is {1}.",
            data_set.name,
            data_set.host.value,
        )
    )
