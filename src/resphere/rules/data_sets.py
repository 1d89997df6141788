"""What becomes of data sets when virtual machines are copied, reverted, moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from resphere.inventory.data_sets import DataSet, DataSetEntry, data_set_id, entry_id
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


def copy_data_sets(inventory: Replica, edit: Edit, source: str, owner: str, machine: str) -> None:
    """Give ``owner`` what it gets of the data sets of ``source``, as a snapshot of a VM or a clone does."""
    kept = [each for each in inventory.by(DataSet, "owner", source).values() if not each.omitted]
    _put(inventory, edit, kept, {source: owner}, machine)


def revert_data_sets(inventory: Replica, edit: Edit, machine: str, snapshot: str) -> None:
    """Bring the data sets of a VM back to what a snapshot has; those that snapshots omit are lost, as in vCenter."""
    # One that is made meanwhile would stay.
    edit.rely_on_referrers(machine)
    restored = {each.name for each in inventory.by(DataSet, "owner", snapshot).values()}
    for data_set in list(inventory.by(DataSet, "owner", machine).values()):
        if data_set.name not in restored:
            edit.delete(DataSet, data_set.id)
            continue
        for entry in list(inventory.by(DataSetEntry, "data_set", data_set.id)):
            edit.delete(DataSetEntry, entry)
    copy_data_sets(inventory, edit, snapshot, machine, machine)


def move_data_sets(inventory: Replica, edit: Edit, old: str, machine: str, snapshots: Mapping[str, str]) -> None:
    """Give the VM ``machine`` the data sets of ``old``, which is no more; ``snapshots``: old ids -> new ones."""
    mine = list(inventory.by(DataSet, "machine", old).values())
    _put(inventory, edit, mine, {old: machine, **snapshots}, machine)


def _put(inventory: Replica, edit: Edit, data_sets: Iterable[DataSet], owners: Mapping[str, str], machine: str) -> None:
    for data_set in data_sets:
        owner = owners.get(data_set.owner)
        if owner is None:
            continue
        copy = data_set_id(owner, data_set.name)
        edit.put(msgspec.structs.replace(data_set, id=copy, owner=owner, machine=machine))
        for entry in inventory.by(DataSetEntry, "data_set", data_set.id).values():
            edit.put(DataSetEntry(id=entry_id(copy, entry.key), data_set=copy, key=entry.key, value=entry.value))
