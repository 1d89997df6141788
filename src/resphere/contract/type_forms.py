"""How types of the contract are taken apart: unset fields, annotations, identifiers."""

from __future__ import annotations

import types
import typing
from typing import Any

from resphere.contract.model import Secret


def inner_of_optional(expected: Any) -> Any:
    """``T`` of ``T | None``, with its annotations; ``None`` for every other type."""
    if typing.get_origin(expected) in (typing.Union, types.UnionType):
        return next(argument for argument in typing.get_args(expected) if argument is not type(None))
    return None


def without_none(expected: Any) -> Any:
    """A type without ``| None``, with its annotations."""
    inner = inner_of_optional(expected)
    return expected if inner is None else inner


def plain_type(expected: Any) -> Any:
    """A type without annotations, and without the name of an identifier: what travels. That of a secret keeps it."""
    while True:
        if typing.get_origin(expected) is typing.Annotated:
            expected = typing.get_args(expected)[0]
        elif expected is not Secret and isinstance(expected, typing.NewType):
            expected = expected.__supertype__
        else:
            return expected
