"""Data sets: what a VM and its guest share, entry by entry.

``owner`` is the VM's id, or that of the snapshot that keeps the data set as it was; ``machine`` is the VM's in both.
"""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from resphere.contract.generated.vcenter_vm import DataSets
from resphere.inventory.model import Snapshot, UnregisteredVm, VirtualMachine
from resphere.replica.table import OnDelete, Reference, Table


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
        belongs_to="machine",
        refers_to=(
            Reference(
                index="machine", fields=("machine",), to=(VirtualMachine, UnregisteredVm), on_delete=OnDelete.CASCADE
            ),
            Reference(
                index="owner",
                fields=("owner",),
                to=(VirtualMachine, Snapshot, UnregisteredVm),
                on_delete=OnDelete.CASCADE,
            ),
        ),
    ),
    Table(
        cls=DataSetEntry,
        indexes={"data_set": lambda entry: (entry.data_set,)},
        revises=False,
        belongs_to="data_set",
        refers_to=(Reference(index="data_set", fields=("data_set",), to=(DataSet,), on_delete=OnDelete.CASCADE),),
    ),
)


def data_set_id(owner: str, name: str) -> str:
    """The id of an owner's data set."""
    return f"{owner}/{quote(name, safe='')}"


def entry_id(data_set: str, key: str) -> str:
    """The id of an entry of a data set. Keys may be longer than ids should be."""
    return f"{data_set}/{hashlib.sha256(key.encode()).hexdigest()}"
