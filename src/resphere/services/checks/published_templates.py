"""VM templates on their way to libraries of this server that subscribe: each gets a machine of its own, cloned to where
its subscription says."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

import msgspec

from resphere.contract.errors import VapiError
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.contract.mentions import nothing, told
from resphere.inventory.content.items import LibraryItem, TemplateVersion, name_key
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.subscriptions import LibrarySubscription
from resphere.inventory.effects import CloneVm
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.rules.content_names import LONGEST_ITEM_NAME
from resphere.rules.machines.copies import copied
from resphere.rules.machines.new_machine import Identity, new_identity
from resphere.rules.machines.templates import AS_IT_IS, Hardware, Layout, disk_targets, needs_with, with_hardware
from resphere.rules.names import is_free
from resphere.rules.placement.resolution import CLONE, folder_of, places_of, resolve, wanted
from resphere.services.call import Call
from resphere.services.checks.content import require, require_changeable
from resphere.services.checks.vm_templates import being_changed, delete_machine, delete_templates, require_template
from resphere.tasks.change import Change, Decision
from resphere.tasks.job import TaskJob

log = logging.getLogger(__name__)


async def publish_templates(
    call: Call, items: Iterable[LibraryItem], subscriptions: Iterable[LibrarySubscription]
) -> None:
    """Have subscribers get those of the items that are templates, where they have not got them as they are: that goes
    on behind, as tasks. What a subscriber cannot get keeps no other from it; its subscription says why."""
    templates = [item for item in items if item.template is not None]
    for subscription in subscriptions:
        for item in templates:
            await call.unfiltered.change(partial(note, item.id, subscription, None))
            try:
                await publish_template(call, item, subscription)
            except VapiError as error:
                await note_refusal(call, item, subscription, error)


async def note_refusal(call: Call, item: LibraryItem, subscription: LibrarySubscription, error: VapiError) -> None:
    """Have the subscription say why a template is not published to it."""
    # Who reads of it may know of fewer objects than who publishes.
    why = "; ".join(told(each, nothing).default_message for each in error.messages)
    log.warning("%s was not published to %s: %s", item.id, subscription.subscriber, why)
    await call.unfiltered.change(partial(note, item.id, subscription, why))


def note(item: str, subscription: LibrarySubscription, why: str | None, edit: Edit) -> None:
    """Write down why an item is not published, or that it is tried; what is no more is not told of any longer."""
    current = edit.get(LibrarySubscription, subscription.id)
    if current is None:
        return
    others = {id: each for id, each in current.refused.items() if id != item and edit.get(LibraryItem, id) is not None}
    new = msgspec.structs.replace(current, refused=others if why is None else {**others, item: why})
    if new != current:
        edit.put(new)


async def retire_templates(call: Call, publisher: Library, subscriptions: Iterable[LibrarySubscription]) -> None:
    """Delete what subscribers have of templates that the publisher has no more, with their machines. What cannot be
    deleted now keeps no other from it, and goes another time; the log says why."""
    for subscription in subscriptions:
        for twin in list(call.unfiltered.by(LibraryItem, "library", subscription.subscriber).values()):
            if twin.template is None or not is_orphan(call.unfiltered, twin, publisher):
                continue
            try:
                await delete_templates(call, twin, partial(require_orphan, twin=twin, publisher=publisher))
            except VapiError as error:
                words = "; ".join(each.default_message for each in error.messages)
                log.warning("%s, which its publisher has no more, was not deleted: %s", twin.id, words)


def is_orphan(among: Lookup, twin: LibraryItem, publisher: Library) -> bool:
    """Whether the publisher has no such item any more."""
    source = among.get(LibraryItem, twin.source or "")
    return source is None or source.library != publisher.id


def require_orphan(edit: Edit, twin: LibraryItem, publisher: Library) -> None:
    """Refuse to delete what somebody has changed, or the publisher has.

    :raises NotAllowedInCurrentState: it is so.
    """
    current = require(edit, LibraryItem, twin.id)
    require_changeable(require(edit, Library, current.library))
    if not is_orphan(edit, current, publisher):
        raise being_changed(twin)


async def publish_template(call: Call, item: LibraryItem, subscription: LibrarySubscription) -> None:
    """Have one subscriber get one template: as a new item, or as the next content of the one that it has of it.

    :raises VapiError: no machine can be made there, or the library takes none now.
    """
    twin = twin_of(call, item, subscription.subscriber)
    if twin is not None and twin.template is not None and twin.content_version == item.content_version:
        await tell(call, item, twin)
        return
    if twin is not None and twin.previous is not None:
        await delete_machine(call, twin.previous.vm, lambda edit: unchanged(edit, twin))
    entry_id = ids.ContentLibraryItemId(call.new_uuid() if twin is None else twin.id)
    identity, mark = new_identity(call.environment.random_bytes), f" ({call.new_uuid()[:8]})"

    def decide(edit: Edit, current: VirtualMachine) -> Decision[None]:
        source = require_template(edit, item.id)
        if source.template != current.id:
            raise being_changed(source)
        library = require(edit, Library, subscription.subscriber)
        require_changeable(library)
        for each in (source, current, library):
            edit.rely_on(each)
        entry = entry_of(call, edit, source, library, entry_id, mark)
        vm = machine_for(call, edit, current, entry.name, library, subscription, identity, mark)
        return Decision(
            CloneVm(source=current, vm=vm, item=msgspec.structs.replace(entry, template=ids.VirtualMachineId(vm.id))),
            None,
        )

    async def work(job: TaskJob[VirtualMachine]) -> None:
        try:
            await Change(call.provider, call.unfiltered, job, decide).carry_out()
        except VapiError as error:
            await note_refusal(call, item, subscription, error)
            raise

    target = call.referred(VirtualMachine, item.template or "")
    await call.launch_work("VirtualMachine.clone", target, work, cancelable=True, exclusive=False)


def twin_of(call: Call, item: LibraryItem, library: str) -> LibraryItem | None:
    """What a library has of an item already."""
    twins = call.unfiltered.by(LibraryItem, "source", item.id).values()
    return next((twin for twin in twins if twin.library == library), None)


def entry_of(
    call: Call, edit: Edit, source: LibraryItem, library: Library, id: ids.ContentLibraryItemId, mark: str
) -> LibraryItem:
    """The subscriber's item, without its machine; its content before stays as the previous version."""
    now, before = call.environment.now(), edit.get(LibraryItem, id)
    others = call.unfiltered.by(LibraryItem, "library_name", name_key(library.id, source.name))
    name = source.name if not any(other != id for other in others) else marked(source.name, mark)
    previous = None
    if before is not None:
        edit.rely_on(before)
        if before.template is not None:
            previous = TemplateVersion(vm=before.template, version=before.content_version)
    return LibraryItem(
        id=id,
        library=library.id,
        name=name,
        description=source.description,
        type=source.type,
        created=now if before is None else before.created,
        modified=now,
        content_version=source.content_version,
        metadata_version=source.metadata_version,
        version=1 if before is None else before.version + 1,
        previous=previous,
        source=source.id,
        last_synced=now,
    )


def machine_for(
    call: Call,
    edit: Edit,
    template: VirtualMachine,
    name: str,
    library: Library,
    subscription: LibrarySubscription,
    identity: Identity,
    mark: str,
) -> VirtualMachine:
    """The subscriber's machine: where the subscription says, else where the template is, on the library's datastore.

    :raises VapiError: there is no such place, or it takes no machines.
    """
    inventory, placement = call.unfiltered, subscription.placement
    where = msgspec.structs.replace(wanted(placement), datastore=library.datastore)
    folder = folder_of(inventory, where, template)
    call.require_use(folder)
    disks = disk_targets(inventory, template, Layout(), AS_IT_IS, library.datastore)
    hardware = on_network(template, placement.network)
    needs = needs_with(inventory, template, disks, hardware)
    place = resolve(inventory, where, present=template, needs=needs, rules=CLONE, usable=call.may_use)
    free = name if is_free(inventory, folder, name) else marked(name, mark)
    id = edit.new_id(VirtualMachine.id_prefix)
    vm = copied(inventory, template, id, free, place, disks, identity)
    call.require_use(*places_of(inventory, vm), *disks.values())
    return msgspec.structs.replace(with_hardware(inventory, vm, hardware), template=True)


def on_network(template: VirtualMachine, network: str | None) -> Hardware:
    """What has all adapters of a machine be on a network, if one is named."""
    if network is None:
        return AS_IT_IS
    update = LibraryItems.EthernetUpdateSpec(network=ids.NetworkId(network))
    return Hardware(nics=dict.fromkeys(template.nics, update))


def marked(name: str, mark: str) -> str:
    """A name that nothing else has."""
    return name[: LONGEST_ITEM_NAME - len(mark)] + mark


def unchanged(edit: Edit, twin: LibraryItem) -> None:
    """Refuse to go on where somebody else has changed an item.

    :raises NotAllowedInCurrentState: somebody has.
    """
    current = require(edit, LibraryItem, twin.id)
    if current.previous != twin.previous:
        raise being_changed(twin)


async def tell(call: Call, item: LibraryItem, twin: LibraryItem) -> None:
    """Have a subscriber's item be called and described as the one that it is of."""

    def plan(edit: Edit) -> None:
        current = edit.get(LibraryItem, twin.id)
        if current is None:
            return
        others = call.unfiltered.by(LibraryItem, "library_name", name_key(current.library, item.name))
        name = current.name if any(other != current.id for other in others) else item.name
        new = msgspec.structs.replace(
            current, name=name, description=item.description, metadata_version=item.metadata_version
        )
        if new != current:
            now = call.environment.now()
            edit.put(msgspec.structs.replace(new, version=current.version + 1, modified=now, last_synced=now))

    await call.unfiltered.change(plan)
