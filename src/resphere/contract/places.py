"""From places of the generated contract to its operations, importing only the modules that are asked for."""

from __future__ import annotations

import importlib
from functools import cache

from resphere.contract.model import AnyOperation, Operation

GENERATED = "resphere.contract.generated."


@cache
def generated_operation(place: str) -> AnyOperation:
    """The operation at ``module:Class.attribute``."""
    module, _, path = place.partition(":")
    found: object = importlib.import_module(GENERATED + module)
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, Operation):
        raise TypeError(f"{place} is not an operation")
    return found
