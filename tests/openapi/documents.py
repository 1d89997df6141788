"""The documents that the server hands out, as tests read them."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from functools import cache
from typing import Any

from resphere import services
from resphere.contract.openapi import listed
from resphere.contract.releases import ALL_RELEASES
from resphere.services.registry import load
from resphere.services.resphere.openapi import made

load(services)
COMPONENTS = listed(ALL_RELEASES).components


@cache
def document(
    implemented: bool = False, component: str | None = None, releases: tuple[str, ...] = ALL_RELEASES
) -> dict[str, Any]:
    """The document, decoded."""
    decoded: dict[str, Any] = json.loads(made("8.0.3", releases, implemented, component))
    return decoded


def operations(of: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of everything in the document."""
    for path, item in of["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def told(of: dict[str, Any], operation: dict[str, Any], status: int) -> str:
    """What a document says of the response of one of its operations with that status."""
    response = operation["responses"][str(status)]
    if "$ref" in response:
        response = of["components"]["responses"][response["$ref"].rpartition("/")[2]]
    description: str = response["description"]
    return description


def shared(value: Any, known: dict[Hashable, Any]) -> Any:
    """``value`` with its equal parts being one object: validators look at an object once."""
    key: Hashable
    if isinstance(value, dict):
        value = {name: shared(part, known) for name, part in value.items()}
        key = ("{", *((name, id(part)) for name, part in value.items()))
    elif isinstance(value, list):
        value = [shared(part, known) for part in value]
        key = ("[", *map(id, value))
    else:
        key = (type(value), value)
    return known.setdefault(key, value)
