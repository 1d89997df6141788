"""What may be chosen for a caller who leaves it open: not whatever there is, but what the caller may use."""

from __future__ import annotations

from collections.abc import Callable

from resphere.inventory.model import ManagedObject

Usable = Callable[[ManagedObject], bool]
"""Whether an object may be chosen."""


def anything(_: ManagedObject) -> bool:
    """Of a choice that is nobody's in particular."""
    return True
