"""``com.vmware.vcenter.vm_template.library_items.check_outs``: machines that are checked out of templates."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import (
    NotAllowedInCurrentState,
    ResourceInaccessible,
    UnableToAllocateResource,
    message,
)
from resphere.contract.generated import ids, vcenter_vm
from resphere.contract.generated.vcenter_vm_template_library_items import CheckOuts
from resphere.inventory.content.items import LibraryItem, TemplateVersion
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.templates import CheckOut
from resphere.inventory.effects import CloneVm, DeleteVm
from resphere.inventory.mentions import named
from resphere.inventory.model import Snapshot, VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.machines.copies import copied
from resphere.rules.machines.deletion import may_delete, require_accessible
from resphere.rules.machines.new_machine import new_identity
from resphere.rules.machines.power_states import powered_off
from resphere.rules.machines.templates import AS_IT_IS, Layout, disk_targets, needs_with
from resphere.rules.names import is_free, require_free, require_name
from resphere.rules.placement.power_on import running_place
from resphere.rules.placement.resolution import CLONE, folder_of, places_of, resolve, wanted
from resphere.services.call import Call
from resphere.services.checks.content import require, require_changeable
from resphere.services.checks.vm_templates import (
    being_changed,
    delete_machine,
    is_checked_out,
    machine_of,
    note_change,
    require_own,
    require_template,
    wrong_machine,
)
from resphere.services.registry import implements
from resphere.tasks.change import Decision

OFF = vcenter_vm.Power.State.POWERED_OFF
ItemId = ids.ContentLibraryItemId
VmId = ids.VirtualMachineId


@implements(CheckOuts.list, kept=True)
async def list_(call: Call, template_library_item: ItemId) -> tuple[CheckOuts.Summary, ...]:
    """The machine that is checked out of the item, if there is one and the caller sees it."""
    item = require_template(call, template_library_item)
    found = call.by(CheckOut, "item", item.id)
    return tuple(CheckOuts.Summary(vm=VmId(vm)) for vm in found if call.get(VirtualMachine, vm) is not None)


@implements(CheckOuts.get, kept=True)
async def get(call: Call, template_library_item: ItemId, vm: VmId) -> CheckOuts.Info:
    """Who has checked the machine out, and when.

    :raises InvalidArgument: the item is no template, or the machine is not checked out of it.
    """
    item = require_template(call, template_library_item)
    machine = call.require(VirtualMachine, vm)
    found = call.get(CheckOut, vm)
    if found is None or found.item != item.id:
        raise wrong_machine(item, machine)
    return CheckOuts.Info(time=found.time, user=found.user)


@implements(CheckOuts.check_out)
async def check_out(call: Call, template_library_item: ItemId, spec: CheckOuts.CheckOutSpec | None) -> VmId:
    """A VM like the item's template, to be changed and checked in. One at a time is checked out of an item.

    Without a placement it stands where the template does; without a name it is called after the item.

    :raises AlreadyExists: something in the folder has the name.
    :raises InvalidArgument: the item is no template, or is one of a subscribed library, or the placement asks for what
        cannot be.
    :raises NotFound: the item, or something that the spec names.
    :raises ResourceInaccessible: the library is in maintenance; the host takes no VMs now, or a datastore is not
        accessible.
    :raises UnableToAllocateResource: a VM is checked out already; no host, or no room on a datastore.
    """
    given = spec or CheckOuts.CheckOutSpec()
    template = machine_of(call, require_template(call, template_library_item))
    if given.name is not None:
        require_name(given.name, "virtual machine")
    inventory, where = call.unfiltered, wanted(given.placement)
    identity = new_identity(call.environment.random_bytes)

    def decide(edit: Edit, current: VirtualMachine) -> Decision[VmId]:
        item = require_template(edit, template_library_item)
        library = require(edit, Library, item.library)
        for each in (item, library, current):
            edit.rely_on(each)
        require_own(item, library)
        require_free_to_check_out(call, item, library)
        folder = folder_of(inventory, where, current)
        call.require_use(folder)
        name = given.name or next(
            name for number in range(1, 10_000) if is_free(inventory, folder, name := f"{item.name[:70]}-{number}")
        )
        require_free(inventory, folder, name)
        disks = disk_targets(inventory, current, Layout(), AS_IT_IS)
        needs = needs_with(inventory, current, disks, AS_IT_IS)
        place = resolve(inventory, where, present=current, needs=needs, rules=CLONE, usable=call.may_use)
        id = VmId(edit.new_id(VirtualMachine.id_prefix))
        vm = copied(inventory, current, id, name, place, disks, identity)
        call.require_use(*places_of(inventory, vm), *disks.values())
        if given.powered_on:
            vm = msgspec.structs.replace(vm, host=running_place(inventory, powered_off(vm)).id)
        note = CheckOut(id=id, item=item.id, user=call.session.user, time=call.environment.now())
        effect = CloneVm(source=current, vm=vm, power_on=bool(given.powered_on), check_out=note)
        return Decision(effect, id, reports=True)

    return await call.run("VirtualMachine.clone", template, decide, cancelable=True, exclusive=False)


@implements(CheckOuts.check_in)
async def check_in(
    call: Call, template_library_item: ItemId, vm: VmId, spec: CheckOuts.CheckInSpec | None
) -> ids.ContentLibraryItemVersionId:
    """Make the machine the template of the item, which gets a new version; the template that was is kept as the
    previous one, and the one that was before that is deleted.

    :raises InvalidArgument: the item is no template, or the machine is not checked out of it.
    :raises NotAllowedInCurrentState: the machine is not off, or has snapshots; the library is in maintenance.
    """
    item = require_template(call, template_library_item)
    machine = call.require(VirtualMachine, vm)

    def guard(edit: Edit, current: VirtualMachine) -> LibraryItem:
        present = require_template(edit, template_library_item)
        library = require(edit, Library, present.library)
        edit.rely_on(library)
        require_changeable(library)
        require_checked_out(edit, present, current)
        if current.power_state is not OFF or call.unfiltered.by(Snapshot, "parent", vm):
            raise NotAllowedInCurrentState(
                message(
                    "resphere.content.check_in",
                    "The virtual machine {0} cannot be checked in: it must be powered off and have no snapshots.",
                    named(current),
                )
            )
        edit.rely_on_referrers(vm)
        return present

    def plan(edit: Edit, current: VirtualMachine) -> ids.ContentLibraryItemVersionId:
        present = guard(edit, current)
        if present.previous is not None or present.template is None:
            raise being_changed(present)
        new = msgspec.structs.replace(
            present,
            template=vm,
            previous=TemplateVersion(vm=present.template, version=present.content_version),
            content_version=present.content_version + 1,
            modified=call.environment.now(),
        )
        edit.delete(CheckOut, vm)
        edit.put(msgspec.structs.replace(current, template=True))
        edit.put(new)
        note_change(call, edit, new, spec.message if spec is not None else None)
        return ids.ContentLibraryItemVersionId(str(new.content_version))

    def still(edit: Edit) -> None:
        current = edit.get(VirtualMachine, vm)
        if current is None:
            raise wrong_machine(item, machine)
        guard(edit, current)

    if item.previous is not None:
        await delete_machine(call, item.previous.vm, still)
    return await call.change("VirtualMachine.markAsTemplate", machine, plan)


@implements(CheckOuts.delete)
async def delete(call: Call, template_library_item: ItemId, vm: VmId) -> None:
    """Delete the machine that is checked out, with what was changed in it.

    :raises InvalidArgument: the item is no template, or the machine is not checked out of it.
    :raises NotAllowedInCurrentState: the machine is not off.
    :raises ResourceInaccessible: its datastore is not accessible.
    """
    item = require_template(call, template_library_item)
    machine = call.require(VirtualMachine, vm)

    def decide(edit: Edit, current: VirtualMachine) -> Decision[None]:
        require_checked_out(edit, item, current)
        may_delete(current)
        require_accessible(call.unfiltered, current)
        return Decision(DeleteVm(vm=current), None)

    await call.run("VirtualMachine.destroy", machine, decide)


def require_free_to_check_out(call: Call, item: LibraryItem, library: Library) -> None:
    """Refuse to check out of an item that has something checked out, or whose library does not allow it.

    :raises UnableToAllocateResource: a machine is checked out.
    :raises ResourceInaccessible: the library is in maintenance, or has lost its place.
    """
    try:
        require_changeable(library)
    except NotAllowedInCurrentState as error:
        raise ResourceInaccessible(*error.messages) from error
    if is_checked_out(call, item):
        raise UnableToAllocateResource(
            message(
                "resphere.content.checked_out", "A virtual machine is checked out of the library item {0}.", item.name
            )
        )


def require_checked_out(edit: Edit, item: LibraryItem, vm: VirtualMachine) -> CheckOut:
    """That the machine is checked out of the item.

    :raises InvalidArgument: it is not.
    """
    found = edit.get(CheckOut, vm.id)
    if found is None or found.item != item.id:
        raise wrong_machine(item, vm)
    edit.rely_on(found)
    return found
