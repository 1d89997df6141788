"""How messages name objects of the inventory, see :mod:`resphere.contract.mentions`."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.contract.mentions import Mention
from resphere.inventory.model import ManagedObject


def named(obj: ManagedObject) -> Mention:
    """By name."""
    return Mention(obj.id, obj.name)


def identified(id: str) -> Mention:
    """By id."""
    return Mention(id, id)


def identified_all(ids: Iterable[str]) -> tuple[Mention, ...]:
    """Several, by id and in that order."""
    return tuple([identified(id) for id in sorted(ids)])


def described(obj: ManagedObject, kind: str) -> Mention:
    """By what it is, name and id, in a sentence: ``the virtual machine web (vm-57)``."""
    return Mention(obj.id, f"the {kind} {obj.name} ({obj.id})")


def qualified(id: str, vcenter: str) -> Mention:
    """By id and the instance UUID of its vCenter, as vCenter itself writes: ``vm-57:d6e608b5-3ba4-...``."""
    return Mention(id, f"{id}:{vcenter}")
