"""The steps from each form of documents to the next, on plain documents.

A step knows documents as JSON has them, and nothing of the present classes: these change, and the step must not. What
is sealed comes to it opened. New fields with a default need no doing, only a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

Plain = dict[str, Any]
Documents = dict[str, dict[str, Plain]]
"""The documents of a store: kind -> id -> document. A step changes it in place."""

DATASTORE_COUNTERS = ("admissions", "crowded")
NAMESPACE = "urn:vim25:"


class Step(msgspec.Struct, frozen=True):
    """``change`` makes the form of the one before; ``what`` says what is new, for contributors."""

    what: str
    change: Callable[[Documents], None]


def number_documents(documents: Documents) -> None:
    """What releases without numbers wrote, whichever they were.

    Until 2026-11-23 datastores said what is free, and no more what else takes room; until 2026-11-25 they counted
    admissions, and categories kept types with their namespace. All else is fields that were added with a default.
    """
    for datastore in documents.get("datastore", {}).values():
        for counter in DATASTORE_COUNTERS:
            datastore.pop(counter, None)
        if "free_space" in datastore:
            used = datastore["capacity"] - datastore.pop("free_space")
            other_used = used - disks_on(datastore["name"], documents)
            if other_used > 0:
                datastore["other_used"] = other_used
    for category in documents.get("tag_category", {}).values():
        if "associable_types" in category:
            types = {type.removeprefix(NAMESPACE) for type in category["associable_types"]}
            category["associable_types"] = sorted(types)


def disks_on(datastore: str, documents: Documents) -> int:
    """What the disks of VMs, and of their snapshots, take on the datastore of that name, in bytes."""
    machines = [*documents.get("virtual_machine", {}).values()]
    machines += [snapshot["state"] for snapshot in documents.get("snapshot", {}).values()]
    disks = [disk for machine in machines for disk in machine.get("disks", {}).values()]
    files = {disk["backing"].get("vmdk_file") or "": disk.get("capacity") or 0 for disk in disks}
    return sum(size for path, size in files.items() if path.startswith(f"[{datastore}] "))


STEPS: Mapping[int, Step] = MappingProxyType(
    {
        2: Step("forms are numbered", number_documents),
        3: Step("messages of failed tasks tell which of their words are objects", lambda documents: None),
    }
)
"""By the number of the form that each makes of the one before."""
