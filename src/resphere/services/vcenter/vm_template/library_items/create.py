"""``com.vmware.vcenter.vm_template.library_items``: create."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, InvalidElementType, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.effects import CloneVm
from resphere.inventory.mentions import identified
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.content_names import LONGEST_DESCRIPTION, require_text
from resphere.rules.machines.copies import copied
from resphere.rules.machines.new_machine import new_identity
from resphere.rules.machines.templates import AS_IT_IS, disk_targets, layout_of, needs_with, with_layout
from resphere.rules.names import require_free, require_name
from resphere.rules.placement.resolution import CLONE, folder_of, places_of, resolve, wanted
from resphere.services.call import Call
from resphere.services.checks.content import require
from resphere.services.checks.vm_templates import TYPE
from resphere.services.content.library.item.item import require_room_for
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(LibraryItems.create)
async def create(call: Call, spec: LibraryItems.CreateSpec) -> ids.ContentLibraryItemId:
    """Make an item whose content is a template like a VM. Its files lie on the library's datastore, unless the spec
    names others; the item and its machine have one name.

    :raises AlreadyExists: the library has an item of that name, or the folder something.
    :raises InvalidArgument: the source is a template, the library gets its items from elsewhere, or the placement asks
        for what cannot be.
    :raises NotAllowedInCurrentState: the library is in maintenance, or has lost its place.
    :raises NotFound: the source, the library, or something that the spec names.
    :raises ResourceInaccessible: the host takes no VMs now, or a datastore is not accessible.
    :raises UnableToAllocateResource: no host, or no room on a datastore.
    """
    source = call.require(VirtualMachine, spec.source_vm)
    require_name(spec.name, "virtual machine")
    require_text("description", spec.description or "", LONGEST_DESCRIPTION)
    inventory, layout = call.unfiltered, layout_of(spec)
    identity, item = new_identity(call.environment.random_bytes), new_item(call, spec)

    def prepared(current: VirtualMachine, library: Library, id: str) -> VirtualMachine:
        if current.template:
            raise InvalidArgument(
                message(
                    "com.vmware.vdcs.vmtx-main.invalid_source_vm_template_not_supported",
                    "The source {0} is a template already.",
                    identified(current.id),
                )
            )
        where = msgspec.structs.replace(wanted(spec.placement), datastore=layout.home.datastore or library.datastore)
        folder = folder_of(inventory, where, current)
        call.require_use(folder)
        require_free(inventory, folder, spec.name)
        disks = disk_targets(inventory, current, layout, AS_IT_IS, library.datastore)
        needs = needs_with(inventory, current, disks, AS_IT_IS)
        place = resolve(inventory, where, present=current, needs=needs, rules=CLONE, usable=call.may_use)
        made = copied(inventory, current, id, spec.name, place, disks, identity)
        call.require_use(*places_of(inventory, made), *disks.values())
        made = with_layout(inventory, made, layout)
        return msgspec.structs.replace(made, template=True, annotation=spec.description or made.annotation)

    def decide(edit: Edit, current: VirtualMachine) -> Decision[ids.ContentLibraryItemId]:
        try:
            library = require_room_for(call, edit, item)
        except InvalidElementType as error:
            raise InvalidArgument(*error.messages) from error
        vm = prepared(current, library, edit.new_id(VirtualMachine.id_prefix))
        edit.rely_on(current)
        edit.rely_on(library)
        entry = msgspec.structs.replace(item, template=ids.VirtualMachineId(vm.id))
        return Decision(CloneVm(source=current, vm=vm, item=entry), item.id, reports=True)

    return await call.run("VirtualMachine.clone", source, decide, cancelable=True, exclusive=False)


def new_item(call: Call, spec: LibraryItems.CreateSpec) -> LibraryItem:
    """The item that a spec describes, without its machine.

    :raises NotFound: there is no such library.
    """
    now = call.environment.now()
    return LibraryItem(
        id=ids.ContentLibraryItemId(call.new_uuid()),
        library=require(call, Library, spec.library).id,
        name=spec.name,
        description=spec.description or "",
        type=TYPE,
        created=now,
        modified=now,
    )
