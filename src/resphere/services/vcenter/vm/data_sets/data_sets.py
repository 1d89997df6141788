"""``com.vmware.vcenter.vm.data_sets``: sets of entries that a VM shares with its guest."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceInUse,
    UnableToAllocateResource,
    Unsupported,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import DataSets
from resphere.inventory.data_sets import DataSet, DataSetEntry, data_set_id
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.hardware.devices import require_not_suspended
from resphere.services.call import Call
from resphere.services.registry import implements

OLDEST_VERSION = 20
"""Virtual hardware has data sets since vSphere 8.0."""
LONGEST_NAME = 255
LONGEST_DESCRIPTION_BYTES = 1024
MOST_DATA_SETS = 1024


@implements(DataSets.list)
async def list_(call: Call, vm: ids.VirtualMachineId) -> tuple[DataSets.Summary, ...]:
    """The VM's data sets, by name."""
    require_machine(call, vm)
    found = call.by(DataSet, "owner", vm).values()
    return tuple(
        DataSets.Summary(
            data_set=ids.VcenterVmDataSetId(data_set.name), name=data_set.name, description=data_set.description
        )
        for data_set in sorted(found, key=lambda each: each.name)
    )


@implements(DataSets.get)
async def get(call: Call, vm: ids.VirtualMachineId, data_set: ids.VcenterVmDataSetId) -> DataSets.Info:
    """One data set; its id is its name."""
    require_machine(call, vm)
    found = require_data_set(call.get(DataSet, data_set_id(vm, data_set)), data_set)
    return DataSets.Info(
        name=found.name,
        description=found.description,
        host=found.host,
        guest=found.guest,
        used=found.used,
        omit_from_snapshot_and_clone=found.omitted,
    )


@implements(DataSets.create)
async def create(call: Call, vm: ids.VirtualMachineId, spec: DataSets.CreateSpec) -> ids.VcenterVmDataSetId:
    """Make a data set.

    :raises AlreadyExists: the VM has one of that name.
    """
    target = require_machine(call, vm)
    require_name(spec.name)
    require_description(spec.description)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        identity = data_set_id(current.id, spec.name)
        if edit.get(DataSet, identity) is not None:
            raise AlreadyExists(
                message("resphere.vm.data_set.exists", "{0} has a data set named '{1}' already.", vm, spec.name)
            )
        left = MOST_DATA_SETS - len(call.unfiltered.by(DataSet, "owner", current.id))
        if not edit.take(f"data-sets/{current.id}", 1, left):
            raise UnableToAllocateResource(
                message("resphere.vm.data_set.too_many", "A virtual machine has {0} data sets at most.", MOST_DATA_SETS)
            )
        edit.put(
            DataSet(
                id=identity,
                owner=current.id,
                machine=current.id,
                name=spec.name,
                description=spec.description,
                host=spec.host,
                guest=spec.guest,
                omitted=bool(spec.omit_from_snapshot_and_clone),
            )
        )

    await call.change("VirtualMachine.createDataSet", target, plan, require_changeable)
    return ids.VcenterVmDataSetId(spec.name)


@implements(DataSets.update)
async def update(
    call: Call, vm: ids.VirtualMachineId, data_set: ids.VcenterVmDataSetId, spec: DataSets.UpdateSpec
) -> None:
    """Change those attributes of a data set that are given."""
    target = require_machine(call, vm)
    if spec.description is not None:
        require_description(spec.description)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        found = require_data_set(edit.get(DataSet, data_set_id(current.id, data_set)), data_set)
        edit.rely_on(current)  # whose state allows it
        given = {
            "description": spec.description,
            "host": spec.host,
            "guest": spec.guest,
            "omitted": spec.omit_from_snapshot_and_clone,
        }
        edit.put(msgspec.structs.replace(found, **{name: value for name, value in given.items() if value is not None}))

    await call.change("VirtualMachine.updateDataSet", target, plan, require_changeable)


@implements(DataSets.delete)
async def delete(call: Call, vm: ids.VirtualMachineId, data_set: ids.VcenterVmDataSetId, force: bool | None) -> None:
    """Delete a data set, with its entries only where ``force`` says so.

    :raises ResourceInUse: it has entries.
    """
    target = require_machine(call, vm)

    def plan(edit: Edit, current: VirtualMachine) -> None:
        found = require_data_set(edit.get(DataSet, data_set_id(current.id, data_set)), data_set)
        if not force and call.unfiltered.by(DataSetEntry, "data_set", found.id):
            raise ResourceInUse(
                message("resphere.vm.data_set.not_empty", "The data set '{0}' has entries: use force.", data_set)
            )
        edit.rely_on(current)  # whose state allows it
        edit.delete(DataSet, found.id)

    await call.change("VirtualMachine.deleteDataSet", target, plan, require_changeable)


def require_machine(call: Call, vm: str) -> VirtualMachine:
    """The VM, whose virtual hardware must know data sets.

    :raises Unsupported: it is too old.
    """
    found = call.require(VirtualMachine, vm)
    if int(found.hardware.version.value.partition("_")[2]) < OLDEST_VERSION:
        raise Unsupported(
            message(
                "resphere.vm.data_set.hardware",
                "Data sets need virtual hardware of version {0} or later, and {1} has {2}.",
                OLDEST_VERSION,
                named(found),
                found.hardware.version.value,
            )
        )
    return found


def require_changeable(vm: VirtualMachine) -> None:
    """Refuse a suspended VM."""
    require_not_suspended(vm, "change data sets")


def require_data_set(found: DataSet | None, name: str) -> DataSet:
    """The data set.

    :raises NotFound: there is none.
    """
    if found is None:
        raise NotFound(message("resphere.vm.data_set.not_found", "There is no data set '{0}'.", name[:LONGEST_NAME]))
    return found


def require_name(name: str) -> None:
    """Refuse what cannot be a data set's name."""
    if not name.strip() or len(name) > LONGEST_NAME or "\0" in name:
        raise invalid("spec.name", f"must have 1 to {LONGEST_NAME} characters, and no NUL")


def require_description(text: str) -> None:
    """Refuse a description that is too long."""
    if len(text.encode("utf-8", "surrogatepass")) > LONGEST_DESCRIPTION_BYTES:
        raise invalid("spec.description", f"must not be longer than {LONGEST_DESCRIPTION_BYTES} bytes")


def invalid(field: str, why: str) -> InvalidArgument:
    """The refusal of a value."""
    return InvalidArgument(message("resphere.vm.data_set.invalid", "{0}: {1}.", field, why))
