"""Snapshots that were taken, reverted to, deleted or merged."""

from __future__ import annotations

import msgspec

from resphere.inventory.effects import ConsolidateDisks, DeleteSnapshots, RevertToSnapshot, TakeSnapshot
from resphere.inventory.facts import Facts
from resphere.inventory.model import Snapshot
from resphere.rules.admission import admit
from resphere.rules.data_sets import copy_data_sets, revert_data_sets
from resphere.rules.files import room_by_store, still_unmerged
from resphere.rules.settlement.settlement import Settlement, merged
from resphere.rules.snapshots import survivor, with_deltas, without_unmerged
from resphere.rules.space import snapshot_room
from resphere.rules.vapp import copy_configuration, revert_configuration


def taken(s: Settlement, effect: TakeSnapshot, facts: Facts, decided: TakeSnapshot) -> None:
    """The machine as it is now is kept, with its data sets and vApp configuration."""
    vm = effect.vm
    snapshot = msgspec.structs.replace(effect.snapshot, parent_snapshot=vm.snapshot, state=vm)
    admit(s.inventory, s.edit, room_by_store(s.inventory, vm, [snapshot_room(snapshot)]))
    s.edit.put(snapshot)
    s.note(facts)
    copy_data_sets(s.inventory, s.edit, vm.id, snapshot.id, vm.id)
    copy_configuration(s.edit, vm.id, snapshot.id, vm.id)
    s.edit.put(msgspec.structs.replace(facts.machine or vm, snapshot=snapshot.id))


def reverted(s: Settlement, effect: RevertToSnapshot, facts: Facts, decided: RevertToSnapshot) -> None:
    """Hardware, power state, data sets and vApp configuration are what the snapshot holds."""
    s.edit.rely_on(effect.snapshot)  # its state becomes the machine's, which may hang on it already
    after = effect.after if facts.machine is None else merged(decided.before, facts.machine, effect.before)
    after = still_unmerged(effect.before, msgspec.structs.replace(after, unmerged={}))
    s.put_machine(effect.before, after, knows_contents=True)
    s.note(facts)
    revert_data_sets(s.inventory, s.edit, effect.before.id, effect.snapshot.id)
    revert_configuration(s.edit, effect.before.id, effect.snapshot.id)


def deleted(s: Settlement, effect: DeleteSnapshots, facts: Facts, decided: DeleteSnapshots) -> None:
    """What remains hangs on the nearest ancestor that remains."""
    vm, doomed = effect.vm, set(effect.snapshots)
    tree = s.inventory.by(Snapshot, "parent", vm.id)
    left = [] if effect.consolidate else [snapshot for snapshot in tree.values() if snapshot.id in doomed]
    for snapshot in tree.values():
        if snapshot.id in doomed:
            s.edit.delete(Snapshot, snapshot.id)
        elif snapshot.parent_snapshot in doomed:
            parent = survivor(tree, snapshot.parent_snapshot, doomed)
            s.edit.put(msgspec.structs.replace(snapshot, parent_snapshot=parent))
    s.note(facts)
    # Written even where the pointer stays: two changes of one tree must not pass each other unseen.
    s.edit.put(
        msgspec.structs.replace(
            facts.machine or vm,
            snapshot=survivor(tree, vm.snapshot, doomed),
            needs_consolidation=vm.needs_consolidation or not effect.consolidate,
            unmerged=with_deltas(vm, left),
        )
    )


def consolidated(s: Settlement, effect: ConsolidateDisks, facts: Facts, decided: ConsolidateDisks) -> None:
    """Nothing is left to be merged."""
    s.note(facts)
    s.edit.put(without_unmerged(facts.machine or effect.vm))
