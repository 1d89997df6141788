"""How much of the contract a set of implemented operations covers."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.contract.releases import ALL_RELEASES


class Count(msgspec.Struct, frozen=True):
    """``implemented`` of ``total`` operations."""

    implemented: int
    total: int


class Area(msgspec.Struct, frozen=True):
    """One area of services: all its operations, those that public clients use, and those of each release."""

    name: str
    operations: Count
    used_by_clients: Count
    releases: dict[str, Count]


DEPTH = 2
LONGER = ("vcenter.vm",)


def area_of(operation: AnyOperation) -> str:
    """``com.vmware.vcenter.vm.hardware.disk`` -> ``vcenter.vm.hardware``; a service straight below a package -> it."""
    parts = operation.service.removeprefix("com.vmware.").split(".")
    depth = 3 if ".".join(parts[:2]) in LONGER and len(parts) > 3 else DEPTH
    return ".".join(parts[:depth]) if len(parts) > DEPTH else parts[0]


def coverage(implemented: Collection[str], operations: Iterable[AnyOperation] | None = None) -> list[Area]:
    """The areas of ``operations`` (default: the whole contract), by name; ``implemented`` are operation ids."""
    by_area: dict[str, list[AnyOperation]] = {}
    for operation in all_operations() if operations is None else operations:
        by_area.setdefault(area_of(operation), []).append(operation)
    return [
        Area(
            name=name,
            operations=count(found, implemented),
            used_by_clients=count([o for o in found if o.clients], implemented),
            releases={r: count([o for o in found if r in o.releases], implemented) for r in ALL_RELEASES},
        )
        for name, found in sorted(by_area.items())
    ]


def count(operations: Collection[AnyOperation], implemented: Collection[str]) -> Count:
    """How many of ``operations`` are among ``implemented``."""
    return Count(sum(1 for operation in operations if operation.id in implemented), len(operations))


def total(areas: Iterable[Area]) -> Area:
    """The sum of ``areas``."""
    listed = list(areas)

    def add(counts: Iterable[Count]) -> Count:
        both = list(counts)
        return Count(sum(c.implemented for c in both), sum(c.total for c in both))

    return Area(
        name="all",
        operations=add(area.operations for area in listed),
        used_by_clients=add(area.used_by_clients for area in listed),
        releases={r: add(area.releases[r] for area in listed) for r in ALL_RELEASES},
    )
