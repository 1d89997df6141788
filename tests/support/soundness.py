"""Whether an inventory holds together, in words to compare."""

from __future__ import annotations

from collections.abc import Sequence

from resphere.inventory.model import ManagedObject
from resphere.rules.soundness.check import findings


def problems(objects: Sequence[ManagedObject]) -> list[str]:
    """All problems, one line each, such as `vm-57 (db-001): host: host-9 does not exist`; none if all is sound."""
    return [
        f"{objects[finding.position].id} ({objects[finding.position].name}): {finding.field}: {finding.message}"
        for finding in findings(objects)
    ]
