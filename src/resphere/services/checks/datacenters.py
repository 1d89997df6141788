"""Criteria that several kinds share: where an object stands in the tree."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from resphere.inventory.model import Datacenter, ManagedObject
from resphere.inventory.relations import datacenter_of, folders_of_datacenter
from resphere.services.call import Call
from resphere.services.selection import Criterion, existing

T = TypeVar("T", bound=ManagedObject)


def in_datacenters(call: Call, cls: type[T], datacenters: Collection[str] | None) -> Criterion[T] | None:
    """Objects whose parent is any folder of one of the datacenters."""
    if not datacenters:
        return None
    there = existing(call, Datacenter, datacenters)
    folders = [folder.id for datacenter in there for folder in folders_of_datacenter(call.unfiltered, datacenter)]
    return Criterion(
        tuple(call.unfiltered.by(cls, "parent", folder) for folder in folders),
        lambda o: (datacenter := datacenter_of(call.unfiltered, o)) is not None and datacenter.id in datacenters,
    )
