"""Filters of lists: the cheapest index narrows, the other criteria test.

Criteria go by where objects stand, whoever looks: a folder's VMs are found also by those who see the VMs and not the
folder. :func:`select` then shows what the caller sees.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sized
from typing import Generic, TypeVar

import msgspec

from resphere.contract.errors import UnableToAllocateResource, worded
from resphere.inventory.model import ManagedObject
from resphere.services.call import Call

T = TypeVar("T", bound=ManagedObject)
A = TypeVar("A", bound=Sized)


class Criterion(msgspec.Struct, Generic[T], frozen=True):
    """One filter: the objects that meet it, by index, and a test of a single object."""

    groups: tuple[Mapping[str, T], ...]
    test: Callable[[T], bool]

    @property
    def size(self) -> int:
        """How many objects the index holds for it."""
        return sum(len(group) for group in self.groups)


def by_index(
    call: Call, cls: type[T], index: str, keys: Collection[str] | None, test: Callable[[T], bool]
) -> Criterion[T] | None:
    """Objects of which ``index`` has one of ``keys``; ``None`` (no criterion) where the filter is unset.

    An empty filter is no filter, as in vCenter: unset or empty matches everything.
    """
    if not keys:
        return None
    return Criterion(tuple([group for key in keys if (group := call.unfiltered.by(cls, index, key))]), test)


def existing(call: Call, cls: type[ManagedObject], identities: Iterable[str]) -> list[str]:
    """Those of the identities that there are, in order: a filter may name a hundred thousand, and few that exist."""
    return sorted([identity for identity in identities if call.unfiltered.get(cls, identity) is not None])


def by_id(call: Call, cls: type[T], identities: Collection[str] | None) -> Criterion[T] | None:
    """Objects with one of ``identities``."""
    if not identities:
        return None
    found = {i: o for i in existing(call, cls, identities) if (o := call.unfiltered.get(cls, i)) is not None}
    return Criterion((found,), lambda o: o.id in identities)


def select(call: Call, cls: type[T], criteria: Iterable[Criterion[T] | None]) -> list[T]:
    """The objects that the caller sees and that meet all criteria, in the order of their ids' numbers."""
    given = sorted((c for c in criteria if c is not None), key=lambda c: c.size)
    if not given:
        return list(call.all(cls).values())
    first, rest = given[0], given[1:]
    found = {
        identity: candidate
        for group in first.groups
        for identity, candidate in group.items()
        if all(c.test(candidate) for c in rest)
    }
    shown = found.values() if call.view.sees_all else filter(call.view.sees, found.values())
    return sorted(shown, key=lambda o: number(o.id))


def number(identity: str) -> tuple[int, str]:
    """Sort key of an id: its trailing number."""
    digits = identity.rpartition("-")[2].lstrip("abcdefghijklmnopqrstuvwxyz")
    return (int(digits) if digits.isdecimal() else 0, identity)


def limited(objects: A, most: int, name: str, enforced: bool) -> A:
    """``objects``, unless there are more than vCenter lists at once.

    :raises UnableToAllocateResource: ``com.vmware.api.vcenter.<name>.too_many_matches``.
    """
    if enforced and len(objects) > most:
        raise UnableToAllocateResource(
            worded(
                f"com.vmware.api.vcenter.{name}.too_many_matches",
                "Too many objects match: {1} are more than the {0} that one list may return. Narrow the filter.",
                most,
                len(objects),
            )
        )
    return objects
