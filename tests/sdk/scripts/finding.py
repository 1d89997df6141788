"""Finds a service's stub class by the service's id."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any


@cache
def stub_class(service: str) -> Any:
    """The class of the bindings, ``None`` where this release has no such service."""
    package = service.rpartition(".")[0]
    try:
        module = importlib.import_module(f"{package}_client")
    except ModuleNotFoundError:
        return None
    found = (value for value in vars(module).values() if getattr(value, "_VAPI_SERVICE_ID", None) == service)
    return next(found, None)
