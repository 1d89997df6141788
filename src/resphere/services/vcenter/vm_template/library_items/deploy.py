"""``com.vmware.vcenter.vm_template.library_items``: deploy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.effects import CloneVm
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tagging import Category, Tag, tag_name_key
from resphere.replica.edit import Edit
from resphere.rules.guests.customization import pending
from resphere.rules.guests.fitting import require_fitting
from resphere.rules.machines.copies import copied
from resphere.rules.machines.new_machine import new_identity
from resphere.rules.machines.power_states import powered_off
from resphere.rules.machines.templates import (
    AS_IT_IS,
    disk_targets,
    layout_of,
    needs_with,
    with_hardware,
    with_layout,
)
from resphere.rules.names import require_free, require_name
from resphere.rules.placement.power_on import running_place
from resphere.rules.placement.resolution import CLONE, folder_of, places_of, resolve, wanted
from resphere.services.call import Call
from resphere.services.checks.vm_templates import machine_of, require_template
from resphere.services.cis.tagging.attaching import Attaching
from resphere.services.registry import implements
from resphere.services.vcenter.guest.customization_specs import require_item
from resphere.tasks.change import Decision


@implements(LibraryItems.deploy)
async def deploy(
    call: Call, template_library_item: ids.ContentLibraryItemId, spec: LibraryItems.DeploySpec
) -> ids.VirtualMachineId:
    """A VM like the item's template, with files and an identity of its own. What the spec leaves open of its storage is
    as in the template, and its description that of the item.

    :raises AlreadyExists: something in the folder has the name.
    :raises InvalidArgument: the item is no template, or placement, hardware, customization or tags ask for what cannot
        be.
    :raises NotFound: the item, or something that the spec names.
    :raises ResourceInaccessible: the host takes no VMs now, or a datastore is not accessible.
    :raises UnableToAllocateResource: no host, or no room on a datastore.
    """
    item = require_template(call, template_library_item)
    template = machine_of(call, item)
    require_name(spec.name, "virtual machine")
    if spec.placement is None:
        raise InvalidArgument(message("resphere.vm.template.placement", "spec.placement: must be set."))
    customization = spec.guest_customization
    settings = require_item(call, customization.name).spec if customization and customization.name else None
    inventory, layout = call.unfiltered, layout_of(spec)
    where = msgspec.structs.replace(wanted(spec.placement), datastore=layout.home.datastore)
    hardware, identity = spec.hardware_customization or AS_IT_IS, new_identity(call.environment.random_bytes)
    tags = tuple(tags_of(call, spec.tags or ()))

    def decide(edit: Edit, current: VirtualMachine) -> Decision[ids.VirtualMachineId]:
        entry = require_template(edit, template_library_item)
        edit.rely_on(entry)
        edit.rely_on(current)
        folder = folder_of(inventory, where, current)
        call.require_use(folder)
        require_free(inventory, folder, spec.name)
        disks = disk_targets(inventory, current, layout, hardware)
        needs = needs_with(inventory, current, disks, hardware)
        place = resolve(inventory, where, present=current, needs=needs, rules=CLONE, usable=call.may_use)
        id = edit.new_id(VirtualMachine.id_prefix)
        vm = copied(inventory, current, id, spec.name, place, disks, identity)
        call.require_use(*places_of(inventory, vm), *disks.values())
        vm = with_hardware(inventory, with_layout(inventory, vm, layout), hardware)
        vm = msgspec.structs.replace(vm, annotation=description_of(spec, entry))
        if settings is not None:
            require_fitting(vm, settings)
        if spec.powered_on:
            vm = msgspec.structs.replace(vm, host=running_place(inventory, powered_off(vm)).id)
        effect = CloneVm(
            source=current,
            vm=vm,
            power_on=bool(spec.powered_on),
            customization=pending(vm.id, settings) if settings is not None else None,
        )
        return Decision(effect, ids.VirtualMachineId(vm.id), reports=True)

    made = await call.run("VirtualMachine.clone", template, decide, cancelable=True, exclusive=False)
    if tags:
        await attach(call, made, tags)
    return made


def description_of(spec: LibraryItems.DeploySpec, item: LibraryItem) -> str:
    """What the new VM is said to be."""
    return item.description if spec.description is None else spec.description


def tags_of(call: Call, given: Iterable[LibraryItems.TagSpec]) -> Iterator[Tag]:
    """The tags that a spec names by id, or by their name and that of their category.

    :raises InvalidArgument: there is none such.
    """
    for spec in given:
        name, found = spec.tag_name_spec, None
        if spec.tag_id is not None:
            found = call.unfiltered.get(Tag, spec.tag_id)
        elif name is not None:
            for category in call.unfiltered.by(Category, "name", name.category_name):
                named = call.unfiltered.by(Tag, "category_name", tag_name_key(category, name.tag_name))
                found = next(iter(named.values()), found)
        if found is None:
            raise InvalidArgument(
                message(
                    "resphere.vm.template.tag",
                    "spec.tags: there is no tag {0}.",
                    spec.tag_id
                    or (f"{name.tag_name} in the category {name.category_name}" if name else "without name"),
                )
            )
        yield found


async def attach(call: Call, vm: str, tags: Iterable[Tag]) -> None:
    """Give a new VM its tags."""

    def plan(edit: Edit) -> None:
        attaching, target = Attaching(edit, call.unfiltered), edit.get(VirtualMachine, vm)
        for tag in tags:
            if target is not None and edit.get(Tag, tag.id) is not None:
                attaching.attach(tag, target)

    await call.unfiltered.change(plan)
