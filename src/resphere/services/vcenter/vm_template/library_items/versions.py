"""``com.vmware.vcenter.vm_template.library_items.versions``: the template of an item, and the one before it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound, ResourceInaccessible, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_template_library_items import Versions
from resphere.inventory.content.items import LibraryItem, TemplateVersion
from resphere.inventory.content.libraries import Library
from resphere.inventory.effects import DeleteVm
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.machines.deletion import require_accessible
from resphere.services.call import Call
from resphere.services.checks.content import require, require_changeable
from resphere.services.checks.vm_templates import note_change, require_not_checked_out, require_own, require_template
from resphere.services.registry import implements
from resphere.tasks.change import Decision

ItemId = ids.ContentLibraryItemId
VersionId = ids.ContentLibraryItemVersionId


@implements(Versions.list, kept=True)
async def list_(call: Call, template_library_item: ItemId) -> tuple[Versions.Summary, ...]:
    """The versions whose machines are there, the latest first: two at most, those that the caller sees."""
    item = require_template(call, template_library_item)
    return tuple(
        Versions.Summary(version=VersionId(str(each.version)), vm_template=each.vm)
        for each in versions_of(item)
        if call.get(VirtualMachine, each.vm) is not None
    )


@implements(Versions.get, kept=True)
async def get(call: Call, template_library_item: ItemId, version: VersionId) -> Versions.Info:
    """The machine of a version.

    :raises InvalidArgument: the item is no template.
    :raises NotFound: the item has no such version any more.
    """
    found = require_version(require_template(call, template_library_item), version)
    return Versions.Info(vm_template=call.require(VirtualMachine, found.vm).id)


@implements(Versions.rollback)
async def rollback(
    call: Call, template_library_item: ItemId, version: VersionId, spec: Versions.RollbackSpec | None
) -> VersionId:
    """Make the previous template the item's again, in a new version; the one that was is the previous one then.

    :raises InvalidArgument: the item is no template, or is one of a subscribed library, or the version is its latest.
    :raises NotAllowedInCurrentState: a VM is checked out of the item, or the library is in maintenance.
    :raises NotFound: the item has no such version any more.
    """

    def plan(edit: Edit) -> VersionId:
        item = require_template(edit, template_library_item)
        chosen = require_previous(item, version)
        library = require(edit, Library, item.library)
        edit.rely_on(library)
        require_own(item, library)
        require_changeable(library)
        require_not_checked_out(call, edit, item)
        replaced = next(versions_of(item))
        new = msgspec.structs.replace(
            item,
            template=chosen.vm,
            previous=replaced,
            content_version=item.content_version + 1,
            modified=call.environment.now(),
        )
        edit.put(new)
        note_change(call, edit, new, spec.message if spec is not None else None)
        return VersionId(str(new.content_version))

    return await call.settle(plan)


@implements(Versions.delete)
async def delete(call: Call, template_library_item: ItemId, version: VersionId) -> None:
    """Delete the machine of the previous version.

    :raises InvalidArgument: the item is no template, or the version is its latest.
    :raises NotFound: the item has no such version any more.
    :raises ResourceInaccessible: the library is in maintenance, or the machine's datastore is not accessible.
    """
    chosen = require_previous(require_template(call, template_library_item), version)

    def decide(edit: Edit, current: VirtualMachine) -> Decision[None]:
        item = require_template(edit, template_library_item)
        edit.rely_on(item)
        require_previous(item, version)
        library = require(edit, Library, item.library)
        edit.rely_on(library)
        try:
            require_changeable(library)
        except NotAllowedInCurrentState as error:
            raise ResourceInaccessible(*error.messages) from error
        require_accessible(call.unfiltered, current)
        return Decision(DeleteVm(vm=current), None)

    await call.run("VirtualMachine.destroy", call.referred(VirtualMachine, chosen.vm), decide)


def versions_of(item: LibraryItem) -> Iterator[TemplateVersion]:
    """The versions whose machines are there, the latest first."""
    if item.template is not None:
        yield TemplateVersion(vm=item.template, version=item.content_version)
    if item.previous is not None:
        yield item.previous


def require_version(item: LibraryItem, version: str) -> TemplateVersion:
    """The item's version of that name.

    :raises NotFound: there is none any more.
    """
    for each in versions_of(item):
        if str(each.version) == version:
            return each
    raise NotFound(
        message("resphere.content.no_version", "The library item {0} has no version {1} any more.", item.name, version)
    )


def require_previous(item: LibraryItem, version: str) -> TemplateVersion:
    """The item's version of that name, which must not be its latest.

    :raises NotFound: there is none any more.
    :raises InvalidArgument: it is the latest.
    """
    found = require_version(item, version)
    if found != item.previous:
        raise InvalidArgument(
            message("resphere.content.latest_version", "The version {0} is the latest of {1}.", version, item.name)
        )
    return found
