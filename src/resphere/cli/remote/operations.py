"""Operations of the contract by what people call them; loads the modules of those alone."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from resphere.cli.exits import Ended, Exit
from resphere.contract.generated import index
from resphere.contract.model import AnyOperation, Operation
from resphere.nearest import meant

OURS = "resphere."
VMWARE = "com.vmware."
GENERATED = "resphere.contract.generated."
LOOKUP = "resphere.contract.lookup"
"""All of our own operations at once, which takes longer than all else that a command does: where one is asked for."""


@cache
def operation(id: str) -> AnyOperation:
    """The operation of that id.

    :raises KeyError: there is none.
    """
    service, _, name = id.rpartition(".")
    if service.startswith(OURS):
        lookup = importlib.import_module(LOOKUP)
        place = lookup.place_of(service, name)
        if place is None:
            raise KeyError(id)
        ours: AnyOperation = lookup.operation_at(place)
        return ours
    module, _, path = index.OPERATIONS[f"{service} {name}"].partition(":")
    found: Any = importlib.import_module(GENERATED + module)
    for part in path.split("."):
        found = getattr(found, part)
    assert isinstance(found, Operation)
    return found


def named(text: str) -> AnyOperation:
    """The operation that somebody calls so: by its id in any case of letters; ``com.vmware.`` may be left out.

    :raises Ended: there is none, or there are several.
    """
    ids = all_ids()
    wanted = text.casefold()
    found = [id for id in ids if wanted in (id.casefold(), id.casefold().removeprefix(VMWARE))]
    if text in found:
        found = [text]
    if len(found) > 1:
        raise Ended(f"{text} may mean {' or '.join(found)}", Exit.CALLED_WRONGLY)
    if not found:
        short = {id.removeprefix(VMWARE) for id in ids}
        raise Ended(f"there is no operation {text}{meant(text.removeprefix(VMWARE), short)}", Exit.CALLED_WRONGLY)
    return operation(found[0])


def all_ids() -> list[str]:
    """The ids of all operations."""
    return sorted(importlib.import_module(LOOKUP).operation_ids())
