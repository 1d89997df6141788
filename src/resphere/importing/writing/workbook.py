"""The workbook as a whole: which sheets it has, and the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import xlsxwriter

from resphere import __version__
from resphere.importing.writing import machines, places
from resphere.importing.writing.sheets import Inventory, Sheet, sheet
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    Network,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.replica.table import Stored

LONGEST_TEXT = 32_767
"""What a cell of a workbook may have."""
_WRITERS: tuple[Callable[[Inventory], Sheet], ...] = (
    machines.info,
    machines.processors,
    machines.memory,
    machines.disks,
    machines.nics,
    machines.drives,
    machines.partitions,
    machines.snapshots,
    machines.tools,
    places.pools,
    places.clusters,
    places.hosts,
    places.adapters,
    places.kernel_adapters,
    places.datastores,
    places.port_groups,
    places.switches,
    places.distributed_port_groups,
)
_HELD = frozenset(
    each.kind
    for each in (
        *(Cluster, Datacenter, Datastore, Folder, Host, Network, ResourcePool, Snapshot, VirtualMachine),
        *(CustomAttribute, CustomValue),
    )
)
PARTLY_HELD = (
    "the branches of snapshot trees, their ids, and the hardware that they keep",
    "names of folders but those of machines, and folders without machines",
    "disks of file systems, network settings of guests, boot orders, floppies, serial and parallel ports",
    "storage policies and EVC modes of machines, custom EVC modes of clusters",
    "ids of datacenters and their folders, keys of NICs, PCI slots, how Tools were installed",
    "custom attributes of other objects than machines, and of names that the sheet vInfo has itself",
)
"""What the form has no place for, of the kinds that it holds."""


def sheets_of(documents: Iterable[Stored]) -> Iterator[Sheet]:
    """The sheets of an inventory."""
    inventory = Inventory(documents)
    for write in _WRITERS:
        yield write(inventory)
    yield sheet("vMetaData", ("Written by",), [{"Written by": f"resphere {__version__}"}])


def not_held(documents: Iterable[Stored]) -> list[str]:
    """What of an inventory the form does not hold, in words."""
    counts = Counter(document.kind for document in documents if document.kind not in _HELD)
    others = [f"documents of the kind {kind} ({count})" for kind, count in sorted(counts.items())]
    return [*PARTLY_HELD, *others]


def write_workbook(path: Path, sheets: Iterable[Sheet]) -> int:
    """Write a workbook; returns how many texts were too long for a cell and were cut.

    :raises OSError: it cannot be written.
    """
    # Without the options a text that begins as a formula, a link or a number would become one.
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": False,
    }
    cut = 0
    with path.open("wb") as file, xlsxwriter.Workbook(file, options) as workbook:
        for each in sheets:
            page = workbook.add_worksheet(each.name)
            page.freeze_panes(1, 0)
            page.write_row(0, 0, each.headers)
            for number, row in enumerate(each.rows, 1):
                for column, value in enumerate(row):
                    if value is None or value == "":
                        continue
                    if isinstance(value, str) and len(value) > LONGEST_TEXT:
                        cut += 1
                        page.write_string(number, column, value[:LONGEST_TEXT])
                    else:
                        page.write(number, column, value)
    return cut
