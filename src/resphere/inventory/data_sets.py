"""Data sets: what a VM and its guest share, entry by entry.

``owner`` is the VM's id, or that of the snapshot that keeps the data set as it was; ``machine`` is the VM's in both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from resphere.contract.generated.vcenter_vm import DataSets
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table, own_id


class DataSet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A data set; ``used`` counts the bytes of its keys and values.

    ``omitted``: it is the VM's own, and neither snapshots nor clones have it.
    """

    kind: ClassVar[str] = "data_set"

    id: str
    owner: str
    machine: str
    name: str
    description: str
    host: DataSets.Access
    guest: DataSets.Access
    omitted: bool = False
    used: int = 0


class DataSetEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry of the data set of the id ``data_set``."""

    kind: ClassVar[str] = "data_set_entry"

    id: str
    data_set: str
    key: str
    value: str


DATA_SET_TABLES: tuple[Table[Any], ...] = (
    Table(
        cls=DataSet,
        indexes={"owner": lambda data_set: (data_set.owner,), "machine": lambda data_set: (data_set.machine,)},
        revises=False,
        owned_as=own_id,
        belongs_to="machine",
    ),
    Table(
        cls=DataSetEntry,
        indexes={"data_set": lambda entry: (entry.data_set,)},
        revises=False,
        belongs_to="data_set",
    ),
)


def data_set_id(owner: str, name: str) -> str:
    """The id of an owner's data set."""
    return f"{owner}/{quote(name, safe='')}"


def entry_id(data_set: str, key: str) -> str:
    """The id of an entry of a data set. Keys may be longer than ids should be."""
    return f"{data_set}/{hashlib.sha256(key.encode()).hexdigest()}"


def delete_data_set(inventory: Replica, edit: Edit, data_set: str) -> None:
    """Delete a data set with its entries."""
    for entry in list(inventory.by(DataSetEntry, "data_set", data_set)):
        edit.delete(DataSetEntry, entry)
    edit.delete(DataSet, data_set)


def forget_data_sets(inventory: Replica, edit: Edit, owner: str) -> None:
    """Delete the data sets of a VM, without those of its snapshots, or of a snapshot."""
    for data_set in list(inventory.by(DataSet, "owner", owner)):
        delete_data_set(inventory, edit, data_set)


def forget_all_data_sets(inventory: Replica, edit: Edit, machine: str) -> None:
    """Delete the data sets of a VM and of its snapshots."""
    for data_set in list(inventory.by(DataSet, "machine", machine)):
        delete_data_set(inventory, edit, data_set)


def copy_data_sets(inventory: Replica, edit: Edit, source: str, owner: str, machine: str) -> None:
    """Give ``owner`` what it gets of the data sets of ``source``, as a snapshot of a VM or a clone does."""
    kept = [each for each in inventory.by(DataSet, "owner", source).values() if not each.omitted]
    _put(inventory, edit, kept, {source: owner}, machine)


def revert_data_sets(inventory: Replica, edit: Edit, machine: str, snapshot: str) -> None:
    """Bring the data sets of a VM back to what a snapshot has; those that snapshots omit are lost, as in vCenter."""
    restored = {each.name for each in inventory.by(DataSet, "owner", snapshot).values()}
    for data_set in list(inventory.by(DataSet, "owner", machine).values()):
        if data_set.name not in restored:
            delete_data_set(inventory, edit, data_set.id)
            continue
        for entry in list(inventory.by(DataSetEntry, "data_set", data_set.id)):
            edit.delete(DataSetEntry, entry)
    copy_data_sets(inventory, edit, snapshot, machine, machine)


def move_data_sets(inventory: Replica, edit: Edit, old: str, machine: str, snapshots: Mapping[str, str]) -> None:
    """Give the VM ``machine`` the data sets of ``old``, which is no more; ``snapshots``: old ids -> new ones."""
    mine = list(inventory.by(DataSet, "machine", old).values())
    _put(inventory, edit, mine, {old: machine, **snapshots}, machine)
    forget_all_data_sets(inventory, edit, old)


def _put(inventory: Replica, edit: Edit, data_sets: Iterable[DataSet], owners: Mapping[str, str], machine: str) -> None:
    for data_set in data_sets:
        owner = owners.get(data_set.owner)
        if owner is None:
            continue
        copy = data_set_id(owner, data_set.name)
        edit.put(msgspec.structs.replace(data_set, id=copy, owner=owner, machine=machine))
        for entry in inventory.by(DataSetEntry, "data_set", data_set.id).values():
            edit.put(DataSetEntry(id=entry_id(copy, entry.key), data_set=copy, key=entry.key, value=entry.value))
