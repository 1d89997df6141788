"""Where secrets stand in addresses: tickets and tokens that are good once, for whoever has them."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import unquote

import msgspec

from resphere.contract.extensions import OPERATIONS
from resphere.contract.model import AnyOperation, Secret

MASK = "*"
_PARAMETER = re.compile(r"\{([^}]+)\}")


@cache
def secret_parameters(operation: AnyOperation) -> tuple[str, ...]:
    """The parameters of an operation that are secrets themselves."""
    return tuple(field.encode_name for field in msgspec.structs.fields(operation.input) if field.type is Secret)


def masked(path: str) -> str:
    """The path as logs may show it, as it was sent but for the secrets in it, whatever became of the request.

    It need not be an address that exists: what begins like one that has a secret has it in the same place.
    """
    first = path.lstrip("/").partition("/")[0]
    forms = secret_places().get(unquote(first) if "%" in first else first)
    if forms is None:
        return path
    segments = path.split("/")
    filled = [position for position, segment in enumerate(segments) if segment]
    plain = [unquote(segments[position]) for position in filled]
    for form, secrets in forms:
        if all(wanted is None or wanted == given for wanted, given in zip(form, plain, strict=False)):
            for place in secrets:
                if place < len(filled):
                    segments[filled[place]] = MASK
    return "/".join(segments)


@cache
def secret_places() -> dict[str, tuple[tuple[tuple[str | None, ...], tuple[int, ...]], ...]]:
    """By the first segment of their paths, the addresses with secrets, which are all of our own: their segments,
    ``None`` where a parameter stands, and the positions of the secrets."""
    found: dict[str, tuple[tuple[tuple[str | None, ...], tuple[int, ...]], ...]] = {}
    for operation in OPERATIONS.values():
        secret = secret_parameters(operation)
        for route in (operation.api, operation.rest) if secret else ():
            parts = [part for part in route.path.partition("?")[0].split("/") if part] if route else []
            names = [_PARAMETER.search(part) for part in parts]
            places = tuple(i for i, name in enumerate(names) if name is not None and name[1] in secret)
            if places:
                form = tuple(None if name else part for part, name in zip(parts, names, strict=True))
                found[parts[0]] = (*found.get(parts[0], ()), (form[: places[-1]], places))
    return found
