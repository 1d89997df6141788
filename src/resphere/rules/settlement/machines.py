"""Virtual machines that have come, gone, moved or changed."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import ResourceInaccessible, UnableToAllocateResource, VapiError, message
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.effects import (
    CloneVm,
    ConnectInstaller,
    CreateVm,
    CustomizeGuest,
    DeleteVm,
    DisconnectInstaller,
    InstantCloneVm,
    PowerOff,
    PowerOn,
    RebootGuest,
    ReconfigureVm,
    RegisterVm,
    RelocateVm,
    Reset,
    ShutDownGuest,
    Suspend,
    UnregisterVm,
    UpgradeTools,
)
from resphere.inventory.facts import Facts
from resphere.inventory.model import Snapshot, UnregisteredVm, VirtualMachine
from resphere.rules.admission import admit
from resphere.rules.belongings import move_belongings
from resphere.rules.custom_attributes import copy_values
from resphere.rules.data_sets import copy_data_sets
from resphere.rules.files import registered as as_registered
from resphere.rules.files import settle as settle_files
from resphere.rules.files import still_unmerged, unregister
from resphere.rules.image_files import drop_images, put_images
from resphere.rules.machines.power_states import powered_off, powered_on, suspended
from resphere.rules.relocation import arriving, arriving_beside, carry, followed, kept_by_snapshots, new_paths
from resphere.rules.settlement.settlement import Settlement, merged
from resphere.rules.storage_policies import with_known_policies
from resphere.rules.vapp import copy_configuration

Powered = PowerOn | PowerOff | Reset | Suspend | ShutDownGuest | RebootGuest
Changed = ConnectInstaller | DisconnectInstaller | UpgradeTools | CustomizeGuest


def created(s: Settlement, effect: CreateVm, facts: Facts, decided: CreateVm) -> None:
    """A new machine, whose files find room, on a host that can run it where it starts."""
    if effect.vapp is not None:
        s.edit.put(effect.vapp)
    if effect.start_on is not None:
        s.edit.rely_on(effect.start_on)
    s.note(facts)
    s.put_machine(None, facts.machine or (effect.vm if effect.start_on is None else powered_on(effect.vm)))
    put_images(s.inventory, s.edit, effect.vm, effect.images)


def deleted(s: Settlement, effect: DeleteVm, facts: Facts, decided: DeleteVm) -> None:
    """What belongs to the machine, its snapshots above all, goes with it."""
    s.note(facts)
    s.edit.delete(VirtualMachine, effect.vm.id)
    settle_files(s.inventory, s.edit, effect.vm, None)
    drop_images(s.inventory, s.edit, effect.vm)


def registered(s: Settlement, effect: RegisterVm, facts: Facts, decided: RegisterVm) -> None:
    """A machine that is back. Networks and policies that are gone meanwhile leave it without."""
    inventory, edit, files, snapshots = s.inventory, s.edit, effect.files, effect.snapshots
    edit.delete(UnregisteredVm, files.id)
    vm = with_known_policies(edit, facts.machine or effect.vm)
    edit.put(vm)
    move_belongings(inventory, edit, files.machine.id, vm.id, snapshots)
    placed = {"name": vm.name, "parent": vm.parent or "", "host": vm.host, "resource_pool": vm.resource_pool}
    for snapshot in files.snapshots:
        edit.put(
            msgspec.structs.replace(
                snapshot,
                id=snapshots[snapshot.id],
                parent=vm.id,
                parent_snapshot=snapshots.get(snapshot.parent_snapshot or ""),
                state=as_registered(inventory, files, snapshot.state, vm.id, snapshots, placed),
            )
        )
    s.note(facts)


def unregistered(s: Settlement, effect: UnregisterVm, facts: Facts, decided: UnregisterVm) -> None:
    """The machine's whole configuration stays with its files."""
    s.note(facts)
    unregister(s.inventory, s.edit, effect.vm)


def cloned(s: Settlement, effect: CloneVm, facts: Facts, decided: CloneVm) -> None:
    """A machine with data sets, a vApp configuration and custom attributes like the source's.

    :raises ResourceInaccessible: the library of which it becomes an item, or the item that it is checked out of, is no
        more.
    """
    copy_data_sets(s.inventory, s.edit, effect.source.id, effect.vm.id, effect.vm.id)
    copy_configuration(s.edit, effect.source.id, effect.vm.id, effect.vm.id)
    copy_values(s.inventory, s.edit, effect.source.id, effect.vm.id)
    if effect.item is not None:
        if s.edit.get(Library, effect.item.library) is None:
            raise gone("library")
        s.edit.put(effect.item)
    if effect.check_out is not None:
        if s.edit.get(LibraryItem, effect.check_out.item) is None:
            raise gone("library item")
        s.edit.put(effect.check_out)
    if effect.customization is not None:
        s.edit.put(effect.customization)
    s.note(facts)
    s.put_machine(None, facts.machine or (powered_on(effect.vm) if effect.power_on else powered_off(effect.vm)))


def gone(what: str) -> ResourceInaccessible:
    """The refusal of what has lost its place while work was under way."""
    return ResourceInaccessible(message("resphere.content.gone", "The {0} was deleted meanwhile.", what))


def instantly_cloned(s: Settlement, effect: InstantCloneVm, facts: Facts, decided: InstantCloneVm) -> None:
    """A machine that runs, with data sets and custom attributes like the source's."""
    copy_data_sets(s.inventory, s.edit, effect.source.id, effect.vm.id, effect.vm.id)
    copy_configuration(s.edit, effect.source.id, effect.vm.id, effect.vm.id)
    copy_values(s.inventory, s.edit, effect.source.id, effect.vm.id)
    s.note(facts)
    s.put_machine(None, facts.machine or effect.vm)


def relocated(s: Settlement, effect: RelocateVm, facts: Facts, decided: RelocateVm) -> None:
    """Another place, and other paths of files. The snapshots' files go along.

    :raises VapiError: no room: relocate declares nothing narrower.
    """
    inventory, edit, vm = s.inventory, s.edit, effect.before
    after = effect.after if facts.machine is None else merged(decided.before, facts.machine, vm)
    s.note(facts)
    snapshots = inventory.by(Snapshot, "parent", vm.id).values()
    kept = kept_by_snapshots(inventory, snapshots, vm, after)
    paths = {**new_paths(vm, after), **kept}
    moved = [msgspec.structs.replace(each, state=followed(each.state, after, paths)) for each in snapshots]
    sizes = arriving(inventory, vm, after)
    sizes[after.datastore] += carry(inventory, edit, vm, after, kept)
    for store, size in arriving_beside(inventory, (vm, snapshots), (after, moved)).items():
        sizes[store] += size
    try:
        admit(inventory, edit, sizes)
    except UnableToAllocateResource as error:
        raise VapiError(*error.messages) from error
    for snapshot in moved:
        edit.put(snapshot)
    edit.put(after)


def reconfigured(s: Settlement, effect: ReconfigureVm, facts: Facts, decided: ReconfigureVm) -> None:
    """Other hardware, and files that follow it."""
    s.note(facts)
    after = effect.after if facts.machine is None else merged(decided.before, facts.machine, effect.before)
    s.put_machine(effect.before, still_unmerged(effect.before, after))


def powered(s: Settlement, effect: Powered, facts: Facts, decided: Powered) -> None:
    """Another power state, maybe on another host."""
    if isinstance(effect, PowerOn):
        s.edit.rely_on(effect.host)  # it must be able to run it still, also where that is no other host
    s.note(facts)
    if facts.machine is not None:
        s.edit.put(merged(decided.vm, facts.machine, effect.vm))
    else:
        s.edit.put(expected(effect))


def expected(effect: Powered) -> VirtualMachine:
    """The machine where the provider has nothing more to say."""
    if isinstance(effect, PowerOn):
        return powered_on(msgspec.structs.replace(effect.vm, host=effect.host.id))
    if isinstance(effect, (Reset, RebootGuest)):
        return powered_on(effect.vm)
    return suspended(effect.vm) if isinstance(effect, Suspend) else powered_off(effect.vm)


def changed(s: Settlement, effect: Changed, facts: Facts, decided: Changed) -> None:
    """What only the provider can tell."""
    s.note(facts)
    if facts.machine is not None:
        s.edit.put(merged(decided.vm, facts.machine, effect.vm))
