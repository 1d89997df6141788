"""What somebody may know of a result that was recorded for whoever reads it.

Identifiers are known by the types that the contract gives them, as in :mod:`resphere.access.targets`; names of objects
stand in messages, as mentions.
"""

from __future__ import annotations

import typing
from typing import Any, Final

import msgspec

from resphere.access.targets import RESOURCES, is_structure
from resphere.contract.generated.vapi_std import DynamicID
from resphere.contract.mentions import Knows, NamingMessage, everything, told
from resphere.contract.model import Struct
from resphere.contract.type_forms import inner_of_optional


class _Hidden:
    """In place of what the reader may not know of."""


_HIDDEN: Final = _Hidden()


def shown(value: Any, expected: Any, knows: Knows) -> Any:
    """``value``, of the type ``expected``, for somebody who ``knows`` of some objects only; ``None`` where that is
    nothing.

    A structure that names another object is left out as a whole, and so is what holds it, up to a collection, which is
    shown without it. What has no type that says what it names is shown to those alone who know of all.
    """
    found = _shown(value, expected, knows)
    return None if found is _HIDDEN else found


def _shown(value: Any, expected: Any, knows: Knows) -> Any:
    if value is None:
        return None
    if isinstance(value, NamingMessage):
        return told(value, knows)
    if expected is Any:
        return value if knows is everything else _HIDDEN
    if expected in RESOURCES:
        return value if knows(value) else _HIDDEN
    inner = inner_of_optional(expected)
    if inner is not None:
        return _shown(value, inner, knows)
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin in (tuple, frozenset):
        items = (_shown(each, arguments[0], knows) for each in value)
        return origin([each for each in items if each is not _HIDDEN])
    if origin is dict:
        return _entries(value, arguments, knows)
    return _structure(value, knows) if is_structure(expected) else value


def _entries(value: dict[Any, Any], arguments: tuple[Any, ...], knows: Knows) -> dict[Any, Any]:
    of_keys, of_values = arguments
    entries = ((_shown(key, of_keys, knows), _shown(each, of_values, knows)) for key, each in value.items())
    return {key: each for key, each in entries if key is not _HIDDEN and each is not _HIDDEN}


def _structure(value: Struct, knows: Knows) -> Any:
    if isinstance(value, DynamicID):
        return value if knows(value.id) else _HIDDEN
    fields = msgspec.structs.fields(value)
    changed = {each.name: _shown(getattr(value, each.name), each.type, knows) for each in fields}
    return _HIDDEN if any(each is _HIDDEN for each in changed.values()) else msgspec.structs.replace(value, **changed)
