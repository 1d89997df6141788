"""Queries of ``/rest``: ``filter.names=a&filter.names=b``, or ``filter.names.1=a&filter.names.2=b``, to any depth."""

from __future__ import annotations

import re
import typing
from typing import Any

from resphere.contract.model import Struct
from resphere.wire.validation import bare, convert, field_types, invalid, unexpected

Tree = dict[str, Any]
"""Nested by the dots of the keys; a leaf is the list of the values that a key was given."""

# Not every word of digits is a number to Python: of too many it makes none.
_NUMBER = re.compile(r"[0-9]{1,9}")


def tree(query: dict[str, list[str]]) -> Tree:
    """The query's keys taken apart.

    :raises InvalidArgument: a key is given as a value and as a structure at once.
    """
    root: Tree = {}
    for key, values in query.items():
        node = root
        *path, last = key.split(".")
        for part in path:
            below = node.setdefault(part, {})
            if not isinstance(below, dict):
                raise invalid(key, f"{part} is given as a value too")
            node = below
        if isinstance(node.get(last), dict):
            raise invalid(key, "is given as a structure too")
        node.setdefault(last, []).extend(values)
    return root


def shaped(node: Any, expected: Any, where: str) -> Any:
    """A part of the tree as values of the expected shape; the elements of lists are still strings.

    :raises InvalidArgument: an unknown member, several values where there can be one, or one that is not of the type.
    """
    expected = bare(expected)
    if typing.get_origin(expected) in (tuple, frozenset):
        return elements(node, typing.get_args(expected)[0], where)
    if isinstance(expected, type) and issubclass(expected, Struct):
        return members(node, expected, where)
    if isinstance(node, dict):
        raise invalid(f"{where}.{next(iter(node))}", f"{where} has no members")
    if len(node) > 1:
        raise invalid(where, "may be given only once")
    # Not as what may be unset: a query holds no null, and the word is text, or wrong.
    return convert(node[0], expected, where)


def elements(node: Any, expected: Any, where: str) -> list[Any]:
    """The elements of a list, repeated or numbered."""
    if isinstance(node, list):
        return node
    wrong = next((key for key in node if not _NUMBER.fullmatch(key)), None)
    if wrong is not None:
        raise invalid(f"{where}.{wrong}", f"{where} is a list: repeat the key, or number its elements from 1")
    return [shaped(node[key], expected, f"{where}.{key}") for key in sorted(node, key=int)]


def members(node: Any, expected: type[Struct], where: str) -> Tree:
    """The members of a structure."""
    types = field_types(expected)
    if not isinstance(node, dict):
        raise invalid(where, f"is a structure; name its members: {', '.join(f'{where}.{name}' for name in types)}")
    unknown = node.keys() - types.keys()
    if unknown:
        raise unexpected(unknown, expected.__vapi_name__, where)
    return {name: shaped(below, types[name], f"{where}.{name}") for name, below in node.items()}
