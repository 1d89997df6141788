"""Our words for parameters, made of their names and types: no sentence is anybody else's."""

from __future__ import annotations

import re
import types
import typing
from datetime import datetime
from enum import Enum
from typing import Any

SHORT = {
    "vm": "virtual machine",
    "nic": "network adapter",
    "id": "id",
    "url": "URL",
    "ip": "IP address",
    "vmdk": "VMDK",
}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def describe(name: str, expected: Any, *, filters: bool = False) -> str:
    """What a parameter holds: ``vm`` of the type of ids of virtual machines is "The id of a virtual machine".

    ``filters``: it narrows down a list.
    """
    arguments = tuple(each for each in typing.get_args(expected) if each is not types.NoneType)
    origin = typing.get_origin(expected)
    if origin in (typing.Union, types.UnionType) and len(arguments) == 1:
        return describe(name, arguments[0], filters=filters)
    if origin is typing.Annotated:
        return describe(name, arguments[0], filters=filters)
    if origin in (frozenset, tuple):
        return _many(name, arguments[0], filters=filters)
    if isinstance(expected, typing.NewType):
        return f"The id of {_article(kind_of(expected))}."
    words = spoken(name)
    if expected is bool:
        return f"Only where this is so: {words}." if filters else f"Whether this is so: {words}."
    if expected is datetime:
        return f"A moment, such as 2026-01-01T00:00:00Z: {words}."
    if isinstance(expected, type) and issubclass(expected, Enum):
        return f"{_capital(words)}, one of {len(expected)} words."
    return f"{_capital(words)}."


def _many(name: str, each: Any, *, filters: bool) -> str:
    what = f"{_plural(kind_of(each))}, by id" if isinstance(each, typing.NewType) else spoken(name)
    return f"Narrows the list down to these {what}." if filters else f"Any number of {what}."


def spoken(name: str) -> str:
    """``host_name`` -> ``host name``."""
    return " ".join(SHORT.get(word, word) for word in re.split(r"[_-]+", name))


def kind_of(identifier: Any) -> str:
    """What an id's type is of: ``VirtualMachineId`` -> ``virtual machine``."""
    words = _CAMEL.sub(" ", identifier.__name__.removesuffix("Id")).split()
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words) or "object"


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0].lower() in "aeio" else f"a {noun}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch")) else f"{noun}s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
